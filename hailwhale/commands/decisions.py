"""`hailwhale decide`, `reasons`, `journal` and `evaluate`: decisions from the terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import simplejson

from hailwhale.commands.options import Subparsers, add_settings, settings_to_ask
from hailwhale.commands.table import table
from hailwhale.core.decisions import OptionReport, ValueEstimate
from hailwhale.core.decisions.parameters import parse_reasons
from hailwhale.core.events.literals import parse_literal
from hailwhale.core.events.paths import parse_pk
from hailwhale.errors import BadInput
from hailwhale.services.decisions.off_policy import RULES, LogReplay, OffPolicyEvaluator
from hailwhale.whale import Whale

DEFAULT_RULES = "logged,uniform,current,best"
_LITERALS = ("options", "dimensions", "weights", "minimum", "maximum")
_TEXTS = ("by_metric", "goal", "holdout", "half_life", "delay")
_QUESTION = (
    (("--options",), "O", "candidate options (default: all that were ever counted)"),
    (("--dimensions", "--known-data"), "D", "dimensions of the visitor (default: none)"),
    (("--by-metric",), "M", "metric or formula that says how good an option is"),
    (("--goal",), "GOAL", "max, or min if lower values are better (default: max)"),
    (("--weights",), "W", "relative shares of random choices by option (default: 1 each)"),
    (("--holdout",), "SHARE", "share of visitors who always get a random option (default: 0)"),
    (("--minimum",), "SHARE", "minimum share of each option, or of some options (default: 0)"),
    (("--maximum",), "SHARE", "maximum share of each option, or of some options (default: 1)"),
    (("--half-life",), "TIME", "time in which evidence loses half its weight (default: none)"),
    (
        ("--delay",),
        "TIME",
        "time that results take, such as 2d (default: learned from the results)",
    ),
)


def add_parser(subparsers: Subparsers) -> None:
    """Add the four commands."""
    decide = subparsers.add_parser(
        "decide",
        help="choose an option for a visitor",
        description="Choose and print an option for a visitor with these dimensions.",
        epilog='example: hailwhale decide Page --options a,b --dimensions \'{"country": "US"}\' '
        "--by-metric earned/spent",
    )
    _add_question(decide)
    decide.add_argument("--uid", metavar="ID", help="visitor id; a visitor keeps its option")
    decide.add_argument("--slots", metavar="N", help="number of different options (default: 1)")
    decide.set_defaults(run=run_decide)

    reasons = subparsers.add_parser(
        "reasons",
        help="show the evidence for each option of a decision",
        description="Print a table of the options of a decision, for a visitor with these "
        "dimensions.",
        epilog="example: hailwhale reasons Page --by-metric earned/spent",
    )
    _add_question(reasons)
    reasons.add_argument("--json", action="store_true", help="print JSON, as over HTTP")
    reasons.set_defaults(run=run_reasons)

    journal = subparsers.add_parser(
        "journal",
        help="print the newest entries of a decision log",
        description="Print the decisions and results that were logged (log=1), one JSON object per "
        "line.",
        epilog="example: hailwhale journal Page > page.ndjson",
    )
    journal.add_argument("pk", metavar="PK", help="the decision: a label or a list of labels")
    add_settings(journal, "redis_url", "data_dir")
    journal.set_defaults(run=run_journal)

    evaluate = subparsers.add_parser(
        "evaluate",
        help="estimate what other decision rules would have earned",
        description="Replay the logged decisions under other rules or another formula. Print what "
        "each rule would have earned, with 95 % confidence intervals.",
        epilog="example: hailwhale evaluate Page --by-metric earned/spent --rules uniform,best",
    )
    _add_question(evaluate)
    evaluate.add_argument(
        "--rules",
        metavar="R",
        default=DEFAULT_RULES,
        help=f"comma-separated rules: {', '.join(RULES)} (default: {DEFAULT_RULES})",
    )
    evaluate.add_argument(
        "--journal",
        metavar="FILE",
        help="file written by `hailwhale journal` (default: the log in the store)",
    )
    evaluate.set_defaults(run=run_evaluate)


def _add_question(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pk", metavar="PK", help="the decision: a label or a list of labels")
    for names, metavar, text in _QUESTION:
        parser.add_argument(*names, metavar=metavar, required="--by-metric" in names, help=text)
    add_settings(parser, "redis_url", "data_dir")


def run_decide(args: argparse.Namespace) -> int:
    """Print the option, or one line for each of several."""
    asked = _question(args) | {
        name: value
        for name, value in (("uid", args.uid), ("slots", args.slots))
        if value is not None
    }
    with _opened(args) as whale:
        given = whale.decide(parse_literal(args.pk, "pk"), **asked)
    print(given if isinstance(given, str) else "\n".join(given))
    return 0


def run_reasons(args: argparse.Namespace) -> int:
    """Print what is known of each option."""
    asked = {"pk": parse_literal(args.pk, "pk"), **_question(args)}
    with _opened(args) as whale:
        if args.json:
            print(simplejson.dumps(whale.reasons(**asked), ensure_ascii=False))
            return 0
        services = whale.services
        found = services.deciding.reasons(parse_reasons(asked, services.settings.limits))
    print(reasons_table(found.report.options))
    warning = found.sample_ratio.warning
    if warning:
        print(f"\nwarning: {warning}")
    return 0


def reasons_table(options: Sequence[OptionReport]) -> str:
    """Format one line per option, best first.

    >>> a = OptionReport(
    ...     option="a",
    ...     estimate=0.0312,
    ...     low=0.025,
    ...     high=0.038,
    ...     best=0.97,
    ...     loss=0.0001,
    ...     weight=0.93,
    ...     hits=5200,
    ...     verdict="good",
    ...     reason="the best",
    ... )
    >>> print(reasons_table([a]))
    option  estimate    low   high  best    loss  share   hits  verdict  reason
    a         0.0312  0.025  0.038  0.97  0.0001   0.93  5,200  good     the best
    """
    return table(
        ["option", "estimate", "low", "high", "best", "loss", "share", "hits", "verdict", "reason"],
        [
            [
                each.option,
                *(_short(number) for number in (each.estimate, each.low, each.high)),
                *(_short(number) for number in (each.best, each.loss, each.weight, each.hits)),
                each.verdict,
                each.reason,
            ]
            for each in sorted(options, key=lambda each: -each.best)
        ],
    )


def run_journal(args: argparse.Namespace) -> int:
    """Print a journal."""
    with _opened(args) as whale:
        services = whale.services
        pk = parse_pk(parse_literal(args.pk, "pk"), services.settings.limits)
        for line in services.deciding.journal.lines(pk):
            sys.stdout.write(line.decode() + "\n")
    return 0


def run_evaluate(args: argparse.Namespace) -> int:
    """Print what other decision rules would have earned."""
    with _opened(args) as whale:
        services = whale.services
        fields = {"pk": parse_literal(args.pk, "pk"), **_question(args)}
        choice = parse_reasons(fields, services.settings.limits)
        rules = [rule.strip() for rule in args.rules.split(",")]
        lines = None if args.journal is None else _lines(args.journal)
        replay = OffPolicyEvaluator(services.deciding, services.clock).replay(choice, rules, lines)
    print(f"{replay.decisions:,} decisions\n")
    print(evaluation_table(replay))
    return 0


def evaluation_table(replay: LogReplay) -> str:
    """Format one line for each rule and estimator."""
    rows: list[list[str | float]] = []
    for rule, found in replay.rules.items():
        for name in ("ips", "snips", "dr"):
            one: ValueEstimate = getattr(found, name)
            size = int(found.size)
            rows.append([rule, name, _short(one.value), _short(one.low), _short(one.high), size])
    return table(["rule", "estimator", "value", "low", "high", "effective decisions"], rows)


def _lines(path: str) -> list[bytes]:
    try:
        return Path(path).read_bytes().splitlines()
    except OSError as fault:
        raise BadInput("journal", path, f"a readable file ({fault.strerror})") from fault


def _question(args: argparse.Namespace) -> dict[str, Any]:
    """Return the parameters that were given, parsed as in a URL."""
    given = {name: getattr(args, name) for name in (*_LITERALS, *_TEXTS)}
    return {
        name: parse_literal(text, name) if name in _LITERALS else text
        for name, text in given.items()
        if text is not None
    }


@contextmanager
def _opened(args: argparse.Namespace) -> Iterator[Whale]:
    whale = Whale(settings=settings_to_ask(args))
    try:
        yield whale
    finally:
        whale.close()


def _short(number: float) -> float:
    """Format a number to four digits."""
    return float(f"{number:.4g}")
