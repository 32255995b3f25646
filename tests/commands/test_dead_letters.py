"""`hailwhale dead-letters`: listed, retried, dropped."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from hailwhale.cli import main
from hailwhale.services.container import Services
from hailwhale.store.redis.keys import shard_of
from hailwhale.store.types import EncodedHit
from tests.conftest import NOW_S

Run = Callable[..., str]


@pytest.fixture
def run(
    make_services: Callable[..., Services],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    monkeypatch.setattr(
        "hailwhale.commands.dead_letters.open_services", lambda _settings: make_services()
    )

    def run(*arguments: str, code: int = 0) -> str:
        assert main(["dead-letters", *arguments]) == code
        out, err = capsys.readouterr()
        return out or err

    return run


@pytest.fixture
def letters(services: Services) -> list[bytes]:
    hits = [b"junk", b"rubbish\n\x1b[31m"]
    services.store.buffers.accept([EncodedHit("Shop", hit) for hit in hits], NOW_S)
    services.drain.flush()
    return hits


def listed(run: Run) -> list[dict[str, str]]:
    return [json.loads(line) for line in run("list", "--json").splitlines()]


def test_letters_are_listed_with_the_reason_and_nothing_that_a_terminal_obeys(
    run: Run, letters: list[bytes]
) -> None:
    text = run("list")
    assert "expected a time, a head and amounts" in text
    assert text.replace("\n", "").isprintable()
    assert [letter["hit"] for letter in listed(run)] == [hit.decode() for hit in letters]


def test_a_token_is_dropped_by_its_id(run: Run, letters: list[bytes]) -> None:
    first, second = listed(run)
    assert run("drop", first["id"]) == "1 dead letters dropped\n"
    assert listed(run) == [second]
    run("drop", first["id"], code=1)


def test_all_are_retried_and_dead_again_when_they_still_cannot_be_read(
    run: Run, services: Services, letters: list[bytes]
) -> None:
    assert run("retry", "--all") == "2 dead letters buffered again\n"
    assert listed(run) == []
    assert [load.shard for load in services.store.stats.loads()] == [shard_of("Shop")]
    assert services.drain.flush() == 2
    assert len(listed(run)) == 2


@pytest.mark.parametrize("arguments", [("retry",), ("drop",), ("drop", "1-x", "--all")])
def test_retry_and_drop_need_a_selection(
    run: Run, letters: list[bytes], arguments: tuple[str]
) -> None:
    assert "expected either ids or --all" in run(*arguments, code=2)
    assert len(listed(run)) == 2
