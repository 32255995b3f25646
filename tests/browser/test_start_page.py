"""The page that docs/start.rst has its readers write shows a graph in a real browser."""

from __future__ import annotations

from collections.abc import Callable

from hailwhale.services.container import Services
from hailwhale.web.apps import whale_app
from tests.browser.conftest import OpenPage
from tests.browser.serving import serving, site
from tests.browser.start_page import sell, start_page
from tests.conftest import NOW_S


def test_the_page_of_the_start_draws_the_whole_and_each_country(
    make_services: Callable[..., Services], open_page: OpenPage
) -> None:
    pages: dict[str, tuple[str, str | bytes]] = {}
    with serving(site(pages)) as there:
        services = make_services(cors_origins=(there,))
        sell(services, NOW_S)
        with serving(whale_app(services)) as origin:
            pages["/page.html"] = ("text/html", start_page(origin))
            graph = open_page(url=f"{there}/page.html").locator("section[data-state=ready]")
            graph.wait_for()
            assert graph.locator("tfoot td").all_text_contents() == ["125", "70", "55"]
