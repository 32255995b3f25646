"""Takes the pictures of the dashboard and the demo: `python -m tests.browser.dashboard_pictures`.

A service on an embedded store, with what `hailwhale demo` sends to it.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from hailwhale.commands.demo.command import live, send_past
from hailwhale.commands.demo.patient_service import PatientService, open_client
from hailwhale.services.container import assemble
from hailwhale.settings import Settings
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.store.redis.client import connect
from hailwhale.store.redis.keys import Keys
from hailwhale.store.redis.store import RedisStore
from hailwhale.web.apps import whale_app
from tests.browser.serving import serving

DOCS = Path(__file__).parents[2] / "docs"
SHOP = "/#/Demo%20shop?metric=revenue&period=day"
PAGE = "/#/Demo%20landing%20page?in=country/US&metric=earned/hits&period=seven"
# file, address, scheme, width and what is waited for
PICTURES: tuple[tuple[str, str, Any, int, str], ...] = (
    ("dashboard.png", "/", "light", 1280, ".grid[data-sorted] .events, .feed:not([hidden])"),
    ("dashboard-pk.png", SHOP, "dark", 1280, ".graph section[data-state=ready]"),
    ("dashboard-decision.png", PAGE, "light", 1280, ".options tbody tr"),
    ("dashboard-phone.png", SHOP, "light", 390, ".graph section[data-state=ready]"),
)
LEARNT_MS = 45_000


def pictured(browser: Browser, url: str, file: str, scheme: Any, width: int, sign: str) -> None:
    """Take one screenshot after an element is there and numbers no longer change."""
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    page.goto(url)
    page.locator(sign).first.wait_for()
    page.wait_for_timeout(2_500)
    page.screenshot(path=DOCS / file, full_page=width > 1000)
    page.close()


def learnt(browser: Browser, origin: str) -> None:
    """The decision of the demo after some thousand visitors."""
    page = browser.new_page(color_scheme="light", viewport={"width": 1280, "height": 860})
    page.goto(f"{origin}/demo#learn")
    page.get_by_role("button", name="Let visitors in").click()
    page.wait_for_timeout(LEARNT_MS)
    page.screenshot(path=DOCS / "demo.png")
    page.close()


def main() -> None:
    """Take them all."""
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedValkey(Path(folder), fsync="no") as valkey,
    ):
        settings = Settings.from_env({}, redis_url=valkey.url)
        services = assemble(settings, RedisStore(connect(valkey.url, 10), Keys("hw")))
        with (
            serving(whale_app(services, buffered=True)) as origin,
            open_client(origin, "") as client,
            sync_playwright() as playwright,
        ):
            service, chance, now_s = PatientService(client), Random(11), time.time()
            send_past(service, now_s, 34, 2, chance)
            live(service, 4, now_s, now_s + 5, chance)
            services.drain.flush()
            chromium = shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            for file, path, scheme, width, sign in PICTURES:
                pictured(browser, origin + path, file, scheme, width, sign)
            learnt(browser, origin)
            browser.close()
        services.close()


if __name__ == "__main__":
    main()
