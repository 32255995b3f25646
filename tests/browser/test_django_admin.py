"""The example in Django as a person has it: its two commands, looked at in a browser."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.drawing import ready, table
from tests.deploy.running import DEADLINE_S, ROOT, started
from tests.ports import free_port

EXAMPLE = ROOT / "examples/django_shop"
MANAGE = [sys.executable, str(EXAMPLE / "manage.py")]
REVENUE = "th.column-revenue"
WIDTH = 1_200


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop that is open, and who may see its admin."""

    url: str
    password: str


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    data = tmp_path_factory.mktemp("shop")
    told = {
        "SHOP_DATA": str(data),
        "SHOP_URL": f"http://127.0.0.1:{free_port()}",
        "HAILWHALE_PORT": str(free_port()),
    }
    serve = started("hailwhale", "serve", command=MANAGE, variables=told)
    with serve as service, started("open_shop", command=MANAGE, variables=told) as django:
        assert service.url.endswith(told["HAILWHALE_PORT"])
        # Its first line has the admin's password; the server is there when it said all its lines.
        output = django.process.stdout
        assert output is not None
        assert any("Quit the server" in line for line in output)
        yield Shop(told["SHOP_URL"], django.said.split()[-1])


@pytest.fixture(scope="module")
def admin(browser: Browser, shop: Shop) -> Iterator[BrowserContext]:
    """A browser in which the admin has logged in."""
    context = browser.new_context(locale="en-GB", viewport={"width": WIDTH, "height": 850})
    context.set_default_timeout(DEADLINE_S * 1000)
    page = context.new_page()
    page.goto(f"{shop.url}/admin/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", shop.password)
    page.click("[type=submit]")
    page.wait_for_url(f"{shop.url}/admin/")
    page.close()
    yield context
    context.close()


@pytest.fixture
def page(admin: BrowserContext) -> Iterator[Page]:
    """A page in which nothing may fail."""
    faults: list[str] = []
    page = admin.new_page()
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    yield page
    page.close()
    assert faults == []


def column(page: Page, name: str) -> list[float]:
    """The numbers of a column of the admin's list."""
    cells = page.locator(f"#result_list td.field-{name}").all_inner_texts()
    return [float(cell.replace(",", "")) for cell in cells]


def test_the_list_is_sorted_by_what_was_counted(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/admin/shop/product/")
    page.click(f"{REVENUE} .text a")
    expect(page.locator(f"{REVENUE}.ascending")).to_be_visible()
    up = column(page, "revenue")
    page.click(f"{REVENUE} .text a")
    expect(page.locator(f"{REVENUE}.descending")).to_be_visible()
    assert len(up) == 5
    assert 0 < up[0] < up[-1]
    assert up == sorted(up) == column(page, "revenue")[::-1]


def test_the_page_of_an_object_draws_its_graph(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/admin/shop/product/")
    revenue = column(page, "revenue")[0]
    page.click("#result_list th.field-name a")
    ready(page, ".field-counted_graph")
    heads, *rows, foot = table(page, ".field-counted_graph")
    assert heads[1] == "country"
    assert "US" in heads
    assert len(rows) >= 28
    assert float(foot[1].replace(",", "")) == revenue
    expect(page.locator(".field-counted_graph section")).to_contain_text("Storm lamp")
    box = page.locator(".field-counted_graph canvas").bounding_box()
    assert box is not None
    assert box["width"] > 500
    assert box["x"] + box["width"] < WIDTH, "it stays in its form"


def test_a_sale_and_a_look_are_counted_from_the_shops_own_pages(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/product/1/")
    ready(page, "body")
    image = "document.querySelector('img[src*=\"count.gif\"]')"
    page.wait_for_function(f"() => {image}.complete && {image}.naturalWidth === 1")
    before = page.request.get(f"{shop.url}/product/1/totals.json").json()["1d:1mo"]["_"]
    page.select_option("select[name=country]", "DE")
    page.click("button:text('Buy')")
    page.wait_for_load_state()
    after = page.request.get(f"{shop.url}/product/1/totals.json").json()["1d:1mo"]["_"]
    assert after["sales"] == before["sales"] + 1
    assert after["revenue"] == pytest.approx(before["revenue"] + 12.5)
    expect(page.locator("body")).to_contain_text(f"{after['sales']} sold in 30 days")
