"""Runs streams against the package and prints one line for each mismatch, with its seed.

python -m tests.model.run --minutes 60 --seed 1
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache, partial
from itertools import pairwise
from pathlib import Path as FilePath
from random import Random
from typing import Any

from hailwhale.errors import BadInput, StoreMismatch
from hailwhale.services.container import Services, assemble
from hailwhale.settings import Settings
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.store.redis.client import connect
from hailwhale.store.redis.keys import Keys
from hailwhale.store.redis.store import RedisStore
from hailwhale.web.apps import whale_app
from tests.model.counts import Counted, Counts, Path
from tests.model.streams import ADDED, ROLLUPS, ZONES, Question, Stream
from tests.model.ways_in import BUFFERED, WAYS_IN, Entrance, served
from tests.model.ways_out import SILENT, WAYS_OUT, Answered, Number, labels_below

STEPS = 40
QUESTIONS = 6
KEY = "A" * 43
# Around changes of clocks, ends of years and February.
BEGINNINGS = [
    *(1_300_000_000, 1_396_137_600, 1_414_281_600, 1_709_150_000, 1_735_680_000, 1_762_000_000),
]


@dataclass
class Clock:
    now_s: int

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Outcome:
    """What was compared, and what did not agree."""

    answers: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    events: int = 0
    mismatches: list[str] = field(default_factory=list)


class Trial:
    """One stream of events and questions over a namespace of its own."""

    def __init__(
        self, seed: int, url: str, folder: FilePath, outcome: Outcome, told: Callable[[str], None]
    ) -> None:
        self._seed = seed
        self._random = Random(seed)
        self._outcome = outcome
        self._told = told
        self._zone = self._random.choice(ZONES)
        self._rollups = self._random.choice(ROLLUPS)
        self._clock = Clock(self._random.choice(BEGINNINGS) + self._random.randint(-(10**6), 10**6))
        self._counts = Counts()
        self._stream = Stream(self._random, self._zone)
        self._url, self._folder = url, folder
        self._sent: list[Counted] = []
        self._most_labels = self._random.choice([None, None, 4])
        self._step = 0

    def run(self) -> None:
        with self._opened(self._rollups) as old, served(whale_app(old)) as url:
            entrances = [Entrance(old, self._folder, url)]
            self._steps(entrances, STEPS // 2)
            # Another version of the settings joins; the first one goes on as long as it may.
            with (
                self._opened(f"{ADDED},{self._rollups}") as new,
                served(whale_app(new)) as url,
            ):
                entrances.append(Entrance(new, self._folder, url))
                self._steps(entrances, STEPS)

    @contextmanager
    def _opened(self, rollups: str) -> Iterator[Services]:
        environ = {
            "HAILWHALE_REDIS_URL": self._url,
            "HAILWHALE_NAMESPACE": f"model{self._seed}",
            "HAILWHALE_TIMEZONE": self._zone,
            "HAILWHALE_ROLLUPS": rollups,
            "HAILWHALE_SEAL_KEYS": KEY,
        }
        if self._most_labels:
            environ["HAILWHALE_MAX_CHILDREN"] = str(self._most_labels)
        settings = Settings.from_env(environ)
        store = RedisStore(
            connect(settings.redis_url, 10),
            Keys(settings.namespace),
            max_children=settings.max_children,
        )
        with closing(assemble(settings, store, self._clock)) as services:
            yield services

    def _steps(self, entrances: list[Entrance], until: int) -> None:
        while self._step < until:
            self._step += 1
            self._send(entrances)
            if self._random.random() < 0.15:
                self._change(entrances[-1])
            if self._random.random() < 0.5:
                self._clock.now_s += self._random.choice([1, 59, 3_600, 86_400, 5 * 86_400])
            self._flush(entrances)
            for _ in range(QUESTIONS):
                question = self._stream.question(self._counts, self._clock.now_s)
                for way in WAYS_OUT:
                    self._compare(way.__name__, question, way(entrances[-1], question))

    def _send(self, entrances: list[Entrance]) -> None:
        many = self._random.choice([1, 3, 9])
        events = [self._stream.event(self._clock.now_s) for _ in range(many)]
        entrance = self._random.choice(entrances)
        # docs/operations.rst: a process that does not know an added rollup goes on accepting hits.
        way = self._random.choice(WAYS_IN if entrance is entrances[-1] else BUFFERED)
        way(entrance, events)
        self._outcome.events += len(events)
        self._sent += [event.counted(self._clock.now_s) for event in events]

    def _flush(self, entrances: list[Entrance]) -> None:
        """Drain with any version: one that is too old must refuse, and lose nothing."""
        with suppress(StoreMismatch):
            self._random.choice(entrances).services.drain.flush()
        entrances[-1].services.drain.flush()
        self._take(entrances[-1])

    def _take(self, entrance: Entrance) -> None:
        """Count in the model what was sent and is drained."""
        known = lru_cache(maxsize=None)(partial(labels_below, entrance))

        def admitted(pk: Path, dimension: Path | None, label: str) -> bool:
            return label in known(pk, dimension)

        for event in self._sent:
            self._counts.add(event, admitted if self._most_labels else None)
        self._sent.clear()

    def _change(self, entrance: Entrance) -> None:
        """Erase, or set a total, after all that is buffered was counted."""
        services = entrance.services
        services.drain.flush()
        self._take(entrance)
        pk = self._random.choice([*self._counts.pks(), ("Nowhere",)])
        dimension = self._random.choice([(), *self._counts.dimensions(pk)])
        if self._random.random() < 0.4:
            services.erasing.reset(pk, dimension)
            self._counts.reset(pk, dimension)
            return
        value = self._stream.amount()
        fields: dict[str, Any] = {"pk": list(pk), "metrics": {"sales": value}}
        if dimension:
            fields["dimensions"] = [list(dimension)]
        try:
            services.counting.update_count_to(fields)
        except BadInput as fault:
            # docs/settings.rst: past the limit a label has no total of its own that could be set.
            if not self._most_labels or "limit" not in fault.message:
                raise
            return
        self._counts.set_total(pk, dimension, "sales", Fraction(value), self._clock.now_s)

    def _compare(self, way: str, question: Question, answered: Answered | str) -> None:
        if isinstance(answered, str):
            self._outcome.refusals[way] += 1
            if not self._may_be_refused(question, answered):
                self._mismatch(way, question, "an answer", answered)
            return
        self._outcome.answers[way] += 1
        edges = question.span.edges
        if answered.has_total:
            begin_s, end_s = (edges[0], edges[-1]) if edges else (None, None)
            expected = self._value(question, begin_s, end_s, answered)
            if not _agree(expected, answered.total, answered, question):
                self._mismatch(f"{way} total", question, expected, answered.total)
        if answered.starts_s is None or not edges:
            return
        if answered.own_buckets:
            edges = answered.starts_s
        elif answered.starts_s != edges[:-1]:
            self._mismatch(f"{way} edges", question, edges[:-1], answered.starts_s)
            return
        for (start_s, next_s), value in zip(pairwise(edges), answered.values, strict=False):
            expected = self._value(question, start_s, next_s, answered)
            if not _agree(expected, value, answered, question):
                self._mismatch(f"{way} at {start_s}", question, expected, value)
                return

    def _value(
        self, question: Question, begin_s: int | None, end_s: int | None, answered: Answered
    ) -> Number:
        sums = {
            metric: self._counts.total(question.pk, question.dimension, metric, begin_s, end_s)
            for metric in question.formula.metrics
        }
        length_s = 0
        if begin_s is not None and end_s is not None:
            # docs/http.rst: the length of a bucket that is still running is the part that has
            # passed; the second that is now has. One that has not begun has the length 0.
            length_s = max(min(end_s, self._clock.now_s + 1) - begin_s, 0)
        by_zero = Fraction() if answered.by_zero_is_0 else None
        return question.formula.value(sums, length_s, by_zero)

    def _may_be_refused(self, question: Question, reason: str) -> bool:
        """docs/http.rst: a period that the stored rollups cannot answer exactly is a 400, and so
        is a formula with a length of time over all."""
        if reason.startswith(SILENT):
            return True
        if question.span.text == "all":
            return question.formula.has_length
        bounds = ("rollup", "a period that begins after", "stored buckets")
        return any(bound in reason for bound in bounds)

    def _mismatch(self, way: str, question: Question, expected: object, got: object) -> None:
        line = (
            f"seed {self._seed} step {self._step}: {way} of {question.formula.text!r} for "
            f"{question.pk} {question.dimension} over {question.span.text} in "
            f"{question.zone or self._zone} at {self._clock.now_s}: expected {expected}, got {got}"
        )
        self._outcome.mismatches.append(line)
        self._told(line)


def _agree(expected: Number, got: Number, answered: Answered, question: Question) -> bool:
    if expected is None or got is None:
        return expected is got
    if answered.is_float:
        return abs(expected - got) <= abs(expected) * Fraction(1, 10**15)
    if question.formula.divides:
        # docs/http.rst: a quotient is rounded once, in the answer, to 17 digits.
        return abs(expected - got) <= abs(expected) * Fraction(1, 10**16)
    return expected == got


def trials(
    url: str, seeds: Iterator[int], outcome: Outcome, told: Callable[[str], None]
) -> Iterator[int]:
    """Run one trial after the other; yield the seed of each that is over."""
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            Trial(seed, url, FilePath(folder), outcome, told).run()
            yield seed


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    until_s = time.monotonic() + 60 * args.minutes
    logging.disable()
    outcome = Outcome()
    seeds = iter(range(args.seed * 1_000_000, (args.seed + 1) * 1_000_000))
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedValkey(FilePath(folder), fsync="no") as server,
    ):
        last = 0
        for seed in trials(server.url, seeds, outcome, lambda line: print(line, flush=True)):
            last = seed
            connect(server.url, 10).flushall()
            if time.monotonic() > until_s:
                break
    for way, number in sorted(outcome.answers.items()):
        print(f"{way:20} {number:>10,} answers {outcome.refusals[way]:>10,} refusals")
    answers, refusals = sum(outcome.answers.values()), sum(outcome.refusals.values())
    print(
        f"seeds {args.seed * 1_000_000} to {last}: {outcome.events:,} events, {answers:,} answers "
        f"compared, {refusals:,} refusals, {len(outcome.mismatches):,} mismatches"
    )
    return 1 if outcome.mismatches else 0


if __name__ == "__main__":
    sys.exit(main())
