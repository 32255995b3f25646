"""What repeats in the traffic is read once, and nothing shared is ever changed."""

from __future__ import annotations

import itertools
from urllib.parse import parse_qsl, urlencode

import bottle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hailwhale.core.events.literals import unwrap
from hailwhale.errors import BadInput
from hailwhale.services.container import Services
from hailwhale.web.apps import hail_app
from hailwhale.web.request import SizeLimits, query_fields
from hailwhale.web.responses import counted_reply
from tests.web.client import Client
from tests.web.queries import total

SIZES = SizeLimits(event_bytes=65_536, batch_bytes=1_000_000, batch_events=100)
SALE = {"pk": ["Product", "7"], "dimensions": {"country": "US"}, "metrics": {"dollars": 1.5}}


def fields(query: str) -> dict[str, object]:
    return query_fields({"QUERY_STRING": query}, SIZES)


def test_equal_texts_are_one_value_and_others_are_not() -> None:
    first, second = fields("pk=Shop&metrics=%7B%22a%22:1%7D"), fields("metrics=%7B%22a%22:1%7D")
    assert first["metrics"] is second["metrics"]
    assert fields("metric=%7B%22a%22:1%7D")["metric"] is not first["metrics"]


def test_a_long_value_is_not_kept() -> None:
    query = f"pk={'x' * 600}"
    assert unwrap(fields(query)["pk"]) == unwrap(fields(query)["pk"])
    assert fields(query)["pk"] is not fields(query)["pk"]


@given(
    st.lists(st.tuples(st.text(min_size=1), st.text()), unique_by=lambda pair: pair[0], max_size=9)
)
@settings(max_examples=200, deadline=None)
def test_any_names_and_values_are_read_as_urllib_reads_them(pairs: list[tuple[str, str]]) -> None:
    marked = [(f"p{name}", f"v{value}") for name, value in pairs]  # so that none is a literal
    query = urlencode(marked)
    found = {name: unwrap(value) for name, value in fields(query).items()}
    assert list(found.items()) == marked == parse_qsl(query, keep_blank_values=True)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {}),
        ("&&", {}),
        ("pk", {"pk": ""}),
        ("pk=", {"pk": ""}),
        ("=x", {"": "x"}),
        ("pk=a=b", {"pk": "a=b"}),
        ("pk=a+b%2Bc", {"pk": "a b+c"}),
        ("p%6B=%5B1%5D", {"pk": [1]}),
        ("id=%5B1%5D", {"id": "[1]"}),
        ("_=1&_=2", {"_": "2"}),
        ("pk=a;b", {"pk": "a;b"}),
        ("pk=%zz%", {"pk": "%zz%"}),
    ],
)
def test_a_query_is_read_pair_by_pair(query: str, found: dict[str, object]) -> None:
    for _ in range(2):
        assert {name: unwrap(value) for name, value in fields(query).items()} == found


@pytest.mark.parametrize(
    ("query", "parameter"),
    [("pk=%ff", "query"), ("%ff=x", "query"), ("pk=a&pk=a", "pk"), ("a=&" * 100, "query")],
)
def test_a_wrong_query_is_refused_each_time(query: str, parameter: str) -> None:
    for _ in range(2):
        with pytest.raises(BadInput) as caught:
            fields(query)
        assert caught.value.parameter == parameter


def test_the_same_event_counts_the_same_each_time_and_in_each_way(
    hail: Client, whale: Client
) -> None:
    for _ in range(3):
        assert hail.get("/count", SALE).status == 200
        assert whale.get("/count_now", SALE).status == 200
        assert whale.get("/update_count_to", {**SALE, "pk": "Set"}).status == 200
    whale.get("/flush_hail")
    assert total(whale, ["Product", "7"], "dollars", ["country", "US"]) == 9
    assert total(whale, ["Product", "7"]) == 6
    assert (total(whale, "Set", "dollars"), total(whale, "Set")) == (1.5, 0)


@pytest.mark.parametrize("path", ["/count", "/count.gif"])
def test_what_an_app_adds_to_one_answer_is_in_no_other(services: Services, path: str) -> None:
    app = hail_app(services)
    numbers = itertools.count(1)

    @app.hook("after_request")
    def number_it() -> None:
        bottle.response.add_header("X-Number", str(next(numbers)))
        bottle.response.add_header("Pragma", "mine")

    answers = [Client(app).get(path, "pk=Shop").headers for _ in range(3)]
    assert [headers["x-number"] for headers in answers] == ["1", "2", "3"]
    assert counted_reply({}).headerlist.count(("Pragma", "no-cache")) == 1
    assert ("Pragma", "mine") not in counted_reply({}).headerlist
