"""The image of a graph, for pages and e-mails.

Decides which texts it shows; `core.svg` draws it.
"""

from __future__ import annotations

from decimal import Decimal

from hailwhale.core.graph.layers import GraphLine
from hailwhale.core.graph.options import Graph
from hailwhale.core.graph.svg import SvgGraph
from hailwhale.core.numbers import readable
from hailwhale.services.query.graph_data import GraphData


def picture_of(graph: Graph, graphed: GraphData) -> SvgGraph:
    """Return a graph to draw, with its title, its totals and its period."""
    plot, look = graph.plot, graph.look
    lines = tuple(
        GraphLine(
            one.path,
            one.metric,
            one.additive,
            tuple(None if each is None else float(each) for each in one.values),
        )
        for one in graphed.series
    )
    metrics = [formula.text for formula in plot.formulas]
    named = f"{' › '.join(plot.pk)}: " if plot.pk != ("_",) else ""
    firsts = {one.metric: one.total for one in reversed(graphed.series)}
    sums = [f"{_total(firsts[metric])} {metric}" for metric in metrics if metric in firsts]
    return SvgGraph(
        title=look.title or f"{named}{', '.join(metrics)}",
        sums=" · ".join([*sums, graphed.period, graphed.calendar.name]),
        view=look.view,
        width=look.width,
        height=look.height,
        theme=look.theme,
        edges_s=graphed.edges_s,
        interval=graphed.interval,
        calendar=graphed.calendar,
        lines=lines,
        totals=tuple(_total(one.total) for one in graphed.series),
    )


def _total(total: Decimal | None) -> str:
    return "–" if total is None else readable(total)
