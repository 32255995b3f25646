"""`hailwhale totals`, `plotpoints`, `rank` and `subdimensions`: print a table, JSON or CSV."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Context, Decimal
from typing import Any

import simplejson

from hailwhale.commands.options import Subparsers, add_settings, settings_to_ask
from hailwhale.commands.table import sparkline, table
from hailwhale.core.events.literals import parse_literal
from hailwhale.core.events.paths import Path, written
from hailwhale.core.numbers import Number
from hailwhale.core.query.parameters import parse_children, parse_plot, parse_rank, parse_totals
from hailwhale.core.query.ranking import COLUMNS
from hailwhale.core.time.calendar_grid import Grid
from hailwhale.core.time.period import DEFAULT, DEFAULT_TOTALS
from hailwhale.services.query.csv_output import plot_csv, rank_csv, totals_csv
from hailwhale.services.query.graph_data import GraphSeries
from hailwhale.services.query.results import PeriodTotals, RankedChild, Ranking
from hailwhale.whale import Whale

_FOUR_DIGITS = Context(prec=4)
_LITERALS = ("pk", "dimensions", "metrics", "periods")
PERIODS_HELP = f"periods, separated by commas (default: {','.join(DEFAULT_TOTALS)})"
_PLOT_ONLY = ("depth", "threshold", "limit", "sort", "other")
_RANK_ONLY = ("of", "depth", "threshold", "limit", "sort", "by")


def add_parser(subparsers: Subparsers) -> None:
    """Add the four commands."""
    totals = subparsers.add_parser(
        "totals",
        help="print a table of totals",
        description="Print the sums over whole periods in a table.",
        epilog="example: hailwhale totals Shop --metrics revenue,revenue/hits --period 1d:1mo",
    )
    _add_question(totals, PERIODS_HELP)
    totals.set_defaults(run=run_totals)

    plot = subparsers.add_parser(
        "plotpoints",
        help="print a table with a sparkline of every series",
        description="Print the series over one period, each with its sparkline.",
        epilog="example: hailwhale plotpoints Shop --dimensions country --depth 1 --sort=-revenue",
    )
    _add_question(plot, f"one period (default: {DEFAULT})")
    plot.add_argument("--depth", metavar="N", help="levels of descendants to add (default: 0)")
    plot.add_argument(
        "--threshold", metavar="SHARE", help="minimum share of the parent (default: 0.1)"
    )
    plot.add_argument("--limit", metavar="N", help="maximum descendants, 0: all (default: 10)")
    plot.add_argument(
        "--sort", metavar="METRIC", help="metric to sort by; --sort=-METRIC: largest first"
    )
    plot.add_argument(
        "--other", action="store_const", const="1", help="add everything not shown as one series"
    )
    plot.set_defaults(run=run_plotpoints)

    rank = subparsers.add_parser(
        "rank",
        help="rank the children of a dimension or a pk",
        description="Rank the children of a dimension (or of a pk) and compare each with its "
        "parent.",
        epilog="example: hailwhale rank Shop --dimensions country --metrics revenue/hits,hits",
    )
    _add_question(rank, f"one period (default: {DEFAULT})")
    rank.add_argument(
        "--of", metavar="WHAT", help="dimensions, or pks below the pk (default: dimensions)"
    )
    rank.add_argument("--depth", metavar="N", help="levels below the parent, or all (default: 1)")
    rank.add_argument(
        "--threshold", metavar="SHARE", help="minimum share of the parent (default: 0)"
    )
    rank.add_argument("--limit", metavar="N", help="maximum rows, 0: all (default: 10)")
    rank.add_argument(
        "--sort", metavar="METRIC", help="metric to sort by; --sort=-METRIC: largest first"
    )
    rank.add_argument(
        "--by", metavar="NUMBER", help=f"sort by {', '.join(COLUMNS)} (default: value)"
    )
    rank.set_defaults(run=run_rank)

    below = subparsers.add_parser(
        "subdimensions",
        help="list the known dimensions below a dimension",
        description="List the known dimensions below each requested dimension.",
    )
    below.add_argument("pk", metavar="PK", help="a label or a list of labels")
    below.add_argument(
        "--dimensions", "--dimension", metavar="D", help="parent dimensions (default: overall)"
    )
    below.add_argument("--depth", metavar="N", help="levels below the parent (default: 1)")
    below.add_argument("--json", action="store_true", help="print JSON, as over HTTP")
    add_settings(below, "redis_url", "data_dir")
    below.set_defaults(run=run_subdimensions)


def _add_question(parser: argparse.ArgumentParser, periods: str) -> None:
    parser.add_argument("pk", metavar="PK", help="a label or a list of labels")
    parser.add_argument(
        "--dimensions", "--dimension", metavar="D", help="dimension paths (default: overall)"
    )
    parser.add_argument(
        "--metrics", "--metric", metavar="M", help="metrics and formulas (default: hits)"
    )
    parser.add_argument("--periods", "--period", metavar="P", help=periods)
    parser.add_argument("--tz", metavar="ZONE", help="time zone (default: the service's)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON, as over HTTP")
    form.add_argument("--csv", action="store_true", help="print CSV, as over HTTP")
    add_settings(parser, "redis_url", "data_dir")


def run_totals(args: argparse.Namespace) -> int:
    """Print totals."""
    asked = _question(args)
    with _opened(args) as whale:
        if args.json:
            print(_json(whale.totals(**asked)))
            return 0
        services = whale.services
        found = services.reporting.totals(parse_totals(asked, services.settings.limits))
    if args.csv:
        print(totals_csv(found), end="")
    else:
        print(totals_table(found))
    return 0


def run_plotpoints(args: argparse.Namespace) -> int:
    """Print series."""
    asked = _question(args, *_PLOT_ONLY)
    with _opened(args) as whale:
        if args.json:
            print(_json(whale.plotpoints(**asked)))
            return 0
        services = whale.services
        question = parse_plot(asked, services.settings.limits)
        if args.csv:
            print(plot_csv(services.reporting.plotpoints(question)), end="")
            return 0
        graph = services.graphing.graph(question)
        grid = question.grid or services.settings.zone
    print(f"{args.periods or DEFAULT}: {_extent(graph.edges_s[:-1], grid)}\n")
    print(plot_table(graph.series))
    return 0


def run_rank(args: argparse.Namespace) -> int:
    """Print a ranking."""
    asked = _question(args, *_RANK_ONLY)
    with _opened(args) as whale:
        if args.json:
            print(_json(whale.rank(**asked)))
            return 0
        services = whale.services
        found = services.ranking.rank(parse_rank(asked, services.settings.limits))
    if args.csv:
        print(rank_csv(found), end="")
    else:
        print(rank_table(found))
    return 0


def run_subdimensions(args: argparse.Namespace) -> int:
    """Print the known dimensions."""
    fields = {"pk": args.pk, "dimensions": args.dimensions, "depth": args.depth}
    asked = {name: parse_literal(text, name) for name, text in fields.items() if text is not None}
    with _opened(args) as whale:
        if args.json:
            print(_json(whale.subdimensions(**asked)))
            return 0
        services = whale.services
        question = parse_children(asked, services.settings.limits)
        found = services.reporting.subdimensions(question)
    rows = [(written(above), written(path)) for above, below in found.items() for path in below]
    print(table(["parent", "dimension"], rows))
    return 0


def totals_table(found: Sequence[PeriodTotals]) -> str:
    """Format one line for each period and dimension, with a column for each metric.

    >>> values = {(): {"hits": Decimal(1200), "dollars": Decimal("9.5")}}
    >>> print(totals_table([PeriodTotals("1d:1mo", values)]))
    period  dimension   hits  dollars
    1d:1mo  _          1,200      9.5
    """
    names = [name for each in found for values in each.by_path.values() for name in values]
    metrics = list(dict.fromkeys(names))
    return table(
        ["period", "dimension", *metrics],
        [
            [each.period, written(path), *(values[name] for name in metrics)]
            for each in found
            for path, values in each.by_path.items()
        ],
    )


def rank_table(found: Ranking) -> str:
    """Format one line per child, with quotients to four digits and a column per further metric.

    >>> from hailwhale.core.query.ranking import ParentComparison
    >>> third = Decimal(1) / 3
    >>> compared = ParentComparison(
    ...     value=Decimal(1),
    ...     parent_value=Decimal(3),
    ...     share=third,
    ...     difference=Decimal(-2),
    ...     relative=-2 * third,
    ...     importance=None,
    ... )
    >>> print(rank_table(Ranking(False, (RankedChild(("a",), compared, {"hits": Decimal(1)}),))))
    dimension  hits   share  parent  difference  relative  importance
    a             1  0.3333       3          -2   -0.6667
    """
    children = found.children
    name = "pk" if found.of_pks and children else "dimension"
    metric, *further = children[0].by_metric if children else ["value"]
    numbers = ("share", "parent", "difference", "relative", "importance")
    return table(
        [name, metric, *numbers, *further], [_rank_cells(child, further) for child in children]
    )


def _rank_cells(child: RankedChild, further: Sequence[str]) -> list[str | Number]:
    found = child.comparison
    return [
        *(written(child.path), _cell(found.value), _short(found.share)),
        *(_cell(found.parent_value), _cell(found.difference)),
        *(_short(found.relative), _short(found.importance)),
        *(_cell(child.by_metric[metric]) for metric in further),
    ]


def plot_table(series: Sequence[GraphSeries]) -> str:
    """Format one line per series, by dimension: its extremes, its total and a sparkline.

    >>> print(plot_table([GraphSeries((), "hits", True, Decimal(8), (Decimal(1), Decimal(7)))]))
    dimension  metric  min  max  total
    _          hits      1    7      8  ▂█
    """
    by_path: dict[Path, dict[str, GraphSeries]] = {}
    for one in series:
        by_path.setdefault(one.path, {})[one.metric] = one
    rows: list[list[str | Number]] = []
    for path, metrics in by_path.items():
        for metric, one in metrics.items():
            known = [value for value in one.values if value is not None]
            extremes = (min(known), max(known)) if known else ("", "")
            drawn = sparkline(one.values)
            rows.append([written(path), metric, *extremes, _cell(one.total), drawn])
    return table(["dimension", "metric", "min", "max", "total", ""], rows)


def _cell(number: Decimal | None) -> Decimal | str:
    """Return a number for a table; an empty cell where a quotient is by 0."""
    return "" if number is None else number


def _short(number: Decimal | None) -> Decimal | str:
    """Format a quotient to four digits; return an empty cell if there is none."""
    return "" if number is None else _FOUR_DIGITS.create_decimal(number)


def _extent(starts_s: Sequence[int], grid: Grid) -> str:
    """Format the starts of the first and the last bucket."""
    if not starts_s:
        return "no buckets"
    first, last = (
        datetime.fromtimestamp(start_s, grid.zone).strftime("%Y-%m-%d %H:%M")
        for start_s in (starts_s[0], starts_s[-1])
    )
    return f"{first} to {last} ({grid.name})"


@contextmanager
def _opened(args: argparse.Namespace) -> Iterator[Whale]:
    whale = Whale(settings=settings_to_ask(args))
    try:
        yield whale
    finally:
        whale.close()


def _question(args: argparse.Namespace, *more: str) -> dict[str, Any]:
    """Return the parameters that were given, parsed as in a URL."""
    texts = {name: getattr(args, name) for name in (*_LITERALS, "tz", *more)}
    return {
        name: parse_literal(text, name) if name in _LITERALS else text
        for name, text in texts.items()
        if text is not None
    }


def _json(answer: object) -> str:
    return str(simplejson.dumps(answer, use_decimal=True, ensure_ascii=False))
