"""Hosts of requests: every spelling of loopback, and what is no host at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale.core.security.hosts import (
    HostPort,
    is_loopback_host,
    parse_host,
    parse_origin,
)

LOOPBACK = [
    *("localhost", "LOCALHOST", "LocalHost", "localhost.", "localhost:8085", "localhost.:8085"),
    *("localhost:", "127.0.0.1", "127.0.0.1:8085", "127.0.0.1.", "127.8.8.8", "127.255.255.255"),
    *("127.1", "127.0.1:8085", "0x7f.1", "0x7f000001", "0177.0.0.1", "2130706433", "0X7F.0.0.1"),
    *("[::1]", "[::1]:8085", "[0:0:0:0:0:0:0:1]", "[0000::0001]:80"),
    *("[::ffff:127.0.0.1]", "[::FFFF:7f00:1]:8085", "[0:0:0:0:0:ffff:127.0.0.1]"),
]
ELSEWHERE = [
    *("0.0.0.0", "0.0.0.0:8085", "0", "[::]", "[::]:8085", "[::ffff:0.0.0.0]"),  # noqa: S104
    *("126.255.255.255", "128.0.0.1", "192.168.1.5:8085", "10.0.0.1", "169.254.169.254"),
    *("[::2]", "[::127.0.0.1]", "[fe80::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"),
    *(
        "x.localhost",
        "localhost.localdomain",
        "localhost.evil.example",
        "localhostx",
        "ip6-localhost",
    ),
    *("127.0.0.1.evil.example", "127.0.0.1.nip.io", "7f000001.rbndr.us", "evil.example:8085"),
    *("hailwhale", "laptop.local", "my_container", "xn--lcalhost-n4a.example"),
]
NO_HOST = [
    *(
        "",
        " ",
        ":",
        ":8085",
        "localhost ",
        " localhost",
        "localhost\t",
        "local host",
        "localhost\x00",
    ),
    *("localhost,evil.example", "localhost, localhost", "evil.example@localhost", "localhost/"),
    *(
        "localhost:8085:8085",
        "localhost:http",
        "localhost:-1",
        "localhost:99999",
        "localhost:123456",
    ),
    *(
        "http://localhost",
        "localhost?",
        "localhost#",
        "localhost\\",
        "localhost..",
        ".localhost",
        "a..b",
    ),
    *(
        "::1",
        "[::1",
        "::1]",
        "[]",
        "[::1]x",
        "[::1%lo]",
        "[::1%25lo]",
        "[127.0.0.1]",
        "[localhost]",
    ),
    *("127.0.0.256", "1.2.3.4.5", "0x", "127.0.0.1..", "127.0.0x", "a.0", "1e3.5", "4294967296"),
    *(
        "-localhost",
        "localhost-",
        "löcalhost",
        "ｌocalhost",
        "１２７.0.0.1",
        "*",
        "*.example",
        "a" * 64,
    ),
]


@pytest.mark.parametrize("text", LOOPBACK)
def test_loopback_is_known_however_it_is_spelt(text: str) -> None:
    place = parse_host(text)
    assert place is not None
    assert is_loopback_host(place.host)


@pytest.mark.parametrize("text", ELSEWHERE)
def test_another_host_is_not_loopback(text: str) -> None:
    place = parse_host(text)
    assert place is not None
    assert not is_loopback_host(place.host)


@pytest.mark.parametrize("text", NO_HOST)
def test_what_is_not_one_host_is_none(text: str) -> None:
    assert parse_host(text) is None


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("HW.Example.com.", HostPort("hw.example.com")),
        ("hw.example.com:443", HostPort("hw.example.com", 443)),
        ("[2001:DB8:0:0::1]:80", HostPort("2001:db8::1", 80)),
        ("my_container:8085", HostPort("my_container", 8085)),
        ("3.com", HostPort("3.com")),
    ],
)
def test_a_host_has_one_spelling(text: str, place: HostPort) -> None:
    assert parse_host(text) == place


@pytest.mark.parametrize(
    ("origin", "host", "own"),
    [
        ("http://localhost:8085", "localhost:8085", True),
        ("http://LOCALHOST.:8085/demo?a=http://evil", "localhost:8085", True),
        ("http://127.1:8085", "127.0.0.1:8085", True),
        ("http://[::ffff:127.0.0.1]:8085", "[::ffff:7f00:1]:8085", True),
        ("https://hw.example.com", "hw.example.com", True),
        ("http://hw.example.com", "hw.example.com:80", True),
        ("https://hw.example.com/a", "hw.example.com:443", True),
        ("https://hw.example.com", "hw.example.com:80", False),
        ("http://localhost:3000", "localhost:8085", False),
        ("http://localhost", "localhost:8085", False),
        ("http://127.0.0.1:8085", "localhost:8085", False),
        ("http://evil.example/localhost:8085", "localhost:8085", False),
    ],
)
def test_a_page_is_own_if_host_and_port_are(origin: str, host: str, own: bool) -> None:
    site, place = parse_origin(origin), parse_host(host)
    assert site is not None
    assert place is not None
    assert site.is_at(place) is own


@pytest.mark.parametrize(
    "text",
    [
        *("", "null", "localhost:8085", "//localhost:8085", "http://", "http:///", "file:///etc"),
        *(
            "ftp://localhost:8085",
            "http://localhost:8085@evil.example/",
            "http://a b/",
            "about:blank",
        ),
        *("http://localhost:8085\\@evil.example", "http://a, http://b", "data:text/html,x"),
    ],
)
def test_what_names_no_origin_is_none(text: str) -> None:
    assert parse_origin(text) is None


@given(st.text(max_size=40) | st.text("0123456789abcdefx.:[]%@, localhst", max_size=24))
def test_any_text_is_one_host_or_none_and_its_spelling_stays(text: str) -> None:
    place = parse_host(text)
    assert place is None or parse_host(_written(place)) == place
    parse_origin(f"http://{text}")


def _written(place: HostPort) -> str:
    host = f"[{place.host}]" if ":" in place.host else place.host
    return host if place.port is None else f"{host}:{place.port}"
