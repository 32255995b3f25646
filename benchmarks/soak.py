"""`python -m benchmarks.soak [--minutes 60] [--seed 1] [--rate 8]`

Counts over HTTP at a steady rate on a real deployment with the default settings: a hail, two
drains, a whale and an embedded Valkey. Events have uids and ids, and many come in batches. Every
few seconds something happens to a process or a disk: the faults of `tests.faults.faults`, drawn
from the seed. Prints a line a minute. In the end it compares every cell of the store and the
visitors with what was acknowledged. Ends with 1 if anything was lost, counted twice or is wrong, or
if /count answered 5xx for another reason than a disk queue without room.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from threading import Event as Flag
from threading import Semaphore, Thread

if __name__ == "__main__":
    # As a script it has its own folder on the path, and not the repository it lies in.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from tests.faults.asker import Asker
from tests.faults.faults import PROCESS_FAULTS, SPOOL_FAULTS, STORE_FAULTS
from tests.faults.harness import acknowledged, refuse_complaints, traffic
from tests.faults.judge import Verdict, judge
from tests.faults.processes import Deployment
from tests.faults.sender import Sender

# Ages of events are distinguished by the hour, so a run must end within an hour.
_MOST_MINUTES = 60.0
_SENDERS = 3
_PAUSE_S = (0.5, 2.5)  # between two faults
_LASTS_S = (0.1, 2.5)
_LASTS_LONG_S = (6.0, 12.0)  # longer than the default timeout of the store
_LONG_SHARE = 0.1
_FAULTS = {**STORE_FAULTS, **SPOOL_FAULTS, **PROCESS_FAULTS}
_SHOWN = 5
_LINE = "{:>6}  {:>12}  {:>10}  {:>8}  {:>8}  {:>6}  {:>14}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run: `failures` are answers of /count that no outage excuses."""

    verdict: Verdict
    failures: Sequence[str]
    faults: Counter[str]

    @property
    def exact(self) -> bool:
        """Whether all was counted as acknowledged, and /count always answered."""
        return self.verdict.exact and not self.failures


class Soak:
    """One run, and what happened in it."""

    def __init__(self, minutes: float, seed: int, rate: float) -> None:
        self.faults: Counter[str] = Counter()
        self._minutes = minutes
        self._random = Random(seed)
        self._seed = seed
        self._rate = rate
        self._began_s = time.monotonic()
        self._lines = 0

    def run(self, folder: Path) -> Outcome:
        """Carry it out; the outcome when all is counted."""
        now_s, permits = int(time.time()), Semaphore(0)
        with Deployment(folder, drains=2, whale=True) as deployment:
            try:
                self._print("minute", "acknowledged", "unknown", "counted", "spooled", "faults")
                with (
                    traffic(deployment.port, self._seed, _SENDERS, permits, now_s) as senders,
                    Asker(deployment.whale_port) as asker,
                    _steadily(permits, self._rate),
                ):
                    while self._elapsed_s() < 60 * self._minutes:
                        self._strike(deployment)
                        refuse_complaints(senders)
                        self._tell(deployment, senders, asker)
                deployment.settle()
            except AssertionError as fault:
                raise AssertionError(f"{fault}\n{deployment.logs()}") from fault
            odd = set(asker.statuses) - {200, 503, None}
            assert not odd, f"whale answered {odd}"
            fates = [fate for sender in senders for fate in sender.fates]
            failures = [failure for sender in senders for failure in sender.failures]
            verdict = judge(deployment.client, deployment.keys, fates, now_s)
            return Outcome(verdict, failures, self.faults)

    def _strike(self, deployment: Deployment) -> None:
        """Let one thing happen, once what happened before is mended."""
        for command in deployment.commands:
            deployment.await_up(command)
        time.sleep(self._random.uniform(*_PAUSE_S))
        name = self._random.choice(list(_FAULTS))
        self.faults[name] += 1
        is_long = self._random.random() < _LONG_SHARE
        with _FAULTS[name](deployment):
            time.sleep(self._random.uniform(*(_LASTS_LONG_S if is_long else _LASTS_S)))

    def _tell(self, deployment: Deployment, senders: Sequence[Sender], asker: Asker) -> None:
        if self._elapsed_s() < 60 * (self._lines + 1):
            return
        self._lines = int(self._elapsed_s() / 60)
        told = acknowledged(senders)
        unknown = sum(len(sender.fates) - sender.refused for sender in senders) - told
        answers = f"{asker.statuses[200]:,}/{asker.statuses[503]:,}"
        counted = deployment.store.stats.counts()["drained"]
        spooled = deployment.spool.size_bytes()
        self._print(self._lines, told, unknown, counted, spooled, self.faults.total(), answers)

    def _print(self, *cells: object) -> None:
        texts = [f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in cells]
        print(_LINE.format(*texts, *["whale 200/503"] * (7 - len(texts))), flush=True)

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._began_s


@contextmanager
def _steadily(permits: Semaphore, rate: float) -> Iterator[None]:
    """Permit so many requests a second."""
    over = Flag()

    def permit() -> None:
        while not over.wait(1 / rate):
            permits.release()

    thread = Thread(target=permit, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def main(argv: Sequence[str] | None = None) -> int:
    """Soak for the minutes asked for; return 0 if every event was counted as acknowledged."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="how long (60, the most)")
    parser.add_argument("--seed", type=int, default=1, help="of the events and the faults (1)")
    parser.add_argument("--rate", type=float, default=8.0, help="requests a second (8)")
    args = parser.parse_args(argv)
    if not 0 < args.minutes <= _MOST_MINUTES:
        parser.error(f"--minutes: more than 0 and at most {_MOST_MINUTES:.0f}")
    # So that what was started is stopped, however this is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    soak = Soak(args.minutes, args.seed, args.rate)
    with tempfile.TemporaryDirectory(prefix="hw") as folder:
        outcome = soak.run(Path(folder))
    print(summary(outcome))
    return 0 if outcome.exact else 1


def summary(outcome: Outcome) -> str:
    """What came of a run, a line for each figure."""
    verdict, faults = outcome.verdict, outcome.faults
    figures = {
        "acknowledged": verdict.acknowledged,
        "refused": verdict.refused,
        "unknown": verdict.unknown,
        "of these counted": verdict.unknown_counted,
        "counted": verdict.counted,
        "lost": verdict.lost,
        "doubled": verdict.doubled + verdict.unrefused,
        "cells compared": verdict.cells,
        "wrong": verdict.wrong,
        "5xx of /count": len(outcome.failures),
        "faults": faults.total(),
    }
    lines = [f"{name:<17}{number:>12,}" for name, number in figures.items()]
    lines += [f"  {number:>4} x {name}" for name, number in sorted(faults.items())]
    return "\n".join([*lines, *verdict.examples, *outcome.failures[:_SHOWN]])


if __name__ == "__main__":
    sys.exit(main())
