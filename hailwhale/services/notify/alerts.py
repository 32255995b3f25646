"""Alerts: measures totals, compares them with their rules, and sends notices.

Implements one check: measure, store the state of the alert, lease a notice, send it, store what was
sent. Each write is a compare-and-set on the state before, so of any number of processes one checks
and one sends. Knows nothing of files or loops.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import urlencode

from hailwhale.core.alerts.due import is_quiet
from hailwhale.core.alerts.rules import AlertRule, AlertRules, MailServer
from hailwhale.core.alerts.watch import (
    AlertStatus,
    AlertTerms,
    PendingNotice,
    checked,
    claimed,
    decoded,
    sent,
)
from hailwhale.core.alerts.wording import MeasuredChange, body, holds, sentence
from hailwhale.core.events.query_string import query_text
from hailwhale.core.graph.options import Graph
from hailwhale.core.graph.svg import draw
from hailwhale.core.query.formula import Formula
from hailwhale.core.query.parameters import TotalsQuery
from hailwhale.core.time.calendar_grid import Grid
from hailwhale.core.time.fixed_range import before, last_whole, week_before
from hailwhale.core.time.period import Period
from hailwhale.errors import HailWhaleError
from hailwhale.services.container import Services
from hailwhale.services.notify.mailer import MailMessage, mail
from hailwhale.services.notify.webhooks import post
from hailwhale.services.query.graph_picture import picture_of

log = logging.getLogger("hailwhale.alerts")

RETRY_S = 60  # delay before a failed notice is sent again


@dataclass(frozen=True, slots=True)
class AlertMessage:
    """A notice and its content."""

    alert: AlertRule
    pending: PendingNotice
    measured: MeasuredChange
    watch: AlertStatus
    at: datetime


class AlertRunner:
    """Check alerts; `wait` sleeps between tries at a webhook."""

    def __init__(
        self, services: Services, rules: AlertRules, wait: Callable[[float], object]
    ) -> None:
        self._services = services
        self._state = services.store.alert_state
        self._rules = rules
        self._wait = wait

    def check(self, alert: AlertRule) -> str:
        """Check one alert, at most once per time slot; return the result as a line of text.

        Raises `BadInput` if its period cannot be answered, `StoreUnavailable` if the store cannot
        be reached.
        """
        now_s = int(self._services.clock())
        slot = now_s // self._rules.every_s
        name = f"alert:{alert.name}"
        before_text = self._state.read(name)
        watch = decoded(before_text)
        if watch.slot >= slot:
            return f"{alert.name}: already checked"
        measured = self.measure(alert)
        terms = AlertTerms(alert.name, alert.checks, alert.repeat_s, targets_of(alert))
        after = checked(watch, terms, holds=holds(alert, measured), slot=slot, now_s=now_s)
        if not self._state.swap(name, before_text, after.encoded()):
            return f"{alert.name}: checked by another process"
        log.debug("%s", sentence(alert, "firing", measured))
        if not is_quiet(alert, now_s):
            self._tell(name, alert, after, measured, now_s)
        state = (
            "fires"
            if after.firing
            else "holds, but not for long enough"
            if after.held
            else "is fine"
        )
        return f"{alert.name}: {state}"

    def measure(self, alert: AlertRule) -> MeasuredChange:
        """Return the total that an alert is about, and the one it is compared with."""
        grid = alert.period.zone_suffix or alert.grid or self._services.settings.zone
        whole = last_whole(alert.period, grid, int(self._services.clock()))
        [formula] = self._services.reporting.where_counted(alert.pk, alert.formula)
        value = self._total(alert, formula, whole, grid)
        if not alert.against:
            return MeasuredChange(value)
        earlier = before if alert.against == "before" else week_before
        reference = earlier(alert.period, whole, grid)
        weight = self._total(alert, formula.weight, reference, grid) or Decimal(0)
        return MeasuredChange(
            value, self._total(alert, formula, reference, grid), weight.copy_abs()
        )

    def _total(
        self, alert: AlertRule, formula: Formula, period: Period, grid: Grid
    ) -> Decimal | None:
        question = TotalsQuery(alert.pk, (alert.dimension,), (formula,), (period,), grid)
        [found] = self._services.reporting.defined_totals(question)
        return found[alert.dimension][formula.text]

    def _tell(
        self, name: str, alert: AlertRule, watch: AlertStatus, measured: MeasuredChange, now_s: int
    ) -> None:
        claim = claimed(watch, now_s)
        if claim is None or claim.pending is None:
            return
        if not self._state.swap(name, watch.encoded(), claim.encoded()):
            return
        at = datetime.fromtimestamp(now_s, UTC)
        told = AlertMessage(alert, claim.pending, measured, claim, at)
        failed = tuple(target for target in claim.pending.targets if not self._sent(told, target))
        log.info("%s", sentence(alert, claim.pending.kind, measured))
        self._settle(name, claim.pending, failed)

    def _settle(self, name: str, notice: PendingNotice, failed: tuple[str, ...]) -> None:
        """Store what was sent, keeping the checks that were stored meanwhile."""
        while True:
            now_s = int(self._services.clock())
            text = self._state.read(name)
            watch = decoded(text)
            if watch.pending is None or watch.pending.id != notice.id:
                return  # resolved meanwhile, which has a notice of its own
            after = sent(watch, failed, now_s + RETRY_S, now_s)
            if self._state.swap(name, text, after.encoded()):
                return

    def _sent(self, told: AlertMessage, target: str) -> bool:
        """Send a notice to one target; one that the rule no longer has counts as done."""
        alert, id = told.alert, told.pending.id
        for url in alert.webhooks:
            if target == _target("webhook", url):
                since = datetime.fromtimestamp(told.watch.since_s, UTC)
                said = body(alert, told.pending.kind, id, told.measured, since, told.at)
                if picture := self._url(alert):
                    said["graph"] = picture
                return post(url, id, said, self._wait)
        for address in alert.emails:
            if target == _target("email", address) and self._rules.mail is not None:
                return self._mail(self._rules.mail, told, address)
        return True

    def _mail(self, settings: MailServer, told: AlertMessage, address: str) -> bool:
        line = sentence(told.alert, told.pending.kind, told.measured)
        link = self._url(told.alert)
        text = f"{line}\n\nAt {told.at:%Y-%m-%d %H:%M} UTC.{f'  {link}' if link else ''}\n"
        pictures = [("graph.svg", picture)] if (picture := self._picture(told.alert)) else []
        subject = f"[HailWhale] {line}"
        return mail(
            settings, MailMessage(told.pending.id, subject, text, "", pictures, told.at), address
        )

    def _picture(self, alert: AlertRule) -> str:
        """Return the graph of an alert's period; "" if not wanted or not drawable."""
        if not alert.graph:
            return ""
        try:
            plot = alert.plot
            return draw(picture_of(Graph(plot), self._services.graphing.graph(plot)))
        except HailWhaleError as fault:  # the notice is more important than its image
            log.warning("cannot draw the graph for %s: %s", alert.name, fault)
            return ""

    def _url(self, alert: AlertRule) -> str:
        """Return the URL of the graph; "" if the address of the service is not configured."""
        if not self._rules.home:
            return ""
        fields = {name: query_text(value) for name, value in _question(alert).items()}
        return f"{self._rules.home}/graph.svg?{urlencode(fields)}"


def targets_of(alert: AlertRule) -> tuple[str, ...]:
    """Return the targets of an alert, under names that reveal no secret of a URL."""
    webhooks = [_target("webhook", url) for url in alert.webhooks]
    return (*webhooks, *(_target("email", address) for address in alert.emails))


def _target(kind: str, where: str) -> str:
    return f"{kind}:{hashlib.sha256(where.encode()).hexdigest()[:16]}"


def _question(alert: AlertRule) -> dict[str, object]:
    fields: dict[str, object] = {"pk": list(alert.pk), "metrics": alert.formula.text}
    if alert.dimension:
        fields["dimensions"] = [list(alert.dimension)]
    return fields | {"period": alert.period.text}
