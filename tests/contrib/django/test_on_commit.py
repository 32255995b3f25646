"""Objects that count and answer: their pks, the transaction's commit, coroutines."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth.models import User
from django.core.exceptions import SynchronousOnlyOperation
from django.db import transaction
from shop.models import Order, Product

from hailwhale.contrib.django import conf
from hailwhale.contrib.django.models import Counted
from hailwhale.contrib.django.pks import pk_of
from hailwhale.errors import BadInput, StoreUnavailable
from tests.conftest import NOW_S, Clock
from tests.contrib.django.conftest import Use

DAY_S = 86_400

sent: list[dict[str, Any]] = []


def note(**fields: Any) -> None:
    """A SEND_BY of these tests."""
    sent.append(fields)


def fail(**_: Any) -> None:
    """Fail as if the store were unavailable."""
    raise StoreUnavailable("no answer")


class BySku(Counted):
    """A model with another root and another field."""

    hailwhale_root = ("Catalog", "Product")
    hailwhale_field = "sku"
    sku = "A-7"

    class Meta:
        app_label = "shop"
        managed = False


class ProductProxy(Product):  # type: ignore[misc]
    """Another face of the same rows."""

    class Meta:
        app_label = "shop"
        proxy = True


@pytest.mark.parametrize(
    ("what", "pk"),
    [
        (Product(id=7), ["shop.Product", "7"]),
        (ProductProxy(id=7), ["shop.Product", "7"]),
        (BySku(), ["Catalog", "Product", "A-7"]),
        (Product, ["shop.Product"]),
        (BySku, ["Catalog", "Product"]),
        (User(id=3), ["auth.User", "3"]),
        (Order(id=1), ["shop.Order", "1"]),
        ("Queue", ["Queue"]),
        (("Product", 7), ["Product", "7"]),
    ],
)
def test_what_is_counted_has_a_pk(what: object, pk: Sequence[str]) -> None:
    assert pk_of(what) == pk


@pytest.mark.parametrize("what", [None, "", [], 7, Product(), User(), b"x"])
def test_an_event_without_a_pk_is_refused(what: object) -> None:
    with pytest.raises(BadInput, match=r"^pk: got"):
        pk_of(what)


def test_an_object_counts_and_answers(mug: Any) -> None:
    assert mug.count_now(metrics={"revenue": "9.99", "sales": 1}, dimensions={"country": "US"})
    assert mug.count_now({"country": "DE"}, {"revenue": 0.01})
    assert mug.total("revenue") == 10
    assert mug.total("revenue", "1d:1w", ["country", "DE"]) == pytest.approx(0.01)
    assert mug.today("revenue") == 10
    assert mug.yesterday("revenue") == 0
    assert mug.totals(metrics=["sales", "hits"], period="today") == {
        "today": {"_": {"sales": 1, "hits": 2}}
    }
    points = mug.plotpoints(metrics="revenue", period="1d:1w", depth=2, threshold=0)
    assert {dimension: rows["revenue"][-1][1] for dimension, rows in points.items()} == {
        "_": 10,
        "country": 10,
        '["country", "US"]': pytest.approx(9.99),
        '["country", "DE"]': pytest.approx(0.01),
    }
    assert mug.subdimensions() == {"_": ["country"]}
    assert [row["dimension"] for row in mug.rank("country", "revenue")] == [
        '["country", "US"]',
        '["country", "DE"]',
    ]


def test_all_objects_of_a_model_add_up(mug: Any, lamp: Any) -> None:
    mug.count_now()
    lamp.count_now()
    assert conf.whale().total(pk_of(Product)) == 2


def test_an_id_counts_once(mug: Any) -> None:
    assert [mug.count_now(id="order-1"), mug.count_now(id="order-1")] == [True, False]
    assert mug.total() == 1


def test_a_related_object_is_a_dimension(mug: Any) -> None:
    buyer = User(id=12)
    mug.count_related(buyer, {"country": "US"}, {"revenue": 5})
    mug.count_related(buyer, metrics={"revenue": 2}, dimension="gift")
    mug.count_related(User(id=13), metrics={"revenue": 1})
    assert mug.total("revenue", dimension=pk_of(buyer)) == 7
    assert mug.total("revenue", dimension=["country", "US"]) == 5
    assert mug.total("revenue", dimension="gift") == 2
    ranked = mug.rank("auth.User", "revenue")
    assert [(row["dimension"], row["value"]) for row in ranked] == [
        ('["auth.User", "12"]', 7),
        ('["auth.User", "13"]', 1),
    ]


def test_a_reading_is_set(mug: Any) -> None:
    for stock in (12, 9):
        mug.update_count_to(metrics={"stock": stock})
    assert mug.total("stock", "all") == 9


def test_rolled_back_counts_are_dropped(mug: Any) -> None:
    def refuse() -> None:
        with transaction.atomic():
            mug.count_now(metrics={"sales": 1})
            mug.update_count_to(metrics={"stock": 1})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        refuse()
    assert mug.total("hits") == mug.total("stock") == 0


def test_a_transaction_counts_when_it_commits_with_the_time_of_the_call(
    mug: Any, clock: Clock
) -> None:
    with transaction.atomic():
        assert mug.count_now(metrics={"sales": 1}) is None
        mug.update_count_to(metrics={"stock": 4})
        assert mug.total("sales") == 0
        clock.now_s = NOW_S + DAY_S
    assert mug.yesterday("sales") == 1
    assert mug.total("stock", "all") == 4


def test_an_inner_block_that_is_rolled_back_takes_its_own_counts_alone(mug: Any) -> None:
    with transaction.atomic():
        mug.count_now(metrics={"kept": 1})
        with suppress(ZeroDivisionError), transaction.atomic():
            mug.count_now(metrics={"lost": 1})
            raise ZeroDivisionError
    assert mug.totals(metrics="kept,lost", period="all") == {"all": {"_": {"kept": 1, "lost": 0}}}


@pytest.mark.parametrize(
    ("event", "parameter"),
    [
        ({"metrics": {"a/b": 1}}, "metrics"),
        ({"dimensions": 7.5j}, "dimensions"),
        ({"metrcis": "sales"}, "metrcis"),
        ({"at": "tomorrow"}, "at"),
    ],
)
def test_a_wrong_event_is_refused_at_once_not_at_the_commit(
    mug: Any, event: dict[str, Any], parameter: str
) -> None:
    with transaction.atomic(), pytest.raises(BadInput, match=f"^{parameter}:"):
        mug.count_now(**event)
    assert mug.total() == 0


def test_a_store_that_is_unavailable_at_commit_loses_no_row_and_is_logged(
    mug: Any, use: Use, caplog: pytest.LogCaptureFixture
) -> None:
    use(SEND_BY=f"{__name__}.fail")
    with caplog.at_level(logging.ERROR), transaction.atomic():
        Product.objects.create(name="Lamp", price=89)
        mug.count_now(metrics={"sales": 1})
    assert Product.objects.filter(name="Lamp").exists()
    assert f'{{"at": {NOW_S}, "pk": ["shop.Product", "{mug.pk}"]' in caplog.text
    with pytest.raises(StoreUnavailable):
        mug.count_now()


def test_events_may_be_buffered(mug: Any, use: Use) -> None:
    services = use(SEND_BY="hail")
    mug.count_now(metrics={"sales": 1})
    assert mug.total("sales") == 0
    assert services.drain.flush() == 1
    assert mug.total("sales") == 1


def test_events_may_go_through_a_function(mug: Any, use: Use) -> None:
    sent.clear()
    use(SEND_BY=f"{__name__}.note")
    with transaction.atomic():
        assert mug.count_now(metrics={"sales": 1}, id="a") is None
    assert mug.count_now(uid="u") is True
    pk = ["shop.Product", str(mug.pk)]
    assert sent == [
        {"at": NOW_S, "pk": pk, "metrics": {"sales": 1}, "id": "a"},
        {"pk": pk, "uid": "u"},
    ]


def test_coroutines_count_and_ask(mug: Any) -> None:
    async def visit() -> list[Any]:
        await mug.acount_now(metrics={"views": 2}, at=NOW_S - DAY_S)
        await mug.acount_related(User(id=1), metrics={"views": 1})
        await mug.aupdate_count_to(metrics={"stock": 5})
        return [
            await mug.atotal("views"),
            await mug.atoday("views"),
            await mug.ayesterday("views"),
            await mug.atotals(metrics="stock", period="all"),
            len((await mug.aplotpoints(period="1d:1w"))["_"]["hits"]),
            await mug.asubdimensions(),
            [row["value"] for row in await mug.arank("auth.User", "views")],
        ]

    stock = {"all": {"_": {"stock": 5}}}
    assert async_to_sync(visit)() == [3, 1, 2, stock, 7, {"_": ["auth.User"]}, [1]]


def test_a_coroutine_counts_in_the_transaction_around_it(mug: Any) -> None:
    async def visit() -> None:
        await mug.acount_now(metrics={"views": 1})

    def refused() -> None:
        with transaction.atomic():
            async_to_sync(visit)()
            raise ZeroDivisionError

    async def request() -> None:
        await sync_to_async(refused)()

    with pytest.raises(ZeroDivisionError):
        async_to_sync(request)()
    assert mug.total("views") == 0


@pytest.mark.parametrize("method", ["count_now", "totals", "today", "plotpoints", "rank"])
def test_blocking_calls_are_refused_in_an_event_loop(mug: Any, method: str) -> None:
    async def visit() -> None:
        getattr(mug, method)()

    with pytest.raises(SynchronousOnlyOperation):
        async_to_sync(visit)()
