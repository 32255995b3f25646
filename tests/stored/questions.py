"""What is asked of a stored store, and what is done to it next, as steps of `steps`.

Each phase is performed by a process of its own, so each opens the store again. `look` says how an
answer of a later commit is compared with the recorded one. The default is exactly. "part" allows
more fields, "code" or "status" other words, and "option" is for a decision.
"""

from __future__ import annotations

from typing import Any

from tests.stored.events import (
    CLOCK_S,
    HOUR_S,
    exposures,
    lines,
    log_lines,
    narrow,
    orders,
    shop,
    wide,
)

Step = dict[str, Any]

RULES = """
every = "1m"
[[alert]]
name = "many"
pk = "Watched"
period = "all"
above = 2
webhook = "http://hooks.example.com/hailwhale"
"""
IMPORT = ["import", "rows.ndjson.gz"]
TAIL = ["tail", "/proc/self/cwd/access.log", "--format", "ndjson", "--once"]  # the same everywhere
ALERTS = ["alerts", "rules.toml", "--once"]

_PERIODS = ["1m:1h", "10m:1d", "1h:1d", "1d:1mo", "1mo:1y", "all", "today", "yesterday", "wtd"]


def get(path: str, look: str = "", **query: object) -> Step:
    """A GET; a keyword `of` is the parameter `of`."""
    step: Step = {"get": path, "query": query}
    return {**step, "look": look} if look else step


def _totals(pk: object, *metrics: str, dimensions: object = "_") -> Step:
    fields = {"pk": pk, "metrics": metrics, "dimensions": dimensions, "periods": _PERIODS}
    return {"get": "/totals", "query": fields}


def questions() -> list[Step]:
    """All that is asked, again and again."""
    paths = [["_"], ["country", "US"], ["device", "日本", "3"]]
    return [
        get("/pks"),
        get("/pks", pk="Shop"),
        get("/known", look="part", pk="Shop"),
        get("/subdimensions", pk="Shop", depth=3),
        _totals("Shop", "hits", "revenue", "sales", "returned", "revenue/sales", dimensions=paths),
        _totals(["Shop", "p1"], "revenue"),
        _totals("Exact", "amount"),
        _totals("Wide", "hits", "paid"),
        _totals("Narrow", "hits", dimensions=[["_"], ["tag", "t3"], ["tag", "_other"]]),
        _totals("Order", "hits", "paid"),
        _totals("Queue", "jobs"),
        _totals("Signup", "hits", "dollars"),
        _totals("Watched", "hits"),
        _totals("Late", "n"),
        _totals("Spooled", "hits", "n"),
        _totals("Planned", "hits", "amount", dimensions=[["_"], ["n", "7"], ["n", "149"]]),
        *(_totals(f"Imported{n}", "hits", "n", "paid") for n in range(3)),
        _totals("Tailed", "hits", "bytes"),
        _totals("Page", "hits", "spent", "earned", dimensions=[["_"], ["country", "US"]]),
        _totals(["Page", "b"], "hits", "earned/spent"),
        get("/totals", pk="Site", metrics=["hits", "uniques"], periods=["1d:1mo", "all", "today"]),
        get("/totals", pk="Site", metric="uniques", period="all", dimension="page"),
        get("/totals", pk="Shop", metric="revenue", period="1d:1w", tz="Europe/Berlin"),
        get("/plotpoints", pk="Shop", metrics=["revenue", "hits"], period="1d:1mo", depth=1),
        get("/plotpoints", pk="Shop", metric="revenue", period="1h:1d", dimension="country"),
        get("/plotpoints", pk="Shop", metric="sales", period="10m:6h"),
        get("/plotpoints", pk="Shop", metric="sales", period="1m:1h"),
        get("/plotpoints", pk="Wide", metric="paid", period="1d:1mo", dimension="sku", depth=1)
        | {"look": "exact"},
        get("/rank", look="part", pk="Wide", metric="paid", period="1d:1mo", dimension="sku"),
        get("/rank", look="part", pk="Wide", metric="paid/hits", period="1d:1mo", of="pks"),
        get("/rank", look="part", pk="Shop", metric="revenue", period="1d:1mo", depth="all"),
        get("/quantiles", pk=["Web", "api"], metric="latency", period="all", dimension="route"),
        get("/spy", look="part", pk="Shop", limit=7),
        get("/spy", look="part", pk="Site", uid="u3"),
        get("/reasons", look="part", **_decision(), dimensions={"country": "US"}),
        {"run": ["dead-letters", "list", "--json"]},
        {"run": ["tokens", "list"], "look": "names"},
    ]


def _decision() -> dict[str, object]:
    return {"pk": "Page", "options": ["a", "b", "c"], "by_metric": "earned/spent"}


def decide(uid: str, **more: object) -> Step:
    """A decision for a visitor, who is given the same option as long as it is offered."""
    fields = {**_decision(), "dimensions": {"country": "CA"}, "uid": uid, **more}
    return get("/decide", look="option", **fields)


def flush(spool: bool = True) -> list[Step]:
    """Count all that waits, in the spool of this machine, too."""
    waiting: list[Step] = [{"unspool": "{data}/spool"}] if spool else []
    return [*waiting, {"post": "/flush_hail", "body": {}, "look": "status"}]


def _post(path: str, events: list[Any], app: str = "whale") -> Step:
    return {"post": path, "body": lines(events), "app": app, "look": "part"}


def again(pixel: str, token: str) -> list[Step]:
    """What is done once more, and counts only what is new."""
    shop_only = {"token": token, "look": "status"} if token else {"look": "skip"}
    return [
        _post("/count", orders(0, 10)),  # 0 to 7 were counted before, two of them after a drain
        _post("/count", [{"pk": "Spooled", "metrics": {"n": 3}, "id": "spooled-1"}]),
        {"run": IMPORT, "look": "code"},
        {"run": IMPORT, "look": "code"},
        {"append": "access.log", "text": log_lines(30, 35)},
        {"run": TAIL, "look": "code"},
        {"run": TAIL, "look": "code"},
        {"get": pixel, "look": "status"} if pixel else {"look": "skip"},
        {"get": "/totals", "query": {"pk": "Shop"}, **shop_only},
        {"get": "/totals", "query": {"pk": "Site"}, **shop_only},
        {"post": "/update_count_to", "body": {"pk": "Queue", "metrics": {"jobs": 9.5}}},
        *(decide(f"v{n}") for n in range(6)),
        _post("/count_decision", exposures()[:10]),
        _post("/count", shop()[:50], "hail"),
        _post("/count", [*wide()[:90], {"pk": ["Wide", "new"], "dimension": {"sku": "new"}}]),
        _post("/count", [*narrow()[-3:], {"pk": "Narrow", "dimension": {"tag": "t3"}}], "hail"),
        {"run": ALERTS, "look": "code"},
        *flush(),
        *questions(),
    ]


def phases(pixel: str, token: str) -> list[dict[str, Any]]:
    """Names, clocks and steps of what becomes of a store after it was left."""
    waiting = get("/healthz", look="part")
    over: list[Step] = [{"post": "/count", "body": {"pk": "Watched", "metrics": {"hits": -9}}}]
    return [
        {"name": "left", "clock_s": CLOCK_S, "steps": questions()},
        {"name": "drained", "clock_s": CLOCK_S, "steps": [*flush(), *questions(), waiting]},
        {"name": "again", "clock_s": CLOCK_S + 60, "steps": again(pixel, token)},
        {"name": "over", "clock_s": CLOCK_S + HOUR_S, "steps": [*over, {"run": ALERTS}]},
    ]
