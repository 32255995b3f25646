"""The page that docs/start.rst has people write, and its picture.

`python -m tests.browser.start_page` takes docs/start.png again.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from hailwhale.services.container import Services, open_services
from hailwhale.settings import Settings
from hailwhale.web.apps import whale_app
from tests.browser.serving import serving, site
from tests.docs.blocks import DOCS, blocks, commands, page

SERVICE = "http://localhost:8085"
SALES = (("CA", 30), ("US", 19.99), ("US", 40.01), ("US", 10), ("CA", 25))


def start_page(origin: str) -> str:
    """What the page's here-document holds, of a service that is at `origin`."""
    typed = [each.words for block in blocks(page("start.rst")) for each in commands(block)]
    [html] = [words.split("\n", 1)[1] for words in typed if words.startswith("cat > page.html")]
    assert SERVICE in html
    return html.replace(SERVICE, origin).removesuffix("\nEND")


def sell(services: Services, now_s: float, apart_s: float = 0) -> None:
    """Count the sales of the page, one after the other."""
    for place, (country, dollars) in enumerate(reversed(SALES)):
        event = {"pk": "Shop", "dimensions": {"country": country}, "metrics": {"dollars": dollars}}
        services.counting.count_now({**event, "at": now_s - place * apart_s})


def main() -> None:
    """Take the picture."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        pages: dict[str, tuple[str, str | bytes]] = {}
        with serving(site(pages)) as there:
            settings = Settings.from_env({}, data_dir=Path(folder), cors_origins=(there,))
            services = open_services(settings)
            sell(services, time.time(), 600)
            with serving(whale_app(services)) as origin:
                pages["/page.html"] = ("text/html", start_page(origin))
                browser = playwright.chromium.launch(
                    executable_path=shutil.which("chromium"), args=["--no-sandbox"]
                )
                shown = browser.new_page(viewport={"width": 800, "height": 430})
                shown.goto(f"{there}/page.html")
                shown.locator("section[data-state=ready]").wait_for()
                shown.screenshot(path=DOCS / "start.png")
                browser.close()
            services.close()


if __name__ == "__main__":
    main()
