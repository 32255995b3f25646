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
_CLOSELY = "Expect an error of at most a quarter, if the sample is representative."
_ROUGHLY = (
    "This is an upper limit; half of it is possible. One event does not show which series are "
    "counted rarely."
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `doctor --memory`."""
    group = parser.add_argument_group(
        "memory",
        "Estimate the memory that a workload needs in the store, from a sample of its events. With "
        "--memory alone, measure the memory of the running store, from a sample of its keys.",
    )
    group.add_argument("--memory", action="store_true", help="estimate or measure memory instead")
    group.add_argument(
        "--sample",
        metavar="FILE",
        type=Path,
        help="file of sample events, one JSON object per line as for import; the first "
        f"{MOST_EVENTS:,} are read",
    )
    group.add_argument("--event", metavar="JSON", help="a sample event instead of a file")
    group.add_argument(
        "--events-per-day",
        metavar="N",
        help="expected events per day (default: as many as in the sample)",
    )
    group.add_argument(
        "--series",
        metavar="N",
        help="expected series, which are (pk, dimension) pairs (default: as in the sample)",
    )
    group.add_argument(
        "--days", metavar="N", help="days to count for (default: until every rollup is full)"
    )


def run(args: argparse.Namespace) -> int:
    """Print the estimate, or the measurement when no sample is given."""
    settings = read_settings(args)
    if args.sample is None and args.event is None:
        given = next((name for name in _OPTIONS if getattr(args, name) is not None), None)
        if given:
            raise BadInput(given, getattr(args, given), "--sample or --event in addition")
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
            f"Sample: {sample.events:,} events in {len(sample.series):,} series. On average, an "
            f"event is counted in {each:,.1f} series.",
            f"With {workload.events_per_day:,.0f} events per day in "
            f"{len(sample.series) * workload.times:,.0f} series, "
            + (f"after {days:,g} days:" if days else "once every rollup is full:"),
            "",
            table(["kind", "keys", "cells", "bytes"], shown),
            "",
            f"{whole.bytes / max(whole.cells, 1):.1f} bytes per cell. Hashes are compact up to "
            f"{packed} fields ({whose}).",
            _ROUGHLY if args.event is not None else _CLOSELY,
            "While the server rewrites its append-only file, it needs up to twice as much.",
        ]
    )


def _events(args: argparse.Namespace, settings: Settings, now_s: int) -> Iterator[Event]:
    """Return the events of the sample, at least one; each must be a valid event."""
    if args.event is not None:
        if args.sample is not None:
            raise BadInput("event", args.event, "either --event or --sample")
        if args.events_per_day is None:
            raise BadInput("event", args.event, "--events-per-day in addition")
        yield _event(parse_literal(args.event, "event"), settings, now_s)
        return
    try:
        stream = args.sample.open("rb")
    except OSError as fault:
        raise BadInput("sample", str(args.sample), f"a readable file ({fault.strerror})") from fault
    with stream:
        rows = islice(ndjson_rows(stream), MOST_EVENTS)
        first = next(rows, None)
        if first is None:
            raise BadInput("sample", str(args.sample), "a file with at least one event")
        for row in chain([first], rows):
            try:
                yield _event(row.fields, settings, now_s)
            except BadInput as fault:
                expected = f"an event as for import: {fault}"
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
        return DEFAULT_PACKED_FIELDS, "the setting of the embedded Valkey"
    try:
        found = packed_fields(settings.redis_url, settings.store_timeout_s)
    except StoreUnavailable:
        return DEFAULT_PACKED_FIELDS, "the default, because the store does not answer"
    return found, "hash-max-listpack-entries of the store"


def _measurement(settings: Settings) -> str:
    url = settings.redis_url or address(settings.data_dir)
    if not url:
        raise HailWhaleError(
            f"no store is running on {shown_store(settings)}: start it, or describe the workload "
            "with --sample FILE or --event JSON"
        )
    found = measure(url, settings.namespace, settings.store_timeout_s)
    return "\n".join(
        [
            f"Sampled {found.seen:,} of {found.keys:,} keys; the rest is extrapolated.",
            "",
            table(
                ["kind", "keys", "bytes"],
                [(kind.name, kind.keys, kind.bytes) for kind in found.kinds],
            ),
            "",
            f"The server uses {found.used_bytes:,} bytes in total.",
        ]
    )
