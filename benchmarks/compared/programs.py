"""Programs that a system consists of: started, killed, stopped, and how much they take.

Knows processes and folders, not what runs in them.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_START_S = 30.0
_STOP_S = 15.0
_POLL_S = 0.02


class Program:
    """A program that is started on entry and stopped on exit; its output goes to a file."""

    def __init__(
        self, command: Sequence[str], log: Path, port: int, environ: Mapping[str, str] | None = None
    ) -> None:
        """It is there when something listens on `port` of 127.0.0.1."""
        self._command = command
        self._log = log
        self._port = port
        self._environ = {**os.environ, **(environ or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        if not until(lambda: self._process_ended() or listens(self._port), _START_S):
            raise RuntimeError(f"{self._command[0]} does not listen: {self._said()}")
        if self._process_ended():
            raise RuntimeError(f"{self._command[0]} ended: {self._said()}")

    def kill(self) -> None:
        """SIGKILL it."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Stop it in good order, or kill it."""
        if self._process is None or self._process_ended():
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def _process_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _said(self) -> str:
        return self._log.read_text(errors="replace")[-600:]

    def __enter__(self) -> Program:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def until(condition: Callable[[], object], timeout_s: float) -> bool:
    """Wait for a condition; whether it came true in time."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(_POLL_S)
    return True


def free_port() -> int:
    """A TCP port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether something listens on a TCP port of this machine."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def descendants(pid: int) -> Iterator[int]:
    """A process and all that came of it."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in children.read_text().split():
                yield from descendants(int(child))


def kill_all(pids: Sequence[int]) -> None:
    """SIGKILL these; those that are gone already are as good."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def command_line(pid: int) -> list[str]:
    """The words a process was started with; none when it is gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    return []


def memory_bytes(pids: Sequence[int]) -> int:
    """What processes take of the memory, what they share divided among those that share it."""
    return 1024 * sum(map(_pss_kb, pids))


def _pss_kb(pid: int) -> int:
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return 0


def disk_bytes(folder: Path) -> int:
    """The blocks that the files below a folder take; holes take none."""
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # gone meanwhile
                total += os.lstat(os.path.join(where, name)).st_blocks * 512
    return total
