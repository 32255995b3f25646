"""The demo's pages in a browser: what they send is acknowledged, counted, and seen."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from hailwhale.core.query.parameters import parse_totals
from hailwhale.services.container import Services
from hailwhale.services.json_shapes import totals_json
from tests.browser.conftest import DEADLINE_MS, OpenPage

PAGES = ["one", "many", "ratios", "learn", "fast"]
Total = Callable[..., object]


@pytest.fixture
def total(services: Services) -> Total:
    """What the store has of a metric, for a pk and a dimension."""

    def total(pk: list[str], metric: str = "hits", dimensions: object = "") -> object:
        question = {"pk": pk, "dimensions": dimensions, "metrics": metric, "period": "all"}
        [found] = totals_json(services.reporting.totals(parse_totals(question)))["all"].values()
        return found[metric]

    return total


def told(page: Page) -> list[int]:
    """How many the page says were sent, acknowledged and counted."""
    texts = page.locator(".strip b").all_inner_texts()
    return [int(text.replace(",", "")) for text in texts]


def settled(page: Page) -> int:
    """Wait until all that was sent is counted; how many that was."""
    expect(page.locator(".strip[data-even]")).to_be_visible()
    sent, acknowledged, counted = told(page)
    assert sent == acknowledged == counted
    return sent


# How many pixels of the graph are a bar's.
BAR = """() => {
    const graph = document.querySelector('.page > div:last-child > .hailwhale');
    const canvas = graph.shadowRoot.querySelector('canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let drawn = 0;
    for (let at = 0; at < data.length; at += 4) {
        if (data[at + 2] > 200 && data[at] < 120 && data[at + 3] > 150) drawn += 1;
    }
    return drawn;
}"""


def test_each_click_is_counted_and_its_bar_grows(
    open_page: OpenPage, origin: str, total: Total
) -> None:
    page = open_page(url=f"{origin}/demo")
    button = page.get_by_role("button", name="Count one")
    button.click()
    expect(page.locator(".strip b").last).to_have_text("1")
    page.locator("section[data-state=ready]").wait_for()
    for _ in range(6):
        button.click()
    expect(page.locator(".strip b").last).to_have_text("7")
    assert settled(page) == total(["Demo", "Clicks"]) == 7
    expect(page.locator("section.graph tfoot td")).to_have_text("7")
    seven: int = page.evaluate(BAR)
    assert seven > 0
    button.click()  # the scale, to 8, stays what it was: the bar alone grows, by a seventh
    page.wait_for_function(f"(least) => ({BAR})() > least", arg=seven * 1.1)


def test_sales_are_counted_under_all_that_they_have(
    open_page: OpenPage, origin: str, total: Total
) -> None:
    page = open_page(url=f"{origin}/demo#many")
    page.get_by_role("button", name="Storm lamp · $89").click()
    page.get_by_role("button", name="Whale mug · $12.5").click()
    page.wait_for_function("() => document.querySelector('.strip[data-even]')")
    assert total(["Demo", "Sales"], "dollars") == 101.5
    assert total(["Demo", "Sales", "Storm lamp"]) == 1
    page.get_by_role("button", name="Let it hail").click()
    page.wait_for_function(
        "() => Number(document.querySelector('[data-name=Counted] b').textContent) > 8"
    )
    page.get_by_role("button", name="Stop").click()
    assert settled(page) == total(["Demo", "Sales"])
    assert total(["Demo", "Sales"], dimensions=[["device"]]) == total(["Demo", "Sales"])
    sections = page.locator("section.graph[data-state=ready]")
    expect(sections).to_have_count(3)


def test_ratios_are_those_of_the_sliders(open_page: OpenPage, origin: str, total: Total) -> None:
    page = open_page(url=f"{origin}/demo#ratios")
    page.get_by_role("slider", name="Buy").fill("100")
    page.get_by_role("slider", name="Pay").fill("50")
    page.get_by_role("button", name="Let visitors in").click()
    page.wait_for_function(
        "() => Number(document.querySelector('[data-name=Counted] b').textContent) > 4"
    )
    page.get_by_role("button", name="Stop").click()
    settled(page)
    assert total(["Demo", "Conversions"], "sold/shown") == 1
    assert total(["Demo", "Conversions"], "dollars/shown") == 50


def test_a_decision_is_learned_from_simulated_visitors_of_two_countries(
    open_page: OpenPage, origin: str, services: Services, total: Total
) -> None:
    page = open_page(url=f"{origin}/demo#learn")
    page.get_by_role("button", name="Let visitors in").click()
    page.wait_for_function(
        "() => Number(document.querySelector('[data-name=Counted] b').textContent) >= 60"
    )
    for country in ("US", "NZ"):
        board = page.locator(f"[data-country={country}]")
        expect(board.locator("tbody tr")).to_have_count(3)
        shares = board.locator(".share b").all_inner_texts()
        assert sum(float(share.rstrip("%")) for share in shares) == pytest.approx(100, abs=2)
        expect(board.locator("p").first).to_contain_text("with a probability of")
        expect(board.locator("polygon")).to_have_count(3)
    page.get_by_role("button", name="Stop").click()
    [pk] = services.reporting.pks(("Demo",))
    deadline_s = time.monotonic() + DEADLINE_MS / 1000
    while total(list(pk)) != total(list(pk), "decided"):  # visitors who were on their way
        assert time.monotonic() < deadline_s
        page.wait_for_timeout(50)
    sent = settled(page)
    assert total(list(pk)) == sent
    by_country = [total(list(pk), dimensions=[["country", one]]) for one in ("US", "NZ")]
    assert sum(int(str(count)) for count in by_country) == sent


@pytest.mark.parametrize(("button", "hits"), [("Fire 300,", "300"), ("Fire 5,000,", "5,000")])
def test_all_that_is_fired_is_acknowledged_and_counted(
    open_page: OpenPage, origin: str, total: Total, button: str, hits: str
) -> None:
    page = open_page(url=f"{origin}/demo#fast")
    page.get_by_role("button", name=button).click()
    row = page.locator("tbody tr").first
    expect(row.locator("td").nth(4)).to_contain_text(" s")
    assert row.locator("td").nth(0).inner_text() == hits
    assert row.locator("td").nth(2).inner_text().startswith(f"{hits} in ")
    assert settled(page) == total(["Demo", "Fast"]) == int(hits.replace(",", ""))


def test_a_page_that_is_left_sends_no_more(open_page: OpenPage, origin: str) -> None:
    page = open_page(url=f"{origin}/demo#many")
    page.get_by_role("button", name="Let it hail").click()
    expect(page.locator("[data-name=Acknowledged] b")).not_to_have_text("0")
    asked: list[str] = []
    page.get_by_role("link", name="Ratios", exact=True).click()
    expect(page.get_by_role("button", name="Let visitors in")).to_be_visible()
    page.on("request", lambda request: asked.append(request.url))
    for _ in range(3):  # looks half a second apart
        with page.expect_request(lambda request: "Conversions" in request.url):
            pass
    assert [url for url in asked if "/count" in url or "Sales" in url] == []


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_demo_pages_fit_a_narrow_screen_and_keep_to_the_policy(
    open_page: OpenPage, origin: str, name: str, scheme: str
) -> None:
    said: list[str] = []
    page = open_page(url="about:blank", viewport={"width": 360, "height": 740}, color_scheme=scheme)
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{origin}/demo#{name}")
    expect(page.locator("main h1")).to_be_visible()
    expect(page.get_by_role("navigation", name="Demos").locator("[aria-current]")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert said == []


def test_the_demo_leads_to_the_dashboard_and_back(
    open_page: OpenPage, origin: str, services: Services
) -> None:
    page = open_page(url=f"{origin}/demo")
    page.get_by_role("button", name="Count one").click()
    settled(page)
    page.get_by_role("link", name="In the dashboard").click()
    expect(page.locator("main h1")).to_have_text("Demo")
    page.get_by_role("link", name="Demo", exact=True).last.click()
    expect(page.get_by_role("heading", name="Count one thing")).to_be_visible()
