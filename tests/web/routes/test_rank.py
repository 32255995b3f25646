"""/rank: every parameter, and the shape of the answer; and the same in Python.

The visits asked about are those of conftest.py; it is Sunday 2026-03-15 12:10:30 UTC.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import simplejson

from hailwhale.services.container import Services
from hailwhale.whale import Whale
from tests.web.client import FORM, Client

US, CA, DE = '["country", "US"]', '["country", "CA"]', '["country", "DE"]'
NY, LA = '["country", "US", "NY"]', '["country", "US", "LA"]'


def rows(whale: Client, query: str, number: str = "value") -> list[tuple[str, Any]]:
    """The rows of a ranking in their order, each with one of its numbers."""
    answer = whale.get("/rank", f"pk=Shop&period=all&{query}")
    assert answer.status == 200, answer.text
    return [(row["dimension"], row[number]) for row in answer.json]


def test_a_row_has_its_numbers_and_the_value_of_every_metric(visited: Client) -> None:
    asked = "pk=Shop&period=1h:1d&dimension=country&metrics=revenue/hits,hits&limit=1"
    row = {
        "dimension": US,
        "value": 6.9,
        "share": Decimal("0.71428571428571429"),
        "parent_value": Decimal("5.7857142857142857"),
        "difference": Decimal("1.1142857142857143"),
        "relative": Decimal("0.19259259259259259"),
        "importance": Decimal("0.13756613756613757"),
        "metrics": {"revenue/hits": 6.9, "hits": 5},
    }
    answer = visited.get("/rank", asked)
    assert answer.text == simplejson.dumps([row], use_decimal=True, separators=(",", ":"))


def test_of_a_sum_the_importance_is_the_share(visited: Client) -> None:
    asked = "pk=Shop&period=all&dimension=country&metric=revenue&limit=1"
    [row] = visited.get("/rank", asked).json
    assert row == {
        "dimension": US,
        "value": Decimal("47.5"),
        "share": Decimal("0.85585585585585586"),
        "parent_value": Decimal("55.5"),
        "difference": -8,
        "relative": Decimal("-0.14414414414414414"),
        "importance": Decimal("0.85585585585585586"),
        "metrics": {"revenue": Decimal("47.5")},
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [("country", 11)]),
        ("dimension=country", [(US, 8), (CA, 2), (DE, 1)]),
        ("dimension=country&metric=hits&limit=2", [(US, 8), (CA, 2)]),
        ("dimension=country&limit=0", [(US, 8), (CA, 2), (DE, 1)]),
        ("dimension=country&sort=hits", [(DE, 1), (CA, 2), (US, 8)]),
        ("dimension=country&sort=-hits", [(US, 8), (CA, 2), (DE, 1)]),
        ("dimension=country&sort=revenue/hits", [(DE, 1), (CA, 2), (US, 8)]),
        ("dimension=country&metrics=hits,revenue&limit=1", [(US, 8)]),
        ("dimension=country&metric=nothing", []),
        ("dimension=country&threshold=0.1", [(US, 8), (CA, 2)]),
        ("dimension=country&threshold=0.2", [(US, 8)]),
        ("dimension=country&depth=2", [(US, 8), (NY, 4), (CA, 2), (DE, 1), (LA, 1)]),
        ("dimension=country&depth=2&threshold=.2", [(US, 8), (NY, 4)]),
        ("depth=all&limit=3", [("country", 11), (US, 8), (NY, 4)]),
        ("depth=8&limit=3", [("country", 11), (US, 8), (NY, 4)]),
        (f"dimensions=[{US},{DE}]", [(NY, 4), (LA, 1)]),
        (f'dimensions=[["country"],{US}]&depth=1&limit=3', [(NY, 4), (CA, 2), (DE, 1)]),
        ("dimension=nothing", []),
        (
            "dimension=country&of=&by=&depth=&limit=&sort=&threshold=&format=",
            [(US, 8), (CA, 2), (DE, 1)],
        ),
    ],
)
def test_which_rows_come_in_which_order(
    visited: Client, query: str, expected: list[tuple[str, int]]
) -> None:
    assert rows(visited, query) == expected


@pytest.mark.parametrize(
    ("query", "number", "expected"),
    [
        ("metric=revenue/hits", "value", [(US, "5.9375"), (CA, "3.5"), (DE, "1")]),
        (
            "metric=hits&by=share",
            "share",
            [(US, "0.72727272727272727"), (CA, "0.18181818181818182")],
        ),
        ("metric=hits&by=difference&sort=hits", "difference", [(DE, "-10"), (CA, "-9")]),
        ("metric=hits&by=relative", "relative", [(US, "-0.27272727272727273")]),
        (
            "metric=revenue/hits&by=importance",
            "importance",
            [
                (US, "0.12858312858312858"),
                (CA, "-0.055692055692055692"),
                (DE, "-0.072891072891072891"),
            ],
        ),
        (
            "metric=revenue/hits&by=importance&sort=revenue/hits",
            "importance",
            [(DE, "-0.072891072891072891"), (CA, "-0.055692055692055692")],
        ),
    ],
)
def test_a_ranking_goes_by_any_of_its_numbers(
    visited: Client, query: str, number: str, expected: list[tuple[str, str]]
) -> None:
    found = rows(visited, f"dimension=country&{query}&limit={len(expected)}", number)
    assert [(name, str(value)) for name, value in found] == expected


def test_pks_are_ranked_below_a_pk_at_one_dimension(whale: Client) -> None:
    for product, country, revenue in (
        ("1", "US", 9),
        ("1", "CA", 1),
        ("2", "US", 4),
        ("3", "CA", 5),
    ):
        whale.post(
            "/count",
            {
                "pk": ["Product", product],
                "dimensions": {"country": country},
                "metrics": {"revenue": revenue},
            },
        )
    asked = "pk=Product&of=pks&metric=revenue&period=all"
    answer = whale.get("/rank", asked).json
    assert [(row["pk"], row["value"], row["parent_value"]) for row in answer] == [
        ('["Product", "1"]', 10, 19),
        ('["Product", "3"]', 5, 19),
        ('["Product", "2"]', 4, 19),
    ]
    there = whale.get("/rank", f'{asked}&dimensions={{"country":"US"}}').json
    assert [(row["pk"], row["value"], row["parent_value"]) for row in there] == [
        ('["Product", "1"]', 9, 13),
        ('["Product", "2"]', 4, 13),
    ]


@pytest.mark.parametrize(
    ("query", "hits"),
    [
        ("period=1d:1d", 7),
        ("period=1d:1d&tz=America/New_York", 6),
        ("period=1d:1d&tzoffset=-0800", 6),
    ],
)
def test_days_are_those_of_the_time_zone_asked_for(visited: Client, query: str, hits: int) -> None:
    [row] = visited.get("/rank", f"pk=Shop&{query}").json
    assert row["value"] == hits


def test_with_no_period_asked_it_is_a_month(visited: Client) -> None:
    [row] = visited.get("/rank", "pk=Shop").json
    assert (row["dimension"], row["value"]) == ("country", 9)


def test_a_ranking_may_be_posted(visited: Client) -> None:
    asked = {"pk": "Shop", "metrics": ["revenue"], "period": "all", "dimension": "country"}
    by_url = visited.get("/rank", 'pk=Shop&metric=["revenue"]&period=all&dimension=country')
    assert by_url.status == 200
    assert visited.post("/rank", {**asked, "limit": 10, "depth": 1}).body == by_url.body
    form = "pk=Shop&metric=revenue&period=all&dimension=country"
    assert visited.post("/rank", form, FORM).body == by_url.body


def test_an_unknown_pk_has_no_rows(visited: Client) -> None:
    assert visited.get("/rank", "pk=Nothing&depth=all").text == "[]"
    assert visited.get("/rank", "pk=Nothing&of=pks").text == "[]"


def test_a_ranking_as_csv(visited: Client) -> None:
    asked = "pk=Shop&period=all&dimension=country&metrics=revenue/hits,hits&limit=2&format=csv"
    answer = visited.get("/rank", asked)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text == (
        "dimension,value,share,parent_value,difference,relative,importance,hits\r\n"
        '"[""country"", ""US""]",5.9375,0.72727272727272727,5.0454545454545455,'
        "0.89204545454545455,0.1768018018018018,0.12858312858312858,8\r\n"
        '"[""country"", ""CA""]",3.5,0.18181818181818182,5.0454545454545455,'
        "-1.5454545454545455,-0.30630630630630631,-0.055692055692055692,2\r\n"
    )


def test_csv_runs_no_formula_and_leaves_empty_what_there_is_not(whale: Client) -> None:
    for label, dollars in (("=1+1", 5), ("b", -5)):
        whale.post("/count", {"pk": "Shop", "dimensions": label, "metrics": {"dollars": dollars}})
    whale.post("/count", {"pk": "Shop", "metrics": {"dollars": 0}})
    asked = {"pk": "Shop", "period": "all", "metrics": ["dollars", "-dollars"], "format": "csv"}
    assert whale.get("/rank", asked).text.splitlines() == [
        "dimension,value,share,parent_value,difference,relative,importance,'-dollars",
        "'=1+1,5,,0,5,,,-5",
        "b,-5,,0,-5,,,5",
    ]
    header = "dimension,value,share,parent_value,difference,relative,importance\r\n"
    assert whale.get("/rank", "pk=Nothing&format=csv").text == header


def test_csv_of_pks_names_them(whale: Client) -> None:
    whale.post("/count", {"pk": ["Product", "1"]})
    lines = whale.get("/rank", "pk=Product&of=pks&format=csv").text.splitlines()
    assert lines[0].split(",")[0] == "pk"
    assert lines[1].startswith('"[""Product"", ""1""]",1,1,1,0,0,1')


# In Python


@pytest.fixture
def library(services: Services, monkeypatch: pytest.MonkeyPatch) -> Whale:
    """An instance over the store of the test."""
    monkeypatch.setattr("hailwhale.default_instance.open_services", lambda _settings: services)
    return Whale("redis://unused")


@pytest.mark.parametrize(
    ("ask", "query"),
    [
        (lambda whale: whale.rank("Shop"), "pk=Shop"),
        (
            lambda whale: whale.rank("Shop", "country", "revenue", "all", 2),
            "pk=Shop&dimension=country&metric=revenue&period=all&depth=2",
        ),
        (
            lambda whale: whale.rank(
                "Shop", dimension="country", metric="hits", periods="all", depth="all", limit=2
            ),
            "pk=Shop&dimension=country&metric=hits&period=all&depth=all&limit=2",
        ),
        (
            lambda whale: whale.rank(
                pk="Shop",
                dimensions=["country"],
                metrics=["revenue/hits", "hits"],
                period="all",
                sort="revenue/hits",
                by="importance",
                threshold=0.1,
                tz="UTC",
            ),
            "pk=Shop&dimensions=country&metrics=revenue/hits,hits&period=all&sort=revenue/hits"
            "&by=importance&threshold=0.1&tz=UTC",
        ),
        (
            lambda whale: whale.rank("Shop", of="pks", tzoffset="-0800", period="1d:1w"),
            "pk=Shop&of=pks&tzoffset=-0800&period=1d:1w",
        ),
    ],
)
def test_the_library_answers_as_http_does(
    visited: Client, library: Whale, ask: Callable[[Whale], Any], query: str
) -> None:
    found = json.loads(json.dumps(ask(library), default=float))
    assert found == json.loads(visited.get("/rank", query).body)


def test_in_csv_a_metric_called_like_a_column_has_a_name_of_its_own(whale: Client) -> None:
    whale.get("/count_now", 'pk=Shop&dimensions=a&metrics={"value":5,"share":7}')
    lines = whale.get("/rank", "pk=Shop&metrics=hits,value,share&format=csv").text.splitlines()
    names = lines[0].split(",")
    assert len(set(names)) == len(names)
    assert names[-2:] == ["metric:value", "metric:share"]
    assert lines[1].endswith(",5,7")
