"""Draws the pictures of concepts.rst: `python docs/pictures/draw.py`.

Each is an SVG of 480 units, so that its words can be read on a phone. Colours are variables of the
page where there is one (see _ext/inline_svg.py), else those of the reader's system. A test draws
them again and compares the files.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path

HERE = Path(__file__).parent
WIDTH = 480
STYLE = """
.pic{--f:var(--color-foreground-primary,#1b1f24);--m:var(--color-foreground-muted,#57606a);
--l:var(--color-foreground-border,#8c959f);--a:var(--color-brand-primary,#00629e)}
@media(prefers-color-scheme:dark){.pic{--f:var(--color-foreground-primary,#e6edf3);
--m:var(--color-foreground-muted,#9da7b3);--l:var(--color-foreground-border,#7d8590);
--a:var(--color-brand-primary,#7cc4f5)}}
.pic text{font:13px system-ui,sans-serif;fill:var(--f)}.pic .m{fill:var(--m)}
.pic .c{font-family:ui-monospace,monospace}.pic .a{fill:var(--a);font-weight:600}
.pic .b{fill:none;stroke:var(--l);stroke-width:1.2}
.pic .on{fill:var(--a);fill-opacity:.14;stroke:var(--a)}
.pic .w{fill:none;stroke:var(--a);stroke-width:1.6}.pic .h{fill:var(--a)}
"""


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    """A line of text; `kind` is a class: m(uted), c(ode), a(ccent)."""
    return f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def box(x: float, y: float, width: float, height: float, *, on: bool = False) -> str:
    """A frame, filled when it is `on`."""
    kind = "b on" if on else "b"
    size = f'width="{width:g}" height="{height:g}"'
    return f'<rect x="{x:g}" y="{y:g}" {size} rx="6" class="{kind}"/>'


def labelled(x: float, y: float, width: float, words: str, below: str = "", **more: bool) -> str:
    """A box of 44 with a word, and a smaller one below it."""
    middle = x + width / 2
    lines = [text(middle, y + (20 if below else 27), words, "", "middle")]
    if below:
        lines.append(text(middle, y + 36, below, "m", "middle"))
    return box(x, y, width, 44, **more) + "".join(lines)


def arrow(*points: tuple[float, float]) -> str:
    """A line through points, with a head at the last of them."""
    (x0, y0), (x1, y1) = points[-2:]
    dx, dy = (x1 > x0) - (x1 < x0), (y1 > y0) - (y1 < y0)
    head = f"{x1:g},{y1:g} {x1 - 7 * dx - 4 * dy:g},{y1 - 7 * dy - 4 * dx:g}"
    head += f" {x1 - 7 * dx + 4 * dy:g},{y1 - 7 * dy + 4 * dx:g}"
    line = " ".join(f"{x:g},{y:g}" for x, y in points)
    return f'<polyline points="{line}" class="w"/><polygon points="{head}" class="h"/>'


def event() -> Iterator[str]:
    """One event, and the sums it is added to."""
    yield box(0, 10, 480, 84)
    for row, (name, value) in enumerate(
        (
            ("pk", '["Product", "123"]'),
            ("dimensions", '{"country": "US", "device": "Mac OS X"}'),
            ("metrics", '{"revenue": 19.99}'),
        )
    ):
        yield text(14, 34 + 23 * row, name, "a")
        yield text(106, 34 + 23 * row, value, "c")
    yield arrow((240, 98), (240, 124))
    columns = (
        ("_", ""),
        ("country", ""),
        ("country", "> US"),
        ("device", ""),
        ("device", "> Mac OS X"),
    )
    for column, words in enumerate(columns):
        for line, word in enumerate(words):
            yield text(140 + 76 * column, 146 + 16 * line, word, "m", "middle")
    for row, pk in enumerate(("Product", "Product > 123")):
        yield text(0, 199 + 44 * row, pk, "m")
        for column in range(len(columns)):
            yield box(105 + 76 * column, 174 + 44 * row, 70, 38, on=True)
            yield text(140 + 76 * column, 198 + 44 * row, "+19.99", "", "middle")
    yield text(0, 284, "… each in its minute, its hour, its day, and in the total for ever.", "m")


def pk() -> Iterator[str]:
    """An event counts under each prefix of its pk."""
    for x, name, revenue in ((0, "123", 20), (250, "456", 30)):
        yield box(x, 8, 230, 34)
        yield text(x + 115, 30, f'["Product", "{name}"]: {revenue}', "c", "middle")
        yield arrow((x + 115, 42), (x + 115, 168))
    yield labelled(175, 84, 130, "Product", "revenue 50", on=True)
    yield labelled(45, 168, 140, "Product > 123", "revenue 20", on=True)
    yield labelled(295, 168, 140, "Product > 456", "revenue 30", on=True)
    yield arrow((115, 106), (175, 106))
    yield arrow((365, 106), (305, 106))
    yield text(240, 236, "Product is the root pk. Its sum is over all products.", "m", "middle")


def prefixes() -> Iterator[str]:
    """Dimensions are paths: every prefix has a sum of its own."""
    yield labelled(180, 6, 120, "_ (the overall)", "revenue 900", on=True)
    yield labelled(60, 92, 130, "country", "revenue 900", on=True)
    yield labelled(290, 92, 130, "device", "revenue 900", on=True)
    yield arrow((215, 50), (215, 72), (125, 72), (125, 92))
    yield arrow((265, 50), (265, 72), (355, 72), (355, 92))
    leaves = ((0, 125, "US", "600"), (118, 125, "CA", "300"), (244, 355, "phone", "700"))
    for x, above, words, revenue in (*leaves, (362, 355, "desktop", "200")):
        yield labelled(x, 180, 110, words, f"revenue {revenue}", on=True)
        yield arrow((above, 136), (above, 158), (x + 55, 158), (x + 55, 180))
    yield text(
        240, 252, "Asked for: _, or country > US. Never country × device by itself:", "m", "middle"
    )
    yield text(240, 271, "count the path country > US > phone when you want that.", "m", "middle")


def metric() -> Iterator[str]:
    """Metrics are summed; a formula is evaluated on the sums."""
    for column, words in enumerate(("dollars", "hits", "dollars/hits")):
        yield text(160 + 130 * column, 22, words, "c", "middle")
    rows = (
        ("Monday", "90", "30", "3"),
        ("Tuesday", "10", "1", "10"),
        ("both days", "100", "31", ""),
    )
    for row, (day, *numbers) in enumerate(rows):
        y = 34 + 46 * row + 12 * (row == 2)
        yield text(0, y + 24, day, "a" if row == 2 else "")
        for column, number in enumerate(numbers):
            yield box(105 + 130 * column, y, 110, 36, on=column < 2)
            yield text(160 + 130 * column, y + 23, number or "3.2258…", "", "middle")
    for x, words in ((160, "summed"), (290, "summed"), (420, "100 / 31")):
        yield text(x, 196, words, "m", "middle")
    yield text(420, 214, "not the mean 6.5", "m", "middle")


def rollups() -> Iterator[str]:
    """Stored resolutions, and which of them answers a period."""
    rows = (
        ("1m", "2 hours", 56),
        ("1h", "35 days", 170),
        ("1d", "3 years", 270),
        ("all", "for ever", 316),
    )
    for row, (interval, kept, width) in enumerate(rows):
        y = 12 + 40 * row
        yield text(0, y + 20, interval, "a")
        yield box(400 - width, y, width, 30, on=True)
        step = {"1m": 4, "1h": 8, "1d": 16}.get(interval, 0)
        marks = range(400 - width + step, 400, step) if step else ()
        yield "".join(f'<path d="M{x} {y + 8}v14" class="b"/>' for x in marks)
        yield text(410, y + 20, kept, "m")
    yield text(400, 190, "now", "m", "middle")
    yield text(84, 190, "the past", "m")
    for row, (period, source) in enumerate(
        (
            ("5m:1h", "the last hour by 5 minutes: from the minutes"),
            ("1h:1w", "the last week by hours: from the hours"),
            ("1d:1mo", "the last month by days: from the days"),
        )
    ):
        yield text(0, 222 + 22 * row, period, "c")
        yield text(84, 222 + 22 * row, source)


def bucket() -> Iterator[str]:
    """The bucket of an event's time, in each rollup."""
    rows = (
        ("minutes", 46, ("12:09", "12:10", "12:11", "12:12")),
        ("hours", 112, ("11:00", "12:00", "13:00", "14:00")),
        ("days", 178, ("14 March", "15 March", "16 March", "17 March")),
    )
    for name, y, starts in rows:
        yield text(0, y + 19, name, "a")
        for column, start in enumerate(starts):
            if column < 3:
                yield box(84 + 132 * column, y, 132, 30, on=column == 1)
            yield text(84 + 132 * column, y + 46, start, "m", "start" if column < 3 else "end")
    for y in (46, 112, 178):
        x = {46: 282, 112: 239, 178: 283}[y]
        yield f'<circle cx="{x}" cy="{y + 15}" r="5" class="h"/>'
    yield text(282, 20, "an event at 12:10:30", "", "middle")
    yield arrow((282, 26), (282, 44))
    yield text(240, 248, "A bucket contains its start, and not its end.", "m", "middle")


def flow() -> Iterator[str]:
    """How an event is stored, and how a question is answered."""
    yield text(40, 34, "GET /count", "c", "middle")
    yield arrow((40, 42), (40, 66))
    yield labelled(0, 66, 80, "hail", "accepts", on=True)
    yield labelled(133, 66, 80, "buffer", "a list")
    yield labelled(266, 66, 80, "drain", "sums up", on=True)
    yield labelled(400, 66, 80, "cells", "the sums")
    for x in (80, 213, 346):
        yield arrow((x, 88), (x + 53, 88))
    yield labelled(400, 170, 80, "whale", "answers", on=True)
    yield arrow((440, 110), (440, 170))
    yield arrow((400, 192), (290, 192))
    yield text(282, 196, "GET /totals", "c", "end")
    yield labelled(0, 170, 80, "disk queue", "the spool")
    yield arrow((40, 110), (40, 170))
    yield text(0, 232, "while the store is unavailable", "m")
    yield text(480, 232, "Filled: processes. Framed: data.", "m", "end")


def decisions() -> Iterator[str]:
    """A decision learns from what is counted."""
    yield labelled(10, 10, 150, "/decide", "which option?", on=True)
    yield labelled(320, 10, 150, "your page", "shows option b")
    yield labelled(320, 120, 150, "/count_decision", "b: spent 0.50", on=True)
    yield labelled(10, 120, 150, "sums", "per option, country …")
    yield arrow((160, 32), (320, 32))
    yield text(240, 24, "b", "c", "middle")
    yield arrow((395, 54), (395, 120))
    yield arrow((320, 142), (160, 142))
    yield text(240, 134, "and later", "m", "middle")
    yield text(240, 160, "earned 25", "c", "middle")
    yield arrow((85, 120), (85, 54))
    yield text(96, 92, "value of b for this kind of visitor", "m")


PICTURES = {
    "event.svg": (event, 296),
    "pk.svg": (pk, 248),
    "prefixes.svg": (prefixes, 282),
    "metric.svg": (metric, 224),
    "rollups.svg": (rollups, 276),
    "bucket.svg": (bucket, 260),
    "flow.svg": (flow, 244),
    "decisions.svg": (decisions, 176),
}


def drawn(name: str) -> str:
    """The whole file of a picture."""
    draw, height = PICTURES[name]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-6 0 {WIDTH + 12} {height}">'
    title = f"<title>{escape(draw.__doc__ or '')}</title>"
    body = "\n".join(draw())
    return f'{head}\n{title}\n<style>{STYLE}</style>\n<g class="pic">\n{body}\n</g>\n</svg>\n'


if __name__ == "__main__":
    for each in PICTURES:
        (HERE / each).write_text(drawn(each), encoding="utf-8")
