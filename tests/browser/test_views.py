"""Each view draws the data: read from its table, from the series plotted, from the pixels."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hailwhale.services.container import Services
from tests.browser.conftest import OpenPage
from tests.browser.drawing import colors_drawn, graph, page_of, plotted, ready, table

ASKED = {
    "pk": "Shop",
    "metrics": "dollars",
    "dimensions": "country",
    "depth": 1,
    "other": 1,
    "period": "1d:3d",
    "live": False,
}
SALES = [
    ("2026-03-13", "US", 10),
    ("2026-03-13", "CA", 4),
    ("2026-03-14", "US", 20.5),
    ("2026-03-15", "CA", 6),
    ("2026-03-15", "NZ", 1),
]
DAYS_MS = [int(datetime(2026, 3, day, tzinfo=UTC).timestamp()) * 1000 for day in (13, 14, 15)]
BLUE, ORANGE, INK, GREY = "#2f6fed", "#f0762b", "#16202e", "#94a3b8"


@pytest.fixture(autouse=True)
def sold(services: Services) -> None:
    for day, country, dollars in SALES:
        event = {"pk": "Shop", "dimensions": ["country", country], "metrics": {"dollars": dollars}}
        services.counting.count_now({**event, "at": f"{day}T12:00Z" if day[-1] != "5" else day})


TABLE = [
    ["Time (UTC)", "country", "US", "CA", "Other"],
    ["Fri, 13 Mar 2026", "14", "10", "4", "0"],
    ["Sat, 14 Mar 2026", "20.5", "20.5", "0", "0"],
    ["Sun, 15 Mar 2026", "7", "0", "6", "1"],
    ["Total", "41.5", "30.5", "10", "1"],
]
LINES = [DAYS_MS, [14, 20.5, 7], [10, 20.5, 0], [4, 0, 6], [0, 0, 1]]
PILED = [[10, 20.5, 0], [0, 0, 0], [14, 20.5, 6], [10, 20.5, 0], [14, 20.5, 7], [14, 20.5, 6]]


@pytest.mark.parametrize(
    ("view", "columns", "colors"),
    [
        ("line", LINES, {INK, BLUE, ORANGE, GREY}),
        ("area", LINES, {INK, BLUE, ORANGE, GREY}),
        ("stacked", [DAYS_MS, *PILED, [14, 20.5, 7]], {INK}),
        ("bar", [DAYS_MS, *PILED], set()),
    ],
)
def test_a_chart_draws_the_data_and_has_it_in_its_table(
    open_page: OpenPage, origin: str, view: str, columns: list[Any], colors: set[str]
) -> None:
    page = open_page(page_of(origin, {**ASKED, "view": view}))
    ready(page)
    assert table(page) == TABLE
    assert plotted(page) == columns
    assert colors <= colors_drawn(page)


def test_bars_are_as_high_as_their_values(open_page: OpenPage, origin: str) -> None:
    page = open_page(page_of(origin, {**ASKED, "dimensions": "_", "depth": 0, "view": "bar"}))
    ready(page)
    heights = page.evaluate("""() => {
        const { chart } = jQuery('#g0').hailwhale('graph').plot;
        const { starts, end } = jQuery('#g0').hailwhale('graph').model;
        const { left, top, width, height } = chart.bbox;
        const pen = chart.ctx;
        return starts.map((start, at) => {
            const middle = ((at + 1 < starts.length ? starts[at + 1] : end) + start) / 2;
            const x = Math.round(chart.valToPos(middle, 'x', true));
            const column = pen.getImageData(x, top, 1, height).data;
            let drawn = 0;
            for (let y = 0; y < height; y += 1) {
                if (column[y * 4 + 3] > 150 && column[y * 4 + 2] > column[y * 4] + 40) drawn += 1;
            }
            return drawn / height * chart.scales.y.max;
        });
    }""")
    assert heights == pytest.approx([14, 20.5, 7], abs=0.4)


def test_the_table_view_is_the_table(open_page: OpenPage, origin: str) -> None:
    page = open_page(page_of(origin, {**ASKED, "view": "table"}))
    ready(page)
    assert table(page) == TABLE
    assert page.locator("#g0 table").bounding_box()["width"] > 300  # type: ignore[index]
    assert page.locator("#g0 canvas").count() == 0


def test_big_numbers_are_totals_with_their_change(open_page: OpenPage, origin: str) -> None:
    asked = {**ASKED, "depth": 0, "view": "number", "metrics": "dollars,dollars/hits"}
    page = open_page(
        page_of(
            origin,
            {**asked, "period": "2026-03-15..2026-03-15", "compare": "2026-03-14..2026-03-14"},
        )
    )
    ready(page)
    assert page.locator("#g0 .numbers dt").all_text_contents() == ["dollars", "dollars/hits"]
    assert page.locator("#g0 .numbers .big").all_text_contents() == ["7", "3.5"]
    assert page.locator("#g0 .numbers .change").all_text_contents() == ["-66%", "-83%"]


def test_a_metric_of_another_size_has_an_axis_of_its_own(open_page: OpenPage, origin: str) -> None:
    asked = {**ASKED, "depth": 0, "metrics": "dollars,dollars/hits"}
    page = open_page(page_of(origin, {**asked, "axis2": "dollars/hits"}))
    ready(page)
    scales = graph(page, "graph.plot.chart.series.slice(1).map((one) => one.scale)")
    assert scales == ["y", "y2"]
    assert table(page)[-1] == ["Total", "41.5", "8.3"]


def test_without_controls_a_low_graph_is_a_sparkline(open_page: OpenPage, origin: str) -> None:
    spark = {"controls": False, "legend": False, "height": 40, "dimensions": "_", "depth": 0}
    body = "<div style='display: flex'><div id=g style='flex: 0 0 120px'></div></div>"
    page = open_page(page_of(origin, body=body))
    page.evaluate("(options) => { jQuery('#g').hailwhale(options); }", {**ASKED, **spark})
    ready(page, "#g")
    box = page.locator("#g canvas").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (120, 40)
    assert not page.locator("#g header").is_visible()
    assert BLUE in colors_drawn(page, "#g")
    assert table(page, "#g")[-1] == ["Total", "41.5"]


def test_the_previous_period_is_a_ghost_line(open_page: OpenPage, origin: str) -> None:
    asked = {**ASKED, "dimensions": "_", "depth": 0, "period": "1d:2026-03-14..2026-03-15"}
    page = open_page(page_of(origin, {**asked, "compare": "1d:2026-03-12..2026-03-13"}))
    ready(page)
    assert plotted(page)[1:] == [[0, 14], [20.5, 7]]


@pytest.mark.parametrize(
    ("locale", "cells"),
    [("de-DE", ["Sa., 14. März 2026", "20,5"]), ("en-US", ["Sat, Mar 14, 2026", "20.5"])],
)
def test_numbers_and_dates_are_written_as_the_reader_does(
    open_page: OpenPage, origin: str, locale: str, cells: list[str]
) -> None:
    page = open_page(page_of(origin, {**ASKED, "depth": 0}), locale=locale)
    ready(page)
    assert table(page)[2] == cells


def test_days_are_those_of_the_zone_that_was_asked(open_page: OpenPage, origin: str) -> None:
    page = open_page(page_of(origin, {**ASKED, "depth": 0, "tz": "Asia/Tokyo"}))
    ready(page)
    # Midnight of the 15th in UTC is nine in the morning in Tokyo; noon of the 14th still that day.
    assert table(page)[0][0] == "Time (Asia/Tokyo)"
    assert [row[0] for row in table(page)[1:-1]] == [
        "Fri, 13 Mar 2026",
        "Sat, 14 Mar 2026",
        "Sun, 15 Mar 2026",
    ]


def test_labels_are_text_wherever_they_show(
    open_page: OpenPage, origin: str, services: Services
) -> None:
    label = "<img src=x onerror=alert(1)>"
    services.counting.count_now({"pk": label, "dimensions": ["<b>", label], "at": "2026-03-15"})
    options = {**ASKED, "pk": [label], "metrics": "hits", "dimensions": ["<b>"], "title": label}
    views = ["line", "number", "table"]
    page = open_page(page_of(origin, *({**options, "view": view} for view in views)))
    for place in range(3):
        ready(page, f"#g{place}")
        assert page.locator(f"#g{place} .title").text_content() == label
        assert label in table(page, f"#g{place}")[0]
    graph(page, "graph.plot.show(2)")
    assert label in page.locator("#g0 .readout .name").all_text_contents()
    assert page.locator("img, b:not(.total):not(.readout b)").count() == 0


@pytest.mark.parametrize(
    ("scheme", "paper"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(16, 22, 31)")]
)
def test_it_follows_the_readers_light_or_dark(
    open_page: OpenPage, origin: str, scheme: str, paper: str
) -> None:
    page = open_page(page_of(origin, ASKED), color_scheme=scheme)
    ready(page)
    painted = "(found) => getComputedStyle(found).backgroundColor"
    assert page.locator("#g0 section").evaluate(painted) == paper
    before = colors_drawn(page)
    page.emulate_media(color_scheme="dark" if scheme == "light" else "light")
    page.wait_for_function(
        "() => getComputedStyle(jQuery('#g0').hailwhale('graph').frame.element).backgroundColor"
        f" !== '{paper}'"
    )
    after = colors_drawn(page)
    assert (BLUE in before, BLUE in after) == (scheme == "light", scheme == "dark")


def test_it_prints_dark_on_white(open_page: OpenPage, origin: str) -> None:
    page = open_page(page_of(origin, ASKED), color_scheme="dark")
    ready(page)
    assert BLUE not in colors_drawn(page)
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    assert BLUE in colors_drawn(page)
    page.emulate_media(media="print")
    assert not page.locator("#g0 .tools").is_visible()
    page.evaluate("() => dispatchEvent(new Event('afterprint'))")
    assert BLUE not in colors_drawn(page)


@pytest.mark.parametrize("width", [320, 360, 390])
@pytest.mark.parametrize("view", ["line", "number", "table"])
def test_it_fits_on_a_phone(open_page: OpenPage, origin: str, width: int, view: str) -> None:
    options = {**ASKED, "view": view, "title": "A title longer than the phone is wide, by far"}
    page = open_page(page_of(origin, options), viewport={"width": width, "height": 700})
    ready(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for control in page.locator("#g0 select, #g0 summary, #g0 .live").all():
        box = control.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
