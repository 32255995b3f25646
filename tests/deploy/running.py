"""Real processes for the deploy tests: started on free ports, waited for, ended by their pids."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

ROOT = Path(__file__).parents[2]
DEADLINE_S = 120  # passed only by what hangs, on a machine that other suites keep busy, too
CLI = [sys.executable, "-m", "hailwhale.cli"]


def until(condition: Callable[[], Any], wanted: str) -> Any:
    """What the condition gives, once that is true; fails the test when it never is."""
    deadline_s = time.monotonic() + DEADLINE_S
    while not (found := condition()):
        assert time.monotonic() < deadline_s, f"waited in vain for {wanted}"
        time.sleep(0.02)
    return found


def environ(**variables: str) -> dict[str, str]:
    """The environment without HailWhale settings but these."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HAILWHALE_")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **variables}


def completed(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself, run to its end."""
    return subprocess.run(
        [*CLI, *arguments],
        env=environ(**variables),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


class Server:
    """A server process, and requests to it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        self.said = process.stdout.readline().strip()  # the tests' runner has a timeout of its own
        self.url = next((word for word in self.said.split() if word.startswith("http://")), "")

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        return host, int(port)

    def get(self, path: str, **parameters: str) -> str:
        query = f"?{urlencode(parameters)}" if parameters else ""
        with urlopen(f"{self.url}{path}{query}", timeout=DEADLINE_S) as answer:  # noqa: S310
            return str(answer.read().decode())

    def post(self, path: str, events: Sequence[Mapping[str, object]]) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        request = Request(f"{self.url}{path}", json.dumps(events).encode(), headers)  # noqa: S310
        with urlopen(request, timeout=DEADLINE_S) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
        return found

    def hits(self, pk: str = "Shop") -> int:
        """All that was ever counted of a pk."""
        answer = json.loads(self.get("/totals", pk=pk, period="1d:1mo"))
        return int(answer["1d:1mo"]["_"]["hits"])

    def child(self, words: str) -> int:
        """The pid of the one child process whose command line has these words."""
        found = until(lambda: pids_below(self.process.pid, words), f"a child with {words!r}")
        return int(found[0])

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        """Its exit code, once it ended."""
        return self.process.wait(DEADLINE_S)


def _as_in_a_terminal() -> None:
    """A shell that runs the tests in the background has them, and their children, ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def started(
    *arguments: str,
    command: Sequence[str] = CLI,
    cwd: Path | None = None,
    variables: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """A server that said it is ready; stopped at the end, in good order if it can be."""
    with subprocess.Popen(
        [*command, *arguments],
        env=environ(HAILWHALE_WORKERS="1", HAILWHALE_THREADS="4", **(variables or {})),
        cwd=cwd,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_as_in_a_terminal,
    ) as process:
        try:
            yield Server(process)
        finally:
            process.terminate()
            try:
                process.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                process.kill()


def pids_below(parent: int, words: str) -> list[int]:
    """The children of a process whose command line has these words."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            # After the name in parentheses, which may hold anything: the state, then the parent.
            status = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if int(status[1]) == parent and status[0] != "Z" and words in command:
            found.append(int(folder.name))
    return found


def alive(pid: int) -> bool:
    """Whether a process is there and not just waiting to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


WEB, DRAIN, VALKEY = "cli whale", "cli drain", "valkey-server"
KILL = signal.SIGKILL
