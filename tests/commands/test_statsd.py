"""`hailwhale statsd` as a process: what the clients people use send is counted, by UDP and TCP."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from typing import Any

import pytest
from datadog.dogstatsd.base import DogStatsd
from statsd import StatsClient, TCPStatsClient

from hailwhale.cli import main
from hailwhale.commands.serve.sockets import bound
from hailwhale.commands.statsd import UdpTcpReceiver
from hailwhale.core.query.parameters import parse_totals
from hailwhale.core.statsd.aggregate import MetricNaming
from hailwhale.services.container import Services
from hailwhale.services.ingest.statsd import StatsdIntake
from hailwhale.settings import Settings
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.whale import Whale
from tests.deploy.running import CLI, DEADLINE_S, environ, until

LOCAL = "127.0.0.1"


class Listener:
    """A `hailwhale statsd` that runs, and what is counted where it counts."""

    def __init__(
        self, store: EmbeddedValkey, namespace: str, *options: str, **variables: str
    ) -> None:
        self.variables = {"HAILWHALE_REDIS_URL": store.url, "HAILWHALE_NAMESPACE": namespace}
        self.variables |= variables
        self.whale = Whale(settings=Settings.from_env(self.variables))
        self.process = subprocess.Popen(
            [*CLI, "statsd", "--udp", f"{LOCAL}:0", "--tcp", f"{LOCAL}:0", *options],
            env=environ(**self.variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        said = [self.process.stdout.readline().strip() for _ in range(2)]
        assert [line.rpartition(":")[0] for line in said] == [
            f"StatsD on UDP {LOCAL}",
            f"StatsD on TCP {LOCAL}",
        ]
        self.udp, self.tcp = (int(line.rpartition(":")[2]) for line in said)

    def total(self, pk: list[str], metric: str, dimension: Any = "_") -> object:
        self.whale.services.drain.flush()
        return self.whale.total(pk, metric, "all", [dimension])

    def comes_to(self, value: float, pk: list[str], metric: str, dimension: Any = "_") -> None:
        until(lambda: self.total(pk, metric, dimension) == value, f"{metric} of {pk} to be {value}")

    def ended(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Its exit code after a signal, and what it said on stderr."""
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, err

    def close(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=DEADLINE_S)
        self.whale.close()


@pytest.fixture(scope="module")
def listener(valkey: EmbeddedValkey) -> Iterator[Listener]:
    with closing(Listener(valkey, "statsd-shared", "--interval", "0.1")) as found:
        yield found


@pytest.fixture
def start(valkey: EmbeddedValkey, namespace: str) -> Iterator[Callable[..., Listener]]:
    started: list[Listener] = []

    def start_one(*options: str) -> Listener:
        started.append(Listener(valkey, namespace, *options))
        return started[-1]

    yield start_one
    for each in started:
        each.close()


@pytest.mark.parametrize("kind", [StatsClient, TCPStatsClient])
def test_the_statsd_client_is_counted(listener: Listener, kind: type[StatsClient]) -> None:
    root = kind.__name__
    client = kind(LOCAL, listener.tcp if kind is TCPStatsClient else listener.udp, prefix=root)
    for cents in range(100):
        client.incr("orders.paid")
        client.incr("orders.revenue", cents / 100)
    client.decr("orders.paid", 10)
    client.gauge("queue.depth", 40)
    client.gauge("queue.depth", 2, delta=True)
    client.gauge("queue.depth", -5, delta=True)
    client.gauge("queue.cold", -5)
    for uid in ("al", "bo", "al", "cy"):
        client.set("visitors", uid)
    with client.pipeline() as pipe:
        for ms in range(1, 201):
            pipe.timing("api.latency", ms)
    client.close()
    listener.comes_to(90, [root, "orders"], "paid")
    listener.comes_to(49.5, [root, "orders"], "revenue")
    listener.comes_to(37, [root, "queue"], "depth")
    listener.comes_to(-5, [root, "queue"], "cold")
    listener.comes_to(3, [root, "visitors"], "uniques")
    listener.comes_to(200, [root, "api"], "latency_count")
    listener.comes_to(100.5, [root, "api"], "latency_sum/latency_count")
    found = listener.whale.quantiles([root, "api"], "latency", "all")["all"]["_"]
    for name, true in (("latency:p50", 100), ("latency:p95", 190), ("latency:p99", 198)):
        assert found[name] == pytest.approx(true, rel=0.05)


def test_the_datadog_client_is_counted_with_its_tags(listener: Listener) -> None:
    with DogStatsd(
        LOCAL,
        listener.udp,
        namespace="dog",
        constant_tags=["env:prod"],
        disable_telemetry=True,
    ) as client:
        client.increment("orders.paid", 2, tags=["country:US", "beta"])
        client.increment("orders.paid", 3, tags=["country:CA"])
        client.count_with_timestamp("orders.late", 4, 1767225600)
        client.gauge("queue.depth", 7, tags=["host:a"])
        client.gauge("queue.depth", 5, tags=["host:b"])
        client.set("visitors", "al")
        client.histogram("api.size", 1000, tags=["country:US"])
        client.distribution("api.size", 3000)
        client.timing("api.latency", 20)
        client.event("Deployed", "now")
        client.service_check("db", DogStatsd.OK)
    client.close_socket()
    listener.comes_to(5, ["dog", "orders"], "paid")
    listener.comes_to(2, ["dog", "orders"], "paid", ["country", "US"])
    listener.comes_to(2, ["dog", "orders"], "paid", "beta")
    listener.comes_to(5, ["dog", "orders"], "paid", ["env", "prod"])
    listener.comes_to(4, ["dog", "orders"], "late")
    listener.comes_to(12, ["dog", "queue"], "depth")
    listener.comes_to(5, ["dog", "queue"], "depth", ["env", "prod", "host", "b"])
    listener.comes_to(1, ["dog", "visitors"], "uniques")
    listener.comes_to(4000, ["dog", "api"], "size_sum")
    listener.comes_to(1, ["dog", "api"], "size_count", ["country", "US"])
    listener.comes_to(20, ["dog", "api"], "latency_sum")
    store = listener.whale.services.store
    until(
        lambda: _told(store.request_stats.refused()) == (1, 1), "an event and a check to be tallied"
    )


def _told(refused: Mapping[str, int]) -> tuple[int, int]:
    return refused.get("statsd_event", 0), refused.get("statsd_service_check", 0)


def test_sampled_counts_stand_for_all(listener: Listener) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.sendto(b"sampled.a.n:1:2|c|@0.1\nsampled.a.n:5|c", (LOCAL, listener.udp))
    listener.comes_to(35, ["sampled", "a"], "n")
    listener.comes_to(21, ["sampled", "a"], "hits")


def test_lines_by_tcp_may_come_in_pieces_and_the_last_without_its_end(listener: Listener) -> None:
    with socket.create_connection((LOCAL, listener.tcp)) as sender:
        for piece in (b"pieces.a.n:1|c\npiec", b"es.a.n:", b"2|c\r\npieces.a.n:3|c"):
            sender.sendall(piece)
    listener.comes_to(6, ["pieces", "a"], "n")


def test_nothing_that_is_sent_stops_it(listener: Listener) -> None:
    before = listener.whale.services.store.request_stats.refused().get("statsd_line", 0)
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        for packet in (
            b"",
            b"\n",
            b"\x00\xff",
            b"a:b:c|||",
            b"x" * 60_000,
            b"a.b:1|c|#" + b"," * 99,
        ):
            sender.sendto(packet, (LOCAL, listener.udp))
    with socket.create_connection((LOCAL, listener.tcp)) as sender:
        sender.sendall(b"y" * 70_000)
        assert sender.recv(1) == b"", "a line without an end is cut off"
    listener.comes_to(1, ["a"], "b")
    refused = listener.whale.services.store.request_stats.refused
    until(lambda: refused().get("statsd_line", 0) == before + 4, "the refusals to be tallied")


def test_what_came_before_sigterm_is_counted_and_it_ends_well(
    start: Callable[..., Listener],
) -> None:
    listener = start("--interval", "3600", "--pk", '["StatsD"]', "--whole-names", "--tags", "a,b")
    client = StatsClient(LOCAL, listener.udp)
    for _ in range(1000):
        client.incr("shop.paid")
    client.close()
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.sendto(b"shop.paid:1|c|#a:x,c:y\nq:3|g\nwrong", (LOCAL, listener.udp))
    code, err = listener.ended()
    assert code == 0
    assert "not counted: statsd_line: got 'wrong'" in err
    assert listener.total(["StatsD"], "shop.paid") == 1001
    assert listener.total(["StatsD"], "q") == 3
    assert listener.total(["StatsD"], "hits", ["a", "x"]) == 1
    assert listener.total(["StatsD"], "hits", ["c", "y"]) == 0
    assert listener.whale.services.store.request_stats.refused() == {"statsd_line": 1}


def test_samples_are_kept_and_gauges_wait_while_the_store_is_unavailable(
    tmp_path_factory: pytest.TempPathFactory, namespace: str
) -> None:
    folder = tmp_path_factory.mktemp("away")
    with ExitStack() as stack:
        store = stack.enter_context(EmbeddedValkey(folder / "store", fsync="no"))
        options = ("--interval", "0.1", "--data-dir", str(folder / "data"))
        found = Listener(store, namespace, *options, HAILWHALE_STORE_TIMEOUT="1")
        listener = stack.enter_context(closing(found))
        sender = stack.enter_context(socket.create_connection((LOCAL, listener.tcp)))
        sender.sendall(b"shop.paid:1|c\nshop.open:5|g\n")
        listener.comes_to(1, ["shop"], "paid")
        listener.comes_to(5, ["shop"], "open")
        os.kill(store.pid, signal.SIGSTOP)
        try:
            sender.sendall(b"shop.paid:2|c\nshop.open:3|g\n")
            assert listener.process.stderr is not None
            assert "WARNING" in listener.process.stderr.readline()
        finally:
            os.kill(store.pid, signal.SIGCONT)
        listener.comes_to(3, ["shop"], "paid")
        listener.comes_to(3, ["shop"], "open")


def test_packets_dropped_by_the_receive_buffer_are_counted(services: Services) -> None:
    told: list[int] = []
    intake = StatsdIntake(
        hail=services.hail,
        counting=services.counting,
        refused=lambda reason, count: told.append(count),
        naming=MetricNaming(),
        limits=services.settings.limits,
        clock=services.clock,
    )
    with ExitStack() as stack:
        listener = stack.enter_context(bound(LOCAL, 0, socket.SOCK_DGRAM))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        receiver = UdpTcpReceiver([listener], intake)
        sender = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        for _ in range(100):
            sender.sendto(b"a.b:1|c", listener.getsockname())
        receiver.report_drops()
        receiver.report_drops()
        stop = threading.Event()
        stop.set()
        receiver.run(stop)
    intake.flush()
    services.drain.flush()
    question = parse_totals({"pk": "a", "metric": "b", "period": "all"})
    [kept] = services.reporting.totals(question)
    assert sum(told) > 0
    assert kept.by_path[()]["b"] == 100 - sum(told)


class Receiving:
    """A receiver on a thread, with a clock that a test moves, and what it told the metrics."""

    def __init__(self, services: Services, stack: ExitStack, connections: int) -> None:
        self.told: Counter[str] = Counter()
        self.now_s = 0.0
        self.intake = StatsdIntake(
            hail=services.hail,
            counting=services.counting,
            refused=lambda reason, count: self.told.update({reason: count}),
            naming=MetricNaming(),
            limits=services.settings.limits,
            clock=services.clock,
        )
        listener = stack.enter_context(bound(LOCAL, 0, socket.SOCK_STREAM))
        listener.listen()
        self._address = listener.getsockname()
        self._stack = stack
        self.receiver = UdpTcpReceiver([listener], self.intake, lambda: self.now_s, connections)
        stop = threading.Event()
        thread = threading.Thread(target=self.receiver.run, args=(stop,))
        thread.start()
        stack.callback(thread.join)
        stack.callback(stop.set)

    def connect(self) -> socket.socket:
        made = socket.create_connection(self._address, timeout=DEADLINE_S)
        return self._stack.enter_context(closing(made))

    def heard(self, client: socket.socket) -> None:
        """Send a line, and wait until it is summed."""
        before = self.intake.kept
        client.sendall(b"a.b%d:1|c\n" % before)  # a number of its own each time
        until(lambda: self.intake.kept > before, "a line to be read")


def test_idle_connections_never_keep_new_clients_out(services: Services) -> None:
    with ExitStack() as stack:
        found = Receiving(services, stack, connections=3)
        first, second, third = (found.connect() for _ in range(3))
        for client in (first, second, third):
            client.sendall(b"half.a")  # nothing else comes: the silent ones
        for _ in range(5):
            found.heard(found.connect())
        for client in (first, second, third):
            assert client.recv(1) == b""
        found.receiver.report_closed()
        assert found.told["statsd_closed"] == 5
        found.intake.flush()
        assert found.told["statsd_line"] == 3  # lines without their ends are not guessed at


def test_a_connection_that_is_silent_for_ten_minutes_is_closed(services: Services) -> None:
    with ExitStack() as stack:
        found = Receiving(services, stack, connections=3)
        silent, talking = found.connect(), found.connect()
        found.heard(silent)
        found.heard(talking)
        found.now_s = 599
        found.heard(talking)
        found.now_s = 601
        assert silent.recv(1) == b""
        found.heard(talking)
        found.receiver.report_closed()
        assert found.told["statsd_closed"] == 1


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (
            "--tcp",
            "another program listens on {where}: stop it, or choose another port with --tcp",
        ),
        ("--udp", "cannot listen on {where}: [Errno 98] Address already in use"),
    ],
)
def test_an_address_in_use_is_refused_by_the_name_of_its_option(
    option: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    kind = socket.SOCK_STREAM if option == "--tcp" else socket.SOCK_DGRAM
    with closing(bound(LOCAL, 0, kind)) as taken:
        if kind == socket.SOCK_STREAM:
            taken.listen()
        where = f"{LOCAL}:{taken.getsockname()[1]}"
        assert main(["statsd", option, where]) == 2
    assert capsys.readouterr().err == f"hailwhale: {option}: {said.format(where=where)}\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--udp", "8125"], "udp: got '8125'; expected HOST:PORT"),
        (["--tcp", "localhost:http"], "tcp: got 'localhost:http'"),
        (["--udp", "0.0.0.0:8125"], "--udp: '0.0.0.0' can be reached from other machines"),
        (["--udp", "127.0.0.1:0", "--interval", "0"], "interval: got 0.0"),
        (["--udp", "127.0.0.1:0", "--pk", "[1"], "pk: got '[1'"),
    ],
)
def test_options_that_cannot_be_are_refused_in_one_line(
    options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["statsd", *options]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"hailwhale: {said}")
    assert err.count("\n") == 1
