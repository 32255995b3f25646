"""The journals of decisions, on each engine: see protocol.JournalStore."""

from __future__ import annotations

from hailwhale.store.protocol import JournalStore

PK = ("Shop", "Layout")


def test_a_journal_holds_the_latest_entries_in_their_order(journals: JournalStore) -> None:
    journals.append(PK, [b"1", b"2"], 3)
    journals.append(PK, [b"3", b"4"], 3)

    assert list(journals.read(PK)) == [b"2", b"3", b"4"]
    assert list(journals.read(("Shop",))) == []


def test_a_journal_is_read_whole_however_long_it_is(journals: JournalStore) -> None:
    entries = [str(number).encode() for number in range(2_000)]
    journals.append(PK, entries, 5_000)

    assert list(journals.read(PK)) == entries


def test_journals_that_are_forgotten_are_empty_and_others_are_not(journals: JournalStore) -> None:
    for pk in (PK, ("Shop",), ("Blog",)):
        journals.append(pk, [b"1"], 3)

    journals.forget([PK, ("Shop",)])

    assert [list(journals.read(pk)) for pk in (PK, ("Shop",), ("Blog",))] == [[], [], [b"1"]]
