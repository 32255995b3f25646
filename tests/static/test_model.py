"""Answers become models, options become queries, and what is shown becomes CSV."""

from __future__ import annotations

import json
from typing import Any

import pytest
from py_mini_racer import JSEvalException

from tests.static.conftest import Js

DAY_MS = 86_400_000


def test_a_plain_plotpoints_answer_makes_a_model(js: Js) -> None:
    answer = {
        "_": {"hits": [[0, 1], [DAY_MS, 2]]},
        "country": {"hits": [[0, 1], [DAY_MS, 1]]},
        '["country", "US"]': {"hits": [[0, 0.1], [DAY_MS, 0.2]]},
        '["country", "_other"]': {"hits": [[0, 0], [DAY_MS, 0]]},
    }
    model = js("model.fromAnswer", answer)
    assert (model["starts"], model["end"], model["interval"]) == ([0, DAY_MS], 2 * DAY_MS, "1d")
    assert [one["path"] for one in model["series"]] == [
        [],
        ["country"],
        ["country", "US"],
        ["country", "_other"],
    ]
    assert [one["other"] for one in model["series"]] == [False, False, False, True]
    keys = [one["key"] for one in model["series"]]
    assert [one["parent"] for one in model["series"]] == [None, keys[0], keys[1], keys[1]]
    assert model["series"][2]["total"] == pytest.approx(0.3)


def test_a_ratio_of_a_plain_answer_has_no_total_that_would_be_wrong(js: Js) -> None:
    model = js("model.fromAnswer", {"_": {"dollars/hits": [[0, 1], [DAY_MS, 3]]}})
    assert (model["series"][0]["total"], model["series"][0]["additive"]) == (None, False)


def test_sums_do_not_drift(js: Js) -> None:
    assert js("model.sum", [0.1] * 100_000) == pytest.approx(10_000, abs=1e-9)


def test_the_previous_period_is_listed_bucket_by_bucket(js: Js) -> None:
    def answer(values: list[int]) -> dict[str, Any]:
        starts = [at * DAY_MS for at in range(len(values))]
        line = {"dimension": [], "metric": "hits", "additive": True, "total": sum(values)}
        series = [{**line, "values": values}]
        return {"starts_ms": starts, "end_ms": 9, "interval": "1d", "series": series}

    now, before = (js("model.fromAnswer", answer(values)) for values in ([4, 5, 6], [1, 2]))
    [found] = js("model.compared", now, before)["series"]
    assert found["ghost"] == {"total": 3, "values": [1, 2, None]}
    assert js("model.change", 15, 3) == 4
    assert js("model.change", 1, 0) is None
    assert js("model.change", None, 3) is None


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("_", []),
        ("country", ["country"]),
        ('["country", "US"]', ["country", "US"]),
        ("[not json", ["[not json"]),
    ],
)
def test_dimensions_are_read_as_they_are_written(js: Js, written: str, path: list[str]) -> None:
    assert js("model.pathOf", written) == path


@pytest.mark.parametrize(
    ("given", "query"),
    [
        ({"pk": "Shop", "metric": "dollars"}, "pk=Shop&metrics=dollars&period=1d%3A1mo"),
        ({"pk": ["Shop", "7"], "period": "day"}, "pk=%5B%22Shop%22%2C%227%22%5D&period=day"),
        ({"dimension": {"country": "US"}, "depth": 1, "other": True, "period": "day"},
         "dimensions=%7B%22country%22%3A%22US%22%7D&period=day&depth=1&other=1"),
        ({"pk": "a&b=c", "period": "day"}, "pk=a%26b%3Dc&period=day"),
    ],
)  # fmt: skip
def test_options_make_the_query(js: Js, given: dict[str, Any], query: str) -> None:
    assert js("options.query", js("options.merge", given)) == query


def test_the_call_wins_over_the_attributes_and_those_over_the_defaults(js: Js) -> None:
    attributes = [
        {"name": "data-hailwhale-pk", "value": "Shop"},
        {"name": "data-hailwhale-height", "value": "100"},
        {"name": "data-other", "value": "x"},
    ]
    found = js("options.merge", js("options.fromAttributes", attributes), {"height": 300})
    assert (found["pk"], found["height"], found["view"]) == ("Shop", 300, "line")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"view": "pie"}, "view: got pie; expected one of line area stacked bar table number"),
        ({"metrcis": "a"}, "metrcis: no such option"),
        ({"height": "tall"}, "height: got tall; expected a number from 40 to 4000"),
        ({"live": "maybe"}, "live: got maybe; expected 1 or 0"),
        ({"formats": "{"}, "formats: got {; expected JSON"),
    ],
)
def test_a_wrong_option_is_named(js: Js, given: dict[str, Any], message: str) -> None:
    with pytest.raises(JSEvalException) as fault:
        js("options.merge", given)
    assert message in str(fault.value)


@pytest.mark.parametrize(
    ("given", "bucket_ms", "every_s"),
    [({}, 60_000, 3), ({}, 1_000, 2), ({}, DAY_MS, 60), ({"interval": 7}, DAY_MS, 7)],
)
def test_it_looks_as_often_as_there_may_be_news(
    js: Js, given: dict[str, Any], bucket_ms: int, every_s: int
) -> None:
    assert js("options.refreshEvery", js("options.merge", given), bucket_ms) == every_s


def test_csv_has_what_is_shown_and_nothing_that_a_spreadsheet_would_run(js: Js) -> None:
    series = [
        {"key": "a", "values": [1, -2.5]},
        {"key": "b", "values": [0, 3]},
        {"key": "c", "values": [9, 9]},
    ]
    model = {"names": None, "starts": [0, DAY_MS], "series": series}
    names = 'js:new Map([["a", "=SUM(A1)"], ["b", "say \\"hi\\", you"], ["c", "hidden"]])'
    rows = js("csv.rows", model, names, 'js:new Set(["c"])')
    assert js("csv.written", rows) == (
        'time,\'=SUM(A1),"say ""hi"", you"\r\n'
        "1970-01-01T00:00:00Z,1,0\r\n"
        "1970-01-02T00:00:00Z,-2.5,3\r\n"
    )


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("＝1+1", "'＝1+1"),
        (" @a", "' @a"),
        ("a;=1+1", "a;'=1+1"),
        ("a; -1", "a;' -1"),
        ("a=b", "a=b"),
        ("a;b", "a;b"),
    ],
)
def test_no_cell_of_a_table_begins_as_a_formula(js: Js, text: str, cell: str) -> None:
    assert js("csv.written", [[text, -1]]) == f"{cell},-1\r\n"


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Shop: dollars/hits", "Shop-dollars-hits.csv"),
        ("Größe 東京", "Größe-東京.csv"),
        ("///", "hailwhale.csv"),
    ],
)
def test_a_file_is_named_after_the_title(js: Js, title: str, name: str) -> None:
    assert js("csv.fileName", title, "csv") == name


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12), ("1,234", 1234), ("$ 1,234.50", 1234.5), ("1.234,50 €", 1234.5), ("(3)", -3),
        ("−7 %", -7), ("0.125", 0.125), ("1,5", 1.5), ("12,345,678", 12345678), ("n/a", 0), ("", 0),
    ],
)  # fmt: skip
def test_the_numbers_of_a_table_are_read_as_people_write_them(
    js: Js, text: str, number: float
) -> None:
    assert js("tables.numberIn", text) == number


def test_a_table_of_days_gets_a_time_axis_in_order_and_others_their_names(js: Js) -> None:
    days = js("tables.modelOf", [["Day", "Hits"], ["2026-03-02", "5"], ["2026-03-01", "4"]])
    assert days["starts"] == [1_772_323_200_000, 1_772_409_600_000]
    assert (days["series"][0]["values"], days["names"], days["interval"]) == ([4, 5], None, "1d")
    named = js("tables.modelOf", [["City", "Hits"], ["Rome", "5"], ["Oslo", "4"]])
    assert (named["names"], named["series"][0]["path"]) == (["Rome", "Oslo"], ["Hits"])


def test_a_fake_hit_draws_from_its_options(js: Js) -> None:
    told = {"pk": "Demo", "metrics": {"dollars": [10, 20], "n": 1}, "dimensions": {"c": ["a", "b"]}}
    options = "js:Object.assign(" + json.dumps(told) + ", {random: () => 0.5})"
    assert js("fake_hits.hit", options) == (
        "pk=Demo&dimensions=%7B%22c%22%3A%22a%22%7D&metrics=%7B%22dollars%22%3A15%2C%22n%22%3A1%7D"
    )
