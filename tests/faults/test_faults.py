"""Each fault on its own, on real processes: hail goes on accepting, and every cell is exact.

Acknowledged is counted, once, whatever becomes of the store and of the processes around it. What is
lost by design, the data of a store whose disk was lost, has a test that says just what is kept.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from threading import Semaphore

import pytest

from hailwhale.errors import StoreMismatch
from hailwhale.store.types import CellQuery, ChunkAddress
from tests.deploy.running import DEADLINE_S
from tests.faults.asker import Asker
from tests.faults.faults import (
    STORE_FAULTS,
    Fault,
    connections_cut,
    killed,
    paused,
    store_emptied,
    store_hung,
    store_stopped,
    terminated,
)
from tests.faults.harness import acknowledged, refuse_complaints, traffic
from tests.faults.judge import Verdict, judge
from tests.faults.processes import Deployment, wait_for
from tests.faults.sender import Sender
from tests.faults.traffic import ROOTS
from tests.ports import free_port

REQUESTS = 30
_EMPTY = """
for _, key in ipairs(redis.call('KEYS', '*')) do
  if key ~= ARGV[1] then redis.call('DEL', key) end
end
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """One deployment for all: after each fault it must be as good as new."""
    with Deployment(
        tmp_path_factory.mktemp("hw"),
        drains=2,
        fsync="always",
        window=500,
        whale=True,
        HAILWHALE_STORE_TIMEOUT="0.5",
    ) as deployment:
        yield deployment


@pytest.fixture
def deployment(shared: Deployment) -> Deployment:
    """It, up, with an empty store."""
    for command in shared.commands:
        if command.has_ended:  # in a test that failed for it
            shared.start_again(command)
        shared.await_up(command)
    # All but the salt of visitor ids, which the processes read once.
    shared.client.eval(_EMPTY, 0, shared.keys.secrets("visitors"))
    return shared


class Trial:
    """Traffic on a deployment, and what became of it."""

    def __init__(self, deployment: Deployment, senders: Sequence[Sender], permits: Semaphore):
        self.deployment = deployment
        self.senders = senders
        self.permits = permits

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Send some requests and wait for what must come of them."""
        self.permits.release(REQUESTS)

        def holds() -> bool:
            refuse_complaints(self.senders)
            return condition()

        wait_for(holds, what)

    def nothing(self) -> None:
        """Have requests under way, and wait for nothing."""
        self.permits.release(REQUESTS)

    def until_accepted(self) -> None:
        before = acknowledged(self.senders)
        self.until(lambda: acknowledged(self.senders) > before + 20, "events to be acknowledged")

    def until_spooled(self) -> None:
        spool = self.deployment.spool
        self.until(lambda: spool.size_bytes() > 0, "events to be spooled")
        self.until_accepted()

    def until_cut(self) -> None:
        before = self.deployment.proxy.cuts
        self.until(lambda: self.deployment.proxy.cuts > before + 10, "connections to be cut")
        self.until_accepted()

    def until_counted(self) -> None:
        before = self.deployment.drained(ROOTS)
        self.until(lambda: self.deployment.drained(ROOTS) > before, "events to be counted")
        self.until_accepted()


def endured(
    deployment: Deployment,
    fault: Fault,
    meanwhile: Callable[[Trial], None],
    before: bool = True,
    visitors: bool = True,
) -> Verdict:
    """The verdict on traffic before, during and after a fault.

    Without `visitors`, not on them: the salt of their hashes is lost.
    """
    now_s, permits = int(time.time()), Semaphore(0)
    with traffic(deployment.port, 1, 3, permits, now_s) as senders:
        trial = Trial(deployment, senders, permits)
        if before:
            trial.until_counted()
        with fault(deployment):
            meanwhile(trial)
        trial.until_counted()
    deployment.settle()
    assert [command.log_tail() for command in deployment.commands if command.has_ended] == []
    fates = [fate for sender in senders for fate in sender.fates]
    return judge(deployment.client, deployment.keys, fates, now_s, visitors=visitors)


def assert_exact(verdict: Verdict) -> None:
    assert verdict.acknowledged > 0
    assert (verdict.lost, verdict.doubled, verdict.unrefused) == (0, 0, 0)
    assert verdict.wrong == 0, verdict.examples
    assert verdict.counted == verdict.acknowledged + verdict.unknown_counted


@pytest.mark.parametrize("name", STORE_FAULTS)
def test_hail_goes_on_accepting_and_all_of_it_is_counted_once_when(
    deployment: Deployment, name: str
) -> None:
    fault = STORE_FAULTS[name]
    meanwhile = Trial.until_cut if fault is connections_cut else Trial.until_spooled
    verdict = endured(deployment, fault, meanwhile)
    assert_exact(verdict)
    assert verdict.unknown == 0


# What each leaves to be seen while it lasts: a paused hail answers nobody.
MEANWHILE = {
    "hail": Trial.nothing,
    "a drain": Trial.until_counted,
    "whale": Trial.until_counted,
}


@pytest.mark.parametrize("how", [killed, terminated, paused])
@pytest.mark.parametrize("victim", MEANWHILE)
def test_all_that_was_acknowledged_is_counted_once_when(
    deployment: Deployment, victim: str, how: Callable[[str], Fault]
) -> None:
    assert_exact(endured(deployment, how(victim), MEANWHILE[victim]))


@pytest.mark.parametrize("how", [killed, terminated])
def test_what_a_hail_leaves_in_its_spool_the_next_one_brings_to_the_store(
    deployment: Deployment, how: Callable[[str], Fault]
) -> None:
    def meanwhile(trial: Trial) -> None:
        trial.until_spooled()
        with how("hail")(deployment):
            trial.until_spooled()  # and the next one starts without the store

    verdict = endured(deployment, store_hung, meanwhile)
    assert_exact(verdict)


def test_a_store_that_lost_its_disk_has_all_that_was_acknowledged_since(
    deployment: Deployment,
) -> None:
    """What it had is gone; nothing stops for that, and nothing of the time after is lost."""
    assert count(deployment.port, "Before") == 200
    deployment.settle()
    verdict = endured(deployment, store_emptied, Trial.until_spooled, before=False, visitors=False)
    assert_exact(verdict)
    assert deployment.store.labels.subpks(()) == set(ROOTS)
    with pytest.raises(StoreMismatch):  # its schema was written again
        deployment.store.schema.declare("Europe/Berlin", ["all"], 0)


@pytest.mark.parametrize("fault", [store_stopped, store_hung])
def test_whale_answers_503_while_the_store_is_unavailable_and_nothing_worse(
    deployment: Deployment, fault: Fault
) -> None:
    with Asker(deployment.whale_port) as asker:
        wait_for(lambda: asker.statuses[200] > 5, "answers")
        with fault(deployment):
            wait_for(lambda: asker.statuses[503] > 2, "503")
        before = asker.statuses[200]
        wait_for(lambda: asker.statuses[200] > before + 5, "answers again")
    assert set(asker.statuses) == {200, 503}


def test_every_process_ends_in_order_within_seconds_though_the_store_hangs(
    deployment: Deployment,
) -> None:
    with store_hung(deployment):
        assert count(deployment.port, "Shop") == 200
        assert {command.terminate() for command in deployment.commands} == {0}
    for command in deployment.commands:
        deployment.start_again(command)
    wait_for(
        lambda: deployment.store.labels.subpks(()) == {"Shop"}, "what was spooled to be counted"
    )


def test_past_its_bound_the_spool_refuses_and_keeps_what_it_has(deployment: Deployment) -> None:
    port = free_port()
    settings = {
        "HAILWHALE_SPOOL_BYTES": "2000",
        "HAILWHALE_SPOOL_DIR": str(deployment.folder / "small"),
        "HAILWHALE_WORKERS": "1",
    }
    hail = deployment.command("small", ["hail", "--port", str(port)], **settings)
    hail.start()
    wait_for(lambda: hail.has_said(" on http://"), "hail to serve")
    try:
        with store_stopped(deployment):
            statuses = [count(port, "Shop") for _ in range(60)]
            answer = get(port, "/healthz")
        assert statuses == sorted(statuses), "once it is full it stays full"
        taken = statuses.count(200)
        assert taken in range(10, 50)
        assert statuses.count(503) == 60 - taken
        assert 0 < json.loads(answer.body)["spooled_bytes"] <= 2000
        wait_for(lambda: hits(deployment, "Shop") == taken, "what was spooled to be counted")
    finally:
        hail.stop()


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


def get(port: int, path: str) -> Answer:
    connection = HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
    connection.request("GET", path)
    found = connection.getresponse()
    answer = Answer(found.status, found.read())
    connection.close()
    return answer


def count(port: int, pk: str) -> int:
    """The status of counting one event."""
    return get(port, f"/count?pk={pk}").status


def hits(deployment: Deployment, pk: str) -> int:
    """The hits ever counted of a pk."""
    ever = CellQuery(ChunkAddress((pk,), (), "all", 0), [(0, "hits")])
    return int(deployment.store.cells.read([ever])[0][0] or 0)
