"""The schema of a store, on each engine: see protocol.SchemaStore."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from hailwhale.errors import StoreMismatch
from hailwhale.store.protocol import SchemaStore
from hailwhale.store.redis.format_check import FORMAT
from hailwhale.store.redis.store import RedisStore
from hailwhale.store.types import CommitOutcome
from tests.conftest import NOW_S, MakeStore
from tests.store.samples import SHARD, hit_count, one_hit

OLD, NEW = ["1h:35d", "all"], ["1h:35d", "1d:3y", "all"]


def test_a_store_remembers_its_schema(schema: SchemaStore) -> None:
    assert schema.declare("UTC", ["1h:35d", "all"], NOW_S) == {}
    assert schema.declare("UTC", ["1h:35d", "all"], NOW_S + 5) == {}
    with pytest.raises(StoreMismatch, match="HAILWHALE_TIMEZONE=UTC"):
        schema.declare("Europe/Berlin", ["1h:35d", "all"], NOW_S)
    with pytest.raises(StoreMismatch, match="HAILWHALE_ROLLUPS=1h:35d,all"):
        schema.declare("UTC", ["1d:3y", "all"], NOW_S)


def test_an_added_rollup_is_filled_from_then_on(schema: SchemaStore) -> None:
    schema.declare("UTC", ["1h:35d", "all"], NOW_S)
    added = ["1h:35d", "1d:3y", "all"]
    assert schema.declare("UTC", added, NOW_S + 60) == {"1d": NOW_S + 61}
    assert schema.declare("UTC", added, NOW_S + 99) == {"1d": NOW_S + 61}


def test_a_process_without_an_added_rollup_commits_nothing_more(make_store: MakeStore) -> None:
    old, new = make_store(), make_store()
    old.schema.declare("UTC", OLD, NOW_S)
    assert old.commits.commit(one_hit(), NOW_S).outcome is CommitOutcome.COMMITTED
    new.schema.declare("UTC", NEW, NOW_S)
    for refused in (lambda: old.commits.commit(one_hit(), NOW_S), old.schema.confirm):
        with pytest.raises(StoreMismatch, match="set HAILWHALE_ROLLUPS=1h:35d,all,1d:3y"):
            refused()
    assert hit_count(new) == 1
    assert new.commits.commit(one_hit(), NOW_S).outcome is CommitOutcome.COMMITTED
    new.schema.confirm()
    assert hit_count(new) == 2


def test_an_added_rollup_answers_only_after_the_latest_event(make_store: MakeStore) -> None:
    old, new = make_store(), make_store()
    old.schema.declare("UTC", OLD, NOW_S)
    for ahead_s in (3600, 7200, 5):
        old.commits.commit(one_hit(latest_s=NOW_S + ahead_s), NOW_S)
    assert new.schema.declare("UTC", NEW, NOW_S) == {"1d": NOW_S + 7201}


def test_a_declaration_that_was_killed_is_completed_by_the_next(make_store: MakeStore) -> None:
    old, killed, new = make_store(), make_store(), make_store()
    old.schema.declare("UTC", OLD, NOW_S)
    with (
        patch.object(killed.schema, "_fence", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        killed.schema.declare("UTC", NEW, NOW_S)
    old.commits.commit(one_hit(latest_s=NOW_S + 30), NOW_S + 30)  # no shard refuses it yet
    assert new.schema.declare("UTC", NEW, NOW_S + 10) == {"1d": NOW_S + 31}
    with pytest.raises(StoreMismatch):
        old.commits.commit(one_hit(), NOW_S)
    assert killed.schema.declare("UTC", NEW, NOW_S + 99) == {"1d": NOW_S + 31}


def test_of_two_that_add_different_rollups_one_is_refused(make_store: MakeStore) -> None:
    first, second = make_store(), make_store()
    first.schema.declare("UTC", OLD, NOW_S)
    swap = first.schema._swap  # type: ignore[attr-defined]

    def late(*args: object) -> None:
        if not others:
            others.append(second.schema.declare("UTC", [*OLD, "1m:2h"], NOW_S))
        swap(*args)

    others: list[object] = []
    with patch.object(first.schema, "_swap", late), pytest.raises(StoreMismatch, match="1m:2h"):
        first.schema.declare("UTC", NEW, NOW_S)
    assert others == [{"1m": NOW_S + 1}]
    assert second.commits.commit(one_hit(), NOW_S).outcome is CommitOutcome.COMMITTED


def test_a_store_of_a_later_format_refuses_commits(store: RedisStore) -> None:
    store.schema.declare("UTC", OLD, NOW_S)
    store.client.execute_command("HSET", store.keys.stats(SHARD), "format", FORMAT + 1)
    with pytest.raises(StoreMismatch, match="format"):
        store.commits.commit(one_hit(), NOW_S)
    assert hit_count(store) is None
