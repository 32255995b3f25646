"""Access over HTTP: tokens and their scopes, open services, rate limits, bots, frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from hailwhale.core.decisions.exposure import DECIDED
from hailwhale.core.events.limits import DEFAULT_LIMITS
from hailwhale.errors import StoreUnavailable
from hailwhale.services.container import Services
from hailwhale.services.security.bearer_tokens import Scope
from hailwhale.web.apps import hail_app, whale_app
from hailwhale.web.plugins.auth import SEALABLE
from hailwhale.web.route_classes import PIXEL, ROUTE_CLASSES, RouteClass
from tests.conftest import NOW_S
from tests.web.client import Client
from tests.web.queries import total

MakeServices = Callable[..., Services]

ADMIN_TOKEN = "correct-horse"  # noqa: S105 - of this test alone
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
COUNTING = [
    ("/count", "pk=Shop"),
    ("/count.gif", "pk=Shop"),
    ("/count_now", "pk=Shop"),
    ("/count_now.gif", "pk=Shop"),
    ("/count_decision", "pk=Shop&option=b"),
    ("/count_decision.gif", "pk=Shop&option=b"),
]
READING = [
    ("/totals", "pk=Shop"),
    ("/plotpoints", "pk=Shop"),
    ("/rank", "pk=Shop"),
    ("/subdimensions", "pk=Shop"),
    ("/pks", "pk=Shop"),
    ("/known", "pk=Shop"),
    ("/graph.json", "pk=Shop"),
    ("/graph.svg", "pk=Shop"),
    ("/reasons", "pk=Shop&options=['a','b']&by_metric=x"),
]
DECIDING = [("/decide", "pk=Shop&options=['a','b']&by_metric=x")]
OPERATING = [
    ("/update_count_to", 'pk=Shop&metrics={"jobs":12}'),
    ("/reset", "pk=Shop"),
    ("/flush_hail", ""),
]
PUBLIC = [
    ("/", ""),
    ("/demo", ""),
    ("/healthz", ""),
    ("/graph.js", "pk=Shop"),
    ("/static/hailwhale.css", ""),
]


def named(table: list[tuple[str, str]]) -> Any:
    return pytest.mark.parametrize(("path", "query"), table, ids=[path for path, _ in table])


def token(services: Services, *scopes: str, roots: tuple[str, ...] = ()) -> dict[str, Any]:
    """The header of a new token."""
    name = f"{'-'.join(scopes)}:{','.join(roots)}:{len(services.store.tokens.all())}"
    made = services.tokens.add(name, [Scope(each) for each in scopes], roots, DEFAULT_LIMITS, NOW_S)
    services.tokens.known(0)
    return {"authorization": f"Bearer {made[1]}"}


def hits(services: Services, pk: object = "Shop", metric: str = "hits") -> Decimal | int:
    """What was counted, as whoever owns the store may see it."""
    services.drain.flush()
    opened = replace(services.settings, reading="open")
    return total(Client(whale_app(replace(services, settings=opened, limiter=None))), pk, metric)


@pytest.fixture
def closed(make_services: MakeServices) -> Services:
    """Services with nothing open: neither counting nor reading."""
    return make_services(counting="off", reading="token")


@pytest.fixture
def made_open(make_services: MakeServices) -> Services:
    return make_services()


# Every route has its place


def test_what_can_be_sealed_is_a_route_that_there_is() -> None:
    assert set(SEALABLE) <= set(ROUTE_CLASSES)


# Without a token


@named([*COUNTING, *READING, *DECIDING, *OPERATING, *PUBLIC])
def test_on_a_laptop_without_tokens_everything_is_open(
    services: Services, path: str, query: str
) -> None:
    assert Client(whale_app(services)).get(path, query).status == 200


@named([*COUNTING, *READING, *DECIDING, *OPERATING])
def test_a_closed_service_answers_nothing_without_a_token(
    closed: Services, path: str, query: str
) -> None:
    whale = Client(whale_app(closed))
    answer = whale.get(path, query)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="hailwhale"'
    assert "Authorization: Bearer" in answer.error["message"]
    assert hits(closed) == 0


@named(PUBLIC)
def test_what_is_public_stays_so(closed: Services, path: str, query: str) -> None:
    assert Client(whale_app(closed)).get(path, query).status == 200


def test_a_client_without_a_token_learns_only_that_the_service_is_alive(closed: Services) -> None:
    for app in (whale_app(closed), hail_app(closed)):
        client = Client(app)
        assert client.get("/healthz").json == {"status": "ok", "store": "ok"}
        assert "buffered" in client.get("/healthz", **token(closed, "read")).json
        bound = client.get("/healthz", **token(closed, "read", roots=("Shop",)))
        assert bound.json == {"status": "ok", "store": "ok"}


@pytest.mark.parametrize(
    ("settings", "reads"),
    [
        ({}, 200),
        ({"admin_token": ADMIN_TOKEN}, 200),
        ({"admin_token": ADMIN_TOKEN, "host": "0.0.0.0"}, 401),  # noqa: S104
        ({"admin_token": ADMIN_TOKEN, "host": "0.0.0.0", "reading": "open"}, 200),  # noqa: S104
        ({"reading": "token"}, 401),
        ({"open_to_all": True, "host": "0.0.0.0"}, 200),  # noqa: S104
    ],
)
def test_reading_is_open_or_closed_by_bind_address_and_tokens(
    make_services: MakeServices, settings: dict[str, object], reads: int
) -> None:
    whale = Client(whale_app(make_services(**settings)))
    assert whale.get("/totals").status == reads
    assert whale.get("/decide", "pk=S&options=['a','b']&by_metric=x").status == reads
    assert whale.get("/count").status == 200


def test_with_the_first_token_of_a_store_reading_and_operating_close(services: Services) -> None:
    whale = Client(whale_app(services))
    assert [whale.get(path).status for path in ("/totals", "/flush_hail")] == [200, 200]
    reader = token(services, "read")
    assert [whale.get(path).status for path in ("/totals", "/flush_hail")] == [401, 401]
    assert whale.get("/totals", **reader).status == 200
    assert whale.get("/count", "pk=Shop").status == 200


# With a token


@named([*COUNTING, *READING, *DECIDING, *OPERATING])
@pytest.mark.parametrize(
    "scopes", [("count",), ("read",), ("admin",), ("count", "read")], ids="+".join
)
def test_a_token_opens_what_its_scopes_say(
    closed: Services, path: str, query: str, scopes: tuple[str, ...]
) -> None:
    needed = {
        **{path: {"count"} for path, _ in COUNTING},
        **{path: {"read"} for path, _ in READING},
        **{path: {"count", "read"} for path, _ in DECIDING},
        **{path: {"admin"} for path, _ in OPERATING},
    }[path]
    answer = Client(whale_app(closed)).get(path, query, **token(closed, *scopes))
    may = "admin" in scopes or needed <= set(scopes)
    assert answer.status == (200 if may else 403), answer.text


@named([*COUNTING, *READING, *DECIDING, *OPERATING])
def test_the_admin_token_of_the_settings_opens_everything(
    make_services: MakeServices, path: str, query: str
) -> None:
    services = make_services(admin_token=ADMIN_TOKEN, counting="off", reading="token")
    header = {"authorization": f"Bearer {ADMIN_TOKEN}"}
    assert Client(whale_app(services)).get(path, query, **header).status == 200


@named([*COUNTING, *READING, *DECIDING, *OPERATING])
@pytest.mark.parametrize(
    "shown",
    ["wrong", "hw_00000000_" + "A" * 43, f"{ADMIN_TOKEN}!", "é" * 40, "a b", "\x00", "' or 1=1"],
)
def test_a_wrong_token_opens_nothing_even_where_none_is_needed(
    make_services: MakeServices, path: str, query: str, shown: str
) -> None:
    services = make_services(admin_token=ADMIN_TOKEN)
    answer = Client(whale_app(services)).get(path, query, authorization=f"Bearer {shown}")
    assert answer.status == 403
    assert ADMIN_TOKEN not in answer.text
    assert hits(services) == 0


def test_a_revoked_token_opens_nothing(closed: Services) -> None:
    whale, reader = Client(whale_app(closed)), token(closed, "read")
    [id] = closed.store.tokens.all()
    assert whale.get("/totals", **reader).status == 200
    closed.tokens.revoke(id)
    closed.tokens.known(0)
    assert whale.get("/totals", **reader).status == 403


# Bound to root pks


@named([*COUNTING, *READING, *DECIDING, *OPERATING[:2]])
def test_a_bound_token_is_valid_only_for_its_roots(closed: Services, path: str, query: str) -> None:
    whale = Client(whale_app(closed))
    header = token(closed, "admin", roots=("Shop", "Depot"))
    assert whale.get(path, query, **header).status == 200
    for pk in ("Blog", "_", "shop", '["Blog","Shop"]'):
        answer = whale.get(path, query.replace("pk=Shop", f"pk={pk}"), **header)
        assert answer.status == 403
        assert "pk" in answer.text
        assert hits(closed, "Blog") == 0
    assert whale.get(path, query.replace("pk=Shop", "pk="), **header).status == 403


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
def test_a_bound_token_is_limited_to_its_roots_in_a_body_too(closed: Services, kind: str) -> None:
    whale, header = Client(whale_app(closed)), token(closed, "count", "read", roots=("Shop",))
    mine, theirs = (
        ({"pk": pk} if kind.endswith("json") else f"pk={pk}") for pk in ("Shop", "Blog")
    )
    for path in ("/count", "/count_now", "/totals"):
        assert whale.post(path, mine, kind, **header).status == 200
        assert whale.post(path, theirs, kind, **header).status == 403
    assert (hits(closed), hits(closed, "Blog")) == (2, 0)


def test_a_bound_token_counts_only_its_own_events_of_a_batch(closed: Services) -> None:
    whale, header = Client(whale_app(closed)), token(closed, "count", roots=("Shop",))
    answer = whale.post(
        "/count", [{"pk": "Shop"}, {"pk": "Blog"}, {}, {"pk": ["Shop", 7]}], **header
    )
    assert (answer.status, answer.json["accepted"]) == (200, 2)
    assert [each["index"] for each in answer.json["rejected"]] == [1, 2]
    assert (hits(closed), hits(closed, "Blog"), hits(closed, "_")) == (2, 0, 0)


def test_a_bound_token_sees_its_own_roots_and_nothing_of_all(closed: Services) -> None:
    whale = Client(whale_app(closed))
    counts = token(closed, "count")
    for pk in ("Shop", "Blog"):
        whale.get("/count", f"pk={pk}", **counts)
    assert whale.get("/pks", **token(closed, "read")).json == {"pks": [["Blog"], ["Shop"]]}
    bound = token(closed, "admin", roots=("Shop",))
    assert whale.get("/pks", **bound).json == {"pks": [["Shop"]]}
    assert whale.get("/pks", "pk=Blog", **bound).status == 403
    assert whale.get("/metrics", **bound).status == 403
    assert whale.get("/flush_hail", **bound).status == 403


# While the store is unavailable


def without_tokens(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> dict[str, bytes]:
        raise StoreUnavailable("the store does not answer")

    monkeypatch.setattr(services.store.tokens, "all", away)


@pytest.mark.parametrize(("counting", "status"), [("open", 200), ("sealed", 503), ("off", 503)])
def test_while_tokens_cannot_be_looked_up_counting_goes_on_where_it_needs_none(
    make_services: MakeServices, monkeypatch: pytest.MonkeyPatch, counting: str, status: int
) -> None:
    services = make_services(counting=counting)
    without_tokens(services, monkeypatch)
    hail = Client(hail_app(services))
    header = {"authorization": "Bearer hw_00000000_" + "A" * 43}
    assert hail.get("/count", "pk=Shop", **header).status == status
    assert Client(whale_app(services)).get("/totals", **header).status == 503


def test_counting_that_is_open_never_asks_the_store_for_tokens(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_tokens(services, monkeypatch)
    assert Client(hail_app(services)).get("/count", "pk=Shop").status == 200


# Limits


def test_a_client_over_its_limit_gets_a_retry_after(make_services: MakeServices) -> None:
    services = make_services(rate_limit="3/hour")
    whale = Client(whale_app(services))
    here, there = ({"REMOTE_ADDR": address} for address in ("192.0.2.1", "192.0.2.2"))
    asked = [whale.request("GET", "/count", "pk=Shop", environ=here) for _ in range(5)]
    assert [answer.status for answer in asked] == [200, 200, 200, 429, 429]
    assert 1 <= int(asked[-1].headers["retry-after"]) <= 3600
    assert "too many" in asked[-1].error["message"]
    assert whale.request("GET", "/totals", environ=here).status == 429
    assert whale.request("GET", "/count", "pk=Shop", environ=there).status == 200
    assert whale.request("GET", "/healthz", environ=here).status == 429
    assert hits(services) == 4


def test_a_token_has_a_limit_of_its_own(make_services: MakeServices) -> None:
    limits = {"rate_limit": "1/hour", "token_rate_limit": "2/hour"}
    services = make_services(**limits, reading="token")
    whale = Client(whale_app(services))
    one, other = token(services, "count"), token(services, "count")
    assert [whale.get("/count", **one).status for _ in range(3)] == [200, 200, 429]
    assert whale.get("/count", **other).status == 200
    assert [whale.get("/count").status for _ in range(2)] == [200, 429]


def test_guessing_tokens_is_rate_limited(make_services: MakeServices) -> None:
    services = make_services(rate_limit="3/hour", admin_token=ADMIN_TOKEN)
    whale = Client(whale_app(services))
    tried = [whale.get("/reset", authorization=f"Bearer guess{n}").status for n in range(5)]
    assert tried == [403, 403, 403, 429, 429]


@pytest.mark.parametrize("path", ["/count", "/count_now"])
def test_of_a_batch_over_the_rate_of_events_the_rest_is_listed_to_be_sent_again(
    make_services: MakeServices, path: str
) -> None:
    services = make_services(event_rate_limit="3/hour")
    whale = Client(whale_app(services))
    batch = [{"pk": "Shop"}, {"pk": []}, *[{"pk": "Shop"}] * 3]
    answer = whale.post(path, batch)
    assert answer.status == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 3600
    assert (answer.json["accepted"], answer.json["unbuffered"]) == (2, [3, 4])
    assert [each["index"] for each in answer.json["rejected"]] == [1]
    assert "HAILWHALE_EVENT_RATE_LIMIT" in answer.json["error"]["message"]
    assert hits(services) == 2


@pytest.mark.parametrize("path", ["/count", "/count.gif", "/count_now", "/tracker"])
def test_a_single_event_over_the_rate_of_cells_is_429_and_not_counted(
    make_services: MakeServices, path: str
) -> None:
    services = make_services(cell_rate_limit="20/hour")
    whale = Client(whale_app(services))
    statuses = [whale.get(path, "pk=Shop&dimensions=a&uid=u").status for _ in range(4)]
    assert statuses == [200, 429, 429, 429]
    assert hits(services) == 1


def test_exposures_are_limited_with_their_pairs(make_services: MakeServices) -> None:
    whale = Client(whale_app(make_services(cell_rate_limit="30/hour")))
    asked = "pk=Page&option=b&metrics=sold"
    assert [whale.get("/count_decision", asked).status for _ in range(3)] == [200, 429, 429]


# Bots


@named(COUNTING)
def test_a_bot_is_ignored_if_configured(make_services: MakeServices, path: str, query: str) -> None:
    services = make_services(skip_bots=True)
    whale = Client(whale_app(services))
    answer = whale.get(path, query, user_agent=GOOGLEBOT)
    assert answer.status == 200
    assert answer.body[:3] == b"GIF" if path.endswith(".gif") else b"bot" in answer.body
    assert hits(services) == 0
    assert whale.get(path, query, user_agent=FIREFOX).status == 200
    assert hits(services) == 1


def test_a_bot_gets_a_decision_that_nobody_counts(make_services: MakeServices) -> None:
    services = make_services(skip_bots=True)
    whale = Client(whale_app(services))
    asked = "pk=Shop&options=['a','b']&by_metric=x"
    assert whale.get("/decide", asked, user_agent=GOOGLEBOT).json["option"] in ("a", "b")
    assert hits(services, metric=DECIDED) == 0
    assert whale.get("/decide", asked, user_agent=FIREFOX).status == 200
    assert hits(services, metric=DECIDED) == 1


def test_a_bot_counts_where_nothing_else_was_said_and_where_it_shows_a_token(
    make_services: MakeServices,
) -> None:
    services = make_services()
    Client(whale_app(services)).get("/count", "pk=Shop", user_agent=GOOGLEBOT)
    assert hits(services) == 1
    careful = make_services(skip_bots=True)
    header = token(careful, "count")
    Client(whale_app(careful)).get("/count", "pk=Shop", user_agent="python-requests/2", **header)
    assert hits(careful) == 2


# What the operator sees


def refused(services: Services) -> Iterator[tuple[str, int]]:
    services.tallies.flush()
    yield from sorted(services.store.request_stats.refused().items())


def test_every_refusal_is_counted_by_its_reason(make_services: MakeServices) -> None:
    services = make_services(counting="off", reading="token", rate_limit="4/hour", skip_bots=True)
    whale = Client(whale_app(services))
    whale.get("/count")
    whale.get("/totals")
    whale.get("/totals", **token(services, "count"))
    whale.get("/count", "pk=Blog", **token(services, "count", roots=("Shop",)))
    for _ in range(3):
        whale.get("/totals")
    assert dict(refused(services)) == {"token": 6, "rate": 1}


# Headers


@pytest.mark.parametrize("path", ["/totals", "/plotpoints?format=csv", "/count", "/count.gif"])
def test_what_is_answered_is_taken_for_what_it_is(whale: Client, path: str) -> None:
    path, _, query = path.partition("?")
    assert whale.get(path, query).headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("origins", "policy"),
    [
        ((), "'none'"),
        (("https://a.example", "https://b.example"), "https://a.example https://b.example"),
    ],
)
def test_pages_are_shown_in_frames_of_the_sites_that_are_named(
    make_services: MakeServices, origins: tuple[str, ...], policy: str
) -> None:
    whale = Client(whale_app(make_services(frame_origins=origins)))
    answer = whale.get("/", accept="text/html")
    assert answer.headers["content-security-policy"].endswith(f"frame-ancestors {policy}")
    assert answer.headers["referrer-policy"] == "no-referrer"


CORS = (
    *("/totals", "/plotpoints", "/rank", "/decide", "/reasons", "/graph.json", "/count"),
    *("/subdimensions", "/pks", "/known"),
)


@pytest.mark.parametrize("path", CORS)
def test_a_site_that_is_named_may_read_answers_and_refusals(
    make_services: MakeServices, path: str
) -> None:
    site, other = "https://shop.example", "https://evil.example"
    services = make_services(cors_origins=(site,), counting="off", reading="token")
    whale = Client(whale_app(services))
    assert whale.get(path, origin=site).headers["access-control-allow-origin"] == site
    assert "access-control-allow-origin" not in whale.get(path, origin=other).headers
    flight = {"origin": site, "access_control_request_method": "GET"}
    preflight = whale.request("OPTIONS", path, headers=flight)
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-origin"] == site
    assert "Authorization" in preflight.headers["access-control-allow-headers"]


def test_no_site_may_read_what_operates(make_services: MakeServices) -> None:
    whale = Client(whale_app(make_services(cors_origins=("*",))))
    for path, _ in OPERATING:
        answer = whale.get(path, origin="https://shop.example", sec_fetch_site="cross-site")
        assert answer.status == 403
        assert "access-control-allow-origin" not in answer.headers


def test_the_pixel_has_a_route_of_its_own_in_the_table() -> None:
    assert ROUTE_CLASSES[PIXEL] is RouteClass.COUNT
