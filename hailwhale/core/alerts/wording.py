"""Evaluates alert conditions and formats notifications for people and for machines.

Knows nothing of where numbers come from or where notifications go.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext

from hailwhale.core.alerts.rules import AlertRule
from hailwhale.core.numbers import as_number, readable
from hailwhale.core.query.arithmetic import PRODUCTS, quotient

_AGAINST = {"before": "the period before", "last_week": "the same time last week"}
_VERBS = {"rises_by": "rose by", "falls_by": "fell by"}


@dataclass(frozen=True, slots=True)
class MeasuredChange:
    """A total and, for a change, its reference value and weight (a ratio's denominator).

    A total is None if it is a quotient by 0.
    """

    value: Decimal | None
    reference: Decimal | None = None
    weight: Decimal | None = None

    @property
    def change(self) -> Decimal | None:
        """Return the change in per cent of the reference; None if a total is missing or that is 0.

        >>> MeasuredChange(Decimal(90), Decimal(120)).change
        Decimal('-25')
        """
        if self.value is None or self.reference is None:
            return None
        with localcontext(PRODUCTS):
            hundredfold = 100 * (self.value - self.reference)
        return quotient(hundredfold, self.reference.copy_abs())


def holds(alert: AlertRule, measured: MeasuredChange) -> bool:
    """Return whether the condition holds; False if it cannot be evaluated."""
    if measured.value is None:
        return False
    if alert.word == "above":
        return measured.value > alert.bound
    if alert.word == "below":
        return measured.value < alert.bound
    change = measured.change
    if change is None or (measured.weight or Decimal(0)) < alert.minimum:
        return False
    return change >= alert.bound if alert.word == "rises_by" else change <= -alert.bound


def sentence(alert: AlertRule, kind: str, measured: MeasuredChange) -> str:
    """Return a notification as one line.

    >>> from hailwhale.core.alerts.rules import parse_rules
    >>> rule = {"name": "slow", "pk": "Shop", "above": 10, "webhook": "http://example.com"}
    >>> [alert] = parse_rules({"alert": [rule]}).alerts
    >>> sentence(alert, "firing", MeasuredChange(Decimal(12)))
    'slow: hits of Shop is 12, above 10 (1m:1h)'
    """
    what = " > ".join([*alert.pk, *alert.dimension])
    head = f"{alert.name}: {'resolved: ' * (kind == 'resolved')}{alert.formula.text} of {what}"
    value = f"{head} {_stated(measured.value)}"
    if alert.word not in _VERBS:
        relation = alert.word if kind == "firing" else f"no longer {alert.word}"
        return f"{value}, {relation} {readable(alert.bound)} ({alert.period.text})"
    change = "" if measured.change is None else f", {measured.change:+.1f} %"
    reference = "" if measured.reference is None else readable(measured.reference)
    against = f"{_AGAINST[alert.against]} ({reference})"
    return f"{value}{change} compared with {against}; {alert.period.text}"


def _stated(value: Decimal | None) -> str:
    return "has no value (a quotient by 0)" if value is None else f"is {readable(value)}"


def condition(alert: AlertRule) -> str:
    """Return the condition in words.

    >>> from hailwhale.core.alerts.rules import parse_rules
    >>> rule = {"name": "a", "falls_by": 30, "webhook": "http://example.com"}
    >>> condition(parse_rules({"alert": [rule]}).alerts[0])
    'fell by 30 % or more compared with the period before'
    """
    if alert.word in _VERBS:
        bound = f"{_VERBS[alert.word]} {readable(alert.bound)} % or more"
        return f"{bound} compared with {_AGAINST[alert.against]}"
    return f"{alert.word} {readable(alert.bound)}"


def body(
    alert: AlertRule, kind: str, id: str, measured: MeasuredChange, since: datetime, at: datetime
) -> dict[str, object]:
    """Return the JSON body of a webhook; chat services display its `text`."""

    def number(value: Decimal | None) -> object:
        return None if value is None else as_number(value)

    return {
        "id": id,
        "alert": alert.name,
        "kind": kind,
        "text": sentence(alert, kind, measured),
        "condition": condition(alert),
        "pk": list(alert.pk),
        "dimension": list(alert.dimension),
        "metric": alert.formula.text,
        "period": alert.period.text,
        "value": number(measured.value),
        "reference": number(measured.reference),
        "change_percent": None if measured.change is None else float(round(measured.change, 2)),
        "since": since.isoformat(),
        "at": at.isoformat(),
    }
