"""Querysets in the order of what was counted."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db.models import F, Sum
from shop.models import Order, Product

from hailwhale.contrib.django.models import Counted
from hailwhale.contrib.django.ranking import with_counted
from hailwhale.errors import BadInput
from hailwhale.services.container import Services
from tests.conftest import NOW_S
from tests.contrib.django.conftest import Use

REVENUES = {"Mug": "30.5", "Lamp": "89", "Print": "30.5", "Whale": "-4"}


class Named(Counted):
    """Counted by a way of its own."""

    class Meta:
        app_label = "shop"
        managed = False

    def hailwhale_pk(self) -> list[str]:
        return ["Named", "x"]


class Odd(Counted):
    """Names a field that it does not have."""

    hailwhale_field = "colour"

    class Meta:
        app_label = "shop"
        managed = False


@pytest.fixture
def shop(tables: None, use: Use) -> dict[str, Any]:
    """Four products with a revenue, two of them the same; Idle was never counted."""
    products = {}
    for name in [*REVENUES, "Idle"]:
        products[name] = Product.objects.create(name=name, price=1)
    for name, revenue in REVENUES.items():
        products[name].count_now({"country": "US"}, {"revenue": revenue, "sales": 2})
    return products


def names(queryset: Any) -> list[str]:
    return [product.name for product in queryset]


def values(queryset: Any, name: str = "earned") -> dict[str, object]:
    return {product.name: getattr(product, name) for product in queryset}


def test_a_metric_is_annotated_by_name(shop: dict[str, Any]) -> None:
    found = Product.objects.with_counted(earned="revenue", each="revenue/sales", period="1d:1w")
    expected = {"Mug": 30.5, "Lamp": 89, "Print": 30.5, "Whale": -4, "Idle": 0}
    assert values(found) == expected
    assert isinstance(found.get(name="Lamp").earned, int)
    assert values(found, "each") == {name: value / 2 for name, value in expected.items()}


def test_it_is_ordered_filtered_sliced_and_summed_up_as_any_other_column(
    shop: dict[str, Any],
) -> None:
    found = Product.objects.with_counted(earned="revenue")
    assert names(found.order_by("-earned", "name")) == ["Lamp", "Mug", "Print", "Idle", "Whale"]
    assert names(found.order_by("earned", "name")[:2]) == ["Whale", "Idle"]
    assert names(found.filter(earned__gt=30, name__contains="u")) == ["Mug"]
    assert found.filter(earned__lte=0).count() == 2
    assert found.aggregate(all=Sum("earned"))["all"] == 146
    assert list(found.order_by("-earned").values_list("earned", flat=True)[:1]) == [89]


def test_the_shorthand_sorts_and_breaks_ties_by_key(shop: dict[str, Any]) -> None:
    assert names(Product.objects.order_by_counted("-revenue")) == [
        *("Lamp", "Mug", "Print"),
        *("Idle", "Whale"),
    ]
    assert names(Product.objects.filter(name__gt="N").order_by_counted("revenue")) == [
        *("Whale", "Print")
    ]
    assert names(Product.objects.order_by_counted()[:1]) == ["Mug"]


@pytest.mark.parametrize(
    ("asked", "lamp"),
    [
        ({"period": "today"}, 89),
        ({"period": "yesterday"}, 11),
        ({"period": "1d:1w"}, 100),
        ({"period": "1d:1w", "dimension": ["country", "DE"]}, 11),
        ({"period": "1d:1w", "dimension": {"country": "FR"}}, 0),
    ],
)
def test_the_period_and_the_dimension_are_those_asked_for(
    shop: dict[str, Any], asked: dict[str, Any], lamp: int
) -> None:
    shop["Lamp"].count_now({"country": "DE"}, {"revenue": 11}, at=NOW_S - 86_400)
    found = Product.objects.with_counted(earned="revenue", **asked)
    assert found.get(name="Lamp").earned == lamp


def test_objects_over_the_limit_are_none_and_come_last(shop: dict[str, Any]) -> None:
    shop["Mug"].count_now(metrics={"revenue": 1})  # equals would be in the order of their labels
    found = Product.objects.with_counted(earned="revenue", limit=2)
    assert values(found) == {"Mug": 31.5, "Lamp": 89, "Print": None, "Whale": None, "Idle": None}
    down = Product.objects.order_by_counted("-revenue", limit=2)
    assert names(down)[:2] == ["Lamp", "Mug"]
    up = Product.objects.order_by_counted("revenue", limit=2)
    assert names(up)[-2:] == ["Mug", "Lamp"]
    all_known = Product.objects.with_counted(earned="revenue", limit=4)
    assert values(all_known)["Idle"] == 0


@pytest.mark.parametrize("label", ["_other", "07", "1e0", "9" * 30, "x'); --", "-1", "½"])
def test_labels_that_are_no_key_are_passed_over(
    shop: dict[str, Any], use: Use, services: Services, label: str
) -> None:
    use(services)
    services.counting.count_now({"pk": ["shop.Product", label], "metrics": {"revenue": 1000}})
    assert names(Product.objects.order_by_counted("-revenue").filter(counted__gt=500)) == []


def test_a_model_without_the_mixin_is_ranked_by_the_function(shop: dict[str, Any]) -> None:
    order = Order.objects.create(product=shop["Mug"])
    found = with_counted(Order.objects.all(), seen="hits").order_by(F("seen").desc())
    assert [(found_order.pk, found_order.seen) for found_order in found] == [(order.pk, 0)]


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [
        ({"earned": "revenue/"}, "metrics"),
        ({"earned": "revenue", "period": "5x"}, "period"),
        ({"earned": "revenue", "limit": 0}, "limit"),
        ({"earned": "revenue", "limit": 5_001}, "limit"),
    ],
)
def test_an_unanswerable_question_is_refused(
    use: Use, asked: dict[str, Any], parameter: str
) -> None:
    with pytest.raises(BadInput, match=f"^{parameter}: got"):
        Product.objects.with_counted(**asked)


@pytest.mark.parametrize("model", [Named, Odd])
def test_a_model_whose_keys_are_no_field_cannot_be_ordered(use: Use, model: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match=model._meta.label):
        model.objects.with_counted(earned="revenue")


def test_a_field_may_stand_for_the_key(
    tables: None, use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Product, "hailwhale_field", "name")
    monkeypatch.setattr(Product, "hailwhale_root", "Product")
    name = f"L'Aquila {uuid.UUID(int=7)}"
    Product.objects.create(name=name, price=1).count_now(metrics={"revenue": 3})
    assert values(Product.objects.with_counted(earned="revenue")) == {name: 3}
    assert Product.objects.get(name=name).hailwhale_pk() == ["Product", name]
