"""What holds for every response of both apps: of all routes, and of every kind of error."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from typing import Any

import bottle
import pytest

from hailwhale.core.events.limits import DEFAULT_LIMITS
from hailwhale.errors import BadSetting, HailWhaleError, StoreUnavailable
from hailwhale.services.container import Services
from hailwhale.services.security.bearer_tokens import Scope
from hailwhale.web.apps import hail_app, whale_app
from hailwhale.web.lazy_app import LazyApp
from hailwhale.web.route_classes import ROUTE_CLASSES, RouteClass
from tests.conftest import NOW_S
from tests.web.client import JSON, Answer, Client
from tests.web.routes.test_metrics import wait

MakeServices = Callable[..., Services]
APPS = pytest.mark.parametrize("make_app", [hail_app, whale_app])
QUERIES = ("", "pk=Shop", "pk=[", "wrong=1", "pk=Shop&options=['a','b']&by_metric=x&option=a")
HIDDEN = "Error 2 connecting to unix:///run/secret.sock"


def paths(app: bottle.Bottle) -> Iterator[tuple[str, str]]:
    """Every method and path that is routed, with a name where a rule takes any."""
    for route in app.routes:
        path = route.rule.replace("<name:path>", "hailwhale.css").replace("<name>", "uPlot.min.css")
        yield route.method, path.replace("<token>", "x")


@APPS
def test_no_response_may_be_taken_for_another_type(
    make_services: MakeServices, make_app: Callable[[Services], bottle.Bottle]
) -> None:
    """With CORS, so that preflights are answered; each also asked with a method it has not."""
    app = make_app(make_services(cors_origins=("https://a.example",)))
    app.route("/fails", "GET", lambda: 1 / 0)
    client = Client(app)
    statuses: set[int] = set()
    asked = [*paths(app), ("GET", "/nothing"), ("GET", "/static/no.css"), ("GET", "/fails")]
    for method, path in asked:
        for query in QUERIES:
            for sent in {method, "PUT"}:
                answer = client.request(sent, path, query, b"" if sent == "POST" else None)
                statuses.add(answer.status)
                assert answer.headers["x-content-type-options"] == "nosniff", (sent, path, query)
    assert statuses >= {200, 204, 400, 403, 404, 405, 500}


class Failing:
    """In place of a part of the store: every call fails."""

    def __init__(self, fault: HailWhaleError) -> None:
        self._fault = fault

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def fail(*_: object, **__: object) -> Any:
            raise self._fault

        return fail


@APPS
@pytest.mark.parametrize(
    "fault",
    [
        StoreUnavailable("the store does not answer", HIDDEN),
        BadSetting(f"HAILWHALE_KEY_FILE: {HIDDEN}"),
        HailWhaleError(HIDDEN),
    ],
    ids=["store", "setting", "any"],
)
def test_no_response_tells_an_address_of_this_machine(
    make_services: MakeServices,
    make_app: Callable[[Services], bottle.Bottle],
    fault: HailWhaleError,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not even where everything is open: the log has it, and /healthz for who may read."""
    services = make_services(spool_bytes=0, reading="open")
    app = make_app(services)
    for name in ("accept", "accept_many", "count", "count_many", "take"):
        if hasattr(services.hail, name):
            monkeypatch.setattr(services.hail, name, getattr(Failing(fault), name))
    for part in ("buffers", "cells", "commits", "labels", "views", "spy"):
        if hasattr(services.store, part):
            monkeypatch.setattr(services.store, part, Failing(fault))
    client = Client(make_app(services))
    failed = 0
    for method, path in paths(app):
        answer = client.request(method, path, "pk=Shop", b"" if method == "POST" else None)
        failed += answer.status >= 500
        assert "secret" not in answer.body.decode("latin-1"), path
        assert "Error 2" not in answer.body.decode("latin-1"), path
    assert failed
    assert HIDDEN in caplog.text or any(
        HIDDEN in str(getattr(record, "shown", "")) for record in caplog.records
    )


def test_an_app_whose_store_cannot_be_opened_says_only_that(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> Services:
        raise HailWhaleError(f"cannot use the data directory: {HIDDEN}")

    monkeypatch.setattr("hailwhale.web.lazy_app.open_services", fail)
    answer = Client(LazyApp(whale_app)).get("/count", "pk=Shop")
    assert answer.status == 500
    assert "secret" not in answer.text
    assert HIDDEN in caplog.text


def bearer(services: Services, *scopes: Scope, roots: tuple[str, ...] = ()) -> dict[str, Any]:
    name = f"{len(services.store.tokens.all())}"
    made = services.tokens.add(name, scopes, roots, DEFAULT_LIMITS, NOW_S)
    services.tokens.known(0)
    return {"authorization": f"Bearer {made.text}"}


@APPS
def test_how_far_the_drain_is_behind_is_for_those_who_may_read(
    make_services: MakeServices, make_app: Callable[[Services], bottle.Bottle]
) -> None:
    services = make_services(reading="token")
    client = Client(make_app(services))
    reader = bearer(services, Scope.READ)
    assert client.get("/readyz").json == {"status": "ready"}
    assert client.get("/readyz", **bearer(services, Scope.READ, roots=("Shop",))).json == {
        "status": "ready"
    }
    assert set(client.get("/readyz", **reader).json) == {"status", "lag_s"}
    services.hail.count({"pk": "Shop"})
    wait(services, 75)
    behind = client.get("/readyz")
    assert (behind.status, behind.json["reason"]) == (
        503,
        "hits have waited too long for the drain",
    )
    assert re.search(r"waited \d+ s", client.get("/readyz", **reader).json["reason"])


ASKED = ["", "pk=", "pk=_", "pk=null", "pk=None", "pk=%22%22", "pk=[]", "pk=['_']", "pk=*"]
WILD = ["target=*.hits", "target=_.hits&target=*.*.hits", "query=*", "query=_", "query=*.*"]


NO_PK: list[object] = [None, "", "_", [], ["_"]]
BODIES: list[dict[str, object]] = [{}, *[{"pk": pk} for pk in NO_PK]]


@pytest.mark.parametrize("root", ["_", "Shop"])
def test_a_bound_token_learns_nothing_of_other_roots(
    make_services: MakeServices, root: str
) -> None:
    """Whatever way a request leaves out the pk, which means the root `_`, or all root pks."""
    services = make_services(reading="token")
    for pk in ("_", "Shop", "Secret", ["Secret", "Below"]):
        services.counting.count_now({"pk": pk, "dimensions": ["Hidden"]})
    client = Client(whale_app(services))
    mine = bearer(services, Scope.READ, Scope.COUNT, roots=(root,))
    answers: list[tuple[str, Answer]] = []
    for rule, kind in ROUTE_CLASSES.items():
        if kind is not RouteClass.READ:
            continue
        answers += [
            (f"{rule}?{query}", client.get(rule, query, **mine)) for query in (*ASKED, *WILD)
        ]
        answers += [(f"{rule} {body}", client.post(rule, body, JSON, **mine)) for body in BODIES]
    assert any(answer.status == 200 for _, answer in answers)
    for asked, answer in answers:
        assert "Secret" not in answer.text, asked
        assert "Below" not in answer.text, asked


@APPS
def test_every_route_is_limited_and_what_is_no_route_too(
    make_services: MakeServices, make_app: Callable[[Services], bottle.Bottle]
) -> None:
    """A client over its limit gets nothing but 429, wherever it asks."""
    cors = ("https://a.example",)
    app = make_app(make_services(rate_limit="1/hour", cors_origins=cors, reading="open"))
    client = Client(app)
    for number, (method, path) in enumerate([*paths(app), ("GET", "/nothing"), ("PUT", "/")]):
        environ = {"REMOTE_ADDR": f"10.0.{number // 250}.{number % 250}"}
        body = b"" if method == "POST" else None
        found = [
            client.request(method, path, "pk=Shop", body, environ=environ).status for _ in range(2)
        ]
        assert found[0] != 429, path
        if (method, found[0]) != ("HEAD", 405):
            assert found[1] == 429, (method, path)


def test_a_token_has_its_own_limit_on_public_routes(make_services: MakeServices) -> None:
    services = make_services(
        rate_limit="1/hour", reading="token", trusted_proxies=(ip_network("10.0.0.0/8"),)
    )
    client, mine = Client(whale_app(services)), bearer(services, Scope.READ)
    assert [client.get("/readyz", **mine).status for _ in range(3)] == [200] * 3
    assert [client.get("/readyz").status for _ in range(2)] == [200, 429]
