"""The numbers of a graph: what plotpoints are, with the totals, edges and names a picture needs.

Totals come from here since a ratio's total is no sum of its points. It does not draw.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from urllib.parse import quote

from hailwhale.core.events.limits import DEFAULT_LIMITS, Limits
from hailwhale.core.events.metrics import UNIQUES
from hailwhale.core.events.paths import Path
from hailwhale.core.graph.options import parse_graph
from hailwhale.core.numbers import Number, as_number
from hailwhale.core.query.formula import Formula
from hailwhale.core.query.parameters import PlotQuery
from hailwhale.core.time.calendar_grid import Grid
from hailwhale.services.query.ranges import RangeReader
from hailwhale.services.query.series import SeriesQueries

GraphAnswer = dict[str, object]


@dataclass(frozen=True, slots=True)
class GraphSeries:
    """One line of a graph. `additive` says whether it may be put on top of others of its metric."""

    path: Path
    metric: str
    additive: bool
    total: Decimal
    values: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class GraphData:
    """A graph's numbers. `edges_s` are the n + 1 rising edges of its n buckets; `interval` is their
    width as in a period, "" where all of time is one bucket."""

    period: str
    interval: str
    calendar: Grid
    edges_s: tuple[int, ...]
    series: tuple[GraphSeries, ...]


class GraphQueries:
    """Answers with graphs, from what reporting reads."""

    def __init__(self, reporting: SeriesQueries, spans: RangeReader) -> None:
        self._reporting = reporting
        self._spans = spans

    def graph(self, question: PlotQuery) -> GraphData:
        """The numbers of every series, in the order of plotpoints, metric by metric."""
        span, lines = self._reporting.lines(question)
        period = question.period
        return GraphData(
            period=period.text,
            interval="" if period.interval is None else str(period.interval),
            calendar=self._spans.calendar(period, question.grid),
            edges_s=span.edges,
            series=tuple(
                GraphSeries(
                    path,
                    formula.text,
                    is_additive(formula),
                    formula.total(columns, span.buckets),
                    tuple(formula.series(columns, span.buckets)),
                )
                for formula in question.formulas
                for path, columns in lines
            ),
        )


def is_additive(formula: Formula) -> bool:
    """Whether the parts of a whole add up to the whole: not so for ratios, products, last values.

    >>> [is_additive(Formula.parse(text)) for text in ("sales + tax", "dollars/hits", "price:last")]
    [True, False, False]
    """
    if UNIQUES in formula.metrics:
        return False
    if formula.is_plain:
        return True
    carried = any(term.endswith(":last") for term in formula.terms)
    return formula.weight is formula and "*" not in formula.text and not carried


def answer_of(graphed: GraphData) -> GraphAnswer:
    """A graph as /graph.json has it; times are epoch milliseconds, dimensions lists of labels."""
    series: list[dict[str, object]] = [
        {
            "dimension": list(one.path),
            "metric": one.metric,
            "additive": one.additive,
            "total": as_number(one.total),
            "values": _numbers(one.values),
        }
        for one in graphed.series
    ]
    return {
        "period": graphed.period,
        "interval": graphed.interval,
        "tz": graphed.calendar.name,
        "starts_ms": [edge_s * 1000 for edge_s in graphed.edges_s[:-1]],
        "end_ms": graphed.edges_s[-1] * 1000,
        "series": series,
    }


def graph_tag(fields: Mapping[str, object], home: str, limits: Limits = DEFAULT_LIMITS) -> str:
    """The line of HTML that shows a graph of the service at `home`, checked as it will be there.

    >>> print(graph_tag({"pk": "Shop", "metric": "dollars"}, "https://hw.example.com"))
    <script async src="https://hw.example.com/graph.js?pk=Shop&amp;metrics=dollars"></script>
    """
    options = parse_graph(fields, limits).options
    home = str(options.pop("hwurl", home)).rstrip("/")
    query = "&".join(f"{name}={quote(_in_url(value), safe='')}" for name, value in options.items())
    address = escape(f"{home}/graph.js?{query}")
    return f'<script async src="{address}"></script>'


def _in_url(value: object) -> str:
    """A value as a URL carries it; what is no text, as JSON."""
    if isinstance(value, bool):
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _numbers(values: tuple[Decimal, ...]) -> list[Number]:
    return [as_number(value) for value in values]
