"""The builder's lines do what they say: they are copied, run as they are, and have an effect."""

from __future__ import annotations

import ast
import json
import shlex
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from playwright.sync_api import Page, expect

from hailwhale.core.query.parameters import parse_totals
from hailwhale.services.container import Services
from hailwhale.services.json_shapes import totals_json
from tests.browser.conftest import OpenPage

AWKWARD = """O'Neill "<b>&amp;\\"""
Build = Callable[..., Page]


@pytest.fixture
def build(open_page: OpenPage, origin: str, services: Services) -> Build:
    """Opens the page of a pk at a dimension, both with signs in them that each language minds."""

    def build(query: str = "") -> Page:
        event = {"pk": ["Shop", AWKWARD], "dimensions": ["country", AWKWARD]}
        services.counting.count_now({**event, "metrics": {"dollars": 5}})
        where = f"Shop/{quote(AWKWARD, safe='')}?in=country/{quote(AWKWARD, safe='')}{query}"
        page = open_page(url=f"{origin}/#/{where}", permissions=["clipboard-read"])
        expect(page.locator(".pane pre").first).to_contain_text("/count")
        return page

    return build


def lines(page: Page, pane: int, name: str) -> str:
    """What is in one tab of a pane: as copied by its button."""
    place = page.locator(".pane").nth(pane)
    place.get_by_role("tab", name=name, exact=True).click()
    place.get_by_role("button", name="Copy").click()
    expect(place.get_by_role("button", name="Copied")).to_be_visible()
    copied: str = page.evaluate("navigator.clipboard.readText()").replace("\r\n", "\n")
    assert copied == place.locator("code").text_content()
    return copied


def shell(text: str) -> list[str]:
    """The words of a shell's command of several lines."""
    return shlex.split(text.replace("\\\n", ""))


def dollars(services: Services) -> Any:
    question = {
        "pk": ["Shop", AWKWARD],
        "dimensions": [["country", AWKWARD]],
        "metrics": "dollars",
        "period": "all",
    }
    [found] = totals_json(services.reporting.totals(parse_totals(question)))["all"].values()
    return found["dollars"]


class Tag(HTMLParser):
    """The attributes of the only tag in a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: dict[str, str | None] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found = {"tag": tag, **dict(attrs)}


def call_of(text: str) -> dict[str, Any]:
    """The last call of a Python snippet: its name, its arguments."""
    last = ast.parse(text).body[-1]
    assert isinstance(last, ast.Expr)
    assert isinstance(last.value, ast.Call)
    call = last.value
    named = {str(one.arg): ast.literal_eval(one.value) for one in call.keywords}
    return {"name": ast.unparse(call.func), "pk": ast.literal_eval(call.args[0]), **named}


def test_the_url_the_pixel_and_the_script_count_what_is_on_the_screen(
    build: Build, services: Services
) -> None:
    page = build("&metric=dollars")
    url = lines(page, 0, "URL")
    page.evaluate("(url) => fetch(url)", url)
    expect(page.locator(".tile[aria-pressed=true] b")).to_have_text("6")
    pixel = Tag(lines(page, 0, "Pixel")).found
    assert pixel["tag"] == "img"
    page.evaluate(
        "(src) => new Promise((done) => { const i = new Image(); i.onload = done; i.src = src; })",
        pixel["src"],
    )
    assert dollars(services) == 7
    page.evaluate(f"() => {{ {lines(page, 0, 'JavaScript')} }}")
    expect(page.locator(".tile[aria-pressed=true] b")).to_have_text("8")
    assert dollars(services) == 8


def test_the_shell_and_python_lines_count_the_same(build: Build, origin: str) -> None:
    page = build("&metric=dollars/hits")
    words = shell(lines(page, 0, "curl"))
    assert words[:3] == ["curl", "-G", f"{origin}/count"]
    told = dict(word.split("=", 1) for word in words[4::2])
    assert json.loads(told["pk"]) == ["Shop", AWKWARD]
    assert json.loads(told["dimensions"]) == {"country": AWKWARD}
    assert json.loads(told["metrics"]) == {"dollars": 1}
    assert call_of(lines(page, 0, "Python")) == {
        "name": "Hail.count",
        "pk": ["Shop", AWKWARD],
        "dimensions": {"country": AWKWARD},
        "metrics": {"dollars": 1},
    }


def test_the_lines_that_ask_ask_for_what_is_on_the_screen(build: Build, origin: str) -> None:
    page = build("&metric=dollars&period=seven")
    asked = {
        "pk": json.dumps(["Shop", AWKWARD], separators=(",", ":")),
        "dimensions": json.dumps([["country", AWKWARD]], separators=(",", ":")),
        "metrics": "dollars",
        "period": "seven",
    }
    embed = Tag(lines(page, 1, "Embed")).found
    assert embed["tag"] == "script"
    address = urlsplit(str(embed["src"]))
    assert address.path == "/graph.js"
    assert dict(parse_qsl(address.query)) == {**asked, "view": "area"}
    picture = Tag(lines(page, 1, "Picture")).found
    answer = page.request.get(str(picture["src"]))
    assert answer.ok
    assert answer.headers["content-type"].startswith("image/svg+xml")
    words = shell(lines(page, 1, "curl"))
    assert dict(word.split("=", 1) for word in words[4::2]) == asked
    python = call_of(lines(page, 1, "Python"))
    assert python == {
        "name": "Whale.plotpoints",
        "pk": ["Shop", AWKWARD],
        "dimensions": [["country", AWKWARD]],
        "metrics": ["dollars"],
        "period": "seven",
    }
    points = page.evaluate(f"async () => {{ {lines(page, 1, 'JavaScript')} return points; }}")
    [series] = points.values()
    assert series["dollars"][-1][1] == 5


@pytest.mark.parametrize("label", ["12", "[a]", "{x}", "true", "-1.5", "'q'", "_"])
def test_a_label_that_looks_like_something_else_stays_a_label(
    open_page: OpenPage, origin: str, services: Services, label: str
) -> None:
    services.counting.count_now({"pk": label})
    page = open_page(url=f"{origin}/#/{quote(label, safe='')}", permissions=["clipboard-read"])
    expect(page.locator(".pane pre").first).to_contain_text("/count")
    page.evaluate("(url) => fetch(url)", page.locator(".pane code").first.text_content())
    expect(page.locator(".tile b").first).to_have_text("2")
    assert services.reporting.pks() == [(label,)]
