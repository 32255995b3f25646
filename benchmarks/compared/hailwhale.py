"""HailWhale itself, as `hailwhale serve` runs it: web processes, drain and Valkey."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks.compared import programs
from benchmarks.compared.system import (
    BATCH,
    MONTH_DAYS,
    Running,
    Sale,
    Size,
    Traits,
    batches,
)
from benchmarks.serving import SERVE, WebServer, answer, fetched, web_server
from hailwhale import __version__
from hailwhale.store.embedded import EmbeddedValkey

_RESTART_S = 30.0
_MONTH = f"1d:{MONTH_DAYS}d"


class HailWhale:
    """This project."""

    name = "HailWhale"
    traits = Traits(
        retention="yes, by rollup",
        rollups="1m, 1h, 1d, all, zones",
        dimensions="nested paths, summed as they come",
        ratios="yes, formulas on sums",
        exact="decimals, exact",
        ids="yes, for 24 hours",
        survives="yes, once acknowledged",
    )
    mapping = "the events as they are"
    configured = (
        f"hailwhale serve with its defaults, NDJSON in batches of {BATCH:,}, one request at a "
        "time; asked over HTTP"
    )

    def missing(self) -> str | None:
        return None

    def version(self) -> str:
        return f"hailwhale {__version__}"

    @contextmanager
    def running(self, folder: Path) -> Iterator[Running]:
        with ExitStack() as stack:
            server = stack.enter_context(EmbeddedValkey(folder))
            web = stack.enter_context(web_server(SERVE, server.url, "/healthz"))
            connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=120)
            yield _Service(server, web, stack.enter_context(closing(connection)))


class _Service:
    def __init__(
        self,
        server: EmbeddedValkey,
        web: WebServer,
        connection: http.client.HTTPConnection,
    ) -> None:
        self._server = server
        self._web = web
        self._connection = connection

    def sending(self, sales: Sequence[Sale]) -> Callable[[], None]:
        bodies = [("\n".join(map(_line, some)).encode(), len(some)) for some in batches(sales)]

        def send() -> None:
            for body, count in bodies:
                headers = {"Content-Type": "application/x-ndjson"}
                self._connection.request("POST", "/count", body, headers)
                accepted = json.loads(self._connection.getresponse().read())["accepted"]
                assert accepted == count, f"{accepted} of {count} accepted"

        return send

    def total(self, product: str | None, metric: str) -> Decimal:
        found = self._ask("totals", product, metric, _MONTH)
        return Decimal(found[_MONTH]["_"][metric])

    def by_day(self, product: str, metric: str) -> Sequence[float]:
        return self._points(product, metric, _MONTH)

    def by_minute(self, product: str, metric: str) -> Sequence[float]:
        return self._points(product, metric, "1m:1h")

    def top(self, metric: str, count: int) -> Sequence[str]:
        query = {"pk": "Product", "of": "pks", "metric": metric, "period": _MONTH, "limit": count}
        rows = json.loads(answer(self._connection, f"/rank?{urlencode(query)}"))
        return [json.loads(row["pk"])[-1] for row in rows]

    def size(self) -> Size:
        pids = [self._server.pid, *programs.descendants(self._web.pid)]
        return Size(programs.memory_bytes(pids), programs.disk_bytes(self._server.data_dir))

    def kill(self) -> None:
        web = [pid for pid in programs.descendants(self._web.pid) if _is_web(pid)]
        programs.kill_all(web)
        self._connection.close()
        assert programs.until(self._answers, _RESTART_S)

    def aside(self) -> str:
        return ""

    def _answers(self) -> bool:
        try:
            return bool(fetched(self._web.port, "/healthz"))
        except (OSError, http.client.HTTPException):
            return False

    def _points(self, product: str, metric: str, period: str) -> Sequence[float]:
        points = self._ask("plotpoints", product, metric, period)["_"][metric]
        return [float(value) for _, value in points]

    def _ask(self, what: str, product: str | None, metric: str, period: str) -> dict[str, Any]:
        pk = json.dumps(["Product"] if product is None else ["Product", product])
        query = urlencode({"pk": pk, "metrics": metric, "period": period})
        found = json.loads(answer(self._connection, f"/{what}?{query}"), parse_float=Decimal)
        assert isinstance(found, dict)
        return found


def _is_web(pid: int) -> bool:
    return "whale" in programs.command_line(pid)


def _line(sale: Sale) -> str:
    return json.dumps(
        {
            "pk": ["Product", sale.product],
            "dimensions": {"country": sale.country, "device": sale.device},
            "metrics": {"hits": sale.hits, "sales": sale.sales, "revenue": str(sale.revenue)},
            "at": sale.at_s,
        }
    )
