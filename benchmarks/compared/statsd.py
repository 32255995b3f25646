"""StatsD in front of Graphite's carbon and whisper: counters by name, summed up by the file."""

from __future__ import annotations

import json
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.compared import programs
from benchmarks.compared.graphite import Graphite
from benchmarks.compared.programs import Program
from benchmarks.compared.system import YARDSTICKS, Running, Sale, Size, Traits

_STATSD = YARDSTICKS / "node_modules" / "statsd"
_FLUSH_MS = 1_000
# Packets of the size that StatsD's docs say, each as full of one count as it gets.
_UDP_BYTES, _UDP_FLUSHES = 1_432, 4
_UDP_COUNT = b"shop.udp.US.iPhone.hits:1|c\n"
_UDP_COUNTS, _UDP_PER_S = 102_000, 51_000
_CARBON = """
[cache]
DATABASE = whisper
ENABLE_LOGROTATION = False
MAX_CACHE_SIZE = inf
MAX_UPDATES_PER_SECOND = inf
MAX_CREATES_PER_MINUTE = inf
MIN_TIMESTAMP_RESOLUTION = 1
LINE_RECEIVER_INTERFACE = 127.0.0.1
LINE_RECEIVER_PORT = {line_port}
PICKLE_RECEIVER_INTERFACE = 127.0.0.1
PICKLE_RECEIVER_PORT = {pickle_port}
CACHE_QUERY_INTERFACE = 127.0.0.1
CACHE_QUERY_PORT = {cache_port}
USE_WHITELIST = True
WHISPER_SPARSE_CREATE = True
CARBON_METRIC_INTERVAL = 0
"""
_RETENTIONS = "1s:10m,1m:2h,1h:35d,1d:3y"
_SCHEMAS = f"[all]\npattern = .*\nretentions = {_RETENTIONS}\n"
_AGGREGATION = "[all]\npattern = .*\nxFilesFactor = 0\naggregationMethod = sum\n"


class StatsD:
    """The npm package statsd, and the PyPI packages carbon and whisper."""

    name = "StatsD + Graphite"
    traits = Traits(
        retention="yes, by archive, from the start",
        rollups="yes, archives",
        dimensions="none: parts of a name, summed when asked",
        ratios="yes, when asked",
        exact="doubles",
        ids="none",
        survives="no: what is not flushed is lost",
    )
    mapping = (
        "three counters an event, one name a combination: shop.<product>.<country>.<device>."
        "<metric>; StatsD knows no time, so they count when they come"
    )
    configured = (
        f"StatsD over TCP, flush every {_FLUSH_MS // 1000} s, idle counters not sent, .rate not "
        "kept; carbon without limits on creates and updates, sparse files, archives "
        f"{_RETENTIONS}; asked through whisper and carbon's cache as graphite-web does, without "
        "its own cost"
    )

    def missing(self) -> str | None:
        if not _node():
            return "apt-get install nodejs npm"
        if not (_STATSD / "stats.js").exists():
            return "npm install --prefix .venv/yardsticks statsd@0.9.0"
        try:
            version("carbon"), version("whisper")
        except PackageNotFoundError:
            return ".venv/bin/pip install -e '.[bench]'"
        return None

    def version(self) -> str:
        statsd = json.loads((_STATSD / "package.json").read_text())["version"]
        return f"statsd {statsd}, carbon {version('carbon')}, whisper {version('whisper')}"

    @contextmanager
    def running(self, folder: Path) -> Iterator[Running]:
        ports = {
            name: programs.free_port() for name in ("line", "pickle", "cache", "tcp", "udp", "mgmt")
        }
        with ExitStack() as stack:
            carbon = stack.enter_context(_carbon(folder, ports))
            statsd = stack.enter_context(_statsd(folder, ports))
            yield _Pair(statsd, carbon, Graphite(folder / "storage", ports["cache"]), ports, folder)


def _node() -> str:
    return shutil.which("node") or ""


def _carbon(folder: Path, ports: dict[str, int]) -> Program:
    conf = folder / "conf"
    conf.mkdir()
    (folder / "storage").mkdir()
    named = {f"{name}_port": port for name, port in ports.items()}
    (conf / "carbon.conf").write_text(_CARBON.format(**named))
    (conf / "storage-schemas.conf").write_text(_SCHEMAS)
    (conf / "storage-aggregation.conf").write_text(_AGGREGATION)
    (conf / "blacklist.conf").write_text(r"\.rate$")
    program = Path(sys.prefix) / "bin" / "carbon-cache.py"
    command = [
        *(sys.executable, str(program), "--nodaemon", f"--config={conf / 'carbon.conf'}"),
        *(f"--logdir={folder}", f"--pidfile={folder / 'pid'}", "start"),
    ]
    environ = {"GRAPHITE_ROOT": str(folder), "GRAPHITE_STORAGE_DIR": str(folder / "storage")}
    return Program(command, folder / "carbon.log", ports["cache"], environ)


def _statsd(folder: Path, ports: dict[str, int]) -> Program:
    local = "127.0.0.1"
    config = {
        "graphiteHost": local,
        "graphitePort": ports["line"],
        "backends": ["./backends/graphite"],
        "servers": [
            {"server": "./servers/tcp", "address": local, "port": ports["tcp"]},
            {"server": "./servers/udp", "address": local, "port": ports["udp"]},
        ],
        "mgmt_address": local,
        "mgmt_port": ports["mgmt"],
        "flushInterval": _FLUSH_MS,
        "deleteIdleStats": True,
        "automaticConfigReload": False,
        "graphite": {"legacyNamespace": False},
    }
    file = folder / "statsd.js"
    file.write_text(json.dumps(config))
    command = [_node(), str(_STATSD / "stats.js"), str(file)]
    return Program(command, folder / "statsd.log", ports["mgmt"])


class _Pair:
    """StatsD and the carbon behind it."""

    def __init__(
        self,
        statsd: Program,
        carbon: Program,
        graphite: Graphite,
        ports: dict[str, int],
        folder: Path,
    ) -> None:
        self._statsd = statsd
        self._carbon = carbon
        self._ports = ports
        self._folder = folder
        self._graphite = graphite
        self.total = graphite.total
        self.by_day = graphite.by_day
        self.by_minute = graphite.by_minute
        self.top = graphite.top

    def sending(self, sales: Sequence[Sale]) -> Callable[[], None]:
        lines = [line for sale in sales for line in _lines(sale)]
        text = "".join(lines).encode()

        def send() -> None:
            with socket.create_connection(("127.0.0.1", self._ports["tcp"])) as connection:
                connection.sendall(text)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1):  # StatsD hangs up when it has read all
                    pass

        return send

    def size(self) -> Size:
        return Size(
            programs.memory_bytes([self._statsd.pid, self._carbon.pid]),
            programs.disk_bytes(self._folder / "storage"),
        )

    def kill(self) -> None:
        self._statsd.kill()
        self._statsd.start()

    def aside(self) -> str:
        """How much comes through its usual door, UDP, which tells nobody what it drops."""
        kept = self._kept_of_udp()
        return (
            f"of {_UDP_COUNTS:,} counts sent by UDP, its usual door, {_UDP_PER_S:,} a second in "
            f"packets of {_UDP_BYTES:,} bytes, {kept:,} arrived"
        )

    def _kept_of_udp(self) -> int:
        in_packet = _UDP_BYTES // len(_UDP_COUNT)
        packets = _UDP_COUNTS // in_packet
        start_s = time.monotonic()
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            for number in range(packets):
                due_s = start_s + number * in_packet / _UDP_PER_S
                time.sleep(max(0.0, due_s - time.monotonic()))
                sender.sendto(_UDP_COUNT * in_packet, ("127.0.0.1", self._ports["udp"]))
        kept: list[Decimal] = []
        # All is there when the sum has stood still for some flushes.
        while len(kept) < _UDP_FLUSHES or kept[-_UDP_FLUSHES] != kept[-1]:
            time.sleep(_FLUSH_MS / 1_000)
            kept.append(self._graphite.total("udp", "hits"))
        return int(kept[-1])


def _lines(sale: Sale) -> Iterator[str]:
    name = f"shop.{sale.product}.{sale.country}.{sale.device.replace(' ', '_')}"
    for metric, amount in sale.amounts():
        yield f"{name}.{metric}:{amount}|c\n"
