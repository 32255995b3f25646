"""What the stored stores count: events and rows, the same at every run.

Owns the values only. How they are sent is `write_store`'s, what is asked of them `questions`'.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

CLOCK_S = 1_773_576_630  # Sunday 2026-03-15 08:10:30 in New York, a week after its clocks changed
MAX_CHILDREN = 300
WIDE = 260  # children: enough that a store keeps a view of them, few enough to be let in

Event = dict[str, Any]

HOUR_S = 3_600
DAY_S = 86_400


def shop() -> list[Event]:
    """Sales of 40 days and of the last 90 minutes, fractions and negative amounts among them."""
    countries, devices = ("US", "CA", "Österreich"), ("Mac OS X", "日本", "a/b,c:d")
    found = []
    for n in range(300):
        ago_s = n * 14_437 if n < 240 else (n - 240) * 97
        found.append(
            {
                "pk": ["Shop", f"p{n % 7}"],
                "dimensions": {"country": countries[n % 3], "device": {devices[n % 2]: n % 5}},
                "metrics": {"revenue": f"{n % 11}.{n % 100:02}", "sales": 1, "returned": -(n % 4)},
                "at": CLOCK_S - ago_s,
            }
        )
    return found


def exact() -> list[Event]:
    """Amounts that no float holds, and a sum that floats get wrong."""
    amounts = ["12345678901234567.25", *["0.1"] * 10, "-0.30"]
    return [{"pk": "Exact", "metrics": {"amount": each}, "at": CLOCK_S - 60} for each in amounts]


def wide() -> list[Event]:
    """Many children of a dimension and of a pk, on several days."""
    return [
        {
            "pk": ["Wide", f"item{n}"],
            "dimensions": {"sku": f"s{n}"},
            "metrics": {"hits": n % 17 + 1, "paid": f"{n % 13}.5"},
            "at": CLOCK_S - n % 3 * 5 * DAY_S,
        }
        for n in range(WIDE)
    ]


def narrow() -> list[Event]:
    """More labels than there is room for: the last ones count under _other."""
    return [
        {"pk": "Narrow", "dimension": {"tag": f"t{n}"}, "at": CLOCK_S - DAY_S}
        for n in range(MAX_CHILDREN + 7)
    ]


def visits() -> list[Event]:
    """Visitors by uid, some of whom come on two days."""
    return [
        {"pk": "Site", "dimension": {"page": f"/{n % 4}"}, "uid": f"u{n % 37}", "at": at_s}
        for n in range(60)
        for at_s in [CLOCK_S - n % 3 * DAY_S - n]
    ]


def orders(first: int, last: int) -> list[Event]:
    """Events with idempotency ids."""
    return [
        {"pk": "Order", "metric": {"paid": n}, "id": f"order-{n}", "at": CLOCK_S - n}
        for n in range(first, last)
    ]


def timings() -> list[Event]:
    """Values in buckets of a histogram, as StatsD's timings are counted."""
    return [
        {
            "pk": ["Web", "api"],
            "metrics": {f"latency~p{24 + n % 30}": 1, "latency_sum": n, "latency_count": 1},
            "dimension": {"route": f"/{n % 3}"},
            "at": CLOCK_S - n * 60,
        }
        for n in range(90)
    ]


def planned() -> list[Event]:
    """Events whose increments fill several chunks of a plan."""
    return [
        {
            "pk": "Planned",
            "dimension": {"n": n % 150},
            "metrics": {"amount": f"{n}.01"},
            "at": CLOCK_S - n // 150 * HOUR_S,
        }
        for n in range(600)
    ]


def buffered() -> list[Event]:
    """Events that are left in the buffer."""
    return [
        *({**each, "at": CLOCK_S - 30} for each in shop()[:20]),
        {"pk": "Late", "dimension": {"only": "buffered"}, "metrics": {"n": "0.25"}},
        *({"pk": "Site", "dimension": {"page": "/late"}, "uid": f"late{n}"} for n in range(5)),
        *orders(6, 8),
    ]


def spooled() -> list[Event]:
    """Events sent while the store is unavailable."""
    return [
        *({**each, "at": CLOCK_S - 20} for each in shop()[20:30]),
        {"pk": "Spooled", "dimension": {"on": "disk"}, "metrics": {"n": 3}, "id": "spooled-1"},
        {"pk": "Spooled", "dimension": {"on": "disk"}, "metrics": {"n": 3}, "id": "spooled-1"},
    ]


def exposures() -> list[Event]:
    """Exposures and results of a decision that b wins."""
    found = []
    for n in range(240):
        option, country = "abc"[n % 3], ("US", "CA")[n % 2]
        common = {"pk": "Page", "option": option, "dimensions": {"country": country}}
        earned = n % 5 + (4 if option == "b" else 0)
        found.append({**common, "metrics": {"spent": 2}, "at": CLOCK_S - n * 600})
        found.append({**common, "metrics": {"hits": 0, "earned": earned}, "at": CLOCK_S - n * 600})
    return found


def import_rows() -> Iterator[str]:
    """Lines of a file to be imported: two blocks, rows with ids and rows that are wrong."""
    for n in range(5_400):
        row: Event = {
            "pk": [f"Imported{n % 3}", f"k{n % 4}"],
            "dimensions": {"c": f"v{n % 5}"},
            "metrics": {"n": 1, "paid": f"{n % 7}.5"},
            "at": CLOCK_S - 2 * DAY_S - n % 900,
        }
        if n % 500 == 17:
            row["id"] = f"row-{n}"
        if n % 1_000 == 3:
            row["metrics"] = {"n": "many"}
        yield json.dumps(row) + "\n"


def log_lines(first: int, last: int) -> str:
    """Lines of a log that is followed."""
    return "".join(
        json.dumps(
            {"pk": ["Tailed", f"l{n % 3}"], "metrics": {"bytes": n}, "at": CLOCK_S - 1_000 + n}
        )
        + "\n"
        for n in range(first, last)
    )


def lines(events: list[Event]) -> str:
    """Events as NDJSON."""
    return "".join(json.dumps(event) + "\n" for event in events)
