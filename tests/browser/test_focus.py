"""The dashboard by keyboard while it is live: the focus stays, and what it is in does not move."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from hailwhale.services.container import Services
from tests.browser.conftest import OpenPage

EVERY_MS = 10_000  # how often the dashboard asks for news
GRAPH_EVERY_MS = 60_000  # how often a graph of days does


@pytest.fixture
def live_page(open_page: OpenPage, origin: str) -> Page:
    """A page whose time passes when a test says so, too."""
    page = open_page(url="about:blank")
    page.clock.install()
    return page


def shop_country(page: Page, origin: str) -> Locator:
    """Open the long table of a dimension; its rows."""
    page.goto(f"{origin}/#/Shop?in=country")
    rows = page.locator(".board.long tbody tr")
    expect(rows).to_have_count(3)
    return rows


def order_of(rows: Locator) -> list[str]:
    return rows.locator("th").all_inner_texts()


def count_more(services: Services, countries: Sequence[str], hits: int) -> None:
    for country in countries:
        event = {"pk": ["Shop", "Mug"], "dimensions": {"country": country}}
        services.counting.count_now({**event, "metrics": {"hits": hits}})


def test_a_row_that_has_the_focus_keeps_it_and_its_place(
    live_page: Page, origin: str, shop: Services
) -> None:
    rows = shop_country(live_page, origin)
    assert order_of(rows) == ["US", "DE", "JP"]
    de = rows.get_by_role("link", name="DE")
    de.focus()
    count_more(shop, ["JP", "FR"], 9)
    live_page.clock.run_for(EVERY_MS)
    expect(rows).to_have_count(4)
    expect(rows.nth(2).locator("td").first).to_have_text("10")
    assert order_of(rows) == ["US", "DE", "JP", "FR"]
    expect(de).to_be_focused()
    live_page.keyboard.press("Tab")
    expect(rows.get_by_role("link", name="JP")).to_be_focused()

    live_page.get_by_label("Metric or formula").focus()
    live_page.clock.run_for(EVERY_MS)
    expect(rows.first.locator("th")).to_have_text("JP")
    assert order_of(rows) == ["JP", "FR", "US", "DE"]


def test_the_focus_of_a_row_that_goes_passes_to_the_next(
    live_page: Page, origin: str, shop: Services
) -> None:
    rows = shop_country(live_page, origin)
    rows.get_by_role("link", name="DE").focus()
    shop.erasing.reset(("Shop",), ("country", "DE"))
    live_page.clock.run_for(EVERY_MS)
    expect(rows).to_have_count(2)
    expect(rows.get_by_role("link", name="JP")).to_be_focused()


def test_the_button_that_a_table_was_ordered_by_keeps_the_focus(
    live_page: Page, origin: str, shop: Services
) -> None:
    rows = shop_country(live_page, origin)
    by = live_page.locator(".board.long thead").get_by_role("button", name="Importance")
    by.focus()
    live_page.keyboard.press("Enter")
    expect(live_page.locator(".board.long th[aria-sort]")).to_have_text("Importance")
    expect(rows.first.get_by_role("link")).to_have_attribute("href", re.compile("sort=importance"))
    expect(by).to_be_focused()


@pytest.mark.parametrize("what", ["tab", "tile", "board"])
def test_what_has_the_focus_keeps_it_when_a_dimension_and_a_metric_become_known(
    live_page: Page, origin: str, shop: Services, what: str
) -> None:
    live_page.goto(f"{origin}/#/Shop")
    tabs = live_page.get_by_role("navigation", name="Dimensions").get_by_role("link")
    tiles = live_page.locator(".tile")
    focused = {
        "tab": tabs.get_by_text("device"),
        "tile": tiles.filter(has_text="dollars"),
        "board": live_page.get_by_role("link", name="All of device"),
    }[what]
    expect(live_page.locator(".board:visible")).to_have_count(3)
    focused.focus()
    event = {"pk": "Shop", "dimensions": {"browser": "Lynx"}, "metrics": {"cents": 5}}
    shop.counting.count_now(event)
    live_page.clock.run_for(EVERY_MS)
    expect(tabs).to_have_count(4)
    expect(tiles).to_have_count(3)
    expect(live_page.locator(".board:visible")).to_have_count(4)
    expect(focused).to_be_focused()


def test_a_series_of_the_legend_that_has_the_focus_keeps_it_and_its_place(
    live_page: Page, origin: str, shop: Services
) -> None:
    live_page.goto(f"{origin}/#/Shop?in=country")
    names = live_page.locator(".legend .name")
    expect(names).to_have_text(["country", "US", "DE", "JP"])
    series = live_page.locator(".legend button")
    de, jp = (series.filter(has_text=name) for name in ("DE", "JP"))
    de.focus()
    count_more(shop, ["JP"], 9)
    live_page.clock.run_for(GRAPH_EVERY_MS)
    expect(jp.locator(".total")).to_have_text("10")
    expect(names).to_have_text(["country", "US", "DE", "JP"])
    expect(de).to_be_focused()

    live_page.get_by_label("Metric or formula").focus()
    live_page.clock.run_for(GRAPH_EVERY_MS)
    expect(names).to_have_text(["country", "JP", "US", "DE"])


def test_cards_are_put_in_order_when_none_of_them_has_the_focus(
    live_page: Page, origin: str, shop: Services
) -> None:
    held: list[Route] = []
    of_shop = re.compile(r"/graph\.json\?pk=%5B%22Shop%22%5D")
    live_page.route(of_shop, lambda route: held.append(route), times=1)
    live_page.goto(f"{origin}/")
    cards = live_page.locator(".card")
    expect(cards.locator(".today b")).to_have_text(["1", "–"])
    queue = cards.first
    queue.focus()
    held.pop().continue_()
    expect(cards.locator(".today b")).to_have_text(["1", "5"])
    expect(cards.locator("h2")).to_have_text(["Queue", "Shop"])
    expect(queue).to_be_focused()

    live_page.get_by_label("Find a pk").focus()
    live_page.clock.run_for(EVERY_MS)
    expect(cards.locator("h2")).to_have_text(["Shop", "Queue"])
