"""`hailwhale statsd`: listens for StatsD and DogStatsD metrics and counts them.

Defines the sockets, the options and the flush interval. Core parses the lines and the services
count them.
"""

from __future__ import annotations

import argparse
import logging
import selectors
import socket
import struct
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from threading import Event, Thread

from hailwhale.commands.options import Subparsers, add_settings, read_settings
from hailwhale.commands.serve.log_setup import log_to_stderr
from hailwhale.commands.serve.signals import stop_on_signals
from hailwhale.commands.serve.sockets import bound, listen, netloc
from hailwhale.core.events.literals import parse_literal
from hailwhale.core.events.paths import parse_pk
from hailwhale.core.statsd.aggregate import MetricNaming
from hailwhale.errors import BadInput, BadSetting
from hailwhale.services.container import Services, open_services
from hailwhale.services.ingest.statsd import StatsdIntake
from hailwhale.services.security.bind_check import is_loopback
from hailwhale.settings import Settings
from hailwhale.store.open import check_store_settings

log = logging.getLogger("hailwhale.statsd")

_UDP = "127.0.0.1:8125"
_PACKET_BYTES = 65_535
_LINE_BYTES = 65_536
_AT_ONCE = 200  # packets of one socket before the next socket is read
_CONNECTIONS = 512
_IDLE_S = 600.0  # a connection that sent nothing for so long is closed
_KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))  # where they exist
_LOOK_S = 0.1
_LAST_TURNS = 200
_BUFFER_BYTES = 8 * 1024 * 1024
_SO_MEMINFO, _MEMINFO = 55, struct.Struct("9I")  # Linux: the last number is of packets dropped

_EPILOG = """\
The counter shop.orders.revenue is counted as the metric revenue of the pk shop > orders. Tags are
dimensions. The timing latency is counted as latency_sum, latency_count and a histogram, whose p95
`hailwhale quantiles` prints. A drain must run: `hailwhale serve` or `hailwhale drain`."""


def add_parser(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "statsd",
        help="count the metrics of StatsD and DogStatsD clients",
        description="Listen for the StatsD and DogStatsD line protocols until SIGTERM, and count "
        "what arrives.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--udp",
        metavar="HOST:PORT",
        help=f"UDP address to listen on (default: {_UDP}, unless --tcp is given)",
    )
    parser.add_argument(
        "--tcp", metavar="HOST:PORT", help="TCP address to listen on (default: none)"
    )
    parser.add_argument("--pk", metavar="PK", help="pk to count everything under (default: none)")
    parser.add_argument(
        "--whole-names",
        action="store_true",
        help="count each name, with its dots, as a metric of --pk",
    )
    parser.add_argument("--tags", metavar="A,B", help="tags that become dimensions (default: all)")
    parser.add_argument(
        "--absolute-gauges",
        action="store_true",
        help="set a gauge of -5 to -5, like DogStatsD, instead of subtracting 5",
    )
    parser.add_argument(
        "--interval",
        type=float,
        default=1.0,
        metavar="SECONDS",
        help="flush interval in seconds (default: 1)",
    )
    add_settings(parser, "redis_url", "data_dir", "open_to_all")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Listen until a signal; return 1 when something is left uncounted at the end."""
    settings = read_settings(args)
    naming = _naming(args, settings)
    if not args.interval > 0:
        raise BadInput("interval", args.interval, "a number of seconds above 0")
    addresses = _addresses(args, settings)
    check_store_settings(settings)
    log_to_stderr(settings.log_format)
    with ExitStack() as stack:
        listeners = [stack.enter_context(closing(each.opened())) for each in addresses]
        services = stack.enter_context(closing(open_services(settings, spooled=True)))
        intake, stop = _intake(services, naming), stop_on_signals()
        for listener in listeners:
            kind = "UDP" if listener.type == socket.SOCK_DGRAM else "TCP"
            print(f"StatsD on {kind} {netloc(*listener.getsockname()[:2])}", flush=True)
        return _serve(listeners, intake, args.interval, stop)


def _serve(
    listeners: list[socket.socket], intake: StatsdIntake, interval_s: float, stop: Event
) -> int:
    receiver = UdpTcpReceiver(listeners, intake)
    thread = Thread(target=receiver.run, args=(stop,), name="receive")
    thread.start()
    try:
        while not stop.wait(interval_s):
            receiver.report_drops()
            receiver.report_closed()
            intake.flush()
    finally:
        stop.set()
        thread.join()
    if intake.flush():
        return 0
    log.error("%d numbers could not be counted before exit and are lost", intake.kept)
    return 1


def _naming(args: argparse.Namespace, settings: Settings) -> MetricNaming:
    under = () if args.pk is None else parse_pk(parse_literal(args.pk, "pk"), settings.limits)
    tags = None if args.tags is None else frozenset(filter(None, args.tags.split(",")))
    return MetricNaming(under, args.whole_names, tags, args.absolute_gauges)


def _intake(services: Services, naming: MetricNaming) -> StatsdIntake:
    refused, limits = services.tallies.refused, services.settings.limits
    return StatsdIntake(
        hail=services.hail,
        counting=services.counting,
        refused=refused,
        naming=naming,
        limits=limits,
        clock=services.clock,
    )


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """An address to listen on, and the option (`udp` or `tcp`) that it came from."""

    option: str
    host: str
    port: int

    def opened(self) -> socket.socket:
        """Open its socket; raise `BadSetting` naming the option on failure."""
        if self.option == "tcp":
            return listen(self.host, self.port, "--tcp")
        try:
            found = bound(self.host, self.port, socket.SOCK_DGRAM)
        except OSError as fault:
            where = netloc(self.host, self.port)
            raise BadSetting(f"--udp: cannot listen on {where}: {fault}") from fault
        found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        return found


def _addresses(args: argparse.Namespace, settings: Settings) -> list[ListenAddress]:
    """Parse all addresses before opening any, so a port in use hides no invalid address."""
    udp = args.udp if args.udp or args.tcp else _UDP
    asked = (("udp", udp), ("tcp", args.tcp))
    return [_address(option, text, settings) for option, text in asked if text]


def _address(option: str, address: str, settings: Settings) -> ListenAddress:
    """Parse HOST:PORT. StatsD has no tokens: only HAILWHALE_OPEN lets other machines send."""
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not (port.isascii() and port.isdecimal() and int(port) < 65_536):
        raise BadInput(option, address, "HOST:PORT, such as 127.0.0.1:8125")
    if not is_loopback(host) and not settings.open_to_all:
        raise BadSetting(
            f"--{option}: {host!r} can be reached from other machines, and StatsD has no tokens: "
            "set HAILWHALE_OPEN=1 (--open) to let everyone count"
        )
    return ListenAddress(option, host, int(port))


@dataclass(slots=True)
class _Connection:
    """What a connection sent of a line without its end yet, and when it last sent anything."""

    rest: bytes
    heard_s: float


class UdpTcpReceiver:
    """Reads packets and connections in one thread; `clock` is monotonic.

    A connection that sends nothing for ten minutes is closed. When all are taken, a new one takes
    the place of the one that was silent longest, so idle clients never keep others out.
    """

    def __init__(
        self,
        listeners: list[socket.socket],
        intake: StatsdIntake,
        clock: Callable[[], float] = time.monotonic,
        connections: int = _CONNECTIONS,
    ) -> None:
        self._intake = intake
        self._clock = clock
        self._most = connections
        self._selector = selectors.DefaultSelector()
        self._open: dict[socket.socket, _Connection] = {}  # the longest silent first
        self._closed: deque[str] = deque()  # why each was closed that did not end by itself
        self._drops = {each: 0 for each in listeners if each.type == socket.SOCK_DGRAM}
        for listener in listeners:
            listener.setblocking(False)
            self._selector.register(listener, selectors.EVENT_READ)

    def run(self, stop: Event) -> None:
        """Read until asked to stop, and then whatever has arrived by then."""
        while not stop.is_set():
            self._turn(_LOOK_S)
        left = _LAST_TURNS  # a limit, in case more keeps arriving
        while left and self._turn(0):
            left -= 1
        for connection in list(self._open):
            self._hang_up(connection)
        self._selector.close()
        self.report_closed()

    def report_drops(self) -> None:
        """Log how many packets a full receive buffer dropped; only Linux counts them."""
        for listener, before in self._drops.items():
            try:
                info = listener.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
                drops = _MEMINFO.unpack(info)[-1]
            except (OSError, struct.error):
                continue
            if drops != before:
                self._drops[listener] = drops
                self._intake.lost((drops - before) % 2**32, "the receive buffer, which was full")

    def report_closed(self) -> None:
        """Log and count the connections that were closed since the last call."""
        closed = Counter(self._closed.popleft() for _ in range(len(self._closed)))
        for why, count in closed.items():
            self._intake.closed(count, why)

    def _turn(self, wait_s: float) -> bool:
        """Read from the sockets that are ready; return whether there were any."""
        ready = self._selector.select(wait_s)
        for key, _ in ready:
            found = key.fileobj
            assert isinstance(found, socket.socket)  # noqa: S101 - we registered no others
            if found in self._open:
                self._read_connection(found)
            elif found in self._drops:
                self._read_packets(found)
            else:
                self._accept(found)
        self._close_idle()
        return bool(ready)

    def _close_idle(self) -> None:
        """Close the connections that were silent for too long."""
        before_s = self._clock() - _IDLE_S
        while self._open:
            longest = next(iter(self._open))
            if self._open[longest].heard_s > before_s:
                return
            self._cut_off(longest, f"silent for {_IDLE_S:.0f} s")

    def _cut_off(self, connection: socket.socket, why: str) -> None:
        """Close a connection; a line without its end is refused, for its rest may be missing."""
        found = self._open[connection]
        if found.rest:
            self._intake.refuse_line(found.rest[:80], "the end of the line, before it was closed")
            found.rest = b""
        self._closed.append(why)
        self._hang_up(connection)

    def _read_packets(self, listener: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            try:
                packet = listener.recv(_PACKET_BYTES)
            except OSError:  # there is none for now
                return
            self._intake.feed(packet)

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        if len(self._open) >= self._most:
            self._cut_off(next(iter(self._open)), f"silent longest of {self._most}, for a new one")
        connection.setblocking(False)
        _keep_alive(connection)
        self._open[connection] = _Connection(b"", self._clock())
        self._selector.register(connection, selectors.EVENT_READ)

    def _read_connection(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(_PACKET_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._hang_up(connection)
            return
        found = self._open.pop(connection)
        lines, newline, found.rest = (found.rest + data).rpartition(b"\n")
        found.heard_s = self._clock()
        self._open[connection] = found  # at the end: the last to have sent something
        if newline:
            self._intake.feed(lines)
        if len(found.rest) > _LINE_BYTES:
            self._intake.refuse_line(found.rest[:80], f"lines of at most {_LINE_BYTES} bytes")
            found.rest = b""
            self._hang_up(connection)

    def _hang_up(self, connection: socket.socket) -> None:
        self._intake.feed(self._open.pop(connection).rest)
        self._selector.unregister(connection)
        connection.close()


def _keep_alive(connection: socket.socket) -> None:
    """Have the system find out within two minutes that a peer is gone without a word."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
