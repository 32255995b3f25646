"""A real browser on the real service: Debian's Chromium by Playwright, one for the whole run.

Without Chromium the tests are skipped, which REQUIRE_ALL=1 makes a failure.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from hailwhale.services.container import Services
from hailwhale.web.apps import whale_app
from tests.browser.serving import serving
from tests.conftest import NOW_S

# What pages of 2013 have; `make test` puts it there.
OLD_JQUERY = Path(sys.prefix) / "old-jquery/mkdocs/themes/mkdocs/js/jquery-1.10.2.min.js"

DEADLINE_MS = 60_000  # passed only by what hangs, on a machine that other suites keep busy, too
expect.set_options(timeout=DEADLINE_MS)

OpenPage = Callable[..., Page]
DAY_S, HOUR_S = 86_400, 3_600


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs chromium: apt-get install chromium")
    args = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--enable-precise-memory-info",
    ]
    browser = playwright.chromium.launch(executable_path=chromium, args=args)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def old_jquery() -> str:
    if not OLD_JQUERY.is_file():
        pytest.skip("needs an old jQuery: make test installs it")
    return OLD_JQUERY.read_text(encoding="utf-8")


@pytest.fixture
def origin(services: Services) -> Iterator[str]:
    """Where the service is, on a real store at the tests' clock."""
    with serving(whale_app(services)) as origin:
        yield origin


@pytest.fixture
def open_page(browser: Browser, origin: str) -> Iterator[OpenPage]:
    """Opens pages of HTML at an address of the service's own, or of a `url`; none may fail.

    The reader writes as in Britain and lives in New York: no time may come out in that zone.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_page(html: str = "", url: str | None = None, **options: Any) -> Page:
        told: dict[str, Any] = {
            "locale": "en-GB",
            "timezone_id": "America/New_York",
            "accept_downloads": True,
        }
        told |= {"viewport": {"width": 900, "height": 700}, "reduced_motion": "reduce", **options}
        context = browser.new_context(**told)
        context.set_default_timeout(DEADLINE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.on("dialog", lambda dialog: faults.append(f"a dialog: {dialog.message}"))
        address = url or f"{origin}/a-page"
        if url is None:
            page.route(address, lambda route: route.fulfill(body=html, content_type="text/html"))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def shop(services: Services) -> Services:
    """A shop: 5 sales today, 4 yesterday; by country, by device, by product; and a lonely pk."""
    sales = [
        (0, "US", "phone", "Mug", 10),
        (0, "US", "phone", "Mug", 10),
        (HOUR_S, "US", "desktop", "Lamp", 40),
        (HOUR_S, "DE", "phone", "Lamp", 40),
        (HOUR_S, "JP", "phone", "Mug", 20),
        (DAY_S, "US", "phone", "Mug", 10),
        (DAY_S, "DE", "phone", "Mug", 10),
        (DAY_S, "DE", "phone", "Mug", 10),
        (DAY_S, "DE", "desktop", "Mug", 10),
    ]
    for age_s, country, device, product, dollars in sales:
        event = {
            "pk": ["Shop", product],
            "dimensions": {"country": country, "device": device},
            "metrics": {"dollars": dollars},
            "at": NOW_S - age_s,
        }
        services.counting.count_now(event)
    services.counting.count_now({"pk": "Queue", "metrics": {"jobs": 3}})
    return services


@pytest.fixture
def decided(services: Services) -> Services:
    """A decision: in the US b sells at 40 %, a at 4 %; in NZ it is the other way round."""
    rates = {("US", "a"): 16, ("US", "b"): 160, ("NZ", "a"): 160, ("NZ", "b"): 16}
    for (country, option), sold in rates.items():
        shown = {"pk": "Page", "option": option, "dimensions": {"country": country}}
        services.exposing_now.count({**shown, "metrics": {"hits": 400 - sold}})
        for _ in range(sold):
            services.exposing_now.count({**shown, "metrics": {"sales": 1}})
    return services
