"""What stands on what: parts of a whole pile up, ratios never do, what is below 0 hangs down."""

from __future__ import annotations

from typing import Any

import pytest

from hailwhale.core.graph import layers as core_layers
from tests.static.conftest import Js

HIDE_NONE = "js:new Set()"


def series(
    path: list[str], values: list[float | None], metric: str = "hits", additive: bool = True
) -> Any:
    return {
        "dimension": path,
        "metric": metric,
        "additive": additive,
        "total": sum(value or 0 for value in values),
        "values": values,
    }


WHOLE = [
    series(["country"], [5, -1]),
    series(["country", "US"], [3, -2]),
    series(["country", "CA"], [2, 1]),
]
RATES = [
    series([], [6, 4], "dollars"),
    series([], [2, 1], "dollars/hits", additive=False),
]


def layers(js: Js, answer: list[Any], view: str, hidden: str = HIDE_NONE) -> list[tuple[Any, ...]]:
    model = js(
        "model.fromAnswer", {"starts_ms": [0, 1], "end_ms": 2, "interval": "1d", "series": answer}
    )
    found = js("stacking.layers", model["series"], view, hidden)
    names = {one["key"]: "/".join([*one["path"], one["metric"]]) for one in model["series"]}
    return [
        (names[one["key"]], one["kind"], one["lo"], one["hi"], one["slot"], one["slots"])
        for one in found
    ]


@pytest.mark.parametrize("view", ["line", "area"])
def test_lines_and_areas_are_drawn_as_they_are(js: Js, view: str) -> None:
    assert layers(js, WHOLE, view) == [
        ("country/hits", view, None, [5, -1], 0, 1),
        ("country/US/hits", view, None, [3, -2], 0, 1),
        ("country/CA/hits", view, None, [2, 1], 0, 1),
    ]


def test_bands_are_the_parts_and_the_whole_is_a_line_above_them(js: Js) -> None:
    assert layers(js, WHOLE, "stacked") == [
        ("country/US/hits", "band", [0, -2], [3, 0], 0, 1),
        ("country/CA/hits", "band", [3, 0], [5, 1], 0, 1),
        ("country/hits", "line", None, [5, -1], 0, 1),
    ]


def test_bars_leave_the_whole_out_and_put_its_parts_on_each_other(js: Js) -> None:
    assert layers(js, WHOLE, "bar") == [
        ("country/US/hits", "bar", [0, -2], [3, 0], 0, 1),
        ("country/CA/hits", "bar", [3, 0], [5, 1], 0, 1),
    ]


def test_ratios_are_drawn_next_to_sums(js: Js) -> None:
    assert layers(js, RATES, "bar") == [
        ("dollars", "bar", [0, 0], [6, 4], 0, 2),
        ("dollars/hits", "bar", None, [2, 1], 1, 2),
    ]
    assert [one[1] for one in layers(js, RATES, "stacked")] == ["band", "line"]


def test_a_hidden_part_leaves_the_pile_and_its_whole_does_not_step_in(js: Js) -> None:
    hidden = "js:new Set([hw.model.keyOf(['country', 'US'], 'hits')])"
    assert layers(js, WHOLE, "bar", hidden) == [("country/CA/hits", "bar", [0, 0], [2, 1], 0, 1)]


@pytest.mark.parametrize("view", ["line", "area", "stacked", "bar"])
@pytest.mark.parametrize("answer", [WHOLE, RATES, WHOLE + RATES, [WHOLE[1]], []])
def test_the_picture_piles_up_as_the_browser_does(js: Js, answer: list[Any], view: str) -> None:
    lines = [
        core_layers.GraphLine(
            tuple(one["dimension"]), one["metric"], one["additive"], tuple(one["values"])
        )
        for one in answer
    ]
    drawn = [
        ("/".join([*lines[one.place].path, lines[one.place].metric]), one.kind, one.low, one.high)
        for one in core_layers.layers(lines, view)
    ]
    in_browser = [
        (name, kind, tuple(lo or [0] * len(hi)), tuple(hi))
        for name, kind, lo, hi, _, _ in layers(js, answer, view)
    ]
    assert drawn == in_browser


def test_the_extent_is_of_everything_drawn_and_of_zero(js: Js) -> None:
    some = [{"lo": None, "hi": [3, 7]}, {"lo": [-4, 0], "hi": [0, 1]}]
    assert js("stacking.extent", some) == [-4, 7]
    assert js("stacking.extent", []) == [0, 0]


GAPS = [
    series(["a"], [1, None, 3], "dollars/hits", additive=False),
    series(["b"], [4, 5, None], "dollars/hits", additive=False),
]


@pytest.mark.parametrize("view", ["line", "area", "stacked", "bar"])
def test_a_value_that_is_missing_is_a_gap_in_the_browser_and_in_images(js: Js, view: str) -> None:
    in_browser = [list(hi) for _, _, _, hi, _, _ in layers(js, GAPS, view)]
    lines = [
        core_layers.GraphLine(tuple(one["dimension"]), one["metric"], False, tuple(one["values"]))
        for one in GAPS
    ]
    in_image = core_layers.layers(lines, view)
    assert in_browser == [list(layer.high) for layer in in_image] == [[1, None, 3], [4, 5, None]]
    assert list(js("stacking.extent", js("stacking.pile", GAPS))) == [0, 5]
    assert core_layers.extent(in_image) == (0, 5)


def test_parts_with_a_gap_are_piled_on_the_others(js: Js) -> None:
    found = js("stacking.pile", [series(["a"], [1, 2]), {"values": [None, 1]}, {"values": [3, 3]}])
    assert [one["hi"] for one in found] == [[1, 2], [None, 3], [4, 6]]
    lines = [
        core_layers.GraphLine((label,), "hits", True, values)
        for label, values in (("a", (1.0, 2.0)), ("b", (None, 1.0)), ("c", (3.0, 3.0)))
    ]
    assert [layer.high for layer in core_layers.layers(lines, "stacked")] == [
        (1, 2),
        (None, 3),
        (4, 6),
    ]


def test_a_sparkline_has_a_gap_where_a_value_is_missing(js: Js) -> None:
    assert js("numbers.spark", [0, None, 4, 4], 30, 10) == "M0.0 9.0M20.0 1.0L30.0 1.0"
