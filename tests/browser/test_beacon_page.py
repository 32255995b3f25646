"""What docs/beacon.rst has people put into their pages, put into one, in a real browser."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from hailwhale.core.query.parameters import parse_totals
from hailwhale.services.container import Services
from hailwhale.services.json_shapes import totals_json
from hailwhale.web.apps import whale_app
from tests.browser.conftest import OpenPage
from tests.browser.serving import serving, site
from tests.conftest import Clock
from tests.deploy.running import until
from tests.docs.blocks import blocks, page

SERVICE = "http://localhost:8085"
HEAD, CALLS, ELEMENTS, DECIDE, HIDE, SHOW = [block.text for block in blocks(page("beacon.rst"))]


@pytest.fixture
def clock() -> Clock:
    """Browsers have the real time."""
    return Clock(time.time())


def total(
    services: Services, pk: object, metrics: str = "hits", dimensions: object = ""
) -> list[object]:
    asked = {"pk": pk, "dimensions": dimensions, "metrics": metrics, "period": "today"}
    [found] = totals_json(services.reporting.totals(parse_totals(asked)))["today"].values()
    return list(found.values())


def test_the_blocks_of_the_page_do_what_it_says(
    make_services: Callable[..., Services], open_page: OpenPage
) -> None:
    pages: dict[str, tuple[str, str | bytes]] = {"/buy": ("text/html", "Thanks")}
    with serving(site(pages)) as there:
        services = make_services(cors_origins=(there,))
        with serving(whale_app(services)) as origin:
            assert SERVICE in HEAD
            head = HEAD.replace(SERVICE, origin)
            body = f"<h1></h1><script>{CALLS}\n{DECIDE}</script>{SHOW}{ELEMENTS}"
            pages["/"] = ("text/html", f"<!doctype html>{HIDE}{head}{body}")

            def shows(loads: int) -> None:
                decided = ["Headline", "Hidden"]
                until(lambda: [*map(hits, decided)] == [loads, loads], f"decision {loads}")

            def hits(pk: str) -> object:
                return total(services, pk)[0]

            shown = open_page(url=f"{there}/")
            shown.locator("h1", has_text="ea").wait_for(state="visible")
            shows(1)
            with shown.expect_navigation(url=f"{there}/?"):  # the form comes back to the page
                shown.get_by_role("button", name="Sign up").click()
            shows(2)
            with shown.expect_navigation(url=f"{there}/buy"):
                shown.get_by_role("link", name="Buy").click()

            def counted() -> bool:
                carts = total(services, ["Product", "Mug"], "carts")
                return carts == [1] and total(services, "Signup", dimensions="footer") == [1]

            until(counted, "what was clicked")
    assert total(services, "Signup", "dollars", [["campaign", "spring"]]) == [2 * 9.5]
    assert total(services, "Page", "hits,uniques") == [2, 1]
    assert total(services, ["Headline", "b"], "sales") == [2]


def test_the_headline_that_is_hidden_shows_on_a_page_that_has_nothing_else(
    make_services: Callable[..., Services], open_page: OpenPage
) -> None:
    pages: dict[str, tuple[str, str | bytes]] = {}
    with serving(site(pages)) as there:
        services = make_services(cors_origins=(there,))
        with serving(whale_app(services)) as origin:
            head = HEAD.replace(SERVICE, origin)
            pages["/"] = ("text/html", f"<!doctype html>{HIDE}{head}<h1></h1>{SHOW}")
            open_page(url=f"{there}/").locator("h1", has_text="Tea").wait_for(state="visible")
            until(lambda: total(services, "Hidden") == [1], "what was shown")
