"""Tokens and seals: each opens what it is for, for whom it is for, and once where that was said.

`tests/services/security/test_sealed_tokens.py` and `tests/web/routes/test_sealed.py` test the
content of seals and the error for each kind of broken seal. `tests/web/plugins/test_auth.py` tests
tokens one by one.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import bottle
import pytest

from hailwhale.core.events.limits import DEFAULT_LIMITS
from hailwhale.services.container import Services
from hailwhale.services.security.bearer_tokens import Scope
from hailwhale.web.apps import hail_app, whale_app
from tests.attacks.hostile import KEY
from tests.conftest import NOW_S
from tests.web.client import Answer, Client
from tests.web.queries import total

MakeServices = Callable[..., Services]

ADMIN_TOKEN = "correct-horse"  # noqa: S105 - of this test alone
SCOPES: list[tuple[str, ...]] = [(), ("count",), ("read",), ("count", "read"), ("admin",)]
# The scope of each route, repeated here on purpose: a route that is missing here fails.
PUBLIC: frozenset[str] = frozenset()
COUNT, READ, ADMIN = (frozenset({word}) for word in ("count", "read", "admin"))
FOR = {
    **dict.fromkeys(("/count", "/count.gif", "/count_now", "/count_now.gif", "/tracker"), COUNT),
    **dict.fromkeys(("/count_decision", "/count_decision.gif", "/pixel/<token>.gif"), COUNT),
    **dict.fromkeys(
        ("/totals", "/quantiles", "/plotpoints", "/rank", "/subdimensions", "/pks"), READ
    ),
    **dict.fromkeys(("/known", "/graph.json", "/graph.svg", "/reasons", "/spy"), READ),
    **dict.fromkeys(("/metrics", "/prometheus", "/functions", "/version", "/tags"), READ),
    **dict.fromkeys(("/render", "/render/", "/metrics/find", "/metrics/find/"), READ),
    **dict.fromkeys(("/metrics/expand", "/tags/autoComplete/tags"), READ),
    "/tags/autoComplete/values": READ,
    "/decide": COUNT | READ,
    **dict.fromkeys(("/update_count_to", "/flush_hail", "/reset"), ADMIN),
    **dict.fromkeys(("/", "/demo", "/graph.js", "/healthz", "/readyz", "/openapi.json"), PUBLIC),
    **dict.fromkeys(("/static/<name:path>", "/static/vendor/<name>"), PUBLIC),
    **dict.fromkeys(("/static/jquery.hailwhale.js", "/hailwhale.beacon.js"), PUBLIC),
}
NOT_SHOP: list[object] = [
    *("Blog", "shop", "Shop ", " Shop", "Ｓhop", "Shop\u0301", "Shop\u200b", '["Shop"'),
    *(["Blog", "Shop"], [["Shop"]], {"Shop": 1}, None, "", "_", True),
]
PLACES = {"<token>": "x", "<name:path>": "dashboard.html", "<name>": "jquery.js"}


def routes(app: bottle.Bottle) -> list[tuple[str, str]]:
    """Every route that an app declares, with its method."""
    found = {(route.rule, route.method) for route in app.routes if route.method != "OPTIONS"}
    return sorted(found)


def path_of(rule: str) -> str:
    for placeholder, value in PLACES.items():
        rule = rule.replace(placeholder, value)
    return rule


def header(services: Services, *scopes: str, roots: tuple[str, ...] = ()) -> dict[str, Any]:
    if not scopes:
        return {}
    name = f"{'-'.join(scopes)}:{len(services.store.tokens.all())}"
    made = services.tokens.add(name, [Scope(each) for each in scopes], roots, DEFAULT_LIMITS, NOW_S)
    services.tokens.known(0)
    return {"authorization": f"Bearer {made[1]}"}


@pytest.mark.parametrize("make_app", [whale_app, hail_app])
@pytest.mark.parametrize("scopes", SCOPES, ids=lambda scopes: "+".join(scopes) or "nobody")
def test_every_route_opens_to_the_scopes_it_is_for_and_to_no_others(
    make_services: MakeServices, make_app: Callable[[Services], Any], scopes: tuple[str, ...]
) -> None:
    services = make_services(counting="off", reading="token")
    app = make_app(services)
    shown = header(services, *scopes)
    for rule, method in routes(app):
        answer = Client(app).request(method, path_of(rule), headers=shown)
        may = "admin" in scopes or FOR[rule] <= set(scopes)
        let_in = answer.status not in (401, 403) or (may and "/pixel/" in rule)  # no seal: 403
        assert let_in == may, (method, rule, answer.status)
        if not may and method != "HEAD":
            assert answer.status == (403 if scopes else 401)
            needed = f"the scope{'s' * (len(FOR[rule]) > 1)} {' and '.join(sorted(FOR[rule]))}"
            assert needed in answer.error["message"]


def test_a_route_that_nobody_gave_a_scope_is_closed_and_fails_the_test_above(
    make_services: MakeServices,
) -> None:
    services = make_services(reading="token")
    app = whale_app(services)
    app.route("/new", ["GET", "POST"], lambda: bottle.HTTPResponse("", 200))
    assert ("/new", "GET") in routes(app)
    assert "/new" not in FOR
    for scopes, status in zip(SCOPES, (401, 403, 403, 403, 200), strict=True):
        assert Client(app).get("/new", **header(services, *scopes)).status == status


@pytest.mark.parametrize("path", ["/reset", "/flush_hail", "/update_count_to"])
@pytest.mark.parametrize(
    "way",
    [
        {"path": "{}/"},
        {"path": "/{}"},
        {"path": "/static/..{}"},
        {"path": "/count/..{}"},
        {"path": "{};a=b"},
        {"path": "{}%00"},
        {"path": "{}\x00"},
        {"path": "{}.gif"},
        {"headers": {"x_http_method_override": "POST"}},
        {"headers": {"x_original_url": "/count", "x_rewrite_url": "/count"}},
        {"headers": {"x_forwarded_for": "127.0.0.1", "x_real_ip": "127.0.0.1"}},
        {"headers": {"cookie": "token=%s; Authorization=Bearer %s; hwuid=%s"}},
        {"headers": {"authorization": "Basic %s"}},
        {"headers": {"authorization": "Bearer%s"}},
        {"headers": {"authorization": "Bearer %s %s"}},
        {"headers": {"proxy_authorization": "Bearer %s", "x_authorization": "Bearer %s"}},
        {"query": "token=%s&access_token=%s"},
        {"query": "authorization=Bearer%%20%s"},
    ],
    ids=str,
)
def test_there_is_no_way_around_the_header(
    make_services: MakeServices, path: str, way: dict[str, Any]
) -> None:
    """The right token in a wrong place opens nothing, nor does another name for a path."""
    services = make_services(admin_token=ADMIN_TOKEN)
    client = Client(whale_app(services))
    client.get("/count", "pk=Shop")
    told = {name: text.replace("%s", ADMIN_TOKEN) for name, text in way.get("headers", {}).items()}
    asked = way.get("query", "pk=Shop&metrics={'jobs':1}").replace("%s", ADMIN_TOKEN)
    for method in ("GET", "POST", "HEAD"):
        environ = {"PATH_INFO": way.get("path", "{}").replace("{}", path)}
        answer = client.request(method, "/", asked, b"", headers=told, environ=environ)
        assert answer.status in (401, 403, 404, 405)
    assert total(client, "Shop") == 1


@pytest.mark.parametrize("kind", ["json", "form", "query", "array"])
def test_a_bound_token_never_reaches_another_root(make_services: MakeServices, kind: str) -> None:
    services = make_services(counting="off", reading="token")
    client, shown = Client(whale_app(services)), header(services, "admin", roots=("Shop",))
    for pk, path in product(
        NOT_SHOP, ("/count", "/count_now", "/update_count_to", "/totals", "/spy")
    ):
        event = {"pk": pk, "metrics": {"jobs": 1}}
        if kind == "query":
            answer = client.get(path, {"pk": pk} if pk is not None else "", **shown)
        elif kind == "form":
            answer = client.post(path, f"pk={pk}", "application/x-www-form-urlencoded", **shown)
        else:
            many: object = [event] if kind == "array" else event
            answer = client.post(path, many, **shown)
        assert answer.status in (400, 403), (path, pk, answer.text)
    assert services.drain.flush() == 0
    assert services.store.labels.subpks(()) == set()


def test_a_seal_of_one_purpose_is_refused_for_another(make_services: MakeServices) -> None:
    services = make_services(
        admin_token=ADMIN_TOKEN, counting="sealed", reading="token", seal_keys=(KEY,)
    )
    client = Client(whale_app(services))
    tokens = {
        "pixel": services.sealing.pixel({"pk": "Shop"}),
        "graph": services.sealing.graph({"pk": "Shop"}),
        "bearer": header(services, "admin")["authorization"].removeprefix("Bearer "),
        "admin": ADMIN_TOKEN,
        "cookie": services.cookies.sign("ann"),
    }
    opens = {("pixel", "pixel"), ("graph", "graph"), ("bearer", "bearer"), ("admin", "bearer")}
    for (name, token), place in product(tokens.items(), ("pixel", "graph", "bearer")):
        asked: dict[str, Callable[[], Answer]] = {
            "pixel": lambda token=token: client.get(f"/pixel/{token}.gif"),  # type: ignore[misc]
            "graph": lambda token=token: client.get("/totals", {"token": token}),  # type: ignore[misc]
            "bearer": lambda token=token: client.get("/metrics", authorization=f"Bearer {token}"),  # type: ignore[misc]
        }
        assert (asked[place]().status == 200) == ((name, place) in opens), (name, place)
    assert client.get("/tracker", cookie=f"hwuid={tokens['bearer']}").status == 401


# Guessing by the clock


@pytest.mark.parametrize("says", [True, False])
@pytest.mark.parametrize("which", ["bearer", "admin", "cookie"])
def test_what_compares_secrets_in_constant_time_decides(
    make_services: MakeServices, monkeypatch: pytest.MonkeyPatch, which: str, *, says: bool
) -> None:
    """Were a secret compared in another way, too, what `compare_digest` says would not be all."""
    services = make_services(admin_token=ADMIN_TOKEN, reading="token")
    client = Client(whale_app(services))
    right = {
        "bearer": header(services, "read")["authorization"].removeprefix("Bearer "),
        "admin": ADMIN_TOKEN,
        "cookie": services.cookies.sign("ann"),
    }[which]
    shown = f"{right[:-3]}AAA" if says else right
    compared: list[tuple[object, object]] = []

    def compare(one: object, other: object) -> bool:
        compared.append((one, other))
        return says and (which == "admin" or not (which == "bearer" and len(compared) == 1))

    monkeypatch.setattr(hmac, "compare_digest", compare)
    if which == "cookie":
        answer = client.get("/tracker", "pk=Shop", cookie=f"hwuid={shown}")
        assert (answer.text == "ann") is says
    else:
        answer = client.get("/totals", authorization=f"Bearer {shown}")
        assert answer.status == (200 if says else 403)
    assert compared


def test_a_token_that_is_not_there_takes_a_comparison_too(
    closed: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[object] = []

    def compare(*both: object) -> bool:
        compared.append(both)
        return False

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert closed.tokens.find("hw_00000000_" + "A" * 43) is None
    assert len(compared) == 1


# Once is once


@pytest.mark.parametrize("how", ["at once", "buffered", "hail and whale"])
def test_a_pixel_for_once_loaded_by_many_threads_at_once_counts_once(
    closed: Services, owner: Client, how: str
) -> None:
    whale = Client(whale_app(closed, buffered=how != "at once"))
    hail = Client(hail_app(closed)) if how == "hail and whale" else whale
    paths = [
        f"/pixel/{closed.sealing.pixel({'pk': f'P{n}'}, slots=['uid', 'device'], once=True)}.gif"
        for n in range(4)
    ]

    def load(number: int) -> int:
        client = (whale, hail)[number % 2]
        filled = {"uid": f"u{number}", "device": f"d{number}", "_": str(number)}
        return client.get(paths[number % 4], filled).status

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(load, range(96))) == {200}
    closed.drain.flush()
    assert [total(owner, f"P{n}") for n in range(4)] == [1, 1, 1, 1]
    closed.tallies.flush()
    assert closed.store.request_stats.refused() == {"replayed": 92}


def test_a_pixel_for_once_that_comes_again_when_its_id_is_forgotten_has_expired(
    closed: Services, owner: Client, clock: Any
) -> None:
    client, path = (
        Client(whale_app(closed)),
        f"/pixel/{closed.sealing.pixel({'pk': 'P'}, once=True)}.gif",
    )
    assert client.get(path).status == 200
    for later_s in (3_600, 82_799, 82_800, 86_399, 86_401, 90 * 86_400):
        clock.now_s = NOW_S + later_s
        assert client.get(path).status == (200 if later_s < 82_800 else 403)
        assert client.get(path, "_=1").status in (200, 403)
    assert total(owner, "P") == 1
