"""`hailwhale doctor --memory`: estimates the memory of a workload, or measures that of the store.

Defines the options and the output. `core.memory_model` computes the estimate.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path

from hailwhale.commands.options import read_settings, shown_store
from hailwhale.commands.table import table
from hailwhale.core.events.event import Event, parse_event
from hailwhale.core.events.literals import parse_literal
from hailwhale.core.memory_model import Workload, estimate, total
from hailwhale.core.time.calendar_grid import DAY_S
from hailwhale.errors import BadInput, HailWhaleError, StoreUnavailable
from hailwhale.services.imports.row_readers import ndjson_rows
from hailwhale.services.ops.memory_survey import survey
from hailwhale.settings import Settings
from hailwhale.store.embedded import address
from hailwhale.store.redis.keys import Keys
from hailwhale.store.redis.memory_usage import DEFAULT_PACKED_FIELDS, measure, packed_fields

MOST_EVENTS = 100_000

_OPTIONS = ("sample", "event", "events_per_day", "series", "days")
_MOST = 1e15
_CLOSELY = "Expect it within a quarter, if the sample is like the rest."
_ROUGHLY = "Expect no more, maybe half: one event cannot tell which series are counted seldom."


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `doctor --memory`."""
    group = parser.add_argument_group(
        "memory",
        "What a workload will cost the store's memory, worked out from a sample of its events; "
        "with --memory alone, what the keys of a running store take, by a look at some of them.",
    )
    group.add_argument("--memory", action="store_true", help="size the store instead")
    group.add_argument(
        "--sample",
        metavar="FILE",
        type=Path,
        help=f"events, one JSON object a line, as for import; the first {MOST_EVENTS:,} are read",
    )
    group.add_argument("--event", metavar="JSON", help="one event instead, such as they all are")
    group.add_argument(
        "--events-per-day",
        metavar="N",
        help="how many there will be (as many as in the sample)",
    )
    group.add_argument(
        "--series",
        metavar="N",
        help="how many series, (pk, dimension) paths, there will be (those of the sample)",
    )
    group.add_argument(
        "--days", metavar="N", help="after how many days (as long as the longest rollup keeps)"
    )


def run(args: argparse.Namespace) -> int:
    """Print the estimate, or the measurement when no sample is given."""
    settings = read_settings(args)
    if args.sample is None and args.event is None:
        given = next((name for name in _OPTIONS if getattr(args, name) is not None), None)
        if given:
            raise BadInput(given, getattr(args, given), "--sample or --event with it")
        print(_measurement(settings))
    else:
        print(_estimate(args, settings))
    return 0


def _estimate(args: argparse.Namespace, settings: Settings) -> str:
    now_s = int(time.time())
    sample = survey(_events(args, settings, now_s), Keys(settings.namespace))
    given = {name: _number(args, name) for name in ("events_per_day", "series", "days")}
    per_day, series, days = given.values()
    workload = Workload(
        sample,
        per_day or sample.events,
        math.ceil(series) if series else None,
        math.ceil(days * DAY_S) if days else None,
    )
    packed, whose = _packed_fields(settings)
    lines = estimate(workload, settings.rollups, settings.zone, now_s, packed)
    lines.append(total(lines))
    shown = [(line.kind, round(line.keys), round(line.cells), round(line.bytes)) for line in lines]
    each = sum(one.events for one in sample.series) / sample.events
    whole = lines[-1]
    return "\n".join(
        [
            f"The sample: {sample.events:,} events in {len(sample.series):,} series, each event "
            f"counted in {each:,.1f} of them.",
            f"With {workload.events_per_day:,.0f} events a day in "
            f"{len(sample.series) * workload.times:,.0f} series, "
            + (f"after {days:,g} days:" if days else "once every rollup is full:"),
            "",
            table(["kept", "keys", "cells", "bytes"], shown),
            "",
            f"{whole.bytes / max(whole.cells, 1):.1f} bytes a cell. Hashes are packed up to "
            f"{packed} fields ({whose}).",
            _ROUGHLY if args.event is not None else _CLOSELY,
            "While it writes its log anew a server wants more, up to twice as much.",
        ]
    )


def _events(args: argparse.Namespace, settings: Settings, now_s: int) -> Iterator[Event]:
    """Return the events of the sample, at least one; each must be a valid event."""
    if args.event is not None:
        if args.sample is not None:
            raise BadInput("event", args.event, "no --sample beside it")
        if args.events_per_day is None:
            raise BadInput("event", args.event, "--events-per-day with it")
        yield _event(parse_literal(args.event, "event"), settings, now_s)
        return
    try:
        stream = args.sample.open("rb")
    except OSError as fault:
        raise BadInput("sample", str(args.sample), f"a file to read: {fault.strerror}") from fault
    with stream:
        rows = islice(ndjson_rows(stream), MOST_EVENTS)
        first = next(rows, None)
        if first is None:
            raise BadInput("sample", str(args.sample), "a file with at least one event")
        for row in chain([first], rows):
            try:
                yield _event(row.fields, settings, now_s)
            except BadInput as fault:
                expected = f"an event as import takes it: {fault}"
                raise BadInput("sample", f"line {row.line}", expected) from fault


def _event(fields: object, settings: Settings, now_s: int) -> Event:
    if isinstance(fields, BadInput):
        raise fields
    if not isinstance(fields, Mapping):
        raise BadInput("event", fields, 'a JSON object such as {"pk": "Shop"}')
    return parse_event(fields, now_s, settings.limits)


def _number(args: argparse.Namespace, name: str) -> float | None:
    text = getattr(args, name)
    if text is None:
        return None
    with suppress(ValueError):
        number = float(text.replace(",", ""))
        if 0 < number < _MOST:
            return number
    raise BadInput(name, text, f"a number above 0 and below {_MOST:g}")


def _packed_fields(settings: Settings) -> tuple[int, str]:
    """Return the maximum number of fields of a compact hash, and the source of that number."""
    if not settings.redis_url:
        return DEFAULT_PACKED_FIELDS, "so the embedded Valkey is set"
    try:
        found = packed_fields(settings.redis_url, settings.store_timeout_s)
    except StoreUnavailable:
        return DEFAULT_PACKED_FIELDS, "the default, for the store does not answer"
    return found, "hash-max-listpack-entries of the store"


def _measurement(settings: Settings) -> str:
    url = settings.redis_url or address(settings.data_dir)
    if not url:
        raise HailWhaleError(
            f"nothing runs on {shown_store(settings)}: start it, or say with --sample FILE or "
            "--event JSON what is to be counted"
        )
    found = measure(url, settings.namespace, settings.store_timeout_s)
    return "\n".join(
        [
            f"Of {found.keys:,} keys {found.seen:,} were looked at; the others are taken to be "
            "like them.",
            "",
            table(
                ["kept", "keys", "bytes"],
                [(kind.name, kind.keys, kind.bytes) for kind in found.kinds],
            ),
            "",
            f"{found.used_bytes:,} bytes are in use in all.",
        ]
    )
