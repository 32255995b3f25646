"""`hailwhale totals`, `plotpoints`, `rank` and `subdimensions`: answers as a table, JSON or CSV."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Context, Decimal, localcontext
from typing import Any

import simplejson

from hailwhale.commands.options import Subparsers, add_settings, settings_to_ask
from hailwhale.commands.table import sparkline, table
from hailwhale.core.events.literals import parse_literal
from hailwhale.core.numbers import Number, as_number
from hailwhale.core.query.formula import EXACT, Formula
from hailwhale.core.query.ranking import COLUMNS
from hailwhale.core.time.calendar_grid import Grid, parse_zone
from hailwhale.core.time.period import DEFAULT
from hailwhale.services.query.csv_output import plot_csv, rank_csv, totals_csv
from hailwhale.services.query.ranking import RankAnswer
from hailwhale.services.query.series import PlotAnswer, TotalsAnswer
from hailwhale.whale import Whale

_FOUR_DIGITS = Context(prec=4)
_LITERALS = ("pk", "dimensions", "metrics", "periods")
_PLOT_ONLY = ("depth", "threshold", "limit", "sort", "other")
_RANK_ONLY = ("of", "depth", "threshold", "limit", "sort", "by")


def add_parser(subparsers: Subparsers) -> None:
    """Add the four commands."""
    totals = subparsers.add_parser(
        "totals",
        help="a table of totals",
        description="Sums over whole periods, in a table.",
        epilog="example: hailwhale totals Shop --metrics revenue,revenue/hits --period 1d:1mo",
    )
    _add_question(totals, "periods such as 1d:1mo,today (five common ones)")
    totals.set_defaults(run=run_totals)

    plot = subparsers.add_parser(
        "plotpoints",
        help="a table with a sparkline of every series",
        description="Series over one period, each with its sparkline.",
        epilog="example: hailwhale plotpoints Shop --dimensions country --depth 1 --sort=-revenue",
    )
    _add_question(plot, f"one period ({DEFAULT})")
    plot.add_argument("--depth", metavar="N", help="show descendants this many levels down (0)")
    plot.add_argument("--threshold", metavar="SHARE", help="of its parent, to be shown (0.1)")
    plot.add_argument("--limit", metavar="N", help="most descendants shown, 0 for all (10)")
    plot.add_argument("--sort", metavar="METRIC", help="--sort=-METRIC is the largest first")
    plot.add_argument(
        "--other", action="store_const", const="1", help="add what is not shown, as one series"
    )
    plot.set_defaults(run=run_plotpoints)

    rank = subparsers.add_parser(
        "rank",
        help="what is below a dimension, in order",
        description="Children of a dimension (or of a pk) in order, each beside its parent.",
        epilog="example: hailwhale rank Shop --dimensions country --metrics revenue/hits,hits",
    )
    _add_question(rank, f"one period ({DEFAULT})")
    rank.add_argument("--of", metavar="WHAT", help="dimensions, or pks below the pk (dimensions)")
    rank.add_argument("--depth", metavar="N", help="rank what is so many levels down, or all (1)")
    rank.add_argument("--threshold", metavar="SHARE", help="of its parent, to be ranked (0)")
    rank.add_argument("--limit", metavar="N", help="most rows, 0 for all (10)")
    rank.add_argument("--sort", metavar="METRIC", help="--sort=-METRIC is the largest first")
    rank.add_argument("--by", metavar="NUMBER", help=f"one of {', '.join(COLUMNS)} (value)")
    rank.set_defaults(run=run_rank)

    below = subparsers.add_parser(
        "subdimensions",
        help="the dimensions known below a dimension",
        description="The dimensions known below each one asked for.",
    )
    below.add_argument("pk", metavar="PK")
    below.add_argument("--dimensions", "--dimension", metavar="D", help="below what (everything)")
    below.add_argument("--depth", metavar="N", help="this many levels down (1)")
    below.add_argument("--json", action="store_true", help="JSON, as over HTTP")
    add_settings(below, "redis_url", "data_dir")
    below.set_defaults(run=run_subdimensions)


def _add_question(parser: argparse.ArgumentParser, periods: str) -> None:
    parser.add_argument("pk", metavar="PK", help="a label or a list of labels")
    parser.add_argument("--dimensions", "--dimension", metavar="D", help="of what (the overall)")
    parser.add_argument("--metrics", "--metric", metavar="M", help="metrics and formulas (hits)")
    parser.add_argument("--periods", "--period", metavar="P", help=periods)
    parser.add_argument("--tz", metavar="ZONE", help="time zone (the service's)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="JSON, as over HTTP")
    form.add_argument("--csv", action="store_true", help="CSV, as over HTTP")
    add_settings(parser, "redis_url", "data_dir")


def run_totals(args: argparse.Namespace) -> int:
    """Print totals."""
    with _opened(args) as whale:
        answer = whale.totals(**_question(args))
    if args.csv:
        print(totals_csv(answer), end="")
    else:
        print(_json(answer) if args.json else totals_table(answer))
    return 0


def run_plotpoints(args: argparse.Namespace) -> int:
    """Print series."""
    with _opened(args) as whale:
        answer = whale.plotpoints(**_question(args, *_PLOT_ONLY))
        if args.json:
            print(_json(answer))
        elif args.csv:
            print(plot_csv(answer), end="")
        else:
            settings = whale.services.settings
            grid = parse_zone(args.tz) if args.tz else settings.zone
            totals = _formula_totals(whale, args, answer, settings.max_paths)
            print(f"{args.periods or DEFAULT}: {_extent(answer, grid)}\n")
            print(plot_table(answer, totals))
    return 0


def run_rank(args: argparse.Namespace) -> int:
    """Print a ranking."""
    with _opened(args) as whale:
        answer = whale.rank(**_question(args, *_RANK_ONLY))
    if args.csv:
        print(rank_csv(answer), end="")
    else:
        print(_json(answer) if args.json else rank_table(answer))
    return 0


def run_subdimensions(args: argparse.Namespace) -> int:
    """Print the dimensions known."""
    fields = {"dimensions": args.dimensions, "depth": args.depth}
    given = {name: parse_literal(text, name) for name, text in fields.items() if text is not None}
    with _opened(args) as whale:
        answer = whale.subdimensions(parse_literal(args.pk, "pk"), **given)
    if args.json:
        print(_json(answer))
    else:
        rows = [(below, path) for below, paths in answer.items() for path in paths]
        print(table(["below", "dimension"], rows))
    return 0


def totals_table(answer: TotalsAnswer) -> str:
    """A line for each period and dimension, a column for each metric.

    >>> print(totals_table({"1d:1mo": {"_": {"hits": 1200, "dollars": 9.5}}}))
    period  dimension   hits  dollars
    1d:1mo  _          1,200      9.5
    """
    metrics = [name for found in answer.values() for sums in found.values() for name in sums]
    columns = list(dict.fromkeys(metrics))
    return table(
        ["period", "dimension", *columns],
        [
            [period, dimension, *(sums[name] for name in columns)]
            for period, found in answer.items()
            for dimension, sums in found.items()
        ],
    )


def rank_table(answer: RankAnswer) -> str:
    """A line for each row, quotients to four digits, and a column for each further metric.

    >>> row = {"value": 1, "share": 0.33333333, "parent_value": 3, "difference": -2}
    >>> row |= {"relative": -0.66666667, "importance": None, "metrics": {"hits": 1}}
    >>> print(rank_table([{"dimension": "a", **row}]))
    dimension  hits   share  parent  difference  relative  importance
    a             1  0.3333       3          -2   -0.6667
    """
    name = "pk" if answer and "pk" in answer[0] else "dimension"
    metric, *further = answer[0]["metrics"] if answer else ["value"]
    numbers = ("share", "parent", "difference", "relative", "importance")
    return table(
        [name, metric, *numbers, *further],
        [
            [
                row["pk"] if "pk" in row else row["dimension"],
                *(row["value"], _short(row["share"]), row["parent_value"], row["difference"]),
                *(_short(row["relative"]), _short(row["importance"])),
                *(row["metrics"][each] for each in further),
            ]
            for row in answer
        ],
    )


def plot_table(answer: PlotAnswer, totals: dict[str, dict[str, Number]]) -> str:
    """A line for each series: its extremes, its total, and its course.

    `totals` has those of formulas, which are not the sum of their points.

    >>> print(plot_table({"_": {"hits": [[0, 1], [60000, 7]]}}, {}))
    dimension  metric  min  max  total
    _          hits      1    7      8  ▂█
    """
    rows = []
    for dimension, metrics in answer.items():
        for metric, points in metrics.items():
            values = [value for _, value in points]
            total: str | Number = ""
            if Formula.parse(metric).is_plain:
                total = _sum(values)
            elif metric in totals.get(dimension, {}):
                total = totals[dimension][metric]
            extremes = (min(values), max(values)) if values else ("", "")
            rows.append([dimension, metric, *extremes, total, sparkline(values)])
    return table(["dimension", "metric", "min", "max", "total", ""], rows)


def _formula_totals(
    whale: Whale, args: argparse.Namespace, answer: PlotAnswer, most: int
) -> dict[str, dict[str, Number]]:
    """Over the whole period, the value of each formula in each dimension shown."""
    formulas = [
        metric for metric in next(iter(answer.values()), {}) if not Formula.parse(metric).is_plain
    ]
    found: dict[str, dict[str, Number]] = {}
    if formulas:
        paths = [_path(dimension) for dimension in answer]
        for start in range(0, len(paths), most):
            totals = whale.totals(
                parse_literal(args.pk, "pk"),
                dimensions=paths[start : start + most],
                metrics=formulas,
                period=args.periods or DEFAULT,
                tz=args.tz,
            )
            for dimensions in totals.values():
                found |= dimensions
    return found


def _path(dimension: str) -> list[str]:
    read = parse_literal(dimension, "dimensions")
    return read if isinstance(read, list) else [read]


def _sum(values: Sequence[Number]) -> Number:
    with localcontext(EXACT):
        return as_number(sum((Decimal(str(value)) for value in values), Decimal(0)))


def _short(number: Number | None) -> Number | str:
    """A quotient to four digits; nothing where there is none."""
    return "" if number is None else as_number(_FOUR_DIGITS.create_decimal(str(number)))


def _extent(answer: PlotAnswer, grid: Grid) -> str:
    """The starts of the first and the last bucket."""
    points = next(iter(next(iter(answer.values()), {}).values()), [])
    if not points:
        return "no time at all"
    first, last = (
        datetime.fromtimestamp(int(at_ms) // 1000, grid.zone).strftime("%Y-%m-%d %H:%M")
        for at_ms in (points[0][0], points[-1][0])
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
    """The parameters that were given, read as in a URL."""
    texts = {name: getattr(args, name) for name in (*_LITERALS, "tz", *more)}
    return {
        name: parse_literal(text, name) if name in _LITERALS else text
        for name, text in texts.items()
        if text is not None
    }


def _json(answer: object) -> str:
    return str(simplejson.dumps(answer, use_decimal=True, ensure_ascii=False))
