"""What visitors of a decision were given, on each engine: see protocol.AssignmentStore."""

from __future__ import annotations

from hailwhale.core.decisions import Assignment
from hailwhale.store.protocol import AssignmentStore
from tests.conftest import MakeStore

NOW_S = 1_773_576_630
DAY_S = 86_400
TERM_S = 90 * DAY_S
PK = ("Shop", "Layout")
ABC = ("a", "b", "c")


def kept(
    assignments: AssignmentStore,
    visitor: str,
    *given: str,
    options: tuple[str, ...] = ABC,
    now_s: int = NOW_S,
) -> list[str]:
    candidates = [Assignment(option, 0.25) for option in given]
    return [
        each.option for each in assignments.keep(PK, visitor, candidates, options, now_s, TERM_S)
    ]


def test_a_visitor_keeps_the_option_it_was_given_first_and_its_propensity(
    assignments: AssignmentStore,
) -> None:
    first = assignments.keep(PK, "ann", [Assignment("b", 1 / 3)], ABC, NOW_S, TERM_S)
    again = assignments.keep(PK, "ann", [Assignment("c", 0.9)], ABC, NOW_S + DAY_S, TERM_S)

    assert first == again == [Assignment("b", 1 / 3)]
    assert kept(assignments, "bob", "c") == ["c"]


def test_an_option_that_is_withdrawn_is_given_to_nobody_any_more(
    assignments: AssignmentStore,
) -> None:
    kept(assignments, "ann", "b")

    assert kept(assignments, "ann", "c", options=("a", "c")) == ["c"]
    assert kept(assignments, "ann", "a") == ["c"]


def test_options_still_offered_are_kept_and_none_is_repeated(
    assignments: AssignmentStore,
) -> None:
    assert kept(assignments, "ann", "b", "c", options=("a", "b", "c", "d")) == ["b", "c"]
    assert kept(assignments, "ann", "c", "d", options=("a", "c", "d")) == ["c", "d"]
    assert kept(assignments, "ann", "a", "d", "c", options=("a", "c", "d")) == ["c", "d", "a"]
    assert kept(assignments, "ann", "b") == ["c"]


def test_assignments_last_while_a_visitor_returns_within_a_term(
    assignments: AssignmentStore,
) -> None:
    start_s = NOW_S - NOW_S % TERM_S
    kept(assignments, "ann", "b", now_s=start_s)
    kept(assignments, "bob", "b", now_s=start_s)

    assert kept(assignments, "ann", "a", now_s=start_s + 2 * TERM_S - 1) == ["b"]
    assert kept(assignments, "ann", "a", now_s=start_s + 3 * TERM_S - 1) == ["b"]
    assert kept(assignments, "bob", "a", now_s=start_s + 2 * TERM_S) == ["a"]


def test_decisions_keep_their_visitors_apart(assignments: AssignmentStore) -> None:
    assignments.keep(("Shop", "Layout"), "ann", [Assignment("a", 1)], ABC, NOW_S, TERM_S)
    given = assignments.keep(("Shop", "Price"), "ann", [Assignment("b", 1)], ABC, NOW_S, TERM_S)

    assert [each.option for each in given] == ["b"]


def test_erased_decisions_remember_no_visitor(
    assignments: AssignmentStore,
) -> None:
    kept(assignments, "ann", "b", now_s=NOW_S - TERM_S)
    kept(assignments, "bob", "b")

    assignments.forget([("Shop",), PK])

    assert kept(assignments, "ann", "a") == ["a"]
    assert kept(assignments, "bob", "a") == ["a"]


def test_a_visitor_that_is_forgotten_is_forgotten_alone(assignments: AssignmentStore) -> None:
    kept(assignments, "ann", "b")
    kept(assignments, "bob", "b")

    assignments.forget_visitor(PK, "ann")

    assert kept(assignments, "ann", "a") == ["a"]
    assert kept(assignments, "bob", "a") == ["b"]


def test_what_visitors_were_given_expires(make_store: MakeStore) -> None:
    store = make_store()
    kept(store.assignments, "ann", "b")
    key = store.keys.kept(PK, NOW_S // TERM_S)

    assert TERM_S < store.client.execute_command("TTL", key) <= 2 * TERM_S
