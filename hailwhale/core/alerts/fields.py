"""A table of a rules file, read key by key: what is wrong is said with the rule's and key's name.

Owns how values of a file are read. Which keys a rule has is `rules`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import NamedTuple

from hailwhale.core.time.calendar_grid import Grid, Interval, parse_zone
from hailwhale.core.value_parsers import parse_decimal
from hailwhale.errors import BadInput

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_URL = re.compile(r"https?://[^\s/?#]\S*")
_ADDRESS = re.compile(r"[^@\s,;:<>()\[\]\\\"]+@[^@\s,;:<>()\[\]\\\"]+")
MAX_CHARS = 200
MAX_TARGETS = 8


class DaySpan(NamedTuple):
    """A part of the day, in minutes since midnight; it may go past midnight."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class RuleTable:
    """A table of a file under its name; every reader raises `BadInput` at ``name: key``."""

    name: str
    values: Mapping[str, object]

    def refuse(self, key: str, expected: str) -> BadInput:
        """The fault of one key."""
        return BadInput(f"{self.name}: {key}", self.values.get(key), expected)

    def only(self, *known: str) -> None:
        """Refuse keys that are not known: a misspelt one must not be lost in silence."""
        for key in self.values:
            if key not in known:
                close = get_close_matches(key, known, n=1)
                hint = f"; did you mean {close[0]}?" if close else ""
                raise self.refuse(key, f"one of the keys {', '.join(known)}{hint}")

    def text(self, key: str, default: str = "") -> str:
        """A line of text."""
        value = self.values.get(key, default)
        if not isinstance(value, str) or len(value) > MAX_CHARS or not value.isprintable():
            raise self.refuse(key, f"a line of at most {MAX_CHARS} characters")
        return value

    def word(self, key: str, *words: str) -> str:
        """One of some words; the first where there is none."""
        value = self.values.get(key, words[0])
        if value not in words:
            raise self.refuse(key, f"one of {', '.join(filter(None, words))}")
        return str(value)

    def number(self, key: str, least: Decimal | None = None) -> Decimal | None:
        """A number, None where there is none."""
        if key not in self.values:
            return None
        return parse_decimal(self.values[key], f"{self.name}: {key}", least)

    def whole(self, key: str, least: int, most: int, default: int) -> int:
        """A whole number within bounds."""
        value = self.values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.refuse(key, f"a whole number from {least} to {most}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """true or false."""
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise self.refuse(key, "true or false")
        return value

    def seconds(self, key: str, default: str) -> int:
        """A length such as 5m or 2h, in seconds; 0 where it is empty."""
        text = self.text(key, default)
        if not text:
            return 0
        try:
            length = Interval.parse(text)
        except BadInput as fault:
            raise self.refuse(key, "a length such as 5m, 1h or 1d") from fault
        if length.unit not in ("s", "m", "h", "d"):
            raise self.refuse(key, "a length in s, m, h or d, such as 90s")
        return length.nominal_s

    def zone(self, key: str, default: Grid) -> Grid:
        """An IANA time zone."""
        if key not in self.values:
            return default
        try:
            return parse_zone(self.text(key))
        except BadInput as fault:
            raise self.refuse(key, "an IANA time zone such as Europe/Berlin") from fault

    def minute(self, key: str, default: str) -> int:
        """A time of day as HH:MM, in minutes since midnight."""
        found = _CLOCK.fullmatch(self.text(key, default))
        if found is None:
            raise self.refuse(key, "a time of day such as 07:00")
        return int(found[1]) * 60 + int(found[2])

    def urls(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """One URL or several."""
        return self._texts(key, default, _URL, "URLs such as https://example.com/hook")

    def addresses(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """One e-mail address or several."""
        return self._texts(key, default, _ADDRESS, "addresses such as ops@example.com")

    def hours(self, key: str) -> tuple[DaySpan, ...]:
        """Spans of the day such as 22:00-07:00, one or several, as minutes since midnight."""
        spans = []
        for text in self._list(key, ()):
            found = [_CLOCK.fullmatch(part.strip()) for part in text.split("-")]
            if len(found) != 2 or found[0] is None or found[1] is None:
                raise self.refuse(key, "hours such as 22:00-07:00")
            begin, end = (int(each[1]) * 60 + int(each[2]) for each in found if each)
            if begin == end:
                raise self.refuse(
                    key, "hours that begin and end at different times, such as 22:00-07:00"
                )
            spans.append(DaySpan(begin, end))
        return tuple(spans)

    def _texts(
        self, key: str, default: tuple[str, ...], form: re.Pattern[str], expected: str
    ) -> tuple[str, ...]:
        texts = self._list(key, default)
        if not all(form.fullmatch(text) and text.isprintable() for text in texts):
            raise self.refuse(key, expected)
        return texts

    def _list(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        value = self.values.get(key, list(default))
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not all(isinstance(each, str) for each in texts):
            raise self.refuse(key, "a string or a list of strings")
        if len(texts) > MAX_TARGETS:
            raise self.refuse(key, f"at most {MAX_TARGETS} entries")
        return tuple(texts)


def is_within(minute: int, spans: tuple[DaySpan, ...]) -> bool:
    """Whether a minute of the day is in one of some spans, which may go past midnight.

    >>> night = (DaySpan(22 * 60, 7 * 60),)
    >>> is_within(23 * 60, night), is_within(7 * 60, night)
    (True, False)
    """
    return any(
        begin <= minute < end if begin < end else minute >= begin or minute < end
        for begin, end in spans
    )
