"""The beacon in a real browser: what pages count arrives once, or never where that is wished."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from hailwhale.core.events.limits import DEFAULT_LIMITS
from hailwhale.core.query.parameters import parse_totals
from hailwhale.services.container import Services
from hailwhale.services.security.bearer_tokens import Scope
from hailwhale.web.apps import whale_app
from tests.browser.conftest import OpenPage
from tests.browser.serving import serving, site
from tests.conftest import NOW_S, Clock
from tests.deploy.running import until

SNIPPET = """<script>
    window.hailwhale = window.hailwhale || function () {
        (hailwhale.q = hailwhale.q || []).push(arguments) }
</script>"""
EVENTS = "Object.keys(localStorage).filter((key) => key.startsWith('hailwhale.event.')).length"
STORED = "Object.keys(localStorage).filter((key) => key.startsWith('hailwhale.'))"


class Shop:
    """A site and the service behind one address. `away` has the service answer 503, `loses` has it
    count and not say so. `asked` are the requests to it."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.away = self.loses = False
        self.asked: list[str] = []
        self.pages: dict[str, tuple[str, str | bytes]] = {}
        self.origin = ""
        self._service, self._pages = whale_app(services), site(self.pages)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        path = environ["PATH_INFO"]
        if path in self.pages:
            return self._pages(environ, start_response)
        if path.endswith(".js") or path == "/favicon.ico":
            return self._service(environ, start_response)
        self.asked.append(f"{environ['REQUEST_METHOD']} {path}")
        if self.loses:
            list(self._service(environ, lambda *_: None))
        if self.away or self.loses:
            start_response("503 Service Unavailable", [("Content-Type", "text/plain")])
            return [b"away"]
        return self._service(environ, start_response)

    def page(self, path: str, body: str, data: str = "", home: str = "") -> str:
        """Put up a page with the beacon on it; its address."""
        script = f"<script async src='{home}/hailwhale.beacon.js' {data}></script>"
        self.pages[path] = ("text/html", f"<!doctype html>{SNIPPET}{script}{body}")
        return self.origin + path

    def total(self, pk: object = "Shop", metric: str = "hits", dimensions: object = "") -> object:
        question = {"pk": pk, "dimensions": dimensions, "metrics": metric, "period": "all"}
        [found] = self.services.reporting.totals(parse_totals(question))
        [values] = found.by_path.values()
        return values[metric]


@pytest.fixture
def clock() -> Clock:
    """Browsers have the real time."""
    return Clock(time.time())


@pytest.fixture
def make_shop(make_services: Callable[..., Services]) -> Iterator[Callable[..., Shop]]:
    opened = []

    def make_shop(**settings: object) -> Shop:
        shop = Shop(make_services(**settings))
        server = serving(shop)
        shop.origin = server.__enter__()
        opened.append(server)
        return shop

    yield make_shop
    for server in opened:
        server.__exit__(None, None, None)


@pytest.fixture
def shop(make_shop: Callable[..., Shop]) -> Shop:
    return make_shop()


def settled(page: Page) -> None:
    """Wait until the service has answered for all that the page counted."""
    page.wait_for_function("window.hailwhale.home")
    page.wait_for_function(f"!{EVENTS}")


def test_what_is_called_before_the_script_is_there_counts(shop: Shop, open_page: OpenPage) -> None:
    early = """<script>
        hailwhale('count', {pk: 'Shop', dimensions: {country: 'US'}, metrics: {dollars: 9.5}});
        hailwhale('count_decision', {pk: 'Page', option: 'b', uid: true});
    </script>"""
    page = open_page(url=shop.page("/", early))
    page.wait_for_function("window.hailwhale.home")
    page.evaluate("for (let n = 0; n < 30; n++) hailwhale('count', {pk: 'Shop'})")
    settled(page)
    assert shop.total() == 31
    assert shop.total("Shop", "dollars", [["country", "US"]]) == 9.5
    assert shop.total(["Page", "b"], "uniques") == 1
    assert set(shop.asked) == {"POST /count", "POST /count_decision"}


def test_clicks_and_forms_count_by_their_attributes(shop: Shop, open_page: OpenPage) -> None:
    body = """
        <div onclick="event.stopPropagation()">
          <button data-hailwhale-event="click" data-hailwhale-pk='["Shop", "Mug"]'
                  data-hailwhale-metrics='{"carts": 2}' data-hailwhale-dimension="blue">
            <b>Into the cart</b></button></div>
        <form data-hailwhale-event="submit" data-hailwhale-pk="Signup" onsubmit="return false">
          <input data-hailwhale-event="change" data-hailwhale-pk="Typed">
          <button>Sign up</button></form>
        <a href="#" data-hailwhale-event="click" data-hailwhale-pk="Page"
           data-hailwhale-option="b" data-hailwhale-metrics='{"hits": 0, "clicks": 1}'>More</a>
        <p data-hailwhale-pk="Shop">Nothing happens here</p>"""
    page = open_page(url=shop.page("/", body))
    page.wait_for_function("window.hailwhale.home")
    page.locator("b").click()
    page.locator("input").fill("me@example.com")
    page.get_by_role("button", name="Sign up").click()
    page.locator("a").click()
    page.locator("p").click()
    settled(page)
    assert shop.total(["Shop", "Mug"], "carts", "blue") == 2
    assert (shop.total(), shop.total("Signup"), shop.total("Typed")) == (1, 1, 1)
    assert (shop.total(["Page", "b"]), shop.total(["Page", "b"], "clicks")) == (0, 1)


@pytest.mark.parametrize("data", ["", "data-token='{token}'"])
def test_what_is_counted_on_leaving_a_page_counts_once(
    make_shop: Callable[..., Shop], open_page: OpenPage, data: str
) -> None:
    shop = make_shop(counting="off" if data else "open")
    token = shop.services.tokens.add("page", [Scope.COUNT], ["Shop"], DEFAULT_LIMITS, NOW_S)[1]
    shop.services.tokens.known(0)
    next_page = shop.page("/next", "<h1>Thanks</h1>", data.format(token=token))
    leaving = """<a href="/next" data-hailwhale-event="click" data-hailwhale-pk="Shop">Buy</a>
        <script>addEventListener('pagehide', () => hailwhale('count', {pk: 'Shop'}))</script>"""
    page = open_page(url=shop.page("/", leaving, data.format(token=token)))
    page.wait_for_function("window.hailwhale.home")
    page.locator("a").click()
    page.wait_for_url(next_page)
    settled(page)
    until(lambda: shop.total() == 2, "both events")
    page.reload()
    settled(page)
    assert shop.total() == 2


def test_a_hidden_page_sends_what_it_has_and_no_event_twice(
    shop: Shop, open_page: OpenPage
) -> None:
    page = open_page(url=shop.page("/", ""))
    page.wait_for_function("window.hailwhale.home")
    page.evaluate("""() => {
        hailwhale('count', {pk: 'Shop'});
        for (const hidden of [true, true, false]) {
            Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
            document.dispatchEvent(new Event('visibilitychange'));
        }
    }""")
    settled(page)
    until(lambda: len(shop.asked) == 2, "the beacon, and what asks for its answer")
    assert shop.total() == 1


@pytest.mark.parametrize("how", ["away", "loses"])
def test_what_the_service_did_not_answer_for_counts_once_later(
    shop: Shop, open_page: OpenPage, how: str
) -> None:
    setattr(shop, how, True)
    address = shop.page(
        "/", "<script>if (!location.hash) hailwhale('count', {pk: 'Shop'})</script>"
    )
    page = open_page(url=address)
    until(lambda: shop.asked, "a first try")
    until(lambda: len(shop.asked) > 1, "another, a little later")
    assert page.evaluate(EVENTS) == 1
    setattr(shop, how, False)
    page.goto(f"{address}#again")
    page.reload()
    settled(page)
    assert shop.total() == 1


def test_a_wrong_event_is_reported_and_not_sent_again(shop: Shop, open_page: OpenPage) -> None:
    page = open_page(url=shop.page("/", ""))
    page.wait_for_function("window.hailwhale.home")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.evaluate("""() => {
        hailwhale('count', {pk: 'Shop'});
        hailwhale('count', {pk: 'Shop', metrcis: 'a'});
        hailwhale('count', {pk: 'x'.repeat(20000)});
        hailwhale('cuont', {pk: 'Shop'});
    }""")
    settled(page)
    assert shop.total() == 1
    assert any("did you mean metrics?" in text for text in said)
    assert len([text for text in said if text.startswith("hailwhale:")]) == 3


def test_an_event_that_cannot_be_counted_yet_is_reported_and_waits(
    make_shop: Callable[..., Shop], open_page: OpenPage
) -> None:
    shop = make_shop(counting="off")
    page = open_page(url=shop.page("/", ""))
    page.wait_for_function("window.hailwhale.home")
    with page.expect_console_message(lambda said: said.text.startswith("hailwhale:")) as said:
        page.evaluate("hailwhale('count', {pk: 'Shop'})")
    assert "HAILWHALE_COUNTING" in said.value.text
    assert page.evaluate(EVENTS) == 1


def test_what_something_else_wrote_over_is_left_out(shop: Shop, open_page: OpenPage) -> None:
    page = open_page(url=shop.page("/", ""))
    page.wait_for_function("window.hailwhale.home")
    page.evaluate("""() => {
        localStorage[`hailwhale.event.${Date.now() - 9000}.1`] = 'not JSON';
        hailwhale('count', {pk: 'Shop'});
    }""")
    settled(page)
    assert shop.total() == 1


@pytest.mark.parametrize(
    "wish",
    ["navigator, 'doNotTrack', {value: '1'}", "navigator, 'globalPrivacyControl', {value: true}"],
)
def test_do_not_track_is_respected(shop: Shop, open_page: OpenPage, wish: str) -> None:
    page = open_page(url=shop.page("/other", ""))
    page.wait_for_function("window.hailwhale.home")
    page.add_init_script(f"Object.defineProperty({wish})")
    body = """<a href="#" data-hailwhale-event="click">Buy</a><script>
        hailwhale('consent', true);
        hailwhale('count', {pk: 'Shop'});
        hailwhale('decide', {pk: 'Page', options: ['a', 'b']}, (option) => { given = option });
    </script>"""
    page.goto(shop.page("/", body))
    page.wait_for_function("window.hailwhale.home")
    page.locator("a").click()
    assert page.evaluate("given") == "a"
    page.goto(shop.page("/other", ""))
    assert (shop.asked, page.evaluate(STORED)) == ([], [])


def test_without_consent_nothing_is_sent_or_stored(shop: Shop, open_page: OpenPage) -> None:
    body = """<script>
        hailwhale('count', {pk: 'Shop', uid: true});
        hailwhale('decide', {pk: 'Page', options: ['a', 'b']}, (option) => { given = option });
    </script>"""
    address = shop.page("/", body, "data-consent=required")
    page = open_page(url=address)
    page.wait_for_function("window.hailwhale.home")
    assert page.evaluate("given") == "a"
    page.goto(shop.page("/other", ""))  # and nothing on leaving
    assert (shop.asked, page.evaluate(STORED)) == ([], [])
    page.goto(address)
    page.wait_for_function("window.hailwhale.home")
    page.evaluate("hailwhale('consent', true)")
    settled(page)
    assert shop.total() == 1
    assert page.evaluate(STORED) == ["hailwhale.uid"]
    shop.away = True
    page.evaluate("hailwhale('count', {pk: 'Shop'}); hailwhale('consent', false)")
    assert page.evaluate(STORED) == []
    page.evaluate("hailwhale('count', {pk: 'Shop'})")
    asked = len(shop.asked)
    page.goto(shop.page("/other", ""))
    settled(page)
    assert (len(shop.asked), shop.total()) == (asked, 1)


def test_a_visitor_meets_the_same_option_again(shop: Shop, open_page: OpenPage) -> None:
    options = list("abcdefgh")
    body = f"""<script>
        hailwhale('decide', {{pk: 'Page', options: {options}, by_metric: 'sold', timeout: 9000}},
            (option, answer) => {{ document.title = option + answer.propensity }});
    </script>"""
    page = open_page(url=shop.page("/", body))
    page.wait_for_function("document.title")
    first = page.title()
    assert first[0] in options
    assert first[1:] == "0.125"
    for _ in range(3):
        page.reload()
        page.wait_for_function("document.title")
        assert page.title() == first
    assert page.evaluate(STORED) == ["hailwhale.uid"]


def test_a_decision_that_takes_too_long_is_the_first_option_and_made_once(
    shop: Shop, open_page: OpenPage
) -> None:
    body = """<style>.undecided h1 { visibility: hidden }</style>
      <script>document.documentElement.classList.add('undecided')</script><h1>Hello</h1>
      <script>
        made = [];
        hailwhale('decide', {pk: 'Page', options: ['a', 'b'], timeout: 300}, (option) => {
            made.push(option);
            document.documentElement.classList.remove('undecided');
        });
      </script>"""
    page = open_page(url=shop.page("/other", ""))
    page.route("**/decide", lambda route: None)  # never answered
    page.goto(shop.page("/", body))
    expect(page.locator("h1")).to_be_visible()
    assert page.evaluate("made") == ["a"]
    page.unroute("**/decide")
    shop.away = True
    page.reload()
    expect(page.locator("h1")).to_be_visible()
    assert page.evaluate("made") == ["a"]


def test_pages_of_another_site_count_without_asking_first(
    make_shop: Callable[..., Shop], open_page: OpenPage
) -> None:
    elsewhere = make_shop()
    there = elsewhere.origin.replace("127.0.0.1", "localhost")
    shop = make_shop(cors_origins=(there,))
    elsewhere.page("/", "<script>hailwhale('count', {pk: 'Shop'})</script>", home=shop.origin)
    page = open_page(url=f"{there}/")
    settled(page)
    assert shop.total() == 1
    assert shop.asked == ["POST /count"]
    assert elsewhere.asked == []


def test_pages_of_a_site_that_may_not_read_count_once_all_the_same(
    make_shop: Callable[..., Shop], open_page: OpenPage
) -> None:
    elsewhere, shop = make_shop(), make_shop()
    there = elsewhere.origin.replace("127.0.0.1", "localhost")
    elsewhere.page("/", "<script>hailwhale('count', {pk: 'Shop'})</script>", home=shop.origin)
    open_page(url=f"{there}/")
    until(lambda: len(shop.asked) > 1, "a second try")
    assert shop.total() == 1
