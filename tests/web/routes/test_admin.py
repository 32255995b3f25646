"""The routes that change what is there: who may use them, /flush_hail and /reset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hailwhale.services.container import Services
from hailwhale.store.types import EncodedHit
from hailwhale.web.apps import whale_app
from tests.web.client import Client
from tests.web.queries import total

TOKEN = "correct-horse-é"  # noqa: S105 - of this test alone
OPERATIONS = [
    ("/update_count_to", 'pk=Shop&metrics={"jobs":12}', {"updated": True}),
    ("/flush_hail", "", {"counted": 1}),
    ("/reset", "pk=Shop", {"erased": 4, "pks": 1}),
]
ASKED = [(path, query) for path, query, _ in OPERATIONS]
operations = pytest.mark.parametrize(("path", "query", "done"), OPERATIONS, ids=str)
asked = pytest.mark.parametrize(("path", "query"), ASKED, ids=str)


@pytest.fixture
def guarded(make_services: Callable[..., Services]) -> Client:
    """Whale whose operations need a token."""
    return Client(whale_app(make_services(admin_token=TOKEN)))


def bearer(token: str) -> str:
    return f"Bearer {token}".encode().decode("latin-1")


# Who may


@operations
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_a_token_set_an_operation_is_open(
    whale: Client, hail: Client, method: str, path: str, query: str, done: Any
) -> None:
    hail.get("/count", "pk=Shop")
    answer = whale.request(method, path, query)
    assert (answer.status, answer.json) == (200, done)


@asked
@pytest.mark.parametrize("authorization", [None, "", "Basic YWRtaW46", "Bearer", "Bearer  ", "x"])
def test_with_a_token_set_an_operation_needs_it(
    guarded: Client, whale: Client, authorization: str | None, path: str, query: str
) -> None:
    whale.get("/count", "pk=Shop")
    headers = {} if authorization is None else {"authorization": authorization}
    answer = guarded.get(path, query, **headers)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="hailwhale"'
    assert "Authorization: Bearer" in answer.error["message"]
    assert (total(whale, "Shop"), total(whale, "Shop", "jobs")) == (1, 0)


@asked
@pytest.mark.parametrize(
    "token", ["wrong", f"{TOKEN}!", TOKEN[:-1], TOKEN.upper(), f"{TOKEN} {TOKEN}", "\xff" * 500]
)
def test_a_wrong_token_is_refused(
    guarded: Client, whale: Client, token: str, path: str, query: str
) -> None:
    whale.get("/count", "pk=Shop")
    answer = guarded.get(path, query, authorization=f"Bearer {token}")
    assert (answer.status, answer.error["parameter"]) == (403, None)
    assert TOKEN not in answer.text
    assert (total(whale, "Shop"), total(whale, "Shop", "jobs")) == (1, 0)


@operations
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_right_token_opens_an_operation(
    guarded: Client, hail: Client, scheme: str, path: str, query: str, done: Any
) -> None:
    hail.get("/count", "pk=Shop")
    authorization = bearer(TOKEN).replace("Bearer", scheme)
    answer = guarded.get(path, query, authorization=authorization)
    assert (answer.status, answer.json) == (200, done)


@asked
@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
def test_without_a_token_another_sites_page_is_refused(
    whale: Client, site: str, path: str, query: str
) -> None:
    whale.get("/count", "pk=Shop")
    answer = whale.get(path, query, sec_fetch_site=site)
    assert (answer.status, answer.error["parameter"]) == (403, None)
    assert (total(whale, "Shop"), total(whale, "Shop", "jobs")) == (1, 0)


@operations
def test_without_a_token_the_services_own_page_may_by_post(
    whale: Client, hail: Client, path: str, query: str, done: Any
) -> None:
    hail.get("/count", "pk=Shop")
    own: dict[str, Any] = {"origin": "http://127.0.0.1:8085", "sec_fetch_site": "same-origin"}
    answer = whale.get(path, query, **own)
    assert (answer.status, "use POST" in answer.error["message"]) == (403, True)
    assert whale.post(path, query=query, **own).json == done


@asked
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_a_token_a_browser_may_not_at_an_unknown_host(
    whale: Client, method: str, path: str, query: str
) -> None:
    whale.get("/count", "pk=Shop")
    rebound = {"host": "evil.example:8085", "origin": "http://evil.example:8085"}
    answer = whale.request(method, path, query, headers=rebound)
    assert (answer.status, "HAILWHALE_HOSTS" in answer.error["message"]) == (403, True)
    assert (total(whale, "Shop"), total(whale, "Shop", "jobs")) == (1, 0)


@operations
def test_with_the_token_another_sites_page_may(
    guarded: Client, hail: Client, path: str, query: str, done: Any
) -> None:
    hail.get("/count", "pk=Shop")
    headers = {"authorization": bearer(TOKEN), "sec_fetch_site": "cross-site"}
    assert guarded.get(path, query, **headers).json == done


@asked
def test_head_operates_nothing(whale: Client, hail: Client, path: str, query: str) -> None:
    whale.get("/count_now", "pk=Shop")
    hail.get("/count", "pk=Blog")
    answer = whale.request("HEAD", path, query)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, POST")
    assert (total(whale, "Shop"), total(whale, "Shop", "jobs")) == (1, 0)
    assert whale.get("/healthz").json["buffered"] == 1


def test_counting_and_asking_need_no_token(guarded: Client) -> None:
    assert guarded.get("/count", "pk=Shop", sec_fetch_site="cross-site").status == 200
    assert total(guarded, "Shop") == 1


# Draining now


def test_flushing_counts_all_that_is_buffered(whale: Client, hail: Client) -> None:
    for pk in ("Shop", "Blog", "Shop"):
        hail.get("/count", {"pk": pk})
    assert whale.get("/flush_hail").json == {"counted": 3}
    assert whale.get("/flush_hail").json == {"counted": 0}
    assert (total(whale, "Shop"), total(whale, "Blog")) == (2, 1)


def test_flushing_with_one_bad_hit_counts_the_others_and_keeps_the_bad_one(
    whale: Client, hail: Client, services: Services
) -> None:
    hail.get("/count", "pk=Shop")
    services.store.buffers.accept([EncodedHit("Shop", b"not a hit")], 0)
    hail.get("/count", "pk=Shop")
    assert whale.get("/flush_hail").json == {"counted": 3}
    assert total(whale, "Shop") == 2
    assert whale.get("/healthz").json["dead"] == 1


# Erasing


@pytest.fixture
def counted(whale: Client) -> Client:
    for pk in (["Shop", "shoes"], ["Shop", "hats"], ["Blog"]):
        for country in ("US", "CA"):
            whale.post("/count", {"pk": pk, "dimensions": {"country": country, "plan": "free"}})
    return whale


def test_erasing_a_pk_erases_all_below_it(counted: Client) -> None:
    assert counted.get("/reset", "pk=Shop").json["erased"] > 0
    for pk in (["Shop"], ["Shop", "shoes"], ["Shop", "hats"]):
        for dimension in ("_", "country", ["country", "US"]):
            assert total(counted, pk, "hits", dimension) == 0
    assert counted.get("/subdimensions", "pk=Shop&depth=2").json == {"_": []}
    assert total(counted, "Blog") == 2


def test_erasing_a_sub_pk_leaves_its_parent_and_siblings(counted: Client) -> None:
    assert counted.get("/reset", 'pk=["Shop","shoes"]').status == 200
    assert total(counted, ["Shop", "shoes"]) == 0
    assert total(counted, ["Shop", "hats"]) == 2
    assert total(counted, ["Shop"]) == 4


def test_erasing_a_dimension_erases_it_below_every_pk(counted: Client) -> None:
    assert counted.get("/reset", "pk=Shop&dimension=country").json["pks"] == 3
    for pk in (["Shop"], ["Shop", "shoes"]):
        assert total(counted, pk, "hits", "country") == 0
        assert total(counted, pk, "hits", ["country", "US"]) == 0
        assert total(counted, pk, "hits", "plan") > 0
        assert total(counted, pk) > 0
    assert counted.get("/subdimensions", "pk=Shop").json == {"_": ["plan"]}
    assert total(counted, "Blog", "hits", "country") == 2


def test_erasing_one_child_of_a_dimension(counted: Client) -> None:
    assert counted.get("/reset", 'pk=Shop&dimension=["country","US"]').status == 200
    known = counted.get("/subdimensions", "pk=Shop&dimension=country").json
    assert known == {"country": ['["country", "CA"]']}
    assert total(counted, "Shop", "hits", "country") == 4


def test_what_was_erased_can_be_counted_again(counted: Client) -> None:
    counted.get("/reset", "pk=Shop")
    counted.get("/count", 'pk=Shop&dimension=["country","US"]&id=order-1')
    assert total(counted, "Shop", "hits", ["country", "US"]) == 1
    counted.get("/reset", "pk=Shop")
    counted.get("/count", "pk=Shop&id=order-1")
    assert total(counted, "Shop") == 1


def test_erasing_counts_what_is_buffered_first_so_that_it_cannot_come_back(
    whale: Client, hail: Client, services: Services
) -> None:
    hail.get("/count", "pk=Shop")
    whale.get("/reset", "pk=Shop")
    services.drain.flush()
    assert total(whale, "Shop") == 0


@pytest.mark.parametrize(
    "query", ["", "pk=", "dimension=country", 'pk=Shop&dimensions=[["a"],["b"]]']
)
def test_erasing_must_name_one_thing(counted: Client, query: str) -> None:
    answer = counted.get("/reset", query)
    assert answer.status == 400
    assert answer.error["parameter"] == ("dimensions" if "Shop" in query else "pk")
    assert total(counted, "Shop") == 4


def test_the_unnamed_pk_is_erased_by_its_name(whale: Client) -> None:
    whale.get("/count")
    whale.get("/count", "pk=Shop")
    assert whale.get("/reset", "pk=_").json == {"erased": 4, "pks": 1}
    assert (total(whale), total(whale, "Shop")) == (0, 1)
