"""Questions to Graphite's files and to what carbon has not yet written: what graphite-web does.

Knows names of series, whisper files and carbon's cache; neither StatsD nor what is counted.
"""

from __future__ import annotations

import pickle
import socket
import struct
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from benchmarks.compared.system import DAY_S, HOUR_S, MINUTE_S, MONTH_DAYS

_AT_ONCE = 500  # names in one question to the cache
_LENGTH = struct.Struct("!L")

Point = tuple[int, float]


class Graphite:
    """Sums of `stats.counters.shop.<product>.<country>.<device>.<metric>.count`."""

    def __init__(self, storage: Path, cache_port: int) -> None:
        self._root = storage / "whisper"
        self._cache_port = cache_port

    def total(self, product: str | None, metric: str) -> Decimal:
        """The sum of the last 30 days."""
        values = [
            Decimal(repr(value))
            for points in self._points(product or "*", metric, MONTH_DAYS * DAY_S).values()
            for _, value in points
        ]
        return sum(values, Decimal(0))

    def by_day(self, product: str, metric: str) -> Sequence[float]:
        return self._folded(product, metric, MONTH_DAYS * DAY_S, DAY_S)

    def by_minute(self, product: str, metric: str) -> Sequence[float]:
        return self._folded(product, metric, HOUR_S, MINUTE_S)

    def top(self, metric: str, count: int) -> Sequence[str]:
        sums: dict[str, float] = defaultdict(float)
        for name, points in self._points("*", metric, MONTH_DAYS * DAY_S).items():
            sums[name.split(".")[3]] += sum(value for _, value in points)
        return sorted(sums, key=lambda product: -sums[product])[:count]

    def _folded(self, product: str, metric: str, length_s: int, width_s: int) -> Sequence[float]:
        last = int(time.time()) // width_s
        sums = dict.fromkeys(range(last - length_s // width_s + 1, last + 1), 0.0)
        for points in self._points(product, metric, length_s).values():
            for at_s, value in points:
                if at_s // width_s in sums:
                    sums[at_s // width_s] += value
        return list(sums.values())

    def _points(self, product: str, metric: str, length_s: int) -> Mapping[str, Sequence[Point]]:
        """What is known of each series that matches: its file, and after it carbon's cache."""
        import whisper

        since_s = int(time.time()) - length_s
        files = self._root.glob(f"stats/counters/shop/{product}/*/*/{metric}/count.wsp")
        paths = {
            ".".join(file.relative_to(self._root).with_suffix("").parts): file for file in files
        }
        cached = self._cached(list(paths))
        found: dict[str, Sequence[Point]] = {}
        for name, path in paths.items():
            (start_s, end_s, step_s), values = whisper.fetch(str(path), since_s)
            written = zip(range(start_s, end_s, step_s), values, strict=True)
            known = [(at_s, value) for at_s, value in written if value is not None]
            found[name] = [*known, *cached.get(name, ())]
        return found

    def _cached(self, names: Sequence[str]) -> Mapping[str, Sequence[Point]]:
        found: dict[str, Sequence[Point]] = {}
        with socket.create_connection(("127.0.0.1", self._cache_port), timeout=60) as connection:
            stream = connection.makefile("rwb")
            for first in range(0, len(names), _AT_ONCE):
                asked = {"type": "cache-query-bulk", "metrics": names[first : first + _AT_ONCE]}
                text = pickle.dumps(asked, protocol=2)
                stream.write(_LENGTH.pack(len(text)) + text)
                stream.flush()
                (length,) = _LENGTH.unpack(stream.read(_LENGTH.size))
                answer = pickle.loads(stream.read(length))  # noqa: S301 - carbon's own protocol
                found |= answer["datapointsByMetric"]
        return found
