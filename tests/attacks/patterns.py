"""Finds regular expressions whose matching may take more than linear time, from their syntax.

Builds the position automaton of a pattern (Glushkov 1961) from `re._parser`. A backtracking engine
tries every way in which it can read a text. There are super-linearly many if some word leads from a
position p to itself, from p to another position q, and from q to itself (Weber and Seidl 1991, TCS
88), or if an edge exists twice. A search begins at every character, which is a loop in front.

Limits of the method. It is conservative: what a possessive repeat commits to is one loop over its
characters, an atomic group is one character (a loop in a search), assertions match nothing, counted
repeats are copied a few times, and characters are those of `_ALPHABET`. Back-references are
refused. A pattern that is found may be harmless where its input is short: `test_parser_cost` lists
those, each with its bound.
"""

from __future__ import annotations

import re
import re._constants as op  # type: ignore[import-not-found]
import re._parser as sre  # type: ignore[import-not-found]
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

_ALPHABET = frozenset([*map(chr, range(256)), *"\u0130\u0301\u2028\ud800\ufffd\uff11\uff1d\u4e2d"])
_COPIES = 3  # of what is repeated a bounded number of times
_MANY = 64  # a bounded repeat of more than so many is taken for unbounded


@dataclass(slots=True)
class _Part:
    """A part of an automaton: where it begins and ends, as positions, each once for every way."""

    empty: bool
    first: tuple[int, ...] = ()
    last: tuple[int, ...] = ()


@dataclass(slots=True)
class Automaton:
    """The positions of a pattern, what each reads, and which follows which in how many ways."""

    reads: list[frozenset[str]] = field(default_factory=list)
    edges: Counter[tuple[int, int]] = field(default_factory=Counter)
    ends: frozenset[int] = frozenset()
    search: bool = False
    ambiguous: bool = False  # what is read in one way only contains something that is not
    fails_late: bool = False  # an assertion may refuse what was read

    @classmethod
    def of(cls, pattern: re.Pattern[str] | re.Pattern[bytes], *, search: bool) -> Automaton:
        """Build the automaton of a pattern; `search` puts a loop in front."""
        made = cls(search=search)
        flags = pattern.flags & ~re.DEBUG
        parsed = sre.parse(pattern.pattern, flags)
        whole = made._sequence(list(parsed), parsed.state.flags)
        if search:
            loop = made._position(_ALPHABET)
            made.edges[loop, loop] += 1
            for place in whole.first:
                made.edges[loop, place] += 1
        made.ends = frozenset(whole.last)
        return made

    def _position(self, reads: frozenset[str]) -> int:
        self.reads.append(reads)
        return len(self.reads) - 1

    def _sequence(self, items: list[Any], flags: int) -> _Part:
        found = _Part(True)
        for code, argument in items:
            found = self._joined(found, self._item(code, argument, flags))
        return found

    def _joined(self, left: _Part, right: _Part) -> _Part:
        self._link(left, right)
        return _Part(
            left.empty and right.empty,
            left.first + (right.first if left.empty else ()),
            right.last + (left.last if right.empty else ()),
        )

    def _link(self, left: _Part, right: _Part) -> None:
        for before, after in product(left.last, right.first):
            self.edges[before, after] += 1

    def _item(self, code: Any, argument: Any, flags: int) -> _Part:
        if code in (op.MAX_REPEAT, op.MIN_REPEAT):
            least, most, body = argument
            return self._repeat(least, most, list(body), flags)
        if code is op.POSSESSIVE_REPEAT:
            return self._committed(list(argument[2]), flags, empty=argument[0] == 0, loop=True)
        if code is op.ATOMIC_GROUP:
            return self._committed(list(argument), flags, empty=False, loop=self.search)
        if code is op.SUBPATTERN:
            _, more, less, body = argument
            return self._sequence(list(body), (flags | more) & ~less)
        if code is op.BRANCH:
            parts = [self._sequence(list(each), flags) for each in argument[1]]
            return _Part(
                any(part.empty for part in parts),
                tuple(place for part in parts for place in part.first),
                tuple(place for part in parts for place in part.last),
            )
        if code is op.AT:
            begins = argument in (op.AT_BEGINNING, op.AT_BEGINNING_STRING)
            self.fails_late = self.fails_late or not begins
            return _Part(True)
        if code in (op.ASSERT, op.ASSERT_NOT):
            self.fails_late = True
            return _Part(True)
        place = self._position(_characters(code, argument, flags))
        return _Part(False, (place,), (place,))

    def _repeat(self, least: int, most: int, body: list[Any], flags: int) -> _Part:
        copies = min(max(least, 1), _COPIES)
        endless = most is op.MAXREPEAT or most > _MANY
        if not endless:
            copies = min(most, _COPIES)
        found = _Part(True)
        for number in range(copies):
            part = self._sequence(body, flags)
            if endless and number == copies - 1:
                self._link(part, part)
            if number >= least:
                part.empty = True
            found = self._joined(found, part)
        return found

    def _committed(self, body: list[Any], flags: int, *, empty: bool, loop: bool) -> _Part:
        """Add one position for what is read in one way only; inside there may be several."""
        inner = Automaton(search=self.search)
        inner.ends = frozenset(inner._sequence(body, flags).last)
        self.ambiguous = self.ambiguous or inner.super_linear(whole=True)
        place = self._position(frozenset().union(*inner.reads))
        if loop:
            self.edges[place, place] += 1
        return _Part(empty, (place,), (place,))

    def super_linear(self, *, whole: bool) -> bool:
        """Return whether some text may take super-linear time to be matched.

        `whole` requires that the whole text matches. Otherwise, whatever passes a position at which
        the match may end has succeeded, so no other ways are tried.
        """
        if self.ambiguous:
            return True
        certain = frozenset() if whole or self.fails_late else self.ends
        following: dict[int, list[int]] = {}
        for before, after in self.edges:
            if before not in certain and after not in certain:
                following.setdefault(before, []).append(after)
        looping = [place for place in range(len(self.reads)) if self._reaches(following, place)]
        for (before, after), ways in self.edges.items():
            in_loop = before in looping and before in self._reachable(following, after)
            if ways > 1 and in_loop:
                return True
        return any(
            self._ambiguous(following, p, q)
            for p, q in product(looping, looping)
            if p != q and q in self._reachable(following, p)
        )

    def _reachable(self, following: dict[int, list[int]], start: int) -> set[int]:
        found, queue = {start}, deque([start])
        while queue:
            for place in following.get(queue.popleft(), ()):
                if place not in found:
                    found.add(place)
                    queue.append(place)
        return found

    def _reaches(self, following: dict[int, list[int]], place: int) -> bool:
        return any(place in self._reachable(following, after) for after in following.get(place, ()))

    def _ambiguous(self, following: dict[int, list[int]], p: int, q: int) -> bool:
        """Return whether one word leads from p to p, from p to q and from q to q."""
        start, goal = (p, p, q), (p, q, q)
        seen, queue = {start}, deque([start])
        while queue:
            for triple in self._next(following, queue.popleft()):
                if triple == goal:
                    return True
                if triple not in seen:
                    seen.add(triple)
                    queue.append(triple)
        return False

    def _next(
        self, following: dict[int, list[int]], triple: tuple[int, int, int]
    ) -> Iterator[tuple[int, int, int]]:
        a, b, c = (following.get(place, ()) for place in triple)
        for x, y in product(a, b):
            both = self.reads[x] & self.reads[y]
            if both:
                yield from ((x, y, z) for z in c if both & self.reads[z])


def _characters(code: Any, argument: Any, flags: int) -> frozenset[str]:
    """Return the characters that one item of a pattern reads."""
    if code is op.LITERAL:
        found = frozenset(chr(argument)) & _ALPHABET or frozenset(chr(argument))
    elif code is op.NOT_LITERAL:
        found = _ALPHABET - {chr(argument)}
    elif code is op.ANY:
        found = _ALPHABET if flags & re.DOTALL else _ALPHABET - {"\n"}
    elif code is op.IN:
        given = [each for each in argument if each[0] is not op.NEGATE]
        found = frozenset().union(*(_characters(code, each, flags) for code, each in given))
        if len(given) < len(argument):
            found = _ALPHABET - found
    elif code is op.RANGE:
        low, high = argument
        found = frozenset(char for char in _ALPHABET if low <= ord(char) <= high)
    elif code is op.CATEGORY:
        word = str(argument).removeprefix("CATEGORY_")
        letter = {"DIGIT": "d", "SPACE": "s", "WORD": "w"}[word.removeprefix("NOT_")]
        letter = letter.upper() if word.startswith("NOT_") else letter
        test = re.compile(rf"\{letter}", flags & re.ASCII)
        found = frozenset(filter(test.match, _ALPHABET))
    else:
        raise NotImplementedError(f"{code} in a pattern")
    if flags & re.IGNORECASE:
        found |= {other for char in found for other in (*char.lower(), *char.upper())}
    return found


def is_super_linear(
    pattern: re.Pattern[str] | re.Pattern[bytes], *, search: bool, whole: bool
) -> bool:
    """Return whether matching a pattern may take more than linear time.

    `search` is for patterns that are looked for anywhere in a text; `whole` for those that have to
    match all of it.
    """
    return Automaton.of(pattern, search=search).super_linear(whole=whole)
