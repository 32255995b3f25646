"""Labels, titles and addresses that are meant to run, in a browser that would run them.

The fixture `open_page` fails a test in which a dialog opens or a script breaks. What the dashboard
and the views make of such labels at rest is in `test_dashboard` and `test_views`.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from hailwhale.services.container import Services
from hailwhale.services.query.graph_data import graph_tag
from hailwhale.web.apps import whale_app
from tests.browser.conftest import OpenPage
from tests.browser.drawing import HEAD
from tests.browser.serving import serving

EVIL = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "'-alert(3)-'",
    '"><svg onload=alert(4)>',
    "javascript:alert(5)",
    "__proto__",
]
MARKUP = "img[src=x], svg[onload], script:not([src])"


def metric(label: str) -> str:
    return "".join(sign for sign in label if sign not in "/:()*+,").strip("-")


@pytest.fixture
def hostile(services: Services) -> Services:
    for label in EVIL:
        dimensions = {label: {f"{label}2": f"{label}3"}}
        event = {"pk": [label], "dimensions": dimensions, "metrics": {metric(label): 2}}
        services.counting.count_now(event)
    return services


def clean(page: Page) -> None:
    """Nothing on the page is markup of theirs, and nothing of theirs has run."""
    assert page.locator(MARKUP).count() == 0
    assert page.evaluate("() => [{}.a, Object.keys(Object.prototype).length]") == [None, 0]


@pytest.mark.parametrize("label", EVIL)
def test_a_graph_that_is_embedded_shows_scripts_as_text(
    open_page: OpenPage, hostile: Services, origin: str, label: str
) -> None:
    asked = {
        "pk": [label],
        "metric": metric(label),
        "dimension": [label],
        "depth": 1,
        "title": label,
        "period": "1d:1w",
    }
    line = graph_tag(asked, origin)
    page = open_page(f"{HEAD}<body><h1>Theirs</h1>{line}")
    section = page.locator("section[data-state=ready]")
    expect(section.locator(".title")).to_have_text(label)
    clean(page)


@pytest.mark.parametrize("label", EVIL)
@pytest.mark.parametrize("name", ["period", "target", "view", "token"])
def test_errors_of_a_graph_are_shown_as_text(
    open_page: OpenPage, hostile: Services, origin: str, name: str, label: str
) -> None:
    line = f'<script async src="{origin}/graph.js?{name}={quote(label)}"></script>'
    page = open_page(f"{HEAD}<body><h1>Theirs</h1>{line}")
    expect(page.get_by_role("alert")).to_contain_text("HailWhale: ")
    clean(page)


def test_a_refused_seal_is_described_in_place_of_the_graph(
    open_page: OpenPage, make_services: Callable[..., Services]
) -> None:
    services = make_services(seal_keys=("A" * 43,), reading="token")
    token = services.sealing.graph({"pk": "Shop"})
    with serving(whale_app(services)) as origin:
        source = f"{origin}/graph.js?token={token[:-2]}AA&target=%23here"
        html = f'{HEAD}<body><main id=here></main><script async src="{source}"></script>'
        page = open_page()
        page.route(f"{origin}/p", lambda route: route.fulfill(body=html, content_type="text/html"))
        page.goto(f"{origin}/p")
        expect(page.locator("#here").get_by_role("alert")).to_contain_text("token was modified")
        page.goto("about:blank")


@pytest.mark.parametrize("label", EVIL)
def test_no_link_to_the_dashboard_runs_anything(
    open_page: OpenPage, hostile: Services, origin: str, label: str
) -> None:
    named = quote(label, safe="")
    page = open_page(
        url=f"{origin}/#/{named}?in={named}&metric={named}&period={named}&view={named}"
    )
    expect(page.locator("main")).to_contain_text(label[:10])
    clean(page)


def test_events_that_come_in_while_an_admin_looks_are_text(
    open_page: OpenPage, hostile: Services, origin: str
) -> None:
    page = open_page(url=f"{origin}/#/{quote(EVIL[0])}")
    expect(page.locator(".feed")).to_contain_text(EVIL[0])
    for label in EVIL:
        event = {"pk": [EVIL[0]], "dimensions": {label: f"new {label}"}}
        hostile.counting.count_now({**event, "uid": label})
    for label in EVIL:
        expect(page.locator(".feed")).to_contain_text(f"new {label}")
    clean(page)
