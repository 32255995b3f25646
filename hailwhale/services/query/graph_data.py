"""The numbers of a graph: plotpoints with the totals, edges and names that an image needs.

Totals are computed here, because a ratio's total is not the sum of its points. Draws nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from urllib.parse import quote

from hailwhale.core.events.limits import DEFAULT_LIMITS, Limits
from hailwhale.core.events.paths import Path
from hailwhale.core.events.query_string import query_text
from hailwhale.core.graph.options import parse_graph
from hailwhale.core.query.parameters import PlotQuery
from hailwhale.core.time.calendar_grid import Grid
from hailwhale.services.query.ranges import RangeReader
from hailwhale.services.query.series import SeriesQueries


@dataclass(frozen=True, slots=True)
class GraphSeries:
    """One line of a graph; `additive` says whether it may be stacked on others of its metric.

    A value is None where a quotient is by 0: the line has a gap.
    """

    path: Path
    metric: str
    additive: bool
    total: Decimal | None
    values: tuple[Decimal | None, ...]


@dataclass(frozen=True, slots=True)
class GraphData:
    """The numbers of a graph.

    `edges_s` are the n + 1 ascending edges of its n buckets. `interval` is the width of a bucket in
    the notation of a period, "" if all of time is one bucket.
    """

    period: str
    interval: str
    calendar: Grid
    edges_s: tuple[int, ...]
    series: tuple[GraphSeries, ...]


class GraphQueries:
    """Answer queries for graphs, from the series that `SeriesQueries` reads."""

    def __init__(self, reporting: SeriesQueries, spans: RangeReader) -> None:
        self._reporting = reporting
        self._spans = spans

    def graph(self, question: PlotQuery) -> GraphData:
        """Return the numbers of every series, in the order of plotpoints, metric by metric."""
        found = self._reporting.lines(question)
        period = question.period
        return GraphData(
            period=period.text,
            interval="" if period.interval is None else str(period.interval),
            calendar=self._spans.calendar(period, question.grid),
            edges_s=found.span.edges,
            series=tuple(
                GraphSeries(
                    path,
                    formula.text,
                    formula.is_additive,
                    formula.defined_total(columns, found.span.buckets),
                    tuple(formula.defined_series(columns, found.span.buckets)),
                )
                for formula in found.formulas
                for path, columns in found.series
            ),
        )


def graph_tag(fields: Mapping[str, object], home: str, limits: Limits = DEFAULT_LIMITS) -> str:
    """Return the HTML tag that shows a graph of the service at `home`.

    Validates the parameters as the service does; raises `BadInput`.

    >>> print(graph_tag({"pk": "Shop", "metric": "dollars"}, "https://hw.example.com"))
    <script async src="https://hw.example.com/graph.js?pk=Shop&amp;metrics=dollars"></script>
    """
    options = dict(parse_graph(fields, limits).options)
    home = str(options.pop("hwurl", home)).rstrip("/")
    texts = {name: quote(query_text(value), safe="") for name, value in options.items()}
    query = "&".join(f"{name}={text}" for name, text in texts.items())
    address = escape(f"{home}/graph.js?{query}")
    return f'<script async src="{address}"></script>'
