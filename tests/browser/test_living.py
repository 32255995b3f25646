"""A graph lives: news slide in, trouble passes, the reader turns its knobs, nothing leaks."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from hailwhale.errors import StoreUnavailable
from hailwhale.services.container import Services
from tests.browser.conftest import OpenPage
from tests.browser.drawing import graph, page_of, plotted, ready, table
from tests.conftest import Clock

LIVE = {"pk": "Shop", "period": "1m:5m", "interval": 1}


def count(services: Services, country: str = "US", hits: int = 1) -> None:
    event = {"pk": "Shop", "dimensions": ["country", country], "metrics": {"hits": hits}}
    services.counting.count_now(event)


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_news_slide_in_on_the_canvas_that_is_there(
    open_page: OpenPage, origin: str, services: Services, clock: Clock, motion: str
) -> None:
    count(services)
    page = open_page(page_of(origin, LIVE), reduced_motion=motion)
    ready(page)
    first = plotted(page)
    assert first[1] == [0, 0, 0, 0, 1]
    page.evaluate("() => { globalThis.canvas = jQuery('#g0').hailwhale('graph').plot.canvas; }")
    clock.now_s += 60
    count(services, hits=3)
    expect(page.locator("#g0 tfoot td")).to_have_text("4")
    assert plotted(page)[1] == [0, 0, 0, 1, 3]
    ends = (
        "() => { const { x } = jQuery('#g0').hailwhale('graph').plot.chart.scales; return x.max; }"
    )
    page.wait_for_function(f"(end) => ({ends})() === end", arg=plotted(page)[0][-1])
    assert graph(page, "graph.plot.canvas === globalThis.canvas")
    assert page.locator("#g0 canvas").count() == 1


def test_a_paused_graph_sends_no_request_until_it_is_resumed(
    open_page: OpenPage, origin: str, services: Services
) -> None:
    count(services)
    asked: list[str] = []
    page = open_page(page_of(origin, {**LIVE, "live": False}))
    ready(page)
    page.on("request", lambda request: asked.append(request.url))
    live = page.locator("#g0 .live")
    expect(live).to_have_attribute("aria-pressed", "false")
    count(services)
    page.wait_for_timeout(1_500)  # longer than the interval: that nothing comes takes time to see
    assert asked == []
    live.click()
    expect(page.locator("#g0 tfoot td")).to_have_text("2")


def test_a_graph_of_nothing_says_so_and_comes_alive(
    open_page: OpenPage, origin: str, services: Services
) -> None:
    page = open_page(page_of(origin, LIVE))
    ready(page, state="empty")
    expect(page.locator("#g0 .state")).to_contain_text("Nothing counted in this period yet.")
    count(services)
    ready(page)


def test_a_wrong_question_shows_the_answer_and_is_not_asked_again(
    open_page: OpenPage, origin: str
) -> None:
    asked: list[str] = []
    page = open_page("<p>empty</p>")
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(page_of(origin, {**LIVE, "period": "5x:1d"}))
    ready(page, state="error")
    expect(page.locator("#g0 .state p")).to_contain_text("period: got '5x'")
    page.wait_for_timeout(1_500)
    assert len([url for url in asked if "graph.json" in url]) == 1


def test_a_wrong_option_is_shown_in_place_of_the_graph(open_page: OpenPage, origin: str) -> None:
    page = open_page(page_of(origin, {**LIVE, "view": "pie"}))
    expect(page.get_by_role("alert")).to_have_text(
        "HailWhale: view: got pie; expected one of line area stacked bar table number"
    )


def test_an_unavailable_store_dims_the_graph_until_it_is_back(
    open_page: OpenPage, origin: str, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    count(services)
    page = open_page(page_of(origin, LIVE))
    ready(page)
    kept = type(services.reporting).lines

    def away(*_: object) -> None:
        raise StoreUnavailable("the store does not answer")

    monkeypatch.setattr(type(services.reporting), "lines", away)
    notice = page.locator("#g0 .notice")
    expect(notice).to_have_text(re.compile(r"The store is unavailable\. Trying again in \d+ s\."))
    assert table(page)[-1] == ["Total", "1"]  # the old numbers stay
    monkeypatch.setattr(type(services.reporting), "lines", kept)
    count(services)
    expect(page.locator("#g0 tfoot td")).to_have_text("2")
    expect(notice).to_be_hidden()


def test_a_graph_is_drawn_when_an_unavailable_store_is_back(
    open_page: OpenPage, origin: str, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    count(services)
    kept = type(services.reporting).lines

    def away(*_: object) -> None:
        raise StoreUnavailable("the store does not answer")

    monkeypatch.setattr(type(services.reporting), "lines", away)
    page = open_page(page_of(origin, LIVE))
    ready(page, state="away")
    monkeypatch.setattr(type(services.reporting), "lines", kept)
    ready(page)


@pytest.fixture
def told(open_page: OpenPage, origin: str, services: Services) -> Page:
    """A graph of two countries, US 3 and CA 2, that stands still."""
    count(services, "US", 3)
    count(services, "CA", 2)
    options = {**LIVE, "dimensions": "country", "depth": 1, "live": False, "title": "Shop"}
    page = open_page(page_of(origin, options))
    ready(page)
    return page


def shown(page: Page) -> list[str]:
    names: list[str] = page.locator("#g0 .legend button[aria-pressed=true]").all_text_contents()
    return names


def test_the_legend_has_totals_and_turns_series_off_and_on(told: Page) -> None:
    assert shown(told) == ["country5", "US3", "CA2"]
    told.locator("#g0 .legend button", has_text="US").click()
    assert shown(told) == ["country5", "CA2"]
    assert [column[-1] for column in plotted(told)[1:]] == [5, 2]
    told.locator("#g0 .legend button", has_text="US").click()
    assert [column[-1] for column in plotted(told)[1:]] == [5, 3, 2]
    told.locator("#g0 .legend button", has_text="CA").click(modifiers=["Alt"])
    assert shown(told) == ["CA2"]
    told.locator("#g0 .legend button", has_text="CA").click(modifiers=["Alt"])
    assert shown(told) == ["country5", "US3", "CA2"]


def test_hidden_series_stay_hidden_when_numbers_change(told: Page) -> None:
    told.locator("#g0 .legend button", has_text="US").click()
    graph(told, "graph.refresh()")
    assert shown(told) == ["country5", "CA2"]


def test_the_readout_shows_every_series_at_the_cursor(told: Page) -> None:
    box = told.locator("#g0 .u-over").bounding_box()
    assert box is not None
    told.mouse.move(box["x"] + box["width"] - 2, box["y"] + 50)
    readout = told.locator("#g0 .readout")
    expect(readout).to_be_visible()
    assert readout.locator(".rows p").all_text_contents() == ["country5", "US3", "CA2"]
    expect(readout.locator(".when")).to_have_text("Sun 15 Mar, 12:10 – 12:11")
    told.mouse.move(5, 5)
    expect(readout).to_be_hidden()


def test_it_is_read_by_the_keyboard_and_spoken(told: Page) -> None:
    plot = told.locator("#g0 .plot")
    plot.focus()
    spoken = told.locator("#g0 [aria-live]")
    told.keyboard.press("End")
    expect(spoken).to_have_text("Sun 15 Mar, 12:10 – 12:11: country 5, US 3, CA 2")
    told.keyboard.press("ArrowLeft")
    expect(spoken).to_have_text("Sun 15 Mar, 12:09 – 12:10: country 0, US 0, CA 0")
    told.keyboard.press("Escape")
    expect(told.locator("#g0 .readout")).to_be_hidden()
    label = plot.get_attribute("aria-label")
    assert label == (
        "Line chart of Shop, Last 5 minutes by minute, 3 series. Arrow keys read it point by point."
    )


def test_every_control_has_a_name_and_is_reached_by_tab(told: Page) -> None:
    names: list[str] = []
    told.locator("body").focus()
    for _ in range(8):
        told.keyboard.press("Tab")
        names.append(
            told.evaluate("""() => {
                const at = document.activeElement.shadowRoot?.activeElement;
                return at ? at.getAttribute('aria-label') || at.textContent : '';
            }""")
        )
    assert names[:4] == ["Live", "Period", "View", "More"]
    assert names[4].startswith("Line chart of Shop")
    assert names[5:8] == ["country5", "US3", "CA2"]


def test_a_picked_period_fires_an_event(told: Page) -> None:
    told.evaluate("""() => jQuery('#g0').on('hailwhale:period', (event) => {
        document.title = event.originalEvent.detail.period;
    })""")
    told.get_by_label("Period").select_option("today")
    expect(told).to_have_title("today")
    told.wait_for_function("() => jQuery('#g0').hailwhale('graph').model.starts.length > 5")
    told.get_by_label("Period").select_option("custom")
    told.get_by_label("From").fill("2026-03-14")
    told.get_by_label("To", exact=True).fill("2026-03-15")
    told.get_by_role("button", name="Show").click()
    expect(told).to_have_title("2026-03-14..2026-03-15")
    told.wait_for_function(
        "() => jQuery('#g0').hailwhale('graph').model.starts[0] === Date.UTC(2026, 2, 14)"
    )


def test_the_view_is_picked(told: Page) -> None:
    for view in ("stacked", "bar", "number", "table", "line"):
        told.get_by_label("View").select_option(view)
        expect(told.locator("#g0 section")).to_have_attribute("data-view", view)
        ready(told)


def test_csv_is_what_is_shown(told: Page) -> None:
    told.locator("#g0 .legend button", has_text="CA").click()
    told.get_by_label("More").click()
    with told.expect_download() as started:
        told.get_by_role("button", name="Download CSV").click()
    assert started.value.suggested_filename == "Shop.csv"
    lines = started.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "time,country,US"
    assert lines[-1] == "2026-03-15T12:10:00Z,5,3"


@pytest.mark.parametrize("view", ["line", "number"])
def test_png_is_a_picture_of_it(told: Page, view: str) -> None:
    told.get_by_label("View").select_option(view)
    told.get_by_label("More").click()
    with told.expect_download() as started:
        told.get_by_role("button", name="Download PNG").click()
    data = started.value.path().read_bytes()
    assert data.startswith(b"\x89PNG")
    assert int.from_bytes(data[16:20], "big") >= 320
    assert len(data) > 3_000


def test_destroy_gives_the_element_back(told: Page) -> None:
    told.evaluate("""() => {
        document.body.insertAdjacentHTML('beforeend', '<div id=own data-x=1><i>mine</i></div>');
        jQuery('#own').hailwhale({pk: 'Shop'});
    }""")
    told.evaluate("() => jQuery('#own').hailwhale('destroy')")
    assert (
        told.locator("#own").evaluate("(own) => own.outerHTML")
        == '<div id="own" data-x="1"><i>mine</i></div>'
    )
    assert told.evaluate("() => jQuery('#own').hailwhale('graph')") is None


STATEMENT = """async () => {
    const [graph] = jQuery.hailwhale('').graph_tables('#t', {});
    await graph.refresh();
    return [graph.model.names, graph.model.series.map((one) => [one.path[0], ...one.values])];
}"""


def test_the_numbers_of_a_table_become_a_graph(open_page: OpenPage, origin: str) -> None:
    rows = (
        "<tr><th>City<th>Sales<tr><td>Rome<td>$1,200.50<tr><td>Oslo<td>300<tfoot><tr><td>All<td>9"
    )
    body = f"<table id=t><caption>Cities</caption>{rows}</table>"
    page = open_page(page_of(origin, body=body))
    assert page.evaluate(STATEMENT) == [["Rome", "Oslo"], [["Sales", 1200.5, 300]]]
    assert page.locator("div + #t").count() == 1
    expect(page.locator("section .title")).to_have_text("Cities")


def test_a_table_without_a_caption_is_called_what_its_columns_are(
    open_page: OpenPage, origin: str
) -> None:
    body = "<table id=t><tr><th>Month<th>Apples<th>Pears<tr><td>May<td>3<td>4<tr><td>June<td>5<td>1"
    page = open_page(page_of(origin, body=f"{body}</table>"))
    page.evaluate(STATEMENT)
    expect(page.locator("section .title")).to_have_text("Apples, Pears")
    expect(page.locator("section .sums")).to_have_text("8 Apples   5 Pears", use_inner_text=False)


def test_made_up_hits_are_counted_and_seen(
    open_page: OpenPage, origin: str, services: Services
) -> None:
    page = open_page(page_of(origin, {**LIVE, "pk": "Demo", "period": "5m:1h"}))
    page.evaluate("() => { jQuery.hailwhale('').trigger_fake_hits({every_ms: 5, hits: 20}); }")
    expect(page.locator("#g0 tfoot td")).to_have_text("20")
    answer = services.reporting.subdimensions(_children("Demo"))
    assert answer == {(): [("country",), ("device",)]}


def _children(pk: str) -> Any:
    from hailwhale.core.query.parameters import parse_children

    return parse_children({"pk": pk})


def test_memory_stays_flat_over_two_hundred_looks(open_page: OpenPage, origin: str) -> None:
    page = open_page(page_of(origin))
    page.evaluate("""() => {
        let turn = 0;
        const data = () => {
            turn += 1;
            const starts_ms = Array.from({length: 60}, (_, at) => (turn + at) * 60000);
            const series = Array.from({length: 12}, (_, n) => ({
                dimension: ['k', `s${n + turn % 3}`], metric: 'hits', additive: true, total: turn,
                values: starts_ms.map((at) => (at / 60000 + n) % 17),
            }));
            return {starts_ms, end_ms: starts_ms[59] + 60000, interval: '1m', tz: 'UTC', series};
        };
        document.body.insertAdjacentHTML('beforeend', '<div id=own></div>');
        jQuery('#own').hailwhale({data, live: false, view: 'stacked'});
    }""")
    ready(page, "#own")
    look = """async (times) => {
        const graph = jQuery('#own').hailwhale('graph');
        for (let turn = 0; turn < times; turn += 1) await graph.refresh();
    }"""
    session = page.context.new_cdp_session(page)

    def used() -> tuple[float, float]:
        session.send("HeapProfiler.collectGarbage")
        session.send("HeapProfiler.collectGarbage")
        metrics = session.send("Performance.getMetrics")["metrics"]
        found = {metric["name"]: metric["value"] for metric in metrics}
        return found["JSHeapUsedSize"], found["Nodes"]

    session.send("Performance.enable")
    page.evaluate(look, 60)
    heap, nodes = used()
    page.evaluate(look, 200)
    heap_after, nodes_after = used()
    assert nodes_after <= nodes + 50
    assert heap_after <= heap * 1.1 + 300_000
