"""The dashboard at / in a browser: what it tells of what is counted, and where clicks lead."""

from __future__ import annotations

import re
import time
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from hailwhale.errors import StoreUnavailable
from hailwhale.services.container import Services
from hailwhale.services.security.bearer_tokens import Scope
from hailwhale.web.apps import whale_app
from tests.browser.conftest import DEADLINE_MS, OpenPage
from tests.browser.serving import serving
from tests.conftest import NOW_S, Clock

EVIL = '<img src=x onerror="alert(1)">'


CELLS = "(body) => [...body.rows].map((row) => [...row.cells].map((cell) => cell.textContent))"


def shows(page: Page, board: str, expected: list[list[str]]) -> None:
    """Wait until a table of the dashboard, known by the heading of its card, has these cells."""
    card = page.locator("section.paper", has=page.get_by_role("heading", name=board, exact=True))
    deadline_s = time.monotonic() + DEADLINE_MS / 1000
    while (found := card.locator("tbody").evaluate(CELLS)) != expected:
        assert time.monotonic() < deadline_s, found
        page.wait_for_timeout(50)


def tile(page: Page, metric: str, total: str, change: str = "") -> None:
    """Wait until the tile of a metric has this total and this change."""
    found = page.locator(".tile", has=page.get_by_text(metric, exact=True))
    expect(found.locator("b")).to_have_text(total)
    expect(found.locator(".change")).to_have_text(change)


def counted(page: Page, hits: str) -> None:
    """Wait until the page of a pk tells its hits."""
    expect(page.locator(".tile b").first).to_have_text(hits)


def test_where_nothing_is_counted_it_says_what_to_do_first(
    open_page: OpenPage, origin: str, services: Services
) -> None:
    page = open_page(url=f"{origin}/")
    expect(page.get_by_role("heading", name="It is running. Count something.")).to_be_visible()
    assert page.locator(".firsts code").all_inner_texts() == [
        '/count?dimensions=services&metrics={"dollars": 200}',
        '/count?dimensions=advertising&metrics={"dollars": -2000}',
        '/count?dimensions={"sales": 12}&metric={"dollars": 500}',
    ]
    assert page.get_by_role("link", name="See what it can do").get_attribute("href") == "/demo"
    for left in (2, 1, 0):
        page.get_by_role("button", name="Count it").first.click()
        expect(page.get_by_role("button", name="Count it")).to_have_count(left)
    expect(page.locator(".card .today b")).to_have_text("3")
    expect(page.locator(".card .rest")).to_have_text("-1,300 dollars")
    assert services.reporting.pks() == [("_",)]


def test_every_root_pk_shows_today_and_yesterday(
    open_page: OpenPage, origin: str, shop: Services
) -> None:
    page = open_page(url=f"{origin}/")
    expect(page.locator(".grid > li")).to_have_count(2)
    expect(page.locator(".hero .big")).to_have_text("6")
    first = page.locator(".grid > li").first  # the busiest
    expect(first.get_by_role("heading")).to_have_text("Shop")
    expect(first.locator(".today b")).to_have_text("5")
    expect(first.locator(".change")).to_have_text("▲ 25%")
    expect(first.locator(".rest")).to_have_text("120 dollars")
    assert first.locator("svg path.now").get_attribute("d") is not None
    assert first.locator("svg path.ghost").get_attribute("d") is not None


def test_cards_count_on_while_they_are_looked_at(
    open_page: OpenPage, origin: str, shop: Services
) -> None:
    page = open_page(url=f"{origin}/")
    queue = page.locator(".grid > li", has_text="Queue")
    expect(queue.locator(".today b")).to_have_text("1")
    shop.counting.count_now({"pk": "Queue", "metrics": {"jobs": 4}})
    shop.counting.count_now({"pk": "Newcomer"})
    expect(queue.locator(".today b")).to_have_text("2")
    expect(page.get_by_role("heading", name="Newcomer")).to_be_visible()


def test_clicks_lead_from_a_pk_to_its_dimensions_labels_and_pks_and_back(
    open_page: OpenPage, origin: str, shop: Services
) -> None:
    page = open_page(url=f"{origin}/")
    page.get_by_role("link", name=re.compile("Shop")).click()
    tile(page, "hits", "5", "▲ 25%")
    tile(page, "dollars", "120", "▲ 200%")
    shows(
        page,
        "country",
        [
            ["US", "3", "60%", "▲ 200%"],
            ["DE", "1", "20%", "▼ 67%"],
            ["JP", "1", "20%", ""],
        ],
    )
    shows(page, "Below Shop", [["Mug", "3", "60%", "▼ 25%"], ["Lamp", "2", "40%", ""]])

    page.locator(".tile", has_text="dollars").click()
    expect(page).to_have_url(re.compile("metric=dollars"))
    page.get_by_role("navigation", name="Dimensions").get_by_text("country").click()
    table = page.locator(".board.long")
    expect(table.locator("tbody tr")).to_have_count(3)
    shows(
        page,
        "country",
        [
            ["US", "60", "50%", "+50%", "▲ 500%"],
            ["DE", "40", "33%", "+33%", "▲ 33%"],
            ["JP", "20", "17%", "+17%", ""],
        ],
    )
    table.get_by_role("link", name="DE").click()
    expect(page).to_have_url(re.compile(r"#/Shop\?in=country/DE&metric=dollars$"))
    tile(page, "dollars", "40", "▲ 33%")

    page.go_back()
    expect(page).to_have_url(re.compile(r"in=country&"))
    expect(table.locator("tbody tr")).to_have_count(3)
    page.go_forward()
    tile(page, "hits", "1", "▼ 67%")
    page.get_by_role("navigation", name="Breadcrumbs").get_by_text("Shop").click()
    page.locator("section", has_text="Below Shop").get_by_role("link", name="Lamp").click()
    expect(page).to_have_url(re.compile(r"#/Shop/Lamp$"))
    expect(page.get_by_role("heading", name="Shop › Lamp", exact=True)).to_be_visible()
    counted(page, "2")


def test_a_link_shows_what_its_sender_saw(open_page: OpenPage, origin: str, shop: Services) -> None:
    there = f"{origin}/#/Shop?in=country&metric=dollars/hits&period=today&view=bar&sort=importance"
    page = open_page(url=there)
    tile(page, "dollars/hits", "24")
    table = page.locator(".board.long")
    expect(table.locator("th[aria-sort]")).to_have_text("Importance")
    expect(table.locator("tbody th").first).to_have_text("DE")
    graph = page.locator(".graph section.graph")
    assert graph.locator("select").evaluate_all("(all) => all.map((one) => one.value)") == [
        "today",
        "bar",
    ]
    graph.get_by_label("Period").select_option("seven")
    expect(page).to_have_url(re.compile("period=seven"))
    tile(page, "hits", "9")
    page.reload()
    tile(page, "hits", "9")


@pytest.mark.parametrize("hash", ["#/Shop?in=%E0%A4%A", "#/%", "#/?nonsense=1&metric", "#nothing/"])
def test_a_link_that_was_cut_off_shows_something(
    open_page: OpenPage, origin: str, shop: Services, hash: str
) -> None:
    page = open_page(url=f"{origin}/{hash}")
    expect(page.locator("main h1").first).to_be_visible()


def test_periods_are_compared_only_when_asked(
    open_page: OpenPage, origin: str, shop: Services
) -> None:
    page = open_page(url=f"{origin}/#/Shop?period=today")
    tile(page, "hits", "5", "▲ 25%")
    page.get_by_label("Compare with the previous period").uncheck()
    expect(page).to_have_url(re.compile("compare=$"))
    expect(page.locator(".tile .change", has_text="%")).to_have_count(0)


def test_any_formula_can_be_shown(open_page: OpenPage, origin: str, shop: Services) -> None:
    page = open_page(url=f"{origin}/#/Shop")
    field = page.get_by_label("Metric or formula")
    field.fill("dollars/hits")
    field.press("Enter")
    tile(page, "dollars/hits", "24")
    assert page.locator(".tile[aria-pressed=true]").inner_text().startswith("dollars/hits")


def test_new_events_are_shown(open_page: OpenPage, origin: str, shop: Services) -> None:
    page = open_page(url=f"{origin}/#/Shop")
    events = page.locator(".events li")
    expect(events).to_have_count(9)
    event = {"pk": ["Shop", "Whale"], "dimensions": ["campaign", "spring"], "metrics": {"d": 2.5}}
    shop.counting.count_now(event)
    expect(events.first.locator(".where")).to_have_text("Shop › Whale")
    expect(events.first.locator(".what")).to_have_text("2.5 d")
    expect(events.first.locator(".chip")).to_have_text("spring")
    page.request.get(f"{origin}/decide?pk=Shop&options=a,b&by_metric=d")  # no event of anybody's
    shop.counting.count_now({"pk": ["Shop", "Last"], "at": NOW_S + 1})
    expect(events.first.locator(".where")).to_have_text("Shop › Last")
    expect(events.filter(has_text="decided")).to_have_count(0)


def test_without_a_spy_log_there_is_no_feed(open_page: OpenPage, shop: Services) -> None:
    app = whale_app(shop)
    app.routes[:] = [route for route in app.routes if route.rule != "/spy"]
    app.router.__init__()
    for route in app.routes:
        app.router.add(route.rule, route.method, route)
    with serving(app) as origin:
        page = open_page(url=f"{origin}/#/Shop")
        counted(page, "5")
        expect(page.locator(".feed")).to_be_hidden()
        expect(page.get_by_role("alert")).to_have_count(0)


def test_a_decision_shows_its_options_for_each_visitor(
    open_page: OpenPage, origin: str, decided: Services
) -> None:
    page = open_page(url=f"{origin}/#/Page?in=country/US&metric=sales/hits")
    first = page.locator(".options tbody tr").first
    expect(first.locator("th")).to_have_text("b")
    expect(first.locator(".verdict")).to_have_text("good")
    expect(page.locator(".decision > p").first).to_contain_text("b is the best for country › US")
    page.goto(f"{origin}/#/Page?in=country/NZ&metric=sales/hits")
    expect(first.locator("th")).to_have_text("a")
    page.get_by_label("Goal").select_option("min")
    expect(page).to_have_url(re.compile("goal=min"))
    expect(first.locator("th")).to_have_text("b")


def test_a_pk_without_decisions_has_no_reasons(
    open_page: OpenPage, origin: str, shop: Services
) -> None:
    page = open_page(url=f"{origin}/#/Shop")
    counted(page, "5")
    expect(page.locator(".decision")).to_be_hidden()


def test_labels_are_text_wherever_they_show(
    open_page: OpenPage, origin: str, services: Services
) -> None:
    event = {"pk": [EVIL, f"{EVIL}2"], "dimensions": {EVIL: {f"{EVIL}3": f"{EVIL}4"}}}
    services.counting.count_now({**event, "metrics": {"<img src=x onerror=alert`1`>": 2}})
    services.exposing_now.count({"pk": f"{EVIL}5", "option": EVIL, "dimensions": {EVIL: EVIL}})
    page = open_page(url=f"{origin}/")
    expect(page.get_by_role("heading", name=EVIL, exact=True)).to_be_visible()
    for path in (quote(EVIL), f"{quote(EVIL)}?in={quote(EVIL)}", f"{quote(EVIL + '5')}"):
        page.goto(f"{origin}/#/{path}")
        expect(page.locator("main h1")).to_contain_text(EVIL)
        counted(page, "1")
        expect(page.locator(".pane pre").first).to_contain_text("/count?")
        images = page.locator("img").evaluate_all("(all) => all.map((one) => one.src)")
        assert images == [f"{origin}/static/whale.svg"]


def test_a_closed_service_wants_a_token_and_keeps_it(
    open_page: OpenPage, make_services: object, clock: Clock
) -> None:
    services: Services = make_services(reading="token")  # type: ignore[operator]
    services.counting.count_now({"pk": "Secret"})
    limits = services.settings.limits
    _, text = services.tokens.add("reader", [Scope.READ], (), limits, NOW_S)
    with serving(whale_app(services)) as origin:
        page = open_page(url=f"{origin}/")
        page.get_by_label("Token").fill("hw_00000000_wrong")
        page.get_by_role("button", name="Continue").click()
        expect(page.locator(".token p")).to_have_class("bad")
        page.get_by_label("Token").fill(text)
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("heading", name="Secret")).to_be_visible()
        page.goto(f"{origin}/#/Secret")
        page.locator(".graph section[data-state=ready]").wait_for()
        page.reload()
        counted(page, "1")


def test_an_unavailable_store_is_reported_and_awaited(
    open_page: OpenPage, origin: str, shop: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page(url=f"{origin}/")
    expect(page.locator(".pulse")).to_have_text("Live")

    def away(*_: object) -> None:
        raise StoreUnavailable("the store does not answer")

    kept = type(shop.reporting).pks
    monkeypatch.setattr(type(shop.reporting), "pks", away)
    page.reload()
    expect(page.get_by_role("alert")).to_have_text("The store is unavailable. Trying again.")
    monkeypatch.setattr(type(shop.reporting), "pks", kept)
    expect(page.locator(".grid > li")).to_have_count(2)
    expect(page.get_by_role("alert")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("where", "last"),
    [
        ("", ".card canvas, .card svg"),
        ("#/Shop?in=country&metric=dollars", ".breakdowns tbody tr"),
        ("#/Page?metric=sales", ".options tbody tr"),
    ],
)
def test_nothing_sticks_out_of_a_narrow_page_and_nothing_breaks_its_policy(
    open_page: OpenPage,
    origin: str,
    shop: Services,
    decided: Services,
    where: str,
    last: str,
    scheme: str,
) -> None:
    said: list[str] = []
    page = open_page(
        url="about:blank",
        viewport={"width": 360, "height": 740},
        color_scheme=scheme,
    )
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{origin}/{where}")
    expect(page.locator(".card, .tile").first).to_be_visible()
    expect(page.locator(last).first).to_be_visible()
    expect(page.locator(".pulse")).to_have_text("Live")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert colour == {"light": "rgb(244, 246, 250)", "dark": "rgb(9, 13, 19)"}[scheme]
    assert said == []


def test_it_is_used_by_keyboard(open_page: OpenPage, origin: str, shop: Services) -> None:
    page = open_page(url=f"{origin}/")
    card = page.locator(".card").first
    expect(card.get_by_role("heading")).to_have_text("Shop")
    expect(page.locator(".grid[data-sorted]")).to_be_visible()
    for _ in range(40):  # what is still to come takes its place in the round
        page.keyboard.press("Tab")
        if card.evaluate("(card) => card === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("main h1")).to_have_text("Shop")
    url = page.get_by_role("tab", name="URL", exact=True)
    url.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Pixel")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("tab", name="Pixel")).to_be_focused()
