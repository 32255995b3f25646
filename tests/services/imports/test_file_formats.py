"""Readings of files: what a line of an access log counts, and pixels among them."""

from __future__ import annotations

from io import BytesIO

import pytest

from hailwhale.core.events.event import parse_event
from hailwhale.errors import BadInput
from hailwhale.services.imports.column_mapping import ColumnMapping
from hailwhale.services.imports.file_formats import PIXELS, AccessLogFormat, NdjsonFormat
from tests.conftest import NOW_S
from tests.core.imports.test_access_log import CLOUDFRONT, CLOUDFRONT_HEADER, NGINX

BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def logged(target: str, status: int = 200, method: str = "GET", agent: str = FIREFOX) -> str:
    request = f"{method} {target} HTTP/1.1"
    return f'::1 - - [01/Mar/2026:10:00:00 +0000] "{request}" {status} 43 "-" "{agent}"'


def rows(log: AccessLogFormat, *lines: str, after: int = 0) -> list[object]:
    stream = BytesIO("".join(f"{line}\n" for line in lines).encode())
    return [row.fields for row in log.rows(stream, after)]


def mapped(*dimensions: str, form: str = "nginx", **options: bool) -> AccessLogFormat:
    columns = ColumnMapping.parse(pk="Site", dimensions=dimensions, metrics=["bytes"], at="time")
    return AccessLogFormat(form, columns, skip_bots=options.get("skip_bots", False))


PIXEL = AccessLogFormat("nginx", ColumnMapping.parse(), frozenset(PIXELS))


def test_a_line_is_an_event_by_the_columns_and_what_is_unknown_is_left_out() -> None:
    log = mapped("path > {path}", "from > {referer_host}")
    assert rows(log, NGINX, logged("/")) == [
        {
            "pk": ("Site",),
            "dimensions": [("path", "/shop/7"), ("from", "news.example.com")],
            "metrics": {"bytes": "512"},
            "at": "2026-03-01T10:00:00+01:00",
        },
        {
            "pk": ("Site",),
            "dimensions": [("path", "/"), ("from",)],
            "metrics": {"bytes": "43"},
            "at": "2026-03-01T10:00:00+00:00",
        },
    ]


def test_a_line_that_cannot_be_read_is_a_row_that_says_so_and_an_empty_one_is_none() -> None:
    found = rows(mapped(), NGINX, "", "noise", NGINX)
    assert len(found) == 3
    assert isinstance(found[1], BadInput)


def test_rows_past_a_line_are_those_of_the_whole_past_it() -> None:
    lines = [CLOUDFRONT_HEADER, CLOUDFRONT, "# a comment", CLOUDFRONT]
    log = mapped("edge > {x-edge-location}", form="cloudfront")
    assert len(rows(log, *lines)) == 2
    assert rows(log, *lines, after=2) == rows(log, *lines)[1:]


def test_self_identified_bots_may_be_ignored() -> None:
    lines = [logged("/", agent=BOT), logged("/")]
    assert len(rows(mapped(), *lines)) == 2
    assert len(rows(mapped(skip_bots=True), *lines)) == 1


@pytest.mark.parametrize("form", ["nginx", "clf"])
def test_a_column_that_the_format_has_not_is_refused_before_anything_is_read(form: str) -> None:
    with pytest.raises(BadInput, match="one of the columns host, ident, user, time"):
        mapped("x > {latency}", form=form)


def test_a_column_that_a_cloudfront_file_has_not_is_refused_when_it_is_seen() -> None:
    log = mapped("x > {latency}", form="cloudfront")
    found = rows(log, CLOUDFRONT_HEADER, CLOUDFRONT)
    assert isinstance(found[0], BadInput)


@pytest.mark.parametrize(
    ("target", "fields"),
    [
        ("/count?pk=Shop", {"pk": "Shop"}),
        ("/count.gif", {}),
        (
            "/count?pk=['a','b']&metrics=%7B%22dollars%22%3A19.99%7D&uid=[x",
            {"pk": ["a", "b"], "metrics": "{}", "uid": "[x"},
        ),
        (r"/count?metrics={\x22dollars\x22:19.99}&token=hw_1&_=7", {"metrics": "{}"}),
        ("/count?at=2026-02-01", {"at": "2026-02-01"}),
    ],
)
def test_a_pixel_is_the_event_of_its_query_at_its_time(
    target: str, fields: dict[str, object]
) -> None:
    [found] = rows(PIXEL, logged(target))
    assert isinstance(found, dict)
    event = parse_event(found, NOW_S)
    wanted = {"at": "2026-03-01T10:00:00Z", **fields}
    if "metrics" in wanted:
        wanted["metrics"] = {"dollars": "19.99"}
    assert event == parse_event(wanted, NOW_S)


@pytest.mark.parametrize(
    "line",
    [
        logged("/counter?pk=Shop"),
        logged("/x/count?pk=Shop"),
        logged("/count?pk=Shop", status=404),
        logged("/count?pk=Shop", method="POST"),
        logged("/count?pk=Shop", method="HEAD"),
    ],
)
def test_other_requests_are_not_pixels(line: str) -> None:
    assert rows(PIXEL, line) == []


@pytest.mark.parametrize("query", ["pk=%ff", "pk=a&pk=b", "metrics={x", "&".join(["x=1"] * 200)])
def test_a_pixel_whose_query_cannot_be_read_is_a_row_that_says_so(query: str) -> None:
    [found] = rows(PIXEL, logged(f"/count?{query}"))
    assert isinstance(found, BadInput)


def test_a_pixel_of_cloudfront() -> None:
    line = CLOUDFRONT.replace("/view/my%20file.html", "/p.gif")
    log = AccessLogFormat("cloudfront", ColumnMapping.parse(), frozenset(["/p.gif"]))
    [found] = rows(log, CLOUDFRONT_HEADER, line)
    assert found == {"at": "2026-03-01T10:00:01Z", "dimensions": {"a": 1}}


def test_readings_that_count_differently_have_different_names() -> None:
    texts = [
        NdjsonFormat().text,
        PIXEL.text,
        mapped().text,
        mapped("a > {path}").text,
        mapped(skip_bots=True).text,
        mapped(form="clf").text,
        AccessLogFormat("nginx", ColumnMapping.parse(), frozenset(["/p.gif"])).text,
    ]
    assert len(set(texts)) == len(texts)
