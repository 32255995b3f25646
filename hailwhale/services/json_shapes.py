"""JSON shapes of answers: the one place that converts values for clients of HTTP and Python.

Only `web` and the library's facades call these functions. Numbers stay exact: an int if the value
is whole, a float if one is equal to it, otherwise the Decimal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from hailwhale import types
from hailwhale.core.decisions import DecisionReport
from hailwhale.core.events.paths import Path, written
from hailwhale.core.numbers import Number, as_number
from hailwhale.services.decisions.decide import DecisionReasons
from hailwhale.services.ingest.spy_log import MASK, RecentEvent
from hailwhale.services.query.graph_data import GraphData
from hailwhale.services.query.results import (
    KnownNames,
    PeriodTotals,
    RankedChild,
    Ranking,
    SeriesPoints,
)
from hailwhale.types import (
    Known,
    OptionReasons,
    RankRow,
    Reasons,
    SampleRatio,
    SpyEvent,
    Subdimensions,
    Totals,
)


def totals_json(found: Iterable[PeriodTotals]) -> Totals:
    """Return `{period: {dimension: {metric: number}}}`."""
    return {
        each.period: {written(path): _numbers(values) for path, values in each.by_path.items()}
        for each in found
    }


def plotpoints_json(found: SeriesPoints) -> types.Plotpoints:
    """Return `{dimension: {metric: [[epoch ms of the bucket's start, number], …]}}`."""
    starts_ms = [start_s * 1000 for start_s in found.starts_s]
    return {
        written(path): {
            metric: [
                [at_ms, as_number(value)] for at_ms, value in zip(starts_ms, values, strict=True)
            ]
            for metric, values in series.items()
        }
        for path, series in found.by_path.items()
    }


def ranking_json(found: Ranking) -> list[RankRow]:
    """Return `[{"dimension" or "pk": …, "value": …, …, "metrics": {metric: number}}, …]`."""
    return [_rank_row(child, found.of_pks) for child in found.children]


def subdimensions_json(found: Mapping[Path, Sequence[Path]]) -> Subdimensions:
    """Return `{dimension: [dimension, …]}`."""
    return {written(above): [written(path) for path in below] for above, below in found.items()}


def pks_json(found: Iterable[Path]) -> list[list[str]]:
    """Return `[[label, …], …]`."""
    return [list(pk) for pk in found]


def known_json(found: KnownNames) -> Known:
    """Return `{"metrics": [name, …], "dimensions": [dimension, …], "decision": bool}`."""
    return {
        "metrics": [written((name,)) for name in found.metrics],
        "dimensions": [written((label,)) for label in found.dimensions],
        "decision": found.is_decision,
    }


def graph_json(found: GraphData) -> dict[str, object]:
    """Return a graph as /graph.json does; times are epoch milliseconds.

    Dimensions are lists of labels.
    """
    series: list[dict[str, object]] = [
        {
            "dimension": list(one.path),
            "metric": one.metric,
            "additive": one.additive,
            "total": _number(one.total),
            "values": [_number(value) for value in one.values],
        }
        for one in found.series
    ]
    return {
        "period": found.period,
        "interval": found.interval,
        "tz": found.calendar.name,
        "starts_ms": [edge_s * 1000 for edge_s in found.edges_s[:-1]],
        "end_ms": found.edges_s[-1] * 1000,
        "series": series,
    }


def reasons_json(found: DecisionReasons) -> Reasons:
    """Return the answer of /reasons: the report on each option, and the traffic."""
    ratio = found.sample_ratio
    sample: SampleRatio = {"decided": ratio.decided, "exposed": ratio.exposed, "p": ratio.p}
    if ratio.warning:
        sample["warning"] = ratio.warning
    return {
        "options": report_json(found.report),
        "winner": found.report.winner,
        "sample_ratio": sample,
    }


def report_json(report: DecisionReport) -> dict[str, OptionReasons]:
    """Return `{option: {"estimate": …, "interval": […, …], …, "reason": …}}`."""
    return {
        each.option: {
            "estimate": _rounded(each.estimate),
            "interval": [_rounded(each.low), _rounded(each.high)],
            "best": _rounded(each.best),
            "loss": _rounded(each.loss),
            "share": _rounded(each.weight),
            "hits": int(each.hits) if each.hits.is_integer() else _rounded(each.hits),
            "verdict": each.verdict,
            "reason": each.reason,
        }
        for each in report.options
    }


def events_json(found: Iterable[RecentEvent]) -> list[SpyEvent]:
    """Return a list of events.

    `[{"at": …, "pk": […], "dimensions": [[…], …], "metrics": {…}, "visitor": …}, …]`.
    """
    return [_event(each) for each in found]


def _event(event: RecentEvent) -> SpyEvent:
    shape: SpyEvent = {
        "at": event.at_s,
        "pk": list(event.pk),
        "dimensions": [list(path) for path in event.dimensions],
        "metrics": {
            name: MASK if amount is None else as_number(amount)
            for name, amount in event.metrics.items()
        },
    }
    if event.visitor:
        shape["visitor"] = event.visitor
    return shape


def _rank_row(child: RankedChild, of_pks: bool) -> RankRow:
    found = child.comparison
    numbers: RankRow = {
        "value": _number(found.value),
        "share": _number(found.share),
        "parent_value": _number(found.parent_value),
        "difference": _number(found.difference),
        "relative": _number(found.relative),
        "importance": _number(found.importance),
        "metrics": {name: _number(value) for name, value in child.by_metric.items()},
    }
    name = written(child.path)
    return {"pk": name, **numbers} if of_pks else {"dimension": name, **numbers}


def _numbers(values: Mapping[str, Decimal]) -> dict[str, Number]:
    return {name: as_number(value) for name, value in values.items()}


def _number(value: Decimal | None) -> Number | None:
    return None if value is None else as_number(value)


def _rounded(number: float) -> float | int:
    """Round to the five significant digits that an estimate can have."""
    short = float(f"{number:.5g}")
    return int(short) if short.is_integer() else short
