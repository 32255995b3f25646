"""`hailwhale serve` over a store that loads for minutes, or dies meanwhile: hits are taken."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
from pathlib import Path
from threading import Thread
from urllib.error import HTTPError

import pytest

from hailwhale.errors import StoreUnavailable
from hailwhale.store import embedded
from hailwhale.store.embedded import EmbeddedValkey
from tests.deploy.running import CLI, KILL, VALKEY, WEB, Server, environ, pids_below, started, until
from tests.faults.slow_valkey import COMMAND, VARIABLE, fill, is_loading, load_fast, slow_binary


@pytest.fixture
def slow(data_dir: Path, tmp_path: Path) -> dict[str, str]:
    """The variables of a serve whose data load slowly."""
    fill(data_dir)
    return {VARIABLE: str(slow_binary(tmp_path)), "HAILWHALE_STORE_TIMEOUT": "1"}


def status(server: Server, path: str, **parameters: str) -> int:
    try:
        server.get(path, pk="Shop", **parameters)
    except HTTPError as answer:
        with answer:
            return answer.code
    return 200


def test_serve_takes_hits_while_its_store_loads_and_restarts_what_dies(
    data_dir: Path, slow: dict[str, str]
) -> None:
    url = f"unix://{data_dir}/valkey.sock"
    with started(
        "serve", "--port", "0", "--data-dir", str(data_dir), command=COMMAND, variables=slow
    ) as server:
        assert server.said.startswith("HailWhale on http://")
        until(lambda: is_loading(url), "a store that loads")
        assert [status(server, "/count") for _ in range(3)] == [200] * 3
        assert status(server, "/count", uid="ann") == 200
        assert status(server, "/tracker", uid="ann") == 200
        assert server.post("/count", [{"pk": "Shop"}, {"pk": "Shop", "uid": "bob"}]) == {
            "accepted": 2,
            "rejected": [],
        }
        assert status(server, "/totals") == 503
        assert json.loads(server.get("/healthz"))["store"] == "away"
        valkey, web = server.child(VALKEY), server.child(WEB)
        os.kill(valkey, KILL)
        until(lambda: server.child(VALKEY) != valkey and is_loading(url), "another that loads")
        os.kill(web, KILL)
        until(lambda: server.child(WEB) != web, "another web process")
        assert status(server, "/count", uid="ann") == 200
        load_fast(url)
        until(lambda: status(server, "/totals") == 200 and server.hits() == 8, "all hits")
        answer = json.loads(server.get("/totals", pk="Shop", metric="uniques", period="all"))
        assert answer["all"]["_"]["uniques"] == 2
        server.signal(signal.SIGTERM)
        assert server.ended() == 0


def test_serve_ends_in_good_order_while_its_store_loads_and_the_next_counts_the_hits(
    data_dir: Path, slow: dict[str, str]
) -> None:
    arguments = ("serve", "--port", "0", "--data-dir", str(data_dir))
    with started(*arguments, command=COMMAND, variables=slow) as server:
        assert status(server, "/count", uid="ann") == 200
        server.signal(signal.SIGTERM)
        assert server.ended() == 0
    with started(*arguments) as server:
        until(lambda: server.hits() == 1, "the hit")


@pytest.mark.parametrize("words", ["whale", "drain"])
def test_a_child_that_is_killed_before_the_first_answer_is_started_again(
    data_dir: Path, words: str
) -> None:
    arguments = ["serve", "--port", "0", "--data-dir", str(data_dir)]
    with subprocess.Popen(
        [*CLI, *arguments],
        env=environ(HAILWHALE_WORKERS="1"),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        [first] = until(lambda: pids_below(process.pid, f"hailwhale.cli {words}"), "a child")
        os.kill(int(first), KILL)
        server = Server(process)
        assert server.said.startswith("HailWhale on http://")
        until(lambda: pids_below(process.pid, f"hailwhale.cli {words}") != [first], "another")
        assert status(server, "/count") == 200
        until(lambda: server.hits() == 1, "the hit")
        process.terminate()
        assert server.ended() == 0


def test_the_embedded_store_is_waited_for_as_long_as_it_loads(
    data_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fill(data_dir)
    monkeypatch.setattr(embedded, "get_binary_path", lambda: slow_binary(tmp_path))
    monkeypatch.setattr(embedded, "_SAID_EVERY_S", 0.0)
    monkeypatch.setattr(embedded, "_SILENT_S", 5.0)
    server = EmbeddedValkey(data_dir)
    thread = Thread(target=server.start)
    thread.start()
    caplog.set_level(logging.WARNING)
    until(lambda: "loads its data" in caplog.text, "a line in the log")
    assert thread.is_alive()
    load_fast(server.url)
    thread.join(60)
    assert server.is_loaded()
    server.stop()


def test_a_store_that_dies_while_it_loads_is_noticed_at_once(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(data_dir)
    monkeypatch.setattr(embedded, "get_binary_path", lambda: slow_binary(tmp_path))
    server = EmbeddedValkey(data_dir)
    raised: list[Exception] = []

    def start() -> None:
        with pytest.raises(StoreUnavailable) as found:
            server.start()
        raised.append(found.value)

    thread = Thread(target=start)
    thread.start()
    until(lambda: server.url and is_loading(server.url), "a store that loads")
    os.kill(server.pid, signal.SIGKILL)
    thread.join(30)
    assert "did not start" in str(raised[0])
