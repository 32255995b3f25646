"""Takes the pictures of the docs: `python -m tests.browser.pictures`.

A service on an embedded store with a year of a made-up shop, looked at in light and dark.
"""

from __future__ import annotations

import math
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from hailwhale.services.container import Services, assemble
from hailwhale.settings import Settings
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.store.redis.client import connect
from hailwhale.store.redis.keys import Keys
from hailwhale.store.redis.store import RedisStore
from hailwhale.web.apps import whale_app
from tests.browser.drawing import HEAD, page_of
from tests.browser.serving import serving

DOCS = Path(__file__).parents[2] / "docs"
COUNTRIES = {"US": 40, "DE": 22, "CA": 15, "BR": 9, "JP": 8, "FR": 4, "NZ": 2}
DAY_S = 86_400
MONEY = {
    "formats": {"dollars": {"style": "currency", "currency": "USD", "maximumFractionDigits": 0}}
}
BY_COUNTRY = {"pk": "Shop", "metrics": "dollars", "dimensions": "country", "depth": 1, "other": 1}
STYLE = """<style>
  body { margin: 20px; background: light-dark(#f3f5f9, #090d13); color-scheme: light dark }
  body { display: grid; gap: 18px; grid-template-columns: repeat(2, minmax(0, 1fr)) }
</style>"""


def shop(days: int) -> Iterator[dict[str, Any]]:
    """A shop's days: weeks with quiet ends, seasons of each country, slow growth."""
    chance, now_s = random.Random(11), time.time()
    for day in range(days):
        for place, (country, weight) in enumerate(COUNTRIES.items()):
            at_s = now_s - day * DAY_S
            season = 1.2 + 0.4 * math.sin(day / 9 + place)
            quiet = 0.65 if time.gmtime(at_s).tm_wday > 4 else 1.2
            sales = max(1, round(weight * season * quiet * (1 - day / 700)))
            dollars = round(sales * chance.uniform(8, 13), 2)
            yield {
                "pk": "Shop",
                "dimensions": {"country": country},
                "metrics": {"sales": sales, "dollars": dollars, "hits": sales * 9},
                "at": at_s,
            }


def graphs() -> list[dict[str, Any]]:
    """The graphs of the picture."""

    def days_before(first: int, last: int) -> str:
        ends = (
            time.strftime("%Y-%m-%d", time.gmtime(time.time() - n * DAY_S)) for n in (first, last)
        )
        return f"1d:{'..'.join(ends)}"

    before = {"period": "thirty", "compare": days_before(59, 30)}
    week = {"period": "seven", "compare": days_before(13, 7)}
    return [
        {**BY_COUNTRY, **MONEY, "title": "Revenue by country"},
        {
            **BY_COUNTRY,
            **MONEY,
            "view": "stacked",
            "period": "1d:3mo",
            "title": "Where it comes from",
        },
        {"pk": "Shop", "metrics": "dollars", **MONEY, **before, "view": "area", "title": "Revenue"},
        {"pk": "Shop", "metrics": "dollars,dollars/hits", "view": "bar", "period": "1mo:1y"},
        {"pk": "Shop", "metrics": "dollars,sales,dollars/sales", **MONEY, **week, "view": "number"},
        {**BY_COUNTRY, **MONEY, "view": "table", "period": "seven", "title": "The week"},
    ]


@contextmanager
def service() -> Iterator[str]:
    """A service with the shop in it; its origin."""
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedValkey(Path(folder), fsync="no") as valkey,
    ):
        settings = Settings.from_env({}, redis_url=valkey.url)
        services: Services = assemble(settings, RedisStore(connect(valkey.url, 10), Keys("hw")))
        services.counting.count_many_now(shop(400))
        with serving(whale_app(services)) as origin:
            yield origin
        services.close()


def take(browser: Browser, origin: str, scheme: Any, file: Path) -> None:
    """One picture of all graphs, with the cursor on the second."""
    page = browser.new_page(color_scheme=scheme, viewport={"width": 1200, "height": 900})
    html = page_of(origin, *graphs(), body=STYLE)
    assert html.startswith(HEAD)
    page.route(f"{origin}/a", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(f"{origin}/a")
    for place in range(len(graphs())):
        page.locator(f"#g{place} section[data-state=ready]").wait_for()
    page.evaluate("() => jQuery('#g1').hailwhale('graph').plot.show(60)")
    page.screenshot(path=file, full_page=True)
    page.close()


def main() -> None:
    """Take them all."""
    with service() as origin, sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for scheme, name in (("light", "graphs.png"), ("dark", "graphs-dark.png")):
            take(browser, origin, scheme, DOCS / name)
        browser.close()


if __name__ == "__main__":
    main()
