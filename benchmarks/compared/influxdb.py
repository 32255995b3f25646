"""InfluxDB: every event kept as a point, summed up when a question asks."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.compared import programs
from benchmarks.compared.programs import Program
from benchmarks.compared.system import (
    BATCH,
    MONTH_DAYS,
    YARDSTICKS,
    Running,
    Sale,
    Size,
    Traits,
    batches,
)

_CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc_port}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  wal-fsync-delay = "100ms"
  cache-snapshot-write-cold-duration = "5s"
  query-log-enabled = false
[monitor]
  store-enabled = false
[subscriber]
  enabled = false
[continuous_queries]
  enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
"""
_ESCAPES = str.maketrans({" ": r"\ ", ",": r"\,", "=": r"\="})
_MONTH = f"time > now() - {MONTH_DAYS}d"


class InfluxDB:
    """The server of the Debian package."""

    name = "InfluxDB"
    traits = Traits(
        retention="yes, by database",
        rollups="none by itself; continuous queries",
        dimensions="tags, flat; grouped when asked",
        ratios="yes, in the query",
        exact="integers yes; floats round",
        ids="same tags and nanosecond: overwrites",
        survives="yes, once written (WAL)",
    )
    mapping = (
        "one point an event: product, country, device are tags, metrics fields (hits and sales "
        "integers); the time has nanoseconds of its own, else equal points would overwrite"
    )
    configured = (
        f"line protocol in batches of {BATCH:,}, one request at a time; wal-fsync-delay 100ms, "
        "logs of writes and queries off, the rest default"
    )

    def missing(self) -> str | None:
        return None if _program() else "apt-get install influxdb"

    def version(self) -> str:
        said = subprocess.run([_program(), "version"], capture_output=True, text=True, check=True)
        return said.stdout.split(" (")[0].strip()

    @contextmanager
    def running(self, folder: Path) -> Iterator[Running]:
        port = programs.free_port()
        config = folder / "influxdb.conf"
        config.write_text(_CONFIG.format(folder=folder, port=port, rpc_port=programs.free_port()))
        command = [_program(), "-config", str(config)]
        with Program(command, folder / "log", port) as program:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
            with closing(connection):
                server = _Server(program, connection, folder)
                server.ask("CREATE DATABASE shop", post=True)
                yield server


class _Server:
    def __init__(
        self, program: Program, connection: http.client.HTTPConnection, folder: Path
    ) -> None:
        self._program = program
        self._connection = connection
        self._folder = folder

    def sending(self, sales: Sequence[Sale]) -> Callable[[], None]:
        bodies = ["\n".join(map(_line, some)).encode() for some in batches(sales)]

        def send() -> None:
            for body in bodies:
                self._request("POST", "/write?db=shop&precision=ns", body)

        return send

    def total(self, product: str | None, metric: str) -> Decimal:
        rows = self._select(f'sum("{metric}")', "shop", _of(product, _MONTH))
        return Decimal(str(rows[0][1])) if rows else Decimal(0)

    def by_day(self, product: str, metric: str) -> Sequence[float]:
        return self._series(product, metric, _MONTH, "1d")

    def by_minute(self, product: str, metric: str) -> Sequence[float]:
        return self._series(product, metric, "time > now() - 1h", "1m")

    def top(self, metric: str, count: int) -> Sequence[str]:
        sums = f'(SELECT sum("{metric}") AS "sum" FROM shop WHERE {_MONTH} GROUP BY product)'  # noqa: S608
        rows = self._select(f'top("sum", "product", {count})', sums)
        best = sorted(rows, key=lambda row: float(str(row[1])), reverse=True)
        return [str(row[2]) for row in best]

    def size(self) -> Size:
        return Size(programs.memory_bytes([self._program.pid]), programs.disk_bytes(self._folder))

    def kill(self) -> None:
        self._program.kill()
        self._connection.close()
        self._program.start()

    def aside(self) -> str:
        return ""

    def ask(self, query: str, post: bool = False) -> list[list[object]]:
        """The rows of the first series that a query answers."""
        path = "/query?" + urlencode({"db": "shop", "q": query})
        answer = json.loads(self._request("POST" if post else "GET", path))["results"][0]
        if "error" in answer:
            raise RuntimeError(f"{query}: {answer['error']}")
        series = answer.get("series")
        rows: list[list[object]] = series[0]["values"] if series else []
        return rows

    def _series(self, product: str, metric: str, when: str, width: str) -> Sequence[float]:
        rest = f"{_of(product, when)} GROUP BY time({width}) fill(0)"
        return [float(str(row[1])) for row in self._select(f'sum("{metric}")', "shop", rest)]

    def _select(self, what: str, source: str, rest: str = "") -> list[list[object]]:
        return self.ask(f"SELECT {what} FROM {source} {rest}")  # noqa: S608 - all of it is ours

    def _request(self, method: str, path: str, body: bytes = b"") -> bytes:
        self._connection.request(method, path, body)
        response = self._connection.getresponse()
        answer = response.read()
        if response.status not in (http.client.OK, http.client.NO_CONTENT):
            raise RuntimeError(f"{path}: {response.status} {answer[:300]!r}")
        return answer


def _of(product: str | None, when: str) -> str:
    return f"WHERE {when}" + (f" AND product = '{product}'" if product is not None else "")


def _line(sale: Sale) -> str:
    device = sale.device.translate(_ESCAPES)
    return (
        f"shop,product={sale.product},country={sale.country},device={device} "
        f"hits={sale.hits}i,sales={sale.sales}i,revenue={sale.revenue} {sale.at_ns}"
    )


def _program() -> str:
    path = shutil.which("influxd") or shutil.which("influxd", path=YARDSTICKS / "usr" / "bin")
    return path or ""
