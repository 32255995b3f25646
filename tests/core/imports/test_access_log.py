"""Lines of access logs: what their fields are, whichever server wrote them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale.core.imports.access_log import FORMATS, LogReader, cells, label
from hailwhale.errors import BadInput

NGINX = (
    '203.0.113.9 - alice [01/Mar/2026:10:00:00 +0100] "GET /shop/7?a=b&c=%20d HTTP/1.1" 404 512 '
    '"https://News.example.com:8080/x" "Mozilla/5.0 (X11; Linux)"'
)
S3 = (
    "79a59df900b949e5 amzn-s3-demo-bucket [06/Feb/2019:00:00:38 +0000] 192.0.2.3 79a59df900b9 "
    '3E57427F3EXAMPLE REST.GET.VERSIONING - "GET /amzn-s3-demo-bucket?versioning HTTP/1.1" 200 - '
    '113 - 7 - "-" "S3Console/0.4" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/'
    "/XV/VLi31234= SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader example.amazonaws.com TLSv1.2"
)
CLOUDFRONT_HEADER = (
    "#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status "
    "cs(Referer) cs(User-Agent) cs-uri-query x-edge-result-type"
)
CLOUDFRONT = "\t".join(
    [
        *("2026-03-01", "10:00:01", "LAX1", "2390", "2001:db8::1", "GET", "d111.cloudfront.net"),
        *("/view/my%20file.html", "200", "https://x.com/", "Mozilla/5.0%20(X11)"),
        *("dimensions=%257B%2522a%2522%253A1%257D", "Hit"),
    ]
)


def read(form: str, *lines: str) -> dict[str, str]:
    reader = LogReader(FORMATS[form])
    *_, found = [reader.read(line) for line in lines]
    assert found is not None
    assert set(found) <= set(reader.names)
    return found


@pytest.mark.parametrize("form", ["nginx", "combined"])
def test_a_line_of_nginx_or_apache(form: str) -> None:
    assert read(form, NGINX) == {
        "host": "203.0.113.9",
        "ident": "",
        "user": "alice",
        "time": "2026-03-01T10:00:00+01:00",
        "request": "GET /shop/7?a=b&c=%20d HTTP/1.1",
        "method": "GET",
        "path": "/shop/7",
        "query": "a=b&c=%20d",
        "protocol": "HTTP/1.1",
        "status": "404",
        "status_class": "4xx",
        "bytes": "512",
        "referer": "https://News.example.com:8080/x",
        "referer_host": "news.example.com",
        "user_agent": "Mozilla/5.0 (X11; Linux)",
        "visitor": "203.0.113.9 Mozilla/5.0 (X11; Linux)",
    }


def test_a_line_of_s3() -> None:
    found = read("s3", S3)
    assert {name: found[name] for name in ("bucket", "operation", "path", "status", "bytes")} == {
        "bucket": "amzn-s3-demo-bucket",
        "operation": "REST.GET.VERSIONING",
        "path": "/amzn-s3-demo-bucket",
        "status": "200",
        "bytes": "113",
    }
    assert found["time"] == "2019-02-06T00:00:38+00:00"
    assert found["visitor"] == "192.0.2.3 S3Console/0.4"


def test_a_line_of_cloudfront_by_the_fields_that_its_file_names() -> None:
    found = read("cloudfront", "#Version: 1.0", CLOUDFRONT_HEADER, CLOUDFRONT)
    assert found["host"] == "2001:db8::1"
    assert found["path"] == "/view/my file.html"
    assert found["query"] == "dimensions=%7B%22a%22%3A1%7D"
    assert found["time"] == "2026-03-01T10:00:01Z"
    assert found["user_agent"] == "Mozilla/5.0 (X11)"
    assert found["x-edge-result-type"] == "Hit"


@pytest.mark.parametrize(
    ("form", "line", "name", "value"),
    [
        ("clf", NGINX, "path", "/shop/7"),
        ("clf", NGINX, "visitor", "203.0.113.9"),
        ("nginx", f'{NGINX} "198.51.100.1" 0.003', "status", "404"),
        ("nginx", NGINX.replace("512", "-"), "bytes", ""),
        ("nginx", NGINX.replace("https://News.example.com:8080/x", "-"), "referer_host", ""),
        ("nginx", NGINX.replace("https://News", "http://[x"), "referer_host", ""),
        (
            "nginx",
            NGINX.replace("a=b", r"m={\x22x\x22:1}\xC3\xA5\\"),
            "query",
            'm={"x":1}å\\&c=%20d',
        ),
        (
            "nginx",
            NGINX.replace("Linux", r"\"Li\tnux\""),
            "user_agent",
            'Mozilla/5.0 (X11; "Li nux")',
        ),
        ("nginx", NGINX.replace("GET /shop/7?a=b&c=%20d HTTP/1.1", r"\x16\x03\x01"), "path", ""),
        ("nginx", NGINX.replace("GET /shop/7?a=b&c=%20d HTTP/1.1", ""), "method", ""),
    ],
)
def test_a_field_of_a_line(form: str, line: str, name: str, value: str) -> None:
    assert read(form, line)[name] == value


@pytest.mark.parametrize(
    ("form", "line", "said"),
    [
        ("nginx", "hello", "9 words: host, ident"),
        ("nginx", NGINX.replace("Mar", "Mrz"), "a time such as"),
        ("nginx", NGINX.replace("+0100", ""), "a time such as"),
        ("nginx", NGINX[:-1], "a word, quotes or brackets"),
        ("nginx", NGINX.replace("alice", "ali ce"), "a time such as"),
        ("nginx", NGINX.replace('" 404', '"404'), "a word, quotes or brackets"),
        ("nginx", "", "9 words"),
        ("s3", NGINX, "17 words"),
        ("cloudfront", CLOUDFRONT, "an earlier line that begins with #Fields:"),
    ],
)
def test_a_line_that_is_none_of_its_format_is_refused(form: str, line: str, said: str) -> None:
    with pytest.raises(BadInput) as fault:
        LogReader(FORMATS[form]).read(line)
    assert said in fault.value.message


def test_a_cloudfront_line_with_other_fields_than_its_file_names_is_refused() -> None:
    with pytest.raises(BadInput, match="13 fields separated by tabs"):
        read("cloudfront", CLOUDFRONT_HEADER, "a\tb")


@pytest.mark.parametrize(
    ("text", "found"),
    [("/a b", "/a b"), ("\x00\u2028", "��"), ("é" * 200, "é" * 123 + "…"), ("x" * 250, "x" * 250)],
)
def test_a_field_is_what_a_label_may_be(text: str, found: str) -> None:
    assert label(text) == found
    assert len(label(text).encode()) <= 256


@given(
    st.sampled_from(sorted(FORMATS)), st.lists(st.text(max_size=60) | st.just(NGINX), max_size=3)
)
def test_any_lines_are_fields_or_refused(form: str, lines: Sequence[str]) -> None:
    reader = LogReader(FORMATS[form])
    for line in lines:
        try:
            found = reader.read(line)
        except BadInput:
            continue
        if found is not None:
            assert len(cells(found, reader.names)) == len(reader.names)


@pytest.mark.parametrize("sign", ['"', "\\", '\\"', "[", " ", "#", '"\\x'])
def test_a_line_made_to_be_slow_is_not(sign: str) -> None:
    with pytest.raises(BadInput):
        LogReader(FORMATS["nginx"]).read("x " + sign * 200_000)
