"""The client with real processes: services that are killed, programs that end, fork or import."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hailwhale.store.embedded import EmbeddedValkey
from tests.client.conftest import MakeClient, Total
from tests.deploy.running import DEADLINE_S, KILL, environ, started, until

Run = Callable[[str], str]


@pytest.fixture
def run(tmp_path: Path, url: str) -> Run:
    """Runs a program that is given the service's URL; what it prints."""

    def run(program: str) -> str:
        script = tmp_path / "program.py"
        script.write_text(program)
        done = subprocess.run(
            [sys.executable, "-W", "ignore", script, url],
            env=environ(),
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        assert done.stderr.count("Error: ") == program.count("on purpose")
        return done.stdout

    return run


def test_a_service_that_is_killed_and_started_again_counts_each_event_once(
    valkey: EmbeddedValkey, namespace: str, make_client: MakeClient, total: Total
) -> None:
    store = {"HAILWHALE_REDIS_URL": valkey.url, "HAILWHALE_NAMESPACE": namespace}
    with started("whale", "--port", "0", variables=store) as first:
        client = make_client(first.url)
        for _ in range(300):
            client.count("Shop")
        until(lambda: client.stats.counted, "some to be counted")
        for _ in range(400):
            client.count("Shop")
        os.killpg(first.process.pid, KILL)
        first.ended()
    for _ in range(300):
        client.count("Shop")
    until(lambda: client.stats.failures, "a try in vain")
    assert client.stats.queued >= 300
    with started("whale", "--port", str(first.address[1]), variables=store):
        assert client.flush(DEADLINE_S)
    assert client.stats.counted == total("Shop") == 1_000


@pytest.mark.parametrize("last", ["", "raise ValueError('on purpose')", "sys.exit(3)"])
def test_what_was_counted_is_sent_before_the_program_ends(
    run: Run, total: Total, last: str
) -> None:
    run(
        "import sys\nfrom hailwhale.client import Client\n"
        f"client = Client(sys.argv[1])\nclient.count('Shop', at=1773576630)\n{last}"
    )
    assert total("Shop") == 1


def test_each_process_of_a_fork_sends_its_own_events_once(run: Run, total: Total) -> None:
    said = run("""
import os, sys
from hailwhale.client import Client
client = Client(sys.argv[1], linger_s=100)  # nothing is on its way before the fork
for _ in range(3):
    client.count("Shop", at=1773576630)
child = os.fork()
if not child:
    print("child", client.stats.queued, flush=True)
for _ in range(2):
    client.count("Shop", at=1773576630)
if child:
    assert os.waitpid(child, 0)[1] == 0
    print("parent", client.stats.queued)
""")
    assert said == "child 0\nparent 5\n"
    assert total("Shop") == 7


def test_a_fork_while_the_queue_is_held_leaves_the_child_free(run: Run, total: Total) -> None:
    said = run("""
import os, sys, threading
from hailwhale.client import Client
client = Client(sys.argv[1], linger_s=0)
held, goes_on = threading.Event(), threading.Event()
def hold():
    with client._outbox._changed:
        held.set()
        goes_on.wait()
threading.Thread(target=hold).start()
held.wait()
child = os.fork()
if not child:
    client.count("Shop", at=1773576630)
    print(client.flush(120), flush=True)
    os._exit(0)
goes_on.set()
os.waitpid(child, 0)
""")
    assert said == "True\n"
    assert total("Shop") == 1


def test_the_client_brings_nothing_along(run: Run) -> None:
    said = run("""
import sys
import hailwhale.client
print(sorted({name.split(".")[0] for name in sys.modules} - sys.stdlib_module_names))
print([name for name in sys.modules if name.startswith("hailwhale.") and
       name.split(".")[1] not in ("client", "core", "errors", "types")])
""")
    ours, others = said.splitlines()
    assert not {"redis", "bottle", "numpy", "simplejson", "gunicorn", "limits"} & set(eval(ours))  # noqa: S307
    assert others == "[]"
