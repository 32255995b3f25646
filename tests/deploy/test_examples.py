"""supervisord.conf.example and nginx.conf.example as they run, and the unit of systemd."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.deploy.running import DEADLINE_S, ROOT, environ, pids_below, until
from tests.deploy.stack import Stack, deployed
from tests.ports import free_port

SENDERS = 4


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with deployed(tmp_path_factory.mktemp("deployed")) as found:
        yield found


def store_url(stack: Stack) -> str:
    """Where the programs of supervisor's count."""
    text = (stack.here / "supervisord.conf").read_text(encoding="utf-8")
    return text.partition('HAILWHALE_REDIS_URL="')[2].partition('"')[0]


@pytest.fixture(scope="module")
def token(stack: Stack) -> str:
    """A token that may read, added as an operator does."""
    found = subprocess.run(
        [str(stack.here / "hailwhale"), "tokens", "add", "tests", "--scope", "read"],
        env=environ(HAILWHALE_REDIS_URL=store_url(stack)),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    )
    return found.stdout.split()[-1]


def hits(stack: Stack, token: str, pk: str) -> int:
    """All hits of a pk, as the service answers through nginx."""
    status, text = stack.get(
        f"/totals?pk={pk}&period=1d:1mo", headers={"Authorization": f"Bearer {token}"}
    )
    assert status == 200, text
    return int(json.loads(text)["1d:1mo"].get("_", {}).get("hits", 0))


def test_at_the_public_name_a_hit_counts_and_the_rest_takes_a_token(
    stack: Stack, token: str
) -> None:
    named = {"Host": "hw.example.com"}
    assert stack.get("/count?pk=Named", headers=named) == (200, "OK")
    for path in ("/totals?pk=Named", "/pks", "/metrics", "/reset?pk=Named", "/flush_hail"):
        status, text = stack.get(path, headers=named)
        assert status == 401
        assert "Authorization: Bearer" in text
    shown = named | {"Authorization": f"Bearer {token}"}
    assert stack.get("/totals?pk=Named", headers=shown)[0] == 200


def test_a_hit_passes_through_all_of_it_with_and_without_tls(stack: Stack, token: str) -> None:
    assert stack.get("/count?pk=Passed") == (200, "OK")
    assert stack.get("/count?pk=Passed", tls=True) == (200, "OK")
    assert stack.get("/count.gif?pk=Passed")[0] == 200
    until(lambda: hits(stack, token, "Passed") == 3, "the drain to count them")


def test_a_stranger_may_count_and_nothing_else(stack: Stack) -> None:
    stranger = "127.0.0.2"
    assert stack.get("/count?pk=Stranger", source=stranger) == (200, "OK")
    for path in ("/totals?pk=Stranger", "/pks", "/", "/metrics", "/spy", "/reset?pk=Stranger"):
        assert stack.get(path, source=stranger)[0] == 403
    assert stack.get("/totals?pk=Stranger")[0] == 401, "from the machine itself it takes a token"


def test_a_body_that_is_too_large_is_refused_before_hail_has_it(stack: Stack) -> None:
    assert stack.get("/count", body=b"x" * 17_000_000)[0] == 413


def test_killed_processes_are_restarted(stack: Stack, token: str) -> None:
    before = stack.pids()
    assert sorted(before) == ["hailwhale-drain", "hailwhale-hail", "hailwhale-whale"]
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)

    def all_anew() -> bool:
        now = stack.pids()
        return now.keys() == before.keys() and not set(now.values()) & set(before.values())

    until(all_anew, "supervisor to start them again")
    until(lambda: stack.get("/count?pk=Again&id=again")[0] == 200, "hail to answer")
    until(lambda: stack.get("/healthz")[0] == 200, "whale to answer")
    until(lambda: hits(stack, token, "Again") == 1, "the drain to count")


@contextmanager
def traffic(stack: Stack, pk: str) -> Iterator[Callable[[], list[tuple[int, str]]]]:
    """Hits sent all the while, each on a connection of its own; gives the answers so far."""
    answers: list[tuple[int, str]] = []
    over = threading.Event()

    def send() -> None:
        while not over.is_set():
            try:
                answers.append(stack.get(f"/count?pk={pk}"))
            except OSError as fault:
                answers.append((0, repr(fault)))

    threads = [threading.Thread(target=send) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    try:
        yield lambda: answers
    finally:
        over.set()
        for thread in threads:
            thread.join()


def more(answers: Callable[[], list[tuple[int, str]]], wanted: int = 100) -> None:
    """Wait for so many answers more."""
    start = len(answers())
    until(lambda: len(answers()) >= start + wanted, f"{wanted} answers more")


def test_a_rolling_restart_of_hail_loses_no_hit(stack: Stack, token: str) -> None:
    with traffic(stack, "Rolling") as answers:
        for _ in range(3):
            more(answers)
            anew = changed(partial(hail_server, stack))
            assert stack.control("signal", "HUP", "hailwhale-hail") == "hailwhale-hail: signalled\n"
            until(anew, "another server of hail's")
        more(answers)
    assert set(answers()) == {(200, "OK")}
    until(lambda: hits(stack, token, "Rolling") == len(answers()), "all hits to be counted")


def changed(pids: Callable[[], set[int]]) -> Callable[[], bool]:
    """Whether there are processes, and none of those that there are now."""
    before = pids()
    assert before

    def anew() -> bool:
        now = pids()
        return bool(now) and not now & before

    return anew


def hail_server(stack: Stack) -> set[int]:
    """The pid of the process that serves for hail."""
    return set(pids_below(stack.pids()["hailwhale-hail"], "cli hail"))


def test_a_reload_of_nginx_loses_no_hit(stack: Stack, token: str) -> None:
    with traffic(stack, "Reloaded") as answers:
        for _ in range(3):
            more(answers)
            anew = changed(partial(workers, stack))
            stack.nginx.send_signal(signal.SIGHUP)
            until(anew, "new workers of nginx's")
        more(answers)
    assert set(answers()) == {(200, "OK")}
    until(lambda: hits(stack, token, "Reloaded") == len(answers()), "all hits to be counted")


def test_a_pixel_that_nginx_serves_alone_is_counted_by_its_log(stack: Stack, token: str) -> None:
    log = stack.here / "logs" / "hailwhale-pixels.log"
    pixel = "/pixel.gif?pk=Alone&metrics={%22dollars%22:19.99}"
    status, gif = stack.get(pixel)
    assert (status, gif[:6]) == (200, "GIF89a")
    tail = [str(stack.here / "hailwhale"), "tail", str(log), "--pixels", "--quiet", "1"]
    variables = environ(HAILWHALE_REDIS_URL=store_url(stack), HAILWHALE_DATA_DIR=str(stack.here))
    with subprocess.Popen(tail, env=variables, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: hits(stack, token, "Alone") == 1, "the first to be counted")
            log.rename(log.with_name(f"{log.name}.1"))  # as logrotate does, then tells nginx
            assert stack.get('/pixel.gif?pk=Alone&dimensions="unquoted"')[0] == 200
            stack.nginx.send_signal(signal.SIGUSR1)
            until(log.exists, "nginx to open its log anew")
            for number in range(10):
                assert stack.get(f"/pixel.gif?pk=Alone&id={number % 5}")[0] == 200
            assert stack.get("/pixel.gif?pk=Alone&metrcis=wrong")[0] == 200
            until(lambda: hits(stack, token, "Alone") == 7, "all to be counted, each id once")
        finally:
            process.terminate()
            assert process.wait(DEADLINE_S) == 0


def workers(stack: Stack) -> set[int]:
    """The pids of nginx's workers."""
    children = Path(f"/proc/{stack.nginx.pid}/task/{stack.nginx.pid}/children").read_text()
    return {int(pid) for pid in children.split()}


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a command that is there."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    text = (ROOT / "hailwhale.service.example").read_text(encoding="utf-8")
    command = "/opt/hailwhale/.venv/bin/hailwhale"
    assert command in text
    path = tmp_path / "hailwhale.service"
    path.write_text(text.replace(command, sys.executable), encoding="utf-8")
    return path


def test_systemd_finds_no_fault_in_its_unit(unit: Path) -> None:
    found = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert [line for line in found.stderr.splitlines() if "hailwhale" in line] == []
    assert found.returncode == 0, found.stderr


def test_the_unit_is_as_hardened_as_it_says(unit: Path) -> None:
    found = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(unit)],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert found.returncode == 0, found.stdout


def test_a_socket_that_systemd_hands_on_is_served(tmp_path: Path) -> None:
    if shutil.which("systemd-socket-activate") is None:
        pytest.skip("needs systemd-socket-activate")
    port = free_port()
    serve = [sys.executable, "-m", "hailwhale.cli", "serve", "--data-dir", str(tmp_path / "data")]
    with subprocess.Popen(
        ["systemd-socket-activate", "--listen", f"127.0.0.1:{port}", *_passed(), *serve],
        env=environ(HAILWHALE_WORKERS="1", HAILWHALE_THREADS="4"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            until(lambda: _listens(port), "the socket")
            with urlopen(f"http://127.0.0.1:{port}/count?pk=Handed", timeout=DEADLINE_S) as answer:
                assert answer.read() == b"OK"
            assert process.stdout is not None
            assert process.stdout.readline().startswith(f"HailWhale on http://127.0.0.1:{port} ")
        finally:
            process.terminate()
            assert process.wait(DEADLINE_S) == 0


def _passed() -> list[str]:
    names = ("PYTHONPATH", "PATH", "HAILWHALE_WORKERS", "HAILWHALE_THREADS")
    return [word for name in names for word in ("--setenv", name)]


def _listens(port: int) -> bool:
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(line.split()[1].endswith(f":{port:04X}") for line in lines if " 0A " in line)
