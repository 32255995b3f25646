"""Models are made when first asked for, renewed behind the caller's back, and never old."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest

from hailwhale.core.decisions import DecisionSums, Policy, Posterior
from hailwhale.core.decisions.parameters import DecisionQuery, parse_decide
from hailwhale.core.query.formula import Formula
from hailwhale.errors import StoreUnavailable
from hailwhale.services.container import Services
from hailwhale.services.decisions import model_cache
from hailwhale.services.decisions.model_cache import FRESH_S, STALE_S, PosteriorCache

ASKED: DecisionQuery = parse_decide({"pk": "Page", "by_metric": "earned", "options": "a,b"})


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition."""
    deadline_s = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


class Evidence:
    """Evidence that counts how often it is read; reading may be held up, or fail."""

    def __init__(self, services: Services) -> None:
        self._real: Any = services.deciding.evidence
        self.read = 0
        self.fitted: list[tuple[str, ...]] = []
        self.crowded = False  # whether some counted options are left out
        self.go_on = Event()
        self.go_on.set()
        self.fault: Exception | None = None

    def options(self, pk: tuple[str, ...]) -> list[str]:
        return ["a", "b", "c"] if self.crowded else ["a", "b"]

    def where_counted(self, pk: tuple[str, ...], formula: Formula) -> Formula:
        return formula

    def tally(self, *args: object) -> DecisionSums:
        self.go_on.wait(10)
        self.read += 1
        if self.fault:
            raise self.fault
        pk, options, *rest, counted = args
        found: DecisionSums = self._real.tally(pk, options if self.crowded else counted, *rest)
        self.fitted.append(found.options)
        return found


class Ticks:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def evidence(services: Services) -> Evidence:
    return Evidence(services)


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def models(evidence: Evidence, ticks: Ticks) -> PosteriorCache:
    return PosteriorCache(evidence, ticks)  # type: ignore[arg-type]


def test_a_fresh_model_is_used_again(
    models: PosteriorCache, evidence: Evidence, ticks: Ticks
) -> None:
    first = models.of(ASKED)
    ticks.now_s += FRESH_S

    assert models.of(ASKED) is first
    assert evidence.read == 1


def test_other_rules_or_another_formula_have_a_model_of_their_own(
    models: PosteriorCache, evidence: Evidence
) -> None:
    other = parse_decide({"pk": "Page", "by_metric": "spent", "options": "a,b"})

    models.of(ASKED)
    models.of(replace(ASKED, policy=Policy(holdout=0.5)))
    models.of(other)

    assert evidence.read == 3


def test_options_share_a_model_while_all_of_them_are_fitted_together(
    models: PosteriorCache, evidence: Evidence
) -> None:
    first = models.of(ASKED)

    assert models.of(replace(ASKED, options=("a",))) is first
    assert evidence.read == 1


def test_too_many_options_to_fit_together_have_a_model_for_each_set_of_them(
    models: PosteriorCache, evidence: Evidence
) -> None:
    evidence.crowded = True
    first = models.of(ASKED)

    assert models.of(replace(ASKED, options=("b", "a"))) is first
    other = models.of(replace(ASKED, options=("b",)))
    assert other is not first
    assert models.of(ASKED) is first
    assert models.of(replace(ASKED, options=("b",))) is other
    assert evidence.read == 2
    assert evidence.fitted == [("a", "b"), ("b",)]


def test_many_that_wait_for_one_of_many_models_have_it_made_once(
    models: PosteriorCache, evidence: Evidence
) -> None:
    evidence.crowded = True
    test_many_that_wait_for_the_first_model_have_it_made_once(models, evidence)


def test_large_models_that_were_used_least_recently_are_dropped(
    models: PosteriorCache, evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = models.of(ASKED)
    monkeypatch.setattr(model_cache, "_KEPT_NUMBERS", 2 * first.numbers)
    others = [replace(ASKED, policy=Policy(holdout=place / 10)) for place in (1, 2)]

    for other in others:
        models.of(other)
    for other in others:
        models.of(other)
    assert evidence.read == 3
    models.of(ASKED)
    assert evidence.read == 4


def test_an_old_model_answers_while_a_new_one_is_made(
    models: PosteriorCache, evidence: Evidence, ticks: Ticks
) -> None:
    first = models.of(ASKED)
    evidence.go_on.clear()
    ticks.now_s += FRESH_S + 0.1

    assert models.of(ASKED) is first
    assert models.of(ASKED) is first
    evidence.go_on.set()

    until(lambda: models.of(ASKED) is not first)
    assert evidence.read == 2


def test_after_a_pause_a_question_waits_for_what_is_true_now(
    models: PosteriorCache, evidence: Evidence, ticks: Ticks
) -> None:
    first = models.of(ASKED)
    ticks.now_s += STALE_S + 0.1

    assert models.of(ASKED) is not first
    assert evidence.read == 2


def test_many_that_wait_for_the_first_model_have_it_made_once(
    models: PosteriorCache, evidence: Evidence
) -> None:
    evidence.go_on.clear()
    found: list[object] = []
    threads = [Thread(target=lambda: found.append(models.of(ASKED))) for _ in range(5)]
    for thread in threads:
        thread.start()
    evidence.go_on.set()
    for thread in threads:
        thread.join(10)

    assert evidence.read == 1
    assert len(found) == 5
    assert len(set(map(id, found))) == 1


def test_the_last_model_answers_while_the_store_is_unavailable(
    models: PosteriorCache, evidence: Evidence, ticks: Ticks
) -> None:
    first = models.of(ASKED)
    evidence.fault = StoreUnavailable("away")
    ticks.now_s += FRESH_S + 0.1

    assert models.of(ASKED) is first
    until(lambda: evidence.read >= 2)
    assert models.of(ASKED) is first


def test_the_first_question_reports_an_unavailable_store(
    models: PosteriorCache, evidence: Evidence
) -> None:
    evidence.fault = StoreUnavailable("away")

    with pytest.raises(StoreUnavailable):
        models.of(ASKED)
    evidence.fault = None
    assert models.of(ASKED)


def broken(*_arguments: object) -> Posterior:
    raise np.linalg.LinAlgError("Singular matrix")


def test_a_fit_that_fails_leaves_the_last_model_and_one_line_in_the_log(
    models: PosteriorCache,
    evidence: Evidence,
    ticks: Ticks,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first = models.of(ASKED)
    monkeypatch.setattr(model_cache, "fit", broken)
    ticks.now_s += FRESH_S + 0.1

    assert models.of(ASKED) is first
    until(lambda: evidence.read == 2 and bool(caplog.records))
    ticks.now_s += STALE_S + 0.1
    assert models.of(ASKED) is first
    assert evidence.read == 3
    assert models.of(ASKED) is first  # the last model is as good as new: no fit for each request
    assert evidence.read == 3
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    for record in caplog.records:
        assert "Page" in record.getMessage()
        assert "Singular matrix" in record.getMessage()
        assert record.getMessage().isprintable()
        assert record.exc_info is None

    monkeypatch.undo()
    ticks.now_s += STALE_S + 0.1
    assert models.of(ASKED) is not first


def test_a_first_fit_that_fails_leaves_it_to_chance(
    models: PosteriorCache, ticks: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_cache, "fit", broken)
    posterior = models.of(ASKED)
    assert posterior.shares((), ["a", "b"]).tolist() == [0.5, 0.5]
    assert models.of(ASKED) is posterior

    monkeypatch.undo()
    ticks.now_s += STALE_S + 0.1
    assert models.of(ASKED) is not posterior
