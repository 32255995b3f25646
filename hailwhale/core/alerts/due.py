"""Schedules in local time: when a report is due, and an alert's quiet hours.

Pure. Knows nothing of what is sent.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from hailwhale.core.alerts.fields import is_within
from hailwhale.core.alerts.rules import AlertRule, ReportRule


def last_due_s(report: ReportRule, now_s: int) -> int:
    """The last time, up to now, that a report was to be sent at.

    A time of day that clocks skip is the moment they do so; one that comes twice is the first.
    """
    zone = report.grid.zone
    today = datetime.fromtimestamp(now_s, zone).date()
    for days in range(9):
        day = today - timedelta(days=days)
        if report.weekday in (None, day.weekday()):
            hour, minute = divmod(report.minute, 60)
            at = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
            if (at_s := int(at.timestamp())) <= now_s:
                return at_s
    raise AssertionError("every weekday occurs within nine days")  # pragma: no cover


def is_quiet(alert: AlertRule, now_s: int) -> bool:
    """Return whether now is within the quiet hours of an alert."""
    local = datetime.fromtimestamp(now_s, alert.quiet_grid.zone)
    return is_within(local.hour * 60 + local.minute, alert.quiet)
