"""Pages with graphs, and what is to be seen on them: by the table, by the plot, by the pixels."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Page

HEAD = "<!doctype html><meta charset=utf-8><meta name=viewport content='width=device-width'>"


def page_of(origin: str, *options: dict[str, Any], body: str = "") -> str:
    """A page that draws a graph for each of some options, in #g0, #g1, …"""
    places = "".join(f"<div id=g{n}></div>" for n in range(len(options)))
    told = json.dumps(options).replace("<", "\\u003c")
    return f"""{HEAD}<title>A page</title>{body}{places}
        <script src="{origin}/static/vendor/jquery.js"></script>
        <script src="{origin}/static/jquery.hailwhale.js"></script>
        <script>{told}.forEach((options, n) => jQuery('#g' + n).hailwhale(options));</script>"""


def ready(page: Page, place: str = "#g0", state: str = "ready") -> None:
    """Wait until a graph is in a state."""
    page.locator(f"{place} section[data-state={state}]").wait_for()


def table(page: Page, place: str = "#g0") -> list[list[str]]:
    """The cells of the data table behind a graph, as a screen reader has them."""
    rows: list[list[str]] = page.locator(f"{place} table").evaluate(
        "(table) => [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    return rows


def plotted(page: Page, place: str = "#g0") -> list[list[float | None]]:
    """The columns that the chart library draws: the starts in ms, then each line's ends."""
    columns: list[list[float | None]] = page.evaluate(
        "(place) => jQuery(place).hailwhale('graph').plot.chart.data.map((column) => [...column])",
        place,
    )
    return columns


def colors_drawn(page: Page, place: str = "#g0") -> set[str]:
    """The colours of the pixels of a plot that are all there, as #rrggbb."""
    found: list[str] = page.locator(f"{place} canvas").evaluate("""(canvas) => {
        const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        const found = new Set();
        for (let at = 0; at < pixels.length; at += 4) {
            if (pixels[at + 3] === 255) {
                const hex = (n) => pixels[at + n].toString(16).padStart(2, '0');
                found.add('#' + hex(0) + hex(1) + hex(2));
            }
        }
        return [...found];
    }""")
    return set(found)


def graph(page: Page, expression: str, place: str = "#g0") -> Any:
    """What an expression about `graph` comes to in the page."""
    return page.evaluate(
        f"(place) => {{ const graph = jQuery(place).hailwhale('graph'); return {expression}; }}",
        place,
    )
