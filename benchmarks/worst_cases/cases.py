"""The requests: for each route the kinds that cost most, with what makes them larger.

A kind has a size, such as the number of metrics; the largest that is let in is measured.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

from benchmarks.worst_cases.heavy_store import DIMENSIONS, HOURS, METRICS, PATHS
from benchmarks.worst_cases.measured import Case, Request
from hailwhale.core.decisions.parameters import MAX_OPTIONS
from hailwhale.core.query.parameters import MAX_SHARES, MAX_SPY_LIMIT
from hailwhale.settings import Settings

_ALL = ",".join(f"m{number}" for number in range(METRICS))
_PATHS = [["path", f"p{place}"] for place in range(PATHS)]
_TOWNS = {"dimensions": ["town"], "depth": 1, "limit": 0, "threshold": 0}
_SEEN = {"pk": "Seen", "dimensions": _PATHS, "metrics": "uniques"}
_LONG = 300  # operations: as many as a formula of 1,000 characters has


def _get(path: str, fields: Mapping[str, object]) -> Request:
    """Return a GET, or a POST of what makes too long a URL."""
    texts = {
        name: value if isinstance(value, str | int) else json.dumps(value)
        for name, value in fields.items()
    }
    query = urlencode(texts)
    if len(query) > 4_000:
        return Request(path, json.dumps(dict(fields)).encode())
    return Request(f"{path}?{query}")


def _metrics(count: int) -> str:
    """Return so many metrics, of which 16 were counted: the rest are formulas of them."""
    names = [f"m{number % METRICS}" for number in range(count)]
    return ",".join(
        name if place < METRICS else f"{name}*{place}/hits" for place, name in enumerate(names)
    )


def _long(count: int) -> list[str]:
    return [f"{place}" + "+m1*m2" * (_LONG // 4) for place in range(1, count + 1)]


def _hours(count: int) -> str:
    return f"1h:{count}h"


def _plots(route: str, more: Mapping[str, object]) -> Iterator[Case]:
    """Yield the kinds of the routes that answer series."""
    for pk in ("Big", "Plain"):
        yield Case(
            route,
            f"10,000 children of {pk}, limit=0, {{size}} metrics, all time",
            lambda size, pk=pk: _get(  # type: ignore[misc]
                route, {"pk": pk, **_TOWNS, "period": "all", "metrics": _metrics(size), **more}
            ),
            64,
        )
    yield Case(
        route,
        "10,000 children, limit={size}, 30 days",
        lambda size: _get(
            route, {"pk": "Plain", **_TOWNS, "limit": size, "period": "1d:30d", **more}
        ),
        10_000,
    )
    yield Case(
        route,
        "32 dense series, 16 metrics, {size} hours",
        lambda size: _get(
            route,
            {"pk": "Dense", "dimensions": _PATHS, "metrics": _ALL, "period": _hours(size), **more},
        ),
        HOURS,
    )
    yield Case(
        route,
        f"{HOURS} hours, {{size}} formulas of 300 operations",
        lambda size: _get(
            route, {"pk": "Dense", "metrics": _long(size), "period": _hours(HOURS), **more}
        ),
        64,
    )
    yield Case(
        route,
        "visitors of 32 series, {size} days",
        lambda size: _get(
            route,
            {
                "pk": "Seen",
                "dimensions": _PATHS,
                "metrics": "uniques",
                "period": f"1d:{size}d",
                **more,
            },
        ),
        89,
    )


def _ranks() -> Iterator[Case]:
    route = "/rank"
    for pk in ("Big", "Plain"):
        yield Case(
            route,
            f"10,000 children of {pk}, limit=0, {{size}} metrics, all time",
            lambda size, pk=pk: _get(  # type: ignore[misc]
                route,
                {
                    "pk": pk,
                    "dimensions": ["town"],
                    "limit": 0,
                    "period": "all",
                    "metrics": _metrics(size),
                    "by": "importance",
                },
            ),
            64,
        )
        yield Case(
            route,
            f"10,000 children of {pk}, {{size}} months",
            lambda size, pk=pk: _get(  # type: ignore[misc]
                route, {"pk": pk, "dimensions": ["town"], "period": f"1mo:{size}mo"}
            ),
            36,
        )
    yield Case(
        route,
        "20,000 grandchildren, {size} hours",
        lambda size: _get(route, {"pk": "Wide", "depth": 2, "period": _hours(size)}),
        HOURS,
    )
    yield Case(
        route,
        "100,000 root pks, {size} metrics",
        lambda size: _get(
            route,
            {"pk": "Wide", "of": "pks", "depth": 2, "period": "all", "metrics": _metrics(size)},
        ),
        16,
    )


def _decisions() -> Iterator[Case]:
    visitor = {f"d{place}": "v1" for place in range(DIMENSIONS)}
    page = {"pk": "Page", "options": ["o0", "o1"], "dimensions": visitor}
    for route in ("/decide", "/reasons"):
        yield Case(
            route,
            "first fit of 2 of 20 options, 480 dimension values",
            lambda _, route=route: _get(route, {**page, "by_metric": f"earned*{len(route)}/hits"}),  # type: ignore[misc]
        )
        yield Case(
            route,
            "first fit of 20 options, 480 dimension values",
            lambda _, route=route: _get(  # type: ignore[misc]
                route,
                {
                    **page,
                    "options": [f"o{place}" for place in range(20)],
                    "by_metric": f"earned*{1 + len(route)}/hits",
                },
            ),
        )
        yield Case(
            route,
            f"{MAX_OPTIONS} of 10,000 options",
            lambda _, route=route: _get(  # type: ignore[misc]
                route, {"pk": "Crowd", "by_metric": f"earned*{2 + len(route)}/hits"}
            ),
        )
    yield Case(
        "/decide",
        "{size} slots, logged, with a uid",
        lambda size: _get(
            "/decide",
            {"pk": "Crowd", "by_metric": "earned", "slots": size, "log": 1, "uid": "visitor"},
        ),
        MAX_OPTIONS,
    )


def _lists() -> Iterator[Case]:
    yield Case("/pks", "100,000 root pks", lambda _: Request("/pks"))
    yield Case("/known", "10,000 dimensions", lambda _: _get("/known", {"pk": "Page"}))
    yield Case(
        "/subdimensions",
        "20,000 grandchildren",
        lambda _: _get("/subdimensions", {"pk": "Wide", "depth": 8}),
    )
    yield Case(
        "/metrics/find", "{size} branches", lambda _: _get("/metrics/find", {"query": "Big.by.*.*"})
    )
    yield Case(
        "/spy",
        "{size} events of 64 KB",
        lambda size: _get("/spy", {"pk": "Spied", "limit": size}),
        MAX_SPY_LIMIT,
    )
    yield Case("/metrics", "all", lambda _: Request("/metrics"))


def _quantiles() -> Iterator[Case]:
    timings = ",".join(f"t{number}" for number in range(8))
    yield Case(
        "/quantiles",
        f"8 histograms, 32 series, {{size}} of {MAX_SHARES} shares",
        lambda size: _get(
            "/quantiles",
            {
                "pk": "Timed",
                "dimensions": _PATHS,
                "metrics": timings,
                "period": "all",
                "shares": ",".join(f"{(place + 1) / 101:.4f}" for place in range(size)),
            },
        ),
        MAX_SHARES,
    )


def _totals() -> Iterator[Case]:
    yield Case(
        "/totals",
        "32 dense series, 16 metrics, {size} periods of 33 days by hour",
        lambda size: _get(
            "/totals",
            {
                "pk": "Dense",
                "dimensions": _PATHS,
                "metrics": _ALL,
                "period": ",".join(_hours(HOURS - place) for place in range(size)),
            },
        ),
        32,
    )
    yield Case(
        "/totals",
        "32 dense series, {size} formulas of 300 operations",
        lambda size: _get(
            "/totals",
            {"pk": "Dense", "dimensions": _PATHS, "metrics": _long(size), "period": _hours(24)},
        ),
        64,
    )


def _renders() -> Iterator[Case]:
    def render(targets: list[str], more: str = "") -> Request:
        query = urlencode([("target", target) for target in targets])
        return Request(f"/render?{query}&from=-33d{more}")

    for form in ("json", "csv", "raw"):
        yield Case(
            "/render",
            f"{{size}} metrics of 32 dense series, 33 days by hour, {form}",
            lambda size, form=form: render(  # type: ignore[misc]
                [f"Dense.by.path.*.m{number % METRICS}" for number in range(size)],
                f"&format={form}",
            ),
            64,
        )
    yield Case(
        "/render",
        "{size} targets of 14 nested functions",
        lambda size: render([f"{'scale(' * 14}sumSeries(Dense.by.path.*.m1){',2)' * 14}"] * size),
        90,
    )


def _counts() -> Iterator[Case]:
    settings = Settings()
    paths = [[f"d{place}", "a", "b", "c"] for place in range(settings.max_paths)]
    event = {
        "pk": ["Counted", "a", "b"],
        "dimensions": paths,
        "metrics": {f"m{place}": 1.5 for place in range(settings.max_metrics)},
    }
    for route in ("/count", "/count_now"):
        yield Case(route, "GET, 32 paths x 32 metrics", lambda _, route=route: _get(route, event))  # type: ignore[misc]
        yield Case(
            route,
            "JSON array of {size} events of 32 paths x 32 metrics",
            lambda size, route=route: Request(route, json.dumps([event] * size).encode()),  # type: ignore[misc]
            settings.max_batch_events,
        )
        yield Case(
            route,
            "{size} lines of small events",
            lambda size, route=route: Request(  # type: ignore[misc]
                route,
                b"\n".join(b'{"pk": "a%d"}' % (place % 100) for place in range(size)),
                "application/x-ndjson",
            ),
            settings.max_batch_events,
        )
    yield Case("/tracker", "32 paths x 32 metrics", lambda _: _get("/tracker", event))


CASES = (
    *_totals(),
    *_quantiles(),
    *_plots("/plotpoints", {}),
    *_plots("/plotpoints", {"format": "csv"}),
    *_plots("/graph.json", {}),
    *_plots("/graph.svg", {"view": "stacked"}),
    *_plots("/prometheus", {}),
    *_ranks(),
    *_renders(),
    *_decisions(),
    *_lists(),
    *_counts(),
)
