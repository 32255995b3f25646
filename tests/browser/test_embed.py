"""The embed line on pages of other sites, whatever else they have on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from hailwhale.services.container import Services
from hailwhale.services.query.graph_data import graph_tag
from hailwhale.settings import Settings
from hailwhale.web.apps import whale_app
from hailwhale.whale import Whale
from tests.browser.conftest import OpenPage
from tests.browser.drawing import HEAD
from tests.browser.serving import serving, site

Embed = Callable[..., Page]

WATCH = """<script>
    document.write = document.writeln = () => { throw new Error('document.write was called'); };
    const told = [];
    addEventListener('error', (event) => told.push(event.message));
</script>"""


@pytest.fixture
def sold(make_services: Callable[..., Services]) -> Callable[..., Services]:
    def made(**settings: object) -> Services:
        services = make_services(**settings)
        for country, dollars in (("US", 30), ("CA", 12)):
            event = {
                "pk": "Shop",
                "dimensions": ["country", country],
                "metrics": {"dollars": dollars},
            }
            services.counting.count_now(event)
        return services

    return made


@pytest.fixture
def embed(open_page: OpenPage, sold: Callable[..., Services]) -> Iterator[Embed]:
    """Opens a page of another site (`localhost`, another port) with the HTML that `body` makes of
    the service's address; the service lets that site read unless `allowed` is False."""
    opened = []

    def embed(body: Callable[[str], str], allowed: bool = True, **files: tuple[str, str]) -> Page:
        pages: dict[str, tuple[str, str | bytes]] = {
            f"/{name}.js": file for name, file in files.items()
        }
        elsewhere = serving(site(pages))
        there = elsewhere.__enter__().replace("127.0.0.1", "localhost")
        opened.append(elsewhere)
        services = sold(cors_origins=(there,) if allowed else ())
        service = serving(whale_app(services))
        origin = service.__enter__()
        opened.append(service)
        html = f"{HEAD}<title>Another site</title>{WATCH}<body><h1>Admin</h1>{body(origin)}"
        pages["/page"] = ("text/html", html)
        return open_page(url=f"{there}/page")

    yield embed
    for server in opened:
        server.__exit__(None, None, None)


def line(origin: str, **asked: object) -> str:
    return graph_tag({"pk": "Shop", "metric": "dollars", "period": "1d:1w", **asked}, origin)


def drawn(page: Page, nth: int = 0) -> list[str]:
    """The totals in the foot of a graph's table, once it is drawn."""
    section = page.locator("section[data-state=ready]").nth(nth)
    section.wait_for()
    cells: list[str] = section.locator("tfoot td").all_text_contents()
    return cells


def test_one_line_draws_a_graph_on_another_sites_page(embed: Embed) -> None:
    page = embed(lambda origin: f"<div id=before></div>{line(origin)}<div id=after></div>")
    assert drawn(page) == ["42"]
    order = page.evaluate(
        "() => [...document.body.children].map((found) => found.id || found.tagName)"
    )
    assert order[order.index("before") :][:4] == ["before", "SCRIPT", "DIV", "after"]
    assert page.evaluate("() => told") == []


def test_a_page_without_jquery_still_has_none(embed: Embed) -> None:
    page = embed(line)
    assert drawn(page) == ["42"]
    assert page.evaluate("() => [typeof $, typeof jQuery, typeof uPlot]") == ["undefined"] * 3


def test_the_pages_own_old_jquery_stays_and_is_used(embed: Embed, old_jquery: str) -> None:
    loaded: list[str] = []
    page = embed(
        lambda origin: (
            f'<script src="/jquery.js"></script><script>var own = $;</script>{line(origin)}'
        ),
        jquery=("text/javascript", old_jquery),
    )
    page.on("request", lambda request: loaded.append(request.url))
    assert drawn(page) == ["42"]
    same = "() => [$.fn.jquery, $ === own, jQuery === own, typeof $.fn.hailwhale]"
    assert page.evaluate(same) == ["1.10.2", True, True, "function"]
    assert not any("vendor/jquery" in url for url in loaded)
    page.evaluate("() => $('body > div').hailwhale('refresh')")
    assert drawn(page) == ["42"]


def test_a_jquery_that_comes_later_is_the_pages(embed: Embed, old_jquery: str) -> None:
    page = embed(
        lambda origin: f'{line(origin)}<script async src="/jquery.js"></script>',
        jquery=("text/javascript", old_jquery),
    )
    assert drawn(page) == ["42"]
    page.wait_for_function("() => globalThis.jQuery && jQuery.fn.jquery === '1.10.2'")


def test_several_graphs_on_a_page_load_the_widget_once(embed: Embed) -> None:
    def body(origin: str) -> str:
        lines = [
            line(origin),
            line(origin, dimension="country", depth=1, area=1),
            line(origin, metric="dollars/hits", height=100),
        ]
        return "<p>between</p>".join(lines)

    page = embed(body)
    page.wait_for_function(
        """() => [...document.querySelectorAll('.hailwhale')].filter((found) =>
            found.shadowRoot.querySelector('section[data-state=ready]')).length === 3"""
    )
    assert sorted(drawn(page, nth) for nth in range(3)) == [["21"], ["42"], ["42", "30", "12"]]
    scripts = "() => performance.getEntriesByType('resource').map((found) => found.name)"
    names = page.evaluate(scripts)
    assert sum("jquery.hailwhale.js" in name for name in names) == 1
    assert sum("vendor/jquery.js" in name for name in names) == 1


def test_a_target_says_where(embed: Embed) -> None:
    page = embed(lambda origin: f"{line(origin, target='#there')}<p>text</p><main id=there></main>")
    assert drawn(page) == ["42"]
    assert page.locator("#there section").count() == 1


def test_a_line_in_the_head_draws_in_the_body(embed: Embed) -> None:
    def body(origin: str) -> str:
        source = line(origin).split('"')[1].replace("&amp;", "&")
        return f"""<script>const added = document.createElement('script');
            added.src = {source!r}; document.head.append(added);</script>"""

    page = embed(body)
    assert drawn(page) == ["42"]
    assert page.locator("body > div section").count() == 1


def test_a_site_that_may_not_read_gets_the_name_of_the_setting(embed: Embed) -> None:
    page = embed(line, allowed=False)
    state = page.locator("section[data-state=error] .state p")
    expect(state).to_contain_text("HAILWHALE_CORS_ORIGINS")
    expect(state).to_contain_text("does not include http://localhost:")


def test_a_wrong_parameter_is_reported_in_place_of_the_graph(embed: Embed) -> None:
    page = embed(lambda origin: f'<script async src="{origin}/graph.js?period=5x"></script>')
    expect(page.get_by_role("alert")).to_contain_text("HailWhale: period: got '5x'; expected ")


def test_the_pages_style_and_the_graphs_leave_each_other_alone(embed: Embed) -> None:
    style = "* { color: red !important; font-size: 40px !important } table { display: none }"
    page = embed(
        lambda origin: f"<style>{style}</style>{line(origin, view='table')}<p id=p>text</p>"
    )
    assert drawn(page) == ["42"]
    size = "(found) => getComputedStyle(found).fontSize"
    assert page.locator("section table").evaluate(size) == "13px"
    assert page.locator("#p").evaluate(size) == "40px"


def test_the_picture_shows_where_no_script_runs(embed: Embed) -> None:
    page = embed(
        lambda origin: f'<img src="{origin}/graph.svg?pk=Shop&metric=dollars&width=500&height=200">'
    )
    size = "(found) => found.decode().then(() => [found.naturalWidth, found.naturalHeight > 200])"
    assert page.locator("img").evaluate(size) == [500, True]


def test_a_sealed_line_shows_what_was_sealed_and_lets_nothing_else_be_asked(
    open_page: OpenPage, sold: Callable[..., Services]
) -> None:
    services = sold(seal_keys=("A" * 43,), reading="token")
    token = services.sealing.graph({"pk": "Shop", "metric": "dollars", "period": "1d:1w"})
    with serving(whale_app(services)) as origin:
        asked: list[str] = []
        html = f'{HEAD}<body><script async src="{origin}/graph.js?token={token}"></script>'
        page = open_page()
        page.on("request", lambda request: asked.append(request.url))
        page.route(f"{origin}/p", lambda route: route.fulfill(body=html, content_type="text/html"))
        page.goto(f"{origin}/p")
        assert drawn(page) == ["42"]
        assert page.get_by_label("View").count() == 1
        assert page.get_by_label("Period").count() == 0
        assert not any("Shop" in url for url in asked)
        page.goto("about:blank")


def test_the_library_makes_the_line() -> None:
    whale = Whale(settings=Settings.from_env({"HAILWHALE_PUBLIC_URL": "https://hw.example.com/"}))
    assert whale.graph_tag(
        ["Product", 7], metric="dollars/hits", title='"Income" & <b>', live=True
    ) == (
        '<script async src="https://hw.example.com/graph.js?pk=%5B%22Product%22%2C%207%5D'
        "&amp;metrics=dollars%2Fhits&amp;title=%22Income%22%20%26%20%3Cb%3E&amp;live=1"
        '"></script>'
    )
    assert whale.graph_tag("x", hwurl="http://a.test:81").startswith(
        '<script async src="http://a.test:81/graph.js?pk=x'
    )
