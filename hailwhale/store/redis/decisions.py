"""Decisions: the options that visitors were given, and the journals.

Calls keep.lua and manages the journals' lists. Knows nothing of the content of a journal entry, or
of how a decision is made.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from hailwhale.core.decisions import Assignment
from hailwhale.core.events.paths import Path
from hailwhale.store.redis.client import RedisClient, Script, ask, ask_in_slices, faults_named
from hailwhale.store.redis.keys import KEPT_TERMS, Keys

_READ_AT_ONCE = 1_000


class RedisAssignments:
    """`hailwhale.store.protocol.AssignmentStore` on a hash per decision and term."""

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._keep = Script(client, "keep")

    def keep(
        self,
        pk: Path,
        visitor: str,
        given: Sequence[Assignment],
        options: Sequence[str],
        now_s: int,
        term_s: int,
    ) -> list[Assignment]:
        term = now_s // term_s
        names = [self._keys.kept(pk, term), self._keys.kept(pk, term - 1)]
        candidates = [[each.option, repr(each.propensity)] for each in given]
        args = [visitor, json.dumps(candidates), json.dumps(list(options)), 2 * term_s]
        with faults_named():
            text = self._keep(names, args)
        return [Assignment(option, float(propensity)) for option, propensity in json.loads(text)]

    def forget_visitor(self, pk: Path, visitor: str) -> None:
        names = [self._keys.kept(pk, term) for term in range(KEPT_TERMS)]
        with faults_named():
            ask(self._client, [("HDEL", name, visitor) for name in names])

    def forget(self, pks: Iterable[Path]) -> None:
        names = (self._keys.kept(pk, term) for pk in pks for term in range(KEPT_TERMS))
        ask_in_slices(self._client, (("UNLINK", name) for name in names))


class RedisJournals:
    """`hailwhale.store.protocol.JournalStore` on a list per decision."""

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def append(self, pk: Path, entries: Sequence[bytes], most: int) -> None:
        key = self._keys.journal(pk)
        with faults_named():
            ask(self._client, [("RPUSH", key, *entries), ("LTRIM", key, -most, -1)])

    def read(self, pk: Path) -> Iterator[bytes]:
        key, start = self._keys.journal(pk), 0
        while True:
            with faults_named():
                command = ("LRANGE", key, start, start + _READ_AT_ONCE - 1)
                entries: list[bytes] = ask(self._client, [command])[0]
            yield from entries
            start += len(entries)
            if len(entries) < _READ_AT_ONCE:
                return

    def forget(self, pks: Iterable[Path]) -> None:
        ask_in_slices(self._client, (("UNLINK", self._keys.journal(pk)) for pk in pks))
