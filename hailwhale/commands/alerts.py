"""`hailwhale alerts` and `hailwhale report`: send what a rules file defines, when it is due.

Reads the file, runs the loop and writes its log. The services decide what is sent, and when.
"""

from __future__ import annotations

import argparse
import logging
import os
import threading
import time
import tomllib
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from hailwhale.commands.options import Subparsers, add_settings, read_settings
from hailwhale.commands.serve.log_setup import log_to_stderr
from hailwhale.commands.serve.signals import stop_on_signals
from hailwhale.core.alerts.rules import AlertRule, AlertRules, ReportRule, parse_rules
from hailwhale.errors import BadInput, HailWhaleError, StoreUnavailable
from hailwhale.services.container import Services, open_services
from hailwhale.services.notify.alerts import AlertRunner
from hailwhale.services.notify.reports import ReportSender
from hailwhale.settings import Settings

log = logging.getLogger("hailwhale.alerts")

T = TypeVar("T", AlertRule, ReportRule)

_REPORTS_EVERY_S = 30
_FAILED = 1


def add_parser(subparsers: Subparsers) -> None:
    """Add the two commands."""
    alerts = subparsers.add_parser(
        "alerts",
        help="watch totals and notify by webhook or e-mail",
        description="Check the alerts of a rules file until SIGTERM. Send a notification when an "
        "alert begins or ends. Several may run on one store: only one of them sends each "
        "notification.",
        epilog="docs/alerts.rst describes the keys of a rules file.",
    )
    _add_common(alerts)
    alerts.add_argument("--once", action="store_true", help="check each alert once, then exit")
    alerts.set_defaults(run=run_alerts)

    report = subparsers.add_parser(
        "report",
        help="send reports by e-mail when they are due",
        description="Send the reports of a rules file when they are due, until SIGTERM.",
        epilog="docs/alerts.rst describes the keys of a rules file.",
    )
    _add_common(report)
    when = report.add_mutually_exclusive_group()
    when.add_argument(
        "--once", action="store_true", help="send the reports that are due, then exit"
    )
    when.add_argument("--now", metavar="NAME", help="send this report now, as a test, then exit")
    report.set_defaults(run=run_report)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rules", metavar="RULES.toml", type=Path, help="the rules file, in TOML")
    add_settings(parser, "redis_url", "data_dir", "log_format")


def run_alerts(args: argparse.Namespace) -> int:
    """Check alerts, once or until a signal."""
    settings, rules = _started(args)
    if not rules.alerts:
        raise BadInput("alert", [], "at least one [[alert]] table in the rules file")
    stop = threading.Event() if args.once else stop_on_signals()

    def check(services: Services) -> bool:
        alerting = AlertRunner(services, rules, stop.wait)
        return _each(rules.alerts, alerting.check, quiet=not args.once)

    return _run(settings, check, stop, rules.every_s, once=args.once)


def run_report(args: argparse.Namespace) -> int:
    """Send reports, once or until a signal."""
    settings, rules = _started(args)
    if not rules.reports:
        raise BadInput("report", [], "at least one [[report]] table in the rules file")
    stop = threading.Event() if args.once or args.now else stop_on_signals()

    def check(services: Services) -> bool:
        return _each(rules.reports, ReportSender(services, rules).check, quiet=not args.once)

    def send(services: Services) -> bool:
        named = [report for report in rules.reports if report.name == args.now]
        if not named:
            names = ", ".join(report.name for report in rules.reports)
            raise BadInput("now", args.now, f"one of the reports {names}")
        failed = ReportSender(services, rules).send(
            named[0], f"{args.now}-now-{time.time_ns()}", named[0].emails
        )
        print(f"{args.now}: {'not accepted for every recipient' if failed else 'sent'}")
        return not failed

    if args.now is not None:
        return _run(settings, send, stop, _REPORTS_EVERY_S, once=True)
    return _run(settings, check, stop, _REPORTS_EVERY_S, once=args.once)


def read_rules(path: Path, settings: Settings) -> AlertRules:
    """Return the rules of a file; `BadInput` says where it is invalid."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise BadInput("rules", str(path), f"a readable file ({fault})") from fault
    try:
        found = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as fault:
        raise BadInput("rules", str(path), f"valid TOML ({fault})") from fault
    return parse_rules(found, settings.limits)


def _started(args: argparse.Namespace) -> tuple[Settings, AlertRules]:
    settings = read_settings(args)
    log_to_stderr(settings.log_format)
    rules = read_rules(args.rules, settings)
    variable = rules.mail.password_variable if rules.mail else ""
    # Checked now, not at night when the first alert fires and the mail server refuses it.
    if variable and variable not in os.environ:
        raise BadInput(
            "mail: password_variable", variable, "the name of an environment variable that is set"
        )
    return settings, rules


def _run(
    settings: Settings,
    check: Callable[[Services], bool],
    stop: threading.Event,
    every_s: int,
    *,
    once: bool,
) -> int:
    """Check at the beginning of each slot; wait for the store while it is unavailable."""
    if once:
        services = open_services(settings)
        try:
            return 0 if check(services) else _FAILED
        finally:
            services.close()
    services_open: Services | None = None
    log.info("checking every %s s", every_s)
    try:
        while not stop.is_set():
            try:
                services_open = services_open or open_services(settings)
                check(services_open)
            except StoreUnavailable as fault:
                log.warning("%s; retrying at the next check", fault)
            stop.wait(every_s - time.time() % every_s + 0.05)
    finally:
        if services_open is not None:
            services_open.close()
    return 0


def _each(rules: Sequence[T], check: Callable[[T], str], *, quiet: bool) -> bool:
    """Check every rule; return whether none failed. An error in one does not affect the others."""
    fine = True
    for rule in rules:
        try:
            line = check(rule)
        except StoreUnavailable:
            raise
        except HailWhaleError as fault:
            log.error("%s: %s", rule.name, fault)
            fine = False
        else:
            if not quiet:
                print(line)
    return fine
