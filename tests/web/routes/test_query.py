"""/totals, /plotpoints and /subdimensions: every parameter, and the shape of each answer.

The visits asked about are those of conftest.py; it is Sunday 2026-03-15 12:10:30 UTC.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.web.client import FORM, Client

TEN_MS, ELEVEN_MS, NOON_MS = 1_773_568_800_000, 1_773_572_400_000, 1_773_576_000_000
DAY_MS = 86_400_000
US, CA, DE = '["country", "US"]', '["country", "CA"]', '["country", "DE"]'
NY, LA = '["country", "US", "NY"]', '["country", "US", "LA"]'


def compact(answer: object) -> str:
    return json.dumps(answer, separators=(",", ":"))


def totals_of_series(whale: Client, query: str, metric: str = "hits") -> dict[str, Any]:
    """The series of a plot in their order, each by what its points add up to."""
    answer = whale.get("/plotpoints", f"pk=Shop&{query}")
    assert answer.status == 200, answer.text
    return {
        dimension: sum(value for _, value in metrics[metric])
        for dimension, metrics in answer.json.items()
    }


# Totals


def test_with_nothing_asked_totals_are_the_hits_overall_in_the_five_default_periods(
    visited: Client,
) -> None:
    assert visited.get("/totals", "pk=Shop").text == compact(
        {
            "1d:1y": {"_": {"hits": 10}},
            "1d:1mo": {"_": {"hits": 9}},
            "1d:1w": {"_": {"hits": 8}},
            "1h:1d": {"_": {"hits": 7}},
            "1m:1h": {"_": {"hits": 6}},
        }
    )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("period=1h:1d", {"1h:1d": {"_": {"hits": 7}}}),
        ("periods=1h:1d, 1m:1h", {"1h:1d": {"_": {"hits": 7}}, "1m:1h": {"_": {"hits": 6}}}),
        ('periods=["today","all"]', {"today": {"_": {"hits": 7}}, "all": {"_": {"hits": 11}}}),
        ("period=24h:24h", {"24h:24h": {"_": {"hits": 7}}}),
        ("period=hour", {"hour": {"_": {"hits": 6}}}),
        ("period=day", {"day": {"_": {"hits": 7}}}),
        ("period=yesterday", {"yesterday": {"_": {"hits": 0}}}),
        ("period=wtd", {"wtd": {"_": {"hits": 8}}}),
        ("period=seven", {"seven": {"_": {"hits": 8}}}),
        ("period=mtd", {"mtd": {"_": {"hits": 8}}}),
        ("period=mtd|-500", {"mtd|-500": {"_": {"hits": 8}}}),
        ("period=thirty", {"thirty": {"_": {"hits": 9}}}),
        ("period=ytd", {"ytd": {"_": {"hits": 9}}}),
        ("period=year", {"year": {"_": {"hits": 10}}}),
        ("period=1mo:1y", {"1mo:1y": {"_": {"hits": 10}}}),
        ("period=2026-02-01..2026-03-12", {"2026-02-01..2026-03-12": {"_": {"hits": 2}}}),
        ("period=02/01/2026-03/12/2026", {"02/01/2026-03/12/2026": {"_": {"hits": 2}}}),
        (
            "period=2026-03-15T00:00..2026-03-15T13:00",
            {"2026-03-15T00:00..2026-03-15T13:00": {"_": {"hits": 7}}},
        ),
        (
            "period=1h:2026-03-15T08:00%2B01:00..2026-03-15T12:00Z&tz=Asia/Tokyo",
            {"1h:2026-03-15T08:00+01:00..2026-03-15T12:00Z": {"_": {"hits": 1}}},
        ),
        ("period=all&metrics=revenue", {"all": {"_": {"revenue": 55.5}}}),
        ("period=all&metric=revenue,hits", {"all": {"_": {"revenue": 55.5, "hits": 11}}}),
        ('period=all&metrics=["revenue/hits"]', {"all": {"_": {"revenue/hits": 5.5}}}),
        ("period=all&metrics=nothing", {"all": {"_": {"nothing": 0}}}),
        ("period=all&metrics=hits/nothing", {"all": {"_": {"hits/nothing": 0}}}),
        ("period=all&dimension=_", {"all": {"_": {"hits": 11}}}),
        ('period=all&dimensions={"country":"US"}', {"all": {US: {"hits": 8}}}),
        ('period=all&dimension=["country","US"]', {"all": {US: {"hits": 8}}}),
        (
            'period=all&dimensions={"country":["US","CA"]}',
            {"all": {US: {"hits": 8}, CA: {"hits": 2}}},
        ),
        (
            'period=all&dimensions=[["_"],["country"]]',
            {"all": {"_": {"hits": 11}, "country": {"hits": 11}}},
        ),
        ("period=all&dimension=nothing", {"all": {"nothing": {"hits": 0}}}),
        ("period=all&_=1767225600", {"all": {"_": {"hits": 11}}}),
        ("period=all&tz=&tzoffset=&dimension=&format=", {"all": {"_": {"hits": 11}}}),
        ("period=all&tz=Asia/Tokyo&format=json", {"all": {"_": {"hits": 11}}}),
    ],
)
def test_totals_honour_every_parameter(
    visited: Client, query: str, expected: dict[str, dict[str, dict[str, float]]]
) -> None:
    if "revenue/hits" in query:  # 55.5 / 11 to 17 digits
        text = compact(expected).replace("5.5", "5.0454545454545455")
    else:
        text = compact(expected)
    assert visited.get("/totals", f"pk=Shop&{query}").text == text


@pytest.mark.parametrize("path", ["/totals", "/plotpoints"])
def test_questions_may_be_posted(visited: Client, path: str) -> None:
    asked = {"pk": "Shop", "metrics": ["revenue"], "period": "1h:3h", "dimension": "country"}
    by_url = visited.get(path, 'pk=Shop&metric=["revenue"]&period=1h:3h&dimension=country')
    assert by_url.status == 200
    assert visited.post(path, asked).body == by_url.body
    form = "pk=Shop&metric=revenue&period=1h:3h&dimension=country"
    assert visited.post(path, form, FORM).body == by_url.body


def test_an_unknown_pk_has_zeros_and_no_dimensions(visited: Client) -> None:
    for pk in ("Nothing", '["Shop","nothing"]'):
        totals = visited.get("/totals", f"pk={pk}&period=1d:1mo&metric=hits,revenue/hits").json
        assert totals == {"1d:1mo": {"_": {"hits": 0, "revenue/hits": 0}}}
        points = visited.get("/plotpoints", f"pk={pk}&period=1h:3h&depth=3").json
        assert points == {"_": {"hits": [[TEN_MS, 0], [ELEVEN_MS, 0], [NOON_MS, 0]]}}
        assert visited.get("/subdimensions", f"pk={pk}&depth=3").json == {"_": []}


# Points


def test_points_are_by_dimension_and_metric_and_filled_with_zeros(visited: Client) -> None:
    asked = "pk=Shop&period=1h:3h&metrics=hits,revenue"
    assert visited.get("/plotpoints", asked).text == compact(
        {
            "_": {
                "hits": [[TEN_MS, 0], [ELEVEN_MS, 1], [NOON_MS, 5]],
                "revenue": [[TEN_MS, 0], [ELEVEN_MS, 1], [NOON_MS, 35.5]],
            }
        }
    )


def test_with_nothing_asked_points_are_the_hits_of_each_day_of_a_month(visited: Client) -> None:
    answer = visited.get("/plotpoints", "pk=Shop").json
    assert list(answer) == ["_"]
    points = answer["_"]["hits"]
    midnight_ms = NOON_MS - DAY_MS // 2
    assert [at_ms for at_ms, _ in points] == [midnight_ms - DAY_MS * n for n in range(27, -1, -1)]
    assert [n for n, (_, hits) in enumerate(points) if hits] == [4, 24, 27]


@pytest.mark.parametrize(
    ("metric", "values"),
    [
        ("revenue/hits", [0, 1, 7.1]),
        ("revenue:sum", [0, 1, 36.5]),
        ("revenue:last", [0, 1, 35.5]),
        ("hits:sum", [0, 1, 6]),
        ("revenue - hits", [0, 0, 30.5]),
        ("revenue*seconds", [0, 3600, 22400.5]),  # 631 s of the last hour have passed
        ("(revenue + hits) * 2", [0, 4, 81]),
        ("-revenue", [0, -1, -35.5]),
    ],
)
def test_points_of_formulas(visited: Client, metric: str, values: list[float]) -> None:
    asked = {"pk": "Shop", "period": "1h:3h", "metrics": [metric]}
    expected = [list(point) for point in zip([TEN_MS, ELEVEN_MS, NOON_MS], values, strict=True)]
    assert visited.get("/plotpoints", asked).text == compact({"_": {metric: expected}})


@pytest.mark.parametrize(
    "period", ["1d:1mo", "1h:1d", "1m:1h", "1mo:1y", "1w:3mo", "mtd", "wtd", "2h:3d", "all"]
)
@pytest.mark.parametrize("metric", ["hits", "revenue"])
def test_totals_are_the_sums_of_points(visited: Client, period: str, metric: str) -> None:
    asked = f"pk=Shop&metric={metric}&dimensions=country&period={period}"
    [points] = visited.get("/plotpoints", asked).json.values()
    [total] = visited.get("/totals", asked).json[period].values()
    assert sum(value for _, value in points[metric]) == total[metric] > 0


@pytest.mark.parametrize(
    ("query", "series"),
    [
        ("", {"_": 11}),
        ("dimension=country", {"country": 11}),
        ("dimension=country&depth=0", {"country": 11}),
        ("depth=1", {"_": 11, "country": 11}),
        ("dimension=country&depth=1", {"country": 11, US: 8, CA: 2}),
        ("dimension=country&depth=1&threshold=0.2", {"country": 11, US: 8}),
        ("dimension=country&depth=1&threshold=.09", {"country": 11, US: 8, CA: 2, DE: 1}),
        ("dimension=country&depth=1&threshold=0", {"country": 11, US: 8, CA: 2, DE: 1}),
        ("dimension=country&depth=1&threshold=1", {"country": 11}),
        ("dimension=country&depth=2", {"country": 11, US: 8, NY: 4, CA: 2, LA: 1}),
        ("dimension=country&depth=2&threshold=0.2", {"country": 11, US: 8, NY: 4}),
        ("depth=3&limit=2", {"_": 11, "country": 11, US: 8}),
        ("depth=3&limit=0", {"_": 11, "country": 11, US: 8, NY: 4, CA: 2, LA: 1}),
        ("dimension=country&depth=1&limit=1", {"country": 11, US: 8}),
        ("dimension=country&depth=1&threshold=0&limit=2&sort=hits", {"country": 11, DE: 1, CA: 2}),
        ("dimension=country&depth=1&threshold=0&sort=-hits", {"country": 11, US: 8, CA: 2, DE: 1}),
        (
            "dimension=country&depth=1&threshold=0&sort=revenue/hits",
            {"country": 11, DE: 1, CA: 2, US: 8},
        ),
        ("dimension=country&depth=1&sort=-nothing", {"country": 11, CA: 2, US: 8}),
        (
            "dimension=country&depth=1&limit=1&other=1",
            {"country": 11, US: 8, '["country", "_other"]': 3},
        ),
        (
            "dimension=country&depth=1&other=true",
            {"country": 11, US: 8, CA: 2, '["country", "_other"]': 1},
        ),
        ("dimension=country&depth=1&threshold=0&other=1", {"country": 11, US: 8, CA: 2, DE: 1}),
        ("dimension=country&depth=1&other=0", {"country": 11, US: 8, CA: 2}),
        (f"dimensions=[{US},{DE}]&depth=1", {US: 8, DE: 1, NY: 4, LA: 1}),
        (f'dimensions=[["country"],{DE}]&depth=1', {"country": 11, DE: 1, US: 8, CA: 2}),
        ("dimensions=[]&metrics=[]", {"_": 11}),
    ],
)
def test_which_series_are_shown_and_in_which_order(
    visited: Client, query: str, series: dict[str, int]
) -> None:
    found = totals_of_series(visited, f"period=all&{query}")
    assert list(found.items()) == list(series.items())


def test_a_threshold_is_of_the_first_metric_asked(visited: Client) -> None:
    asked = "period=all&dimension=country&depth=1&threshold=0.13&metrics="
    assert list(totals_of_series(visited, f"{asked}hits,revenue")) == ["country", US, CA]
    assert list(totals_of_series(visited, f"{asked}revenue,hits")) == ["country", US]


def test_other_adds_up_point_by_point(visited: Client) -> None:
    asked = "pk=Shop&period=1h:2h&dimension=country&depth=1&limit=1&threshold=0&other=1"
    answer = visited.get("/plotpoints", f"{asked}&metrics=revenue,hits,revenue/hits").json
    assert answer['["country", "_other"]'] == {
        "revenue": [[ELEVEN_MS, 1], [NOON_MS, 5]],
        "hits": [[ELEVEN_MS, 1], [NOON_MS, 1]],
        "revenue/hits": [[ELEVEN_MS, 1], [NOON_MS, 5]],
    }


@pytest.mark.parametrize(
    ("query", "points"),
    [
        # Each local midnight in UTC; the visit at 03:00 UTC is of the 14th in the west.
        ("period=1d:2d", [["14T00", 0], ["15T00", 7]]),
        ("period=1d:2d&tz=America/New_York", [["14T04", 1], ["15T04", 6]]),
        ("period=1d:2d&tzoffset=-0800", [["14T08", 1], ["15T08", 6]]),
        ("period=1d:2d&tzoffset=-800", [["14T08", 1], ["15T08", 6]]),
        ("period=1d:2d|-800", [["14T08", 1], ["15T08", 6]]),
        ("period=1d:2d|-800&tz=Asia/Tokyo", [["14T08", 1], ["15T08", 6]]),
        ("period=1d:2d&tz=Asia/Tokyo", [["13T15", 0], ["14T15", 7]]),
        ("period=1d:2d&tz=UTC", [["14T00", 0], ["15T00", 7]]),
    ],
)
def test_days_are_those_of_the_time_zone_asked_for(
    visited: Client, query: str, points: list[list[Any]]
) -> None:
    answer = visited.get("/plotpoints", f"pk=Shop&format=csv&{query}").text.splitlines()[1:]
    expected = [f"2026-03-{at}:00:00+00:00,_,hits,{hits}" for at, hits in points]
    assert answer == expected


# Dimensions


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"_": ["country"]}),
        ("depth=3", {"_": ["country", CA, DE, US, LA, NY]}),
        ("dimension=country", {"country": [CA, DE, US]}),
        ("dimension=country&depth=8", {"country": [CA, DE, US, LA, NY]}),
        (f'dimensions=[["country"],{US}]', {"country": [CA, DE, US], US: [LA, NY]}),
        (f"dimensions={NY}", {NY: []}),
        ("dimension=nothing", {"nothing": []}),
    ],
)
def test_subdimensions(visited: Client, query: str, found: dict[str, list[str]]) -> None:
    assert visited.get("/subdimensions", f"pk=Shop&{query}").text == compact(found)


def test_pks_are_those_one_level_below(whale: Client) -> None:
    for pk in ('["Shop","b"]', '["Shop","a"]', "Other"):
        whale.get("/count", {"pk": pk})

    assert whale.get("/pks").json == {"pks": [["Other"], ["Shop"]]}
    assert whale.get("/pks", "pk=Shop").json == {"pks": [["Shop", "a"], ["Shop", "b"]]}
    assert whale.get("/pks", "pk=Nothing").json == {"pks": []}
    assert whale.get("/pks", "pks=Shop").status == 400


def test_what_there_is_to_ask_about_a_pk_is_known(whale: Client) -> None:
    event = {"dimensions": {"country": {"US": "NY"}, "plan": "pro"}, "metrics": {"b": 1, "a": 2}}
    whale.post("/count", {"pk": ["Shop", "x"], **event})
    known = {"metrics": ["a", "b", "hits"], "dimensions": ["country", "plan"], "decision": False}
    assert whale.get("/known", "pk=Shop").json == known
    assert whale.get("/known", 'pk=["Shop","x"]').json == known
    nothing = {"metrics": [], "dimensions": [], "decision": False}
    assert whale.get("/known", "pk=Nothing").json == nothing
    assert whale.get("/known", "pks=Shop").status == 400


def test_internal_sums_of_a_decision_are_not_shown(whale: Client) -> None:
    asked = {"option": "b", "dimensions": {"a": "1", "c": "2"}, "metrics": {"earned": 3}}
    whale.get("/count_decision", {"pk": "Page", **asked})
    known = {"metrics": ["earned", "hits"], "dimensions": ["a", "c"], "decision": True}
    assert whale.get("/known", "pk=Page").json == known
