"""Reports: an e-mail with numbers, their previous values and their graphs, sent when it is due.

Decides what a report says, and sends it once for each time it is due, with the same stored state as
alerts. Knows nothing of files or loops.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from html import escape

from hailwhale.core.alerts.due import last_due_s
from hailwhale.core.alerts.rules import AlertRules, MailServer, ReportRule
from hailwhale.core.alerts.watch import AlertStatus, PendingNotice, claimed, decoded, sent
from hailwhale.core.alerts.wording import MeasuredChange
from hailwhale.core.events.paths import Path
from hailwhale.core.graph.options import Graph, GraphAppearance
from hailwhale.core.graph.svg import draw
from hailwhale.core.numbers import readable
from hailwhale.core.query.parameters import TotalsQuery
from hailwhale.core.time.calendar_grid import Grid
from hailwhale.core.time.fixed_range import before, last_whole
from hailwhale.core.time.period import Period
from hailwhale.services.container import Services
from hailwhale.services.notify.mailer import MailMessage, mail
from hailwhale.services.query.graph_data import GraphData
from hailwhale.services.query.graph_picture import picture_of

log = logging.getLogger("hailwhale.alerts")

RETRY_S = 300
_CELL = "padding:4px 12px 4px 0;border-bottom:1px solid #e6eaf0"


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A line of a report's table."""

    name: str
    metric: str
    measured: MeasuredChange


class ReportSender:
    """Send reports that are due."""

    def __init__(self, services: Services, rules: AlertRules) -> None:
        self._services = services
        self._state = services.store.alert_state
        self._rules = rules

    def check(self, report: ReportRule) -> str:
        """Send a report if it is due and not sent; return the result as a line of text.

        A new report is first due at its next time.
        """
        now_s = int(self._services.clock())
        due_s = last_due_s(report, now_s)
        name = f"report:{report.name}"
        text = self._state.read(name)
        watch = decoded(text)
        if watch.slot < due_s:
            pending = PendingNotice(f"{report.name}-{due_s}", "report", report.emails)
            watch = replace(watch, slot=due_s, pending=pending if text else None)
            if not self._state.swap(name, text, watch.encoded()):
                return f"{report.name}: another process is sending it"
            text = watch.encoded()
        claim = claimed(watch, now_s)
        if claim is None or claim.pending is None:
            return f"{report.name}: not due"
        if not self._state.swap(name, text, claim.encoded()):
            return f"{report.name}: another process is sending it"
        failed = self.send(report, claim.pending.id, claim.pending.targets)
        self._settle(name, claim, failed)
        return f"{report.name}: {'not delivered to all addresses' if failed else 'sent'}"

    def send(self, report: ReportRule, id: str, addresses: Sequence[str]) -> tuple[str, ...]:
        """Send a report now; return the addresses for which that failed.

        Raises `BadInput`, `StoreUnavailable`.
        """
        if self._rules.mail is None:
            raise AssertionError("rules with reports must have a table [mail]")
        letter = self.letter(report, id)
        settings: MailServer = self._rules.mail
        return tuple(each for each in addresses if not mail(settings, letter, each))

    def letter(self, report: ReportRule, id: str) -> MailMessage:
        """Return the current message of a report."""
        now_s = int(self._services.clock())
        plot = report.plot
        grid = plot.period.zone_suffix or plot.grid or report.grid
        whole = last_whole(plot.period, grid, now_s)
        graphed = self._services.graphing.graph(replace(plot, period=whole, grid=grid))
        earlier = self._before(report, [one.path for one in graphed.series], whole, grid)
        lines = [
            ReportLine(
                _name(report, one.path),
                one.metric,
                MeasuredChange(one.total, earlier[one.path][one.metric]),
            )
            for one in graphed.series
        ]
        span = _span(graphed, grid)
        pictures = [
            (f"graph{number}.svg", _drawn(report, graphed, formula.text))
            for number, formula in enumerate(plot.formulas, 1)
        ]
        subject = f"{report.title}, {span}"
        return MailMessage(
            id,
            subject,
            _text(subject, lines),
            _html(report, span, lines, [name for name, _ in pictures], self._rules.home),
            pictures,
            datetime.fromtimestamp(now_s, UTC),
        )

    def _before(
        self, report: ReportRule, paths: Sequence[Path], whole: Period, grid: Grid
    ) -> Mapping[Path, Mapping[str, Decimal | None]]:
        """Return the totals of the same series over the previous period."""
        plot = report.plot
        period = before(plot.period, whole, grid)
        question = TotalsQuery(plot.pk, tuple(dict.fromkeys(paths)), plot.formulas, (period,), grid)
        [found] = self._services.reporting.defined_totals(question)
        return found

    def _settle(self, name: str, claim: AlertStatus, failed: tuple[str, ...]) -> None:
        now_s = int(self._services.clock())
        self._state.swap(
            name, claim.encoded(), sent(claim, failed, now_s + RETRY_S, now_s).encoded()
        )


def _name(report: ReportRule, path: Path) -> str:
    return " › ".join([*report.plot.pk, *path])


def _span(graphed: GraphData, grid: Grid) -> str:
    """Return the days of a report as text."""
    first = datetime.fromtimestamp(graphed.edges_s[0], grid.zone)
    last = datetime.fromtimestamp(graphed.edges_s[-1] - 1, grid.zone)
    return (
        f"{first:%Y-%m-%d}"
        if first.date() == last.date()
        else f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
    )


def _drawn(report: ReportRule, graphed: GraphData, metric: str) -> str:
    """Return the image of one metric."""
    formula = next(each for each in report.plot.formulas if each.text == metric)
    series = tuple(one for one in graphed.series if one.metric == metric)
    graph = Graph(replace(report.plot, formulas=(formula,)), GraphAppearance(theme="light"))
    return draw(picture_of(graph, replace(graphed, series=series)))


def _number(value: Decimal | None) -> str:
    return "–" if value is None else readable(value)


def _change(measured: MeasuredChange) -> str:
    return "" if measured.change is None else f"{measured.change:+,.1f} %"


def _text(subject: str, lines: Sequence[ReportLine]) -> str:
    rows = [
        f"{line.name}: {line.metric} {_number(line.measured.value)}"
        f" (before: {_number(line.measured.reference)}"
        f"{', ' if _change(line.measured) else ''}{_change(line.measured)})"
        for line in lines
    ]
    return "\n".join([subject, "", *rows, ""])


def _html(
    report: ReportRule, span: str, lines: Sequence[ReportLine], pictures: Sequence[str], home: str
) -> str:
    """Return the table and the images; all texts are escaped."""
    head = "".join(
        f'<th align="left" style="{_CELL}">{name}</th>'
        for name in ("", "Metric", "Value", "Before", "Change")
    )
    rows = "".join(
        f'<tr><td style="{_CELL}">{escape(line.name)}</td>'
        f'<td style="{_CELL}">{escape(line.metric)}</td>'
        f'<td align="right" style="{_CELL}"><b>{_number(line.measured.value)}</b></td>'
        f'<td align="right" style="{_CELL}">{_number(line.measured.reference)}</td>'
        f'<td align="right" style="{_CELL}">{_change(line.measured)}</td></tr>'
        for line in lines
    )
    images = "".join(f'<p><img src="cid:{name}" alt="{name}" width="640"></p>' for name in pictures)
    link = f'<p><a href="{escape(home)}/">{escape(home)}</a></p>' if home else ""
    return (
        '<!doctype html><html><body style="font-family:sans-serif;color:#16202e">'
        f"<h2>{escape(report.title)}</h2><p>{escape(span)}</p>"
        f'<table style="border-collapse:collapse"><tr>{head}</tr>{rows}</table>'
        f"{images}{link}</body></html>"
    )
