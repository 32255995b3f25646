"""`hailwhale tail` as a process: killed and started again while its log is written and rotated."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hailwhale.cli import main
from hailwhale.errors import shown
from hailwhale.settings import Settings
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.whale import Whale
from tests.deploy.running import CLI, DEADLINE_S, environ, until
from tests.services.imports.test_file_formats import logged

KILLS = 6
ROOTS = 6
AHEAD = 5_000  # lines that the writer may be ahead: on a busy machine it waits for the reader


class Writer:
    """Writes pixels into a log as a server does, and puts the log aside as rotations do."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written = 0
        self.seen = 0  # of these, how many the test has seen counted
        self._file = path.open("a", buffering=1)
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._rotations = 0

    def _run(self) -> None:
        while not self._over.is_set():
            if self.written < self.seen + AHEAD:
                self.write(20)
            time.sleep(0.02)

    def write(self, lines: int) -> None:
        with self._lock:
            for _ in range(lines):
                self.written += 1
                query = f"pk=['Root{self.written % ROOTS}','x']&metric=n&_={self.written}"
                self._file.write(logged(f"/count.gif?{query}") + "\n")

    def rotate(self, *, copied: bool) -> None:
        """Put the log aside; nothing is written between a copy and the cut, as nothing can be."""
        self._rotations += 1
        aside = self.path.with_name(f"{self.path.name}.{self._rotations}")
        if copied:
            with self._lock:
                shutil.copyfile(self.path, aside)
                os.truncate(self.path, 0)
            return
        self.path.rename(aside)
        self.write(50)  # to what is open still
        with self._lock:
            self._file.close()
            self._file = self.path.open("a", buffering=1)

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._file.close()


@pytest.fixture
def variables(valkey: EmbeddedValkey, namespace: str, tmp_path: Path) -> dict[str, str]:
    return {
        "HAILWHALE_REDIS_URL": valkey.url,
        "HAILWHALE_NAMESPACE": namespace,
        "HAILWHALE_DATA_DIR": str(tmp_path / "data"),
    }


@pytest.fixture
def whale(variables: dict[str, str]) -> Iterator[Whale]:
    found = Whale(settings=Settings.from_env(variables))
    yield found
    found.close()


@pytest.fixture
def start(variables: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts real `hailwhale tail` processes; none outlives the test."""
    started: list[subprocess.Popen[str]] = []

    def start_one(*arguments: str) -> subprocess.Popen[str]:
        started.append(
            subprocess.Popen(
                [*CLI, "tail", *arguments],
                env=environ(**variables),
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield start_one
    for each in started:
        each.kill()
        each.communicate(timeout=DEADLINE_S)


def counted(whale: Whale) -> int:
    return sum(int(whale.total(f"Root{number}", "n", "all")) for number in range(ROOTS))


def more_is_counted(whale: Whale, writer: Writer) -> None:
    before = writer.seen = counted(whale)
    until(lambda: counted(whale) > before, "some lines to be counted")


def test_killed_and_rotated_under_load_each_line_counts_once(
    start: Callable[..., subprocess.Popen[str]], whale: Whale, tmp_path: Path
) -> None:
    rng = random.Random(3)
    path = tmp_path / "pixels.log"
    options = (str(path), "--pixels", "--quiet", "3")
    with Writer(path) as writer:
        process = start(*options)
        for number in range(KILLS):
            more_is_counted(whale, writer)
            if number % 2:
                writer.rotate(copied=number % 4 == 1)
            time.sleep(rng.random() / 10)  # the kill may meet any step
            process.kill()
            process.wait(DEADLINE_S)
            if number % 3 == 2:
                writer.rotate(copied=number % 2 == 0)
            process = start(*options)
        writer.rotate(copied=False)
    until(lambda: counted(whale) >= writer.written, "all lines to be counted")
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert counted(whale) == writer.written
    done = start(*options, "--once")
    _, err = done.communicate(timeout=DEADLINE_S)
    assert (done.returncode, err.splitlines()[-1]) == (0, f"{path}: 0 counted, 0 rejected")
    assert counted(whale) == writer.written


def test_a_log_is_followed_by_one_process(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    path = tmp_path / "access.log"
    path.write_text(logged("/") + "\n")
    first = start(str(path))
    assert first.stderr is not None
    assert "following" in first.stderr.readline()
    second = start(str(path))
    _, err = second.communicate(timeout=DEADLINE_S)
    assert second.returncode == 2
    assert err.startswith(f"hailwhale: file: got '{str(path)[:20]}")
    assert "expected a log that no other process follows" in err
    first.send_signal(signal.SIGTERM)
    assert first.wait(DEADLINE_S) == 0


def test_a_folder_without_locks_is_reported(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    path, folder = tmp_path / "access.log", tmp_path / "a file"
    path.write_text(logged("/") + "\n")
    folder.touch()
    tail = start(str(path), "--data-dir", str(folder))
    _, err = tail.communicate(timeout=DEADLINE_S)
    assert tail.returncode == 2
    expected = "a directory in which a lock file can be written"
    assert f"data-dir: got {shown(str(folder))}; expected {expected}" in err
    assert "Traceback" not in err


def test_once_counts_what_is_there_and_says_what_is_wrong(
    variables: dict[str, str],
    whale: Whale,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "access.log"
    path.write_text(f"{logged('/a')}\nnoise\n{logged('/b')}\n{logged('/c')}")
    assert main(["tail", str(path), "--once"]) == 1
    assert capsys.readouterr().err.endswith(f"{path}: 2 counted, 1 rejected\n")
    with path.open("a") as file:
        file.write("\n")
    assert main(["tail", str(path), "--once"]) == 0
    assert whale.total("Requests", "hits", "all") == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no/such/log"], "file: got 'no/such/log'; expected a file in an existing directory"),
        (
            ["x", "--format", "cloudfront"],
            "format: got 'cloudfront'; expected ndjson, or the format of a log",
        ),
        (["x", "--format", "ndjson", "--pixels"], "pixels: got 'ndjson'"),
    ],
)
def test_an_invalid_log_path_is_refused_in_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tail", *arguments]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"hailwhale: {said}")
    assert err.count("\n") == 1
