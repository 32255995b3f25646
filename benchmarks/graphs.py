"""graphs: how soon the first one is drawn, and whether ten large ones stay smooth, in a browser.

Ten graphs of 30 lines of a year of days on one page, each asking again every five seconds while the
mouse goes over them. The yardstick are the frames of an empty page in the same browser.
"""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack, closing
from typing import Any

from benchmarks import serving
from benchmarks.measuring import Effort, Goal, Row, alternate, number
from benchmarks.stored import fill
from hailwhale.services.container import Services

_FIRST = Goal(at_most=300, of_figure=True)
_FRAME = Goal(at_most=33.4, of_figure=True)
_GRAPHS, _LINES, _DAYS = 10, 30, 365
_DAY_S = 86_400
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
_OPTIONS = {
    "pk": "Graphs",
    "metrics": "sales",
    "dimensions": "series",
    "depth": 1,
    "limit": _LINES,
    "threshold": 0,
    "period": f"1d:{_DAYS}d",
    "interval": 5,
}
# From when the answer is there to the end of the frame that shows it.
_DRAWN_MS = """() => new Promise((told) => {
    const look = () => {
        const asked = performance.getEntriesByType('resource').filter((entry) =>
            new URL(entry.name).pathname === '/graph.json' && entry.responseEnd > 0);
        const root = document.querySelector('#g0 .hailwhale').shadowRoot;
        if (asked.length && root.querySelector('section[data-state=ready]')) {
            requestAnimationFrame(() => setTimeout(() =>
                told(performance.now() - asked[0].responseEnd)));
        } else {
            requestAnimationFrame(look);
        }
    };
    look();
})"""
# The mouse goes once over the page each second: how long each frame took.
_FRAMES_MS = """(seconds) => new Promise((told) => {
    const frames = [];
    const begun = performance.now();
    let last = begun;
    const frame = (now) => {
        frames.push(now - last);
        last = now;
        const place = [innerWidth * ((now - begun) % 1000) / 1000, innerHeight / 2];
        const options = { clientX: place[0], clientY: place[1], bubbles: true };
        const host = document.elementFromPoint(place[0], place[1]) || document.body;
        const below = host.shadowRoot ? host.shadowRoot.elementFromPoint(...place) : host;
        below.dispatchEvent(new MouseEvent('mousemove', options));
        if (now - begun < seconds * 1000) requestAnimationFrame(frame); else told(frames.slice(1));
    };
    requestAnimationFrame(frame);
})"""


def run(effort: Effort) -> list[Row]:
    """Both rows; none where there is no browser to measure in."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return []
    from playwright.sync_api import sync_playwright

    with ExitStack() as stack:
        server = stack.enter_context(serving.valkey())
        services = stack.enter_context(closing(serving.services_on(serving.store_on(server.url))))
        _fill(services, effort.pick(_DAYS, 20))
        web = stack.enter_context(serving.web_server(serving.SERVE, server.url, "/healthz"))
        origin = f"http://127.0.0.1:{web.port}"
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium, args=list(_FLAGS))
        stack.callback(browser.close)
        return [_first(effort, browser, origin), _smooth(effort, browser, origin)]


def _first(effort: Effort, browser: Any, origin: str) -> Row:
    def drawn() -> float:
        page = _page(browser, origin, 1)
        found = float(page.evaluate(_DRAWN_MS))
        page.close()
        return found

    def frame() -> float:
        page = _page(browser, origin, 0)
        found: list[float] = page.evaluate(_FRAMES_MS, 0.3)
        page.close()
        return sum(found) / len(found)

    figures, yardsticks = alternate(effort.rounds, drawn, frame)
    work = "first graph, from its answer to the screen"
    return Row(work, "ms", figures, "a frame of an empty page", yardsticks, _FIRST)


def _smooth(effort: Effort, browser: Any, origin: str) -> Row:
    seconds = effort.pick(10, 0.5)
    worst: list[float] = []

    def frames(graphs: int) -> float:
        page = _page(browser, origin, graphs)
        for place in range(graphs):
            page.locator(f"#g{place} section[data-state=ready]").wait_for()
        found: list[float] = sorted(page.evaluate(_FRAMES_MS, seconds))
        page.close()
        if graphs:
            worst.append(found[-1])
        return found[int(0.95 * len(found))]

    figures, yardsticks = alternate(effort.pick(3, 1), lambda: frames(_GRAPHS), lambda: frames(0))
    return Row(
        f"{_GRAPHS} graphs of {_LINES} lines of {_DAYS} days, frame p95",
        "ms",
        figures,
        "an empty page",
        yardsticks,
        _FRAME,
        (f"the longest frame {number(max(worst))} ms",),
    )


def _page(browser: Any, origin: str, graphs: int) -> Any:
    """A page of the service's own origin with so many graphs."""
    places = "".join(f"<div id=g{place}></div>" for place in range(graphs))
    told = json.dumps(_OPTIONS)
    draw = f"[...Array({graphs}).keys()].forEach((n) => jQuery('#g' + n).hailwhale({told}))"
    html = (
        f"<!doctype html><meta charset=utf-8><body>{places}"
        f"<script src='{origin}/static/vendor/jquery.js'></script>"
        f"<script src='{origin}/static/jquery.hailwhale.js'></script><script>{draw}</script>"
    )
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    address = f"{origin}/a-page-with-graphs"
    page.route(address, lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(address)
    return page


def _fill(services: Services, days: int) -> None:
    now_s = services.clock()
    events = (
        {
            "pk": "Graphs",
            "dimensions": ["series", f"s{line:02}"],
            "metrics": {"sales": (line * 7 + day * 13) % 50 + line},
            "at": now_s - day * _DAY_S,
        }
        for line in range(_LINES)
        for day in range(days)
    )
    fill(services, events)
