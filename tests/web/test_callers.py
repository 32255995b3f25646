"""Who may do what without a token: every class of route by every caller, and every spelling."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale.services.container import Services
from hailwhale.settings import Settings
from hailwhale.web.apps import hail_app, whale_app
from hailwhale.web.callers import PROGRAM_HEADERS, Callers, refusal
from hailwhale.web.route_classes import ROUTE_CLASSES, RouteClass
from tests.core.security.test_hosts import ELSEWHERE, LOOPBACK, NO_HOST
from tests.deploy.running import ROOT
from tests.web.client import Client

MakeServices = Callable[..., Services]

PUBLIC, COUNT, READ, DECIDE, OPERATE = RouteClass
OWN, EVIL, READER = "http://localhost:8085", "http://evil.example", "https://reader.example"
HOSTS: dict[str, Any] = {"hosts": ("hw.lan",), "public_url": "https://hw.example.com"}
MOZILLA = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
# What Chromium and Firefox send to load an image of a page that names no referrer, from an address
# that is not trustworthy to them: nothing tells the site.
IMAGE = {
    "USER_AGENT": MOZILLA,
    "ACCEPT": "image/avif,image/webp,*/*",
    "ACCEPT_ENCODING": "gzip, deflate",
    "ACCEPT_LANGUAGE": "en-US,en;q=0.5",
}
CURL = {"USER_AGENT": "curl/8", "ACCEPT": "*/*"}
SITES: dict[str, dict[str, str]] = {
    "origin": {"ORIGIN": EVIL},
    "null": {"ORIGIN": "null"},
    "empty origin": {"ORIGIN": ""},
    "referer": {"REFERER": f"{EVIL}/page"},
    "empty referer": {"REFERER": ""},
    "own referer, other origin": {"ORIGIN": EVIL, "REFERER": f"{OWN}/"},
    "own origin, other referer": {"ORIGIN": OWN, "REFERER": f"{EVIL}/"},
    "other port": {"ORIGIN": "http://localhost:3000"},
    "other name of this machine": {"ORIGIN": "http://127.0.0.1:8085"},
    "own origin, cross-site": {"ORIGIN": OWN, "SEC_FETCH_SITE": "cross-site"},
}
UPGRADES: dict[str, dict[str, str]] = {
    "websocket": {"UPGRADE": "websocket", "CONNECTION": "Upgrade"},
    "h2c": {"UPGRADE": "h2c", "CONNECTION": "keep-alive, upgrade"},
    "upgrade alone": {"UPGRADE": ""},
    "connection alone": {"CONNECTION": "close, UPGRADE"},
}
BROWSERS_ONLY = [
    *("ORIGIN", "REFERER", "SEC_FETCH_SITE", "SEC_FETCH_MODE", "SEC_FETCH_DEST", "SEC_FETCH_USER"),
    *("SEC_CH_UA", "SEC_GPC", "SEC_PURPOSE", "PURPOSE", "X_PURPOSE", "X_MOZ", "UPGRADE", "DNT"),
    *("UPGRADE_INSECURE_REQUESTS", "ACCEPT_LANGUAGE", "COOKIE", "PRIORITY", "SERVICE_WORKER"),
    *("SAVE_DATA", "PING_FROM", "PING_TO", "LAST_EVENT_ID", "RANGE", "IF_NONE_MATCH", "DPR"),
    *("ACCESS_CONTROL_REQUEST_METHOD", "ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK", "ANY_NEW_ONE"),
    *("FORWARDED", "VIA", "X_FORWARDED_FOR", "X_FORWARDED_HOST", "X_REAL_IP"),
]


def reason(
    route_class: RouteClass,
    headers: dict[str, str],
    method: str = "GET",
    host: str | None = "localhost:8085",
    **settings: Any,
) -> str:
    """Why a caller is refused, in the word of the metrics; "" if it is not."""
    environ = {f"HTTP_{name}": text for name, text in headers.items()}
    environ |= {"REQUEST_METHOD": method, **({} if host is None else {"HTTP_HOST": host})}
    found = refusal(route_class, Callers(Settings.from_env({}, **settings)).read(environ))
    return found.reason if found else ""


# Every route has its class


def test_every_route_of_both_apps_is_in_the_table_and_nothing_else(services: Services) -> None:
    apps = (whale_app(services), hail_app(services))
    assert set(ROUTE_CLASSES) == {route.rule for app in apps for route in app.routes}


def test_a_get_that_changes_something_is_of_the_class_that_other_sites_cannot_use() -> None:
    changing = {rule for rule, found in ROUTE_CLASSES.items() if found is OPERATE}
    assert changing == {"/reset", "/flush_hail", "/update_count_to"}


# The Host


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("route_class", [READ, DECIDE, OPERATE])
@pytest.mark.parametrize("host", LOOPBACK)
def test_a_program_does_everything_at_every_loopback_host(
    route_class: RouteClass, method: str, host: str
) -> None:
    assert reason(route_class, CURL, method, host) == ""


@pytest.mark.parametrize("host", [*ELSEWHERE, *NO_HOST, None, "localhost,localhost"])
def test_at_another_host_nothing_is_read_or_changed(host: str | None) -> None:
    for route_class in (READ, DECIDE, OPERATE):
        for method in ("GET", "POST"):
            assert reason(route_class, CURL, method, host) == "host"
    assert [reason(route_class, CURL, "GET", host) for route_class in (PUBLIC, COUNT)] == ["", ""]


@pytest.mark.parametrize("host", ["hw.lan", "HW.LAN.:8085", "hw.example.com", "hw.example.com:443"])
def test_at_a_host_of_the_settings_a_get_reads_and_a_post_changes(host: str) -> None:
    for route_class, method in ((READ, "GET"), (READ, "POST"), (OPERATE, "POST")):
        assert reason(route_class, CURL, method, host, **HOSTS) == ""
    assert reason(OPERATE, CURL, "GET", host, **HOSTS) == "get"
    for other in (f"a.{host}", f"a{host}", host.replace(".", "-", 1)):
        assert reason(READ, CURL, "GET", other, **HOSTS) == "host"


# Other sites


@pytest.mark.parametrize("sent", SITES.values(), ids=SITES)
def test_another_sites_page_counts_and_nothing_else(sent: dict[str, str]) -> None:
    for headers in (sent, sent | IMAGE):
        for route_class in (READ, DECIDE, OPERATE):
            for method in ("GET", "POST"):
                assert reason(route_class, headers, method) == "site"
        for route_class in (PUBLIC, COUNT):
            assert reason(route_class, headers) == ""


@pytest.mark.parametrize("site", ["cross-site", "same-site", "sibling", ""])
def test_a_page_that_the_browser_does_not_name_shows_an_image_and_changes_nothing(
    site: str,
) -> None:
    """As a file on the disk with a graph in it: the browser lets no such page read an answer."""
    sent = IMAGE | {"SEC_FETCH_SITE": site}
    assert reason(READ, sent) == ""
    for headers in (sent, {"SEC_FETCH_SITE": site}):
        for method in ("GET", "POST"):
            assert reason(OPERATE, headers, method) == "site"


@pytest.mark.parametrize(
    "sent",
    [
        {"ORIGIN": READER},
        {"REFERER": f"{READER}/page"},
        {"ORIGIN": READER, "REFERER": f"{READER}/", "SEC_FETCH_SITE": "cross-site"},
        {"ORIGIN": "https://READER.example:443"},
    ],
    ids=str,
)
def test_a_page_of_the_cors_origins_reads_and_does_not_operate(sent: dict[str, str]) -> None:
    for origins in ((READER,), ("*",)):
        assert reason(READ, sent, cors_origins=origins) == ""
        assert reason(DECIDE, sent, "POST", cors_origins=origins) == ""
        for method in ("GET", "POST"):
            assert reason(OPERATE, sent, method, cors_origins=origins) == "site"
        assert reason(READ, sent, host="evil.example", cors_origins=origins) == "host"
    assert reason(READ, sent, cors_origins=("https://other.example",)) == "site"
    assert reason(READ, {**sent, "REFERER": f"{EVIL}/"}, cors_origins=(READER,)) == "site"


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"SEC_FETCH_SITE": "none"},
        {"SEC_FETCH_SITE": "same-origin"},
        {"ORIGIN": OWN},
        {"REFERER": f"{OWN}/demo"},
        {"ORIGIN": OWN, "REFERER": f"{OWN}/", "SEC_FETCH_SITE": "same-origin"},
    ],
    ids=str,
)
def test_an_own_page_reads_and_changes_by_post_alone(sent: dict[str, str]) -> None:
    assert reason(READ, sent | IMAGE) == ""
    assert reason(OPERATE, sent | IMAGE) == "get"
    proof = {"ORIGIN", "REFERER"} & set(sent) or sent.get("SEC_FETCH_SITE") == "same-origin"
    assert reason(OPERATE, sent | IMAGE, "POST") == ("" if proof else "site")


def test_behind_tls_and_a_proxy_that_drops_the_port_the_own_page_is_own() -> None:
    sent = IMAGE | {"ORIGIN": "https://hw.example.com:8443"}
    at: dict[str, Any] = {"host": "hw.example.com", "hosts": ("hw.example.com",)}
    assert reason(OPERATE, sent, "POST", **at) == "site"
    assert reason(OPERATE, sent, "POST", public_url="https://hw.example.com:8443", **at) == ""


@pytest.mark.parametrize("sent", UPGRADES.values(), ids=UPGRADES)
def test_an_upgrade_reads_and_changes_nothing(sent: dict[str, str]) -> None:
    for method in ("GET", "POST"):
        for route_class in (READ, DECIDE, OPERATE):
            assert reason(route_class, sent | {"ORIGIN": OWN}, method) == "upgrade"
    assert reason(COUNT, sent) == ""


@pytest.mark.parametrize("name", BROWSERS_ONLY)
def test_a_get_with_a_header_that_programs_do_not_send_changes_nothing(name: str) -> None:
    assert reason(OPERATE, CURL | {name: "1"}) != ""
    assert reason(OPERATE, CURL | {name: ""}) != ""


def test_a_browser_that_tells_no_site_changes_nothing() -> None:
    for host in ("localhost:8085", "[::ffff:7f00:1]:8085", "127.0.0.1"):
        assert reason(OPERATE, IMAGE, host=host) == "get"
        assert reason(OPERATE, {"USER_AGENT": MOZILLA}, host=host) == "get"
        assert reason(OPERATE, IMAGE, "POST", host) == "site"


HEADERS = st.dictionaries(
    st.sampled_from(
        sorted({*BROWSERS_ONLY, *(name[5:] for name in PROGRAM_HEADERS - {"HTTP_HOST"})})
    ),
    st.sampled_from(
        ["", "1", EVIL, OWN, READER, "null", "none", "same-origin", MOZILLA, "upgrade"]
    ),
)


@given(HEADERS, st.sampled_from(["GET", "POST"]), st.sampled_from([*LOOPBACK, *ELSEWHERE, None]))
def test_whatever_is_sent_only_presence_of_proof_opens(
    headers: dict[str, str], method: str, host: str | None
) -> None:
    operates = reason(OPERATE, headers, method, host) == ""
    reads = reason(READ, headers, method, host) == ""
    assert reads or not operates, "who may operate may read"
    if reads:
        assert host in LOOPBACK
        assert "UPGRADE" not in headers
        assert {headers.get("ORIGIN", OWN), headers.get("REFERER", OWN)} == {OWN}
    if operates and method == "GET":
        assert {f"HTTP_{name}" for name in headers} <= PROGRAM_HEADERS
        assert headers.get("USER_AGENT") != MOZILLA
    if operates and headers.get("USER_AGENT") == MOZILLA:
        assert "ORIGIN" in headers or "REFERER" in headers or "SEC_FETCH_SITE" in headers
    for route_class in (PUBLIC, COUNT):
        assert reason(route_class, headers, method, host) == ""


# The table of docs/security.rst, row by row

CALLERS_OF_THE_TABLE: dict[str, dict[str, Any]] = {
    "program on the same machine": {"headers": CURL},
    "program elsewhere, known Host": {"headers": CURL, "host": "hw.lan", **HOSTS},
    "own page, known Host": {"headers": IMAGE | {"ORIGIN": OWN}},
    "page of ``HAILWHALE_CORS_ORIGINS``": {
        "headers": IMAGE | {"ORIGIN": READER},
        "cors_origins": (READER,),
    },
    "page of another site": {"headers": IMAGE | {"ORIGIN": EVIL}},
    "any caller at an unknown Host": {"headers": CURL, "host": "evil.example"},
    "any caller with an Upgrade": {"headers": CURL | UPGRADES["websocket"]},
}
MEANT = {
    "yes": ("GET", "POST"),
    "yes, by GET or POST": ("GET", "POST"),
    "by POST": ("POST",),
    "no": (),
}


def rows_of_the_table() -> dict[str, list[str]]:
    """The cells of the table of callers by the text of its first column."""
    text = (ROOT / "docs/security.rst").read_text(encoding="utf-8")
    head, *lines = text[text.index("\ncaller  ") + 1 :].splitlines()
    starts = [head.index(name) for name in head.split()]
    ruled = [number for number, line in enumerate(lines) if line.startswith("===")]
    cuts = list(pairwise([*starts, None]))
    cells = ([line[a:b].strip() for a, b in cuts] for line in lines[ruled[0] + 1 : ruled[1]])
    return {first: rest for first, *rest in cells}


def test_the_table_of_callers_has_those_without_a_token_and_with_one() -> None:
    sealed_or_token = {"sealed URL", "token of the scope", "token bound to root pks"}
    assert set(rows_of_the_table()) == set(CALLERS_OF_THE_TABLE) | sealed_or_token


@pytest.mark.parametrize("caller", CALLERS_OF_THE_TABLE)
def test_a_caller_may_do_what_its_row_of_the_table_says(caller: str) -> None:
    told = rows_of_the_table()[caller]
    columns = ((PUBLIC,), (COUNT,), (READ, DECIDE), (OPERATE,))
    for route_classes, cell in zip(columns, told, strict=True):
        for route_class, method in product(route_classes, ("GET", "POST")):
            opened = reason(route_class, method=method, **CALLERS_OF_THE_TABLE[caller]) == ""
            assert opened == (method in MEANT[cell]), (route_class, method)


# The rule in the service

FOREIGN = {"origin": EVIL}
READING = ("/totals", "/graph.svg", "/decide", "/metrics", "/spy", "/render")


def statuses(client: Client, host: str, *paths: str, **headers: str) -> set[int]:
    return {client.get(path, host=host, **headers).status for path in paths}


def test_a_stranger_name_is_refused_by_the_name_of_the_setting(make_services: MakeServices) -> None:
    whale = Client(whale_app(make_services()))
    for path in (*READING, "/pks", "/reset", "/flush_hail", "/update_count_to"):
        answer = whale.get(path, "pk=Shop", host="hw.lan:8085")
        assert answer.status == 403
        assert "'hw.lan:8085'" in answer.error["message"]
        assert "HAILWHALE_HOSTS" in answer.error["message"]
    for path in ("/count", "/count.gif", "/count_now", "/tracker", "/", "/demo", "/graph.js"):
        assert whale.get(path, host="hw.lan", **FOREIGN).status == 200
    for path in ("/healthz", "/readyz", "/openapi.json", "/static/hailwhale.css"):
        assert whale.get(path, host="10.1.2.3", **FOREIGN).status == 200
    named = Client(whale_app(make_services(hosts=("hw.lan",))))
    assert statuses(named, "hw.lan:8085", "/pks", "/metrics", "/totals") == {200}


def test_health_gives_no_details_to_a_name_or_a_site_that_may_not_read(whale: Client) -> None:
    plain = {"status": "ok", "store": "ok"}
    assert whale.get("/healthz", host="evil.example").json == plain
    assert whale.get("/healthz", **FOREIGN).json == plain
    assert "buffered" in whale.get("/healthz").json


def test_the_refusal_can_be_read_by_a_page_of_the_cors_origins(make_services: MakeServices) -> None:
    whale = Client(whale_app(make_services(cors_origins=(READER,))))
    assert whale.get("/totals", origin=READER).status == 200
    answer = whale.get("/totals", host="hw.lan", origin=READER)
    assert answer.status == 403
    assert answer.headers["access-control-allow-origin"] == READER


def test_refusals_are_counted_by_their_reason(services: Services) -> None:
    whale = Client(whale_app(services))
    whale.get("/reset", "pk=Shop", host="evil.example")
    whale.get("/reset", "pk=Shop", **FOREIGN)
    whale.get("/reset", "pk=Shop", upgrade="websocket")
    whale.get("/reset", "pk=Shop", accept_language="en")
    services.tallies.flush()
    found = services.store.request_stats.refused()
    assert found == {"host": 1, "site": 1, "upgrade": 1, "get": 1}


# Where there are tokens, the token is the proof

TOKEN = "correct-horse"  # noqa: S105 - of this test alone
STRANGE = {"host": "hw.lan", "origin": EVIL, "accept_language": "en", "upgrade": "h2c"}


def test_a_token_is_the_proof_wherever_it_is_shown(make_services: MakeServices) -> None:
    whale = Client(whale_app(make_services(admin_token=TOKEN)))
    shown = {**STRANGE, "authorization": f"Bearer {TOKEN}"}
    for path in ("/totals", "/pks", "/flush_hail", "/metrics"):
        assert whale.get(path, **shown).status == 200
    assert whale.get("/flush_hail", **STRANGE).status == 401


def test_an_unknown_token_where_there_are_none_is_no_proof(whale: Client) -> None:
    shown = {"origin": EVIL, "authorization": "Bearer guess"}
    assert [whale.get(path, **shown).status for path in ("/pks", "/flush_hail")] == [403, 403]


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({}, 403),
        ({"reading": "open"}, 403),
        ({"admin_token": TOKEN}, 403),
        ({"admin_token": TOKEN, "reading": "open"}, 200),
        ({"reading": "token"}, 401),
        ({"open_to_all": True, "host": "0.0.0.0"}, 403),  # noqa: S104
    ],
)
def test_other_sites_read_only_where_reading_is_open_and_tokens_guard_the_rest(
    make_services: MakeServices, settings: dict[str, Any], status: int
) -> None:
    whale = Client(whale_app(make_services(**settings)))
    assert statuses(whale, "hw.lan", "/pks", "/totals", **FOREIGN) == {status}


def test_a_sealed_graph_is_open_to_every_site_at_every_host(make_services: MakeServices) -> None:
    services = make_services(seal_keys=("A" * 43,))
    whale = Client(whale_app(services))
    token = services.sealing.graph({"pk": "Shop", "metrics": "hits"}, None)
    for path in ("/totals", "/plotpoints", "/graph.json", "/graph.svg", "/graph.js"):
        assert whale.get(path, {"token": token}, host="hw.lan", **FOREIGN).status == 200
        if path != "/graph.js":
            assert whale.get(path, "pk=Shop", host="hw.lan", **FOREIGN).status == 403
