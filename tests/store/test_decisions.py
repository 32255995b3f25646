"""What a store keeps of decisions, on each engine: see hailwhale.store.protocol.Store."""

from __future__ import annotations

from collections.abc import Callable

from hailwhale.core.decisions import Assignment
from hailwhale.store.redis.store import RedisStore

NOW_S = 1_773_576_630
DAY_S = 86_400
TERM_S = 90 * DAY_S
PK = ("Shop", "Layout")
ABC = ("a", "b", "c")


def kept(
    store: RedisStore,
    visitor: str,
    *given: str,
    options: tuple[str, ...] = ABC,
    now_s: int = NOW_S,
) -> list[str]:
    candidates = [Assignment(option, 0.25) for option in given]
    return [
        each.option
        for each in store.assignments.keep(PK, visitor, candidates, options, now_s, TERM_S)
    ]


def test_a_visitor_keeps_the_option_it_was_given_first_and_its_propensity(
    store: RedisStore,
) -> None:
    first = store.assignments.keep(PK, "ann", [Assignment("b", 1 / 3)], ABC, NOW_S, TERM_S)
    again = store.assignments.keep(PK, "ann", [Assignment("c", 0.9)], ABC, NOW_S + DAY_S, TERM_S)

    assert first == again == [Assignment("b", 1 / 3)]
    assert kept(store, "bob", "c") == ["c"]


def test_an_option_that_is_withdrawn_is_given_to_nobody_any_more(store: RedisStore) -> None:
    kept(store, "ann", "b")

    assert kept(store, "ann", "c", options=("a", "c")) == ["c"]
    assert kept(store, "ann", "a") == ["c"]


def test_of_several_options_those_still_offered_are_kept_and_none_comes_twice(
    store: RedisStore,
) -> None:
    assert kept(store, "ann", "b", "c", options=("a", "b", "c", "d")) == ["b", "c"]
    assert kept(store, "ann", "c", "d", options=("a", "c", "d")) == ["c", "d"]
    assert kept(store, "ann", "a", "d", "c", options=("a", "c", "d")) == ["c", "d", "a"]
    assert kept(store, "ann", "b") == ["c"]


def test_who_comes_once_a_term_is_remembered_and_who_does_not_is_forgotten(
    store: RedisStore,
) -> None:
    start_s = NOW_S - NOW_S % TERM_S
    kept(store, "ann", "b", now_s=start_s)
    kept(store, "bob", "b", now_s=start_s)

    assert kept(store, "ann", "a", now_s=start_s + 2 * TERM_S - 1) == ["b"]
    assert kept(store, "ann", "a", now_s=start_s + 3 * TERM_S - 1) == ["b"]
    assert kept(store, "bob", "a", now_s=start_s + 2 * TERM_S) == ["a"]


def test_decisions_keep_their_visitors_apart(store: RedisStore) -> None:
    store.assignments.keep(("Shop", "Layout"), "ann", [Assignment("a", 1)], ABC, NOW_S, TERM_S)
    given = store.assignments.keep(
        ("Shop", "Price"), "ann", [Assignment("b", 1)], ABC, NOW_S, TERM_S
    )

    assert [each.option for each in given] == ["b"]


def test_a_journal_holds_the_latest_entries_in_their_order(store: RedisStore) -> None:
    store.journals.append(PK, [b"1", b"2"], 3)
    store.journals.append(PK, [b"3", b"4"], 3)

    assert list(store.journals.read(PK)) == [b"2", b"3", b"4"]
    assert list(store.journals.read(("Shop",))) == []


def test_a_journal_is_read_whole_however_long_it_is(store: RedisStore) -> None:
    entries = [str(number).encode() for number in range(2_000)]
    store.journals.append(PK, entries, 5_000)

    assert list(store.journals.read(PK)) == entries


def test_a_pk_that_is_forgotten_takes_what_was_kept_of_it_along(store: RedisStore) -> None:
    kept(store, "ann", "b", now_s=NOW_S - TERM_S)
    store.journals.append(PK, [b"1"], 3)

    store.forget_pk(PK)

    assert kept(store, "ann", "a") == ["a"]
    assert list(store.journals.read(PK)) == []


def test_what_visitors_were_given_expires(make_store: Callable[..., RedisStore]) -> None:
    store = make_store()
    kept(store, "ann", "b")
    key = store.keys.kept(PK, NOW_S // TERM_S)

    assert TERM_S < store.client.execute_command("TTL", key) <= 2 * TERM_S
