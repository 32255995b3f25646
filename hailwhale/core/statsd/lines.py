"""Parses lines of the StatsD and DogStatsD protocols into samples. ::

    name:value|type                       StatsD
    name:value|c|@0.1                     sampled: this one stands for ten
    name:1:2:3|ms|#country:US,beta        DogStatsD: several values, and tags
    name:5|c|T1767225600                  with a timestamp in seconds
    name:1|c|#env:prod|c:1f2e|e:…|card:…  container fields are ignored

Defines the grammar. Knows nothing of how samples are counted or where lines come from.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from hailwhale.core.numbers import parse_number
from hailwhale.errors import BadInput

LINE = "statsd_line"  # what a refused line is counted as, and by which name the fault goes
EVENT = "statsd_event"
CHECK = "statsd_service_check"

_FORM = "name:value|type, optionally followed by |@rate, |#tags or |Ttime"
_LEFT_OUT = ("c:", "e:", "card:")
_ONE = Decimal(1)
_LATEST_S_DIGITS = 12

RawPath = tuple[str, ...]


class SampleType(Enum):
    """The type of a sample."""

    COUNTER = "c"
    GAUGE = "g"
    SET = "s"
    TIMING = "ms"  # histograms and distributions, too


_KINDS = {kind.value: kind for kind in SampleType} | {
    "h": SampleType.TIMING,
    "d": SampleType.TIMING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatsdSample:
    """One parsed line: `texts` are its values as written, `amounts` the same as numbers.

    The values of a set are not numbers, so its `amounts` are empty. `rate` is the sample rate,
    above 0 and at most 1. `tags` are paths, `("country", "US")` or `("beta",)`. `at_s` is the
    timestamp in epoch seconds, if the line has one.
    """

    name: str
    kind: SampleType
    texts: tuple[str, ...]
    amounts: tuple[Decimal, ...]
    rate: Decimal = _ONE
    tags: tuple[RawPath, ...] = ()
    at_s: int | None = None


def parse_line(line: bytes) -> StatsdSample:
    """Parse a line into a sample; raise `BadInput` if it is invalid.

    >>> sample = parse_line(b"shop.sold:2|c|@0.5|#country:US")
    >>> sample.name, sample.kind.name, sample.amounts, sample.rate, sample.tags
    ('shop.sold', 'COUNTER', (Decimal('2'),), Decimal('0.5'), (('country', 'US'),))
    """
    try:
        text = line.decode().strip()
    except UnicodeDecodeError as fault:
        raise BadInput(LINE, line, "UTF-8 text") from fault
    if text.startswith("_e{"):
        raise BadInput(EVENT, text, "samples: events are not supported")
    if text.startswith("_sc|"):
        raise BadInput(CHECK, text, "samples: service checks are not supported")
    name, colon, rest = text.partition(":")
    values, *sections = rest.split("|")
    if not name or not colon or not values or not sections:
        raise BadInput(LINE, text, _FORM)
    kind = _KINDS.get(sections[0])
    if kind is None:
        raise BadInput(LINE, text, f"one of the types {', '.join(_KINDS)}")
    texts = tuple(values.split(":"))
    if not all(texts):
        raise BadInput(LINE, text, "values that are not empty")
    amounts = () if kind is SampleType.SET else tuple([parse_number(each, LINE) for each in texts])
    rate, tags, at_s = _sections(sections[1:], text)
    return StatsdSample(
        name=name, kind=kind, texts=texts, amounts=amounts, rate=rate, tags=tags, at_s=at_s
    )


def _sections(sections: list[str], line: str) -> tuple[Decimal, tuple[RawPath, ...], int | None]:
    """What stands behind the type: rate, tags, time."""
    rate, at_s = _ONE, None
    tags: tuple[RawPath, ...] = ()
    for section in sections:
        if section.startswith("@"):
            rate = parse_number(section[1:], LINE)
            if not 0 < rate <= 1:
                raise BadInput(LINE, line, "a rate above 0 and at most 1")
        elif section.startswith("#"):
            tags = tuple([_tag(tag) for tag in section[1:].split(",") if tag.strip()])
        elif section.startswith("T"):
            at_s = _second(section[1:], line)
        elif not section.startswith(_LEFT_OUT):
            raise BadInput(LINE, line, _FORM)
    return rate, tags, at_s


def _tag(text: str) -> RawPath:
    name, _, value = text.strip().partition(":")
    return (name, value) if value else (name,)


def _second(text: str, line: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _LATEST_S_DIGITS):
        raise BadInput(LINE, line, "epoch seconds after the T")
    return int(text)
