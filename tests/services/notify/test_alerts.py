"""Alerts on counted events at a clock that is moved, sent to real HTTP and SMTP servers.

It is Sunday 2026-03-15 12:10:30 UTC; a check is due every minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from hailwhale.core.alerts.rules import AlertRules, parse_rules
from hailwhale.core.query.parameters import parse_plot
from hailwhale.errors import BadInput
from hailwhale.services.container import Services
from hailwhale.services.notify.alerts import AlertRunner
from hailwhale.services.notify.reports import ReportSender
from hailwhale.services.notify.webhooks import WAITS_S
from tests.conftest import NOW_S, Clock
from tests.services.notify.receivers import Hook, Mailbox, hooked, mailed

MINUTE_S, HOUR_S, DAY_S, WEEK_S = 60, 3_600, 86_400, 604_800


@pytest.fixture
def hook() -> Iterator[Hook]:
    with hooked() as found:
        yield found


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailed() as found:
        yield found


def rules_of(box: Mailbox | None = None, **file: Any) -> AlertRules:
    mail = {"host": "127.0.0.1", "port": box.port if box else 25, "from": "hw@example.com"}
    return parse_rules({"mail": mail, "home": "https://hw.example.com", **file})


def count(services: Services, hits: int, ago_s: int = 0, **event: Any) -> None:
    at = services.clock() - ago_s
    services.counting.count_now({"pk": "Shop", "metrics": {"hits": hits}, "at": int(at), **event})


class Watching:
    """A copy of `hailwhale alerts`: checks the one rule it has."""

    def __init__(self, services: Services, hook: Hook, box: Mailbox | None = None, **rule: Any):
        self.rule = {"name": "a", "pk": "Shop", "period": "1m:5m", "webhook": hook.url, **rule}
        self.rules = rules_of(box, alert=[self.rule])
        self.waited_s: list[float] = []
        self.alerting = AlertRunner(services, self.rules, self.waited_s.append)

    def check(self) -> str:
        [alert] = self.rules.alerts
        return self.alerting.check(alert)


def pass_minutes(clock: Clock, watching: Watching, minutes: int) -> None:
    for _ in range(minutes):
        clock.now_s += MINUTE_S
        watching.check()


def test_an_alert_fires_is_sent_once_and_is_resolved(
    services: Services, clock: Clock, hook: Hook
) -> None:
    watching = Watching(services, hook, above=2)
    assert watching.check() == "a: is fine"
    count(services, 3)
    pass_minutes(
        clock, watching, 3
    )  # the minute that holds now is not over, and does not count yet
    assert hook.kinds == ["firing"]
    told = hook.bodies[0]
    assert told["text"] == "a: hits of Shop is 3, above 2 (1m:5m)"
    assert (told["alert"], told["pk"], told["dimension"]) == ("a", ["Shop"], [])
    assert (told["metric"], told["value"], told["period"]) == ("hits", 3, "1m:5m")
    assert told["graph"] == (
        "https://hw.example.com/graph.svg?pk=%5B%22Shop%22%5D&metrics=hits&period=1m%3A5m"
    )
    assert told["at"].startswith("2026-03-15T12:11:30")
    pass_minutes(clock, watching, 5)
    assert hook.kinds == ["firing", "resolved"]
    assert hook.tries[0] == told["id"] == hook.bodies[0]["id"] != hook.tries[1]


def test_it_fires_when_it_held_so_many_times_in_a_row(
    services: Services, clock: Clock, hook: Hook
) -> None:
    three: dict[str, Any] = {"for": 3}
    watching = Watching(services, hook, above=0, **three)
    count(services, 1)
    pass_minutes(clock, watching, 2)
    assert hook.kinds == []
    pass_minutes(clock, watching, 1)
    assert hook.kinds == ["firing"]


def test_an_alert_is_repeated_as_often_as_the_rule_says(
    services: Services, clock: Clock, hook: Hook
) -> None:
    watching = Watching(services, hook, above=0, period="all", repeat="2m")
    count(services, 1)
    pass_minutes(clock, watching, 5)
    assert hook.kinds == ["firing", "firing", "firing"]


def test_an_alert_is_sent_once_by_several_processes_and_after_a_restart(
    make_services: Callable[..., Services], clock: Clock, hook: Hook
) -> None:
    copies = [Watching(make_services(), hook, above=0, period="all") for _ in range(3)]
    count(make_services(), 1)
    for _ in range(4):
        for copy in copies:
            copy.check()
        clock.now_s += MINUTE_S
    Watching(make_services(), hook, above=0, period="all").check()
    assert hook.kinds == ["firing"]


def test_a_copy_that_dies_while_it_sends_is_taken_over_with_the_same_id(
    make_services: Callable[..., Services], clock: Clock, hook: Hook, monkeypatch: Any
) -> None:
    dying, other = (Watching(make_services(), hook, above=0, period="all") for _ in range(2))
    count(make_services(), 1)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dying.alerting, "_settle", dies)  # after it sent, before it noted so
    with pytest.raises(KeyboardInterrupt):
        dying.check()
    pass_minutes(clock, other, 4)
    assert len(hook.tries) == 1  # the lease has five minutes
    pass_minutes(clock, other, 3)
    assert len(hook.tries) == 2
    assert hook.tries[0] == hook.tries[1]


def test_a_webhook_that_is_down_gets_it_when_it_is_back(
    services: Services, clock: Clock, hook: Hook
) -> None:
    watching = Watching(services, hook, above=0, period="all")
    count(services, 1)
    hook.answers = [503, 500, 429]
    watching.check()
    assert (len(hook.tries), hook.bodies, watching.waited_s) == (3, [], list(WAITS_S))
    hook.answers = [404]  # which another try at once would not help
    pass_minutes(clock, watching, 1)
    assert (len(hook.tries), hook.bodies) == (4, [])
    hook.answers = [302]  # which would lose the body
    pass_minutes(clock, watching, 1)
    assert hook.bodies == []
    pass_minutes(clock, watching, 1)
    assert hook.kinds == ["firing"]
    assert len(set(hook.tries)) == 1


def test_in_quiet_hours_no_notification_is_sent_until_they_end(
    services: Services, clock: Clock, hook: Hook
) -> None:
    night: dict[str, Any] = {"quiet": "12:00-14:13", "tz": "Europe/Berlin"}  # until 13:13 UTC
    watching = Watching(services, hook, above=0, period="1m:2h", **night)
    count(services, 1)
    pass_minutes(clock, watching, 62)
    assert hook.kinds == []
    pass_minutes(clock, watching, 1)
    assert hook.kinds == ["firing"]


def test_an_alert_resolved_within_quiet_hours_is_never_sent(
    services: Services, clock: Clock, hook: Hook
) -> None:
    watching = Watching(services, hook, above=0, period="1m:2m", quiet="12:00-12:20")
    count(services, 1)
    pass_minutes(clock, watching, 15)
    assert hook.tries == []


@pytest.mark.parametrize(
    ("rule", "kinds"),
    [
        ({"falls_by": 50}, ["firing"]),
        ({"falls_by": 51}, []),
        ({"falls_by": 50, "minimum": 11}, []),
        ({"rises_by": 1}, []),
        ({"rises_by": 25, "against": "last_week"}, ["firing"]),
        ({"rises_by": 26, "against": "last_week"}, []),
        ({"falls_by": 50, "dimension": ["country", "US"]}, []),
        ({"falls_by": 50, "metric": "revenue/hits", "minimum": 10}, ["firing"]),
        ({"falls_by": 50, "metric": "revenue/hits", "minimum": 11}, []),
    ],
)
def test_a_change_is_compared_with_a_whole_previous_period(
    services: Services, hook: Hook, rule: dict[str, Any], kinds: list[str]
) -> None:
    """11:00 to 12:00 has 5 hits, the hour before 10, the same a week ago 4; since 12:00 there are
    100, in an hour that is not over."""
    hour = NOW_S % HOUR_S + 60
    for hits, revenue, ago_s in (
        (5, 5, hour),
        (10, 100, hour + HOUR_S),
        (4, 4, hour + WEEK_S),
        (100, 0, 0),
    ):
        count(services, hits, ago_s, metrics={"hits": hits, "revenue": revenue})
    Watching(services, hook, period="1h:1h", **rule).check()
    assert hook.kinds == kinds


LARGE = Decimal("1234567890123456789012345.67")  # 25 digits before the point: no float tells them


@pytest.mark.parametrize(
    ("rule", "kinds"),
    [
        ({"above": LARGE - Decimal("0.01")}, ["firing"]),
        ({"above": LARGE}, []),
        ({"below": LARGE}, []),
        ({"below": LARGE + Decimal("0.01")}, ["firing"]),
        ({"rises_by": 100, "minimum": LARGE / 2}, []),
        ({"rises_by": 100, "minimum": (LARGE - 1) / 2}, ["firing"]),
    ],
)
def test_a_large_sum_is_compared_to_its_last_digit(
    services: Services, hook: Hook, rule: dict[str, Any], kinds: list[str]
) -> None:
    """The last whole hour has the sum, the hour before half of one less."""
    hour = NOW_S % HOUR_S + 60
    count(services, 1, hour, metrics={"revenue": LARGE})
    count(services, 1, hour + HOUR_S, metrics={"revenue": (LARGE - 1) / 2})
    Watching(services, hook, period="1h:1h", **{"metric": "revenue", **rule}).check()
    assert hook.kinds == kinds


def test_a_webhook_gets_a_large_sum_as_a_number_with_all_its_digits(
    services: Services, hook: Hook
) -> None:
    count(services, 1, HOUR_S, metrics={"revenue": LARGE})
    Watching(services, hook, period="all", metric="revenue", above=LARGE - 1).check()
    [told] = hook.bodies
    assert told["value"] == LARGE
    assert "revenue of Shop is 1,234,567,890,123,456,789,012,345.67, above" in told["text"]


def test_the_graph_of_an_alert_is_of_its_own_series(services: Services, hook: Hook) -> None:
    file: dict[str, Any] = {
        "dimension": ["country", "US"],
        "metric": "revenue/hits",
        "period": "1h:1d",
        "above": 1,
    }
    [alert] = Watching(services, hook, **file).rules.alerts
    asked = {"pk": "Shop", "dimensions": ["country", "US"], "metrics": "revenue/hits"}
    assert alert.plot == parse_plot({**asked, "period": "1h:1d"})


def test_a_period_that_cannot_be_answered_is_said_and_changes_nothing(
    services: Services, hook: Hook
) -> None:
    watching = Watching(services, hook, period="1m:1h", rises_by=1, against="last_week")
    with pytest.raises(BadInput, match="stored rollups"):
        watching.check()
    assert services.store.alert_state.read("alert:a") == b""


def test_mail_has_the_sentence_and_a_picture(services: Services, hook: Hook, box: Mailbox) -> None:
    count(services, 3, metrics={"hits": 3, "a<b": 1})
    rule = {"webhook": [], "email": ["ops@example.com", "boss@example.com"], "period": "1h:1d"}
    watching = Watching(services, hook, box, above=-1, metric="a<b + 0*hits", **rule)
    box.refused = {"boss@example.com"}
    watching.check()
    [(address, message)] = box.mails
    assert address == message["To"] == "ops@example.com"
    assert message["From"] == "hw@example.com"
    assert message["Subject"] == "[HailWhale] a: a<b + 0*hits of Shop is 0, above -1 (1h:1d)"
    assert message["Auto-Submitted"] == "auto-generated"
    assert "At 2026-03-15 12:10 UTC." in message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    [picture] = message.iter_attachments()
    assert (picture.get_content_type(), picture.get_filename()) == ("image/svg+xml", "graph.svg")
    svg = picture.get_content().decode()
    assert svg.startswith("<svg")
    assert "a&lt;b" in svg


def test_only_failed_recipients_are_retried(
    services: Services, clock: Clock, hook: Hook, box: Mailbox
) -> None:
    rule = {"email": ["ops@example.com", "boss@example.com"], "period": "all"}
    watching = Watching(services, hook, box, above=-1, **rule)
    box.refused = {"boss@example.com"}
    watching.check()
    box.refused = set()
    pass_minutes(clock, watching, 2)
    assert [address for address, _ in box.mails] == ["ops@example.com", "boss@example.com"]
    assert len(hook.bodies) == 1
    assert box.mails[0][1]["Message-ID"] == box.mails[1][1]["Message-ID"]


def test_nothing_that_is_kept_gives_a_url_away(services: Services, hook: Hook) -> None:
    hook.answers = [404]
    Watching(services, hook, above=-1, period="all").check()
    assert b"secret" not in services.store.alert_state.read("alert:a")
    assert b"webhook:" in services.store.alert_state.read("alert:a")


# Reports


def reporting(services: Services, box: Mailbox, **report: Any) -> Callable[[], str]:
    given = {"name": "daily", "pk": "Shop", "email": "boss@example.com", **report}
    rules = rules_of(box, report=[given])
    return lambda: ReportSender(services, rules).check(rules.reports[0])


def test_a_report_is_sent_once_when_it_is_due(
    make_services: Callable[..., Services], clock: Clock, box: Mailbox
) -> None:
    checks = [reporting(make_services(), box) for _ in range(2)]
    assert [check() for check in checks] == ["daily: not due"] * 2  # 07:00 is over
    clock.now_s += 18 * HOUR_S  # the 16th, 06:10
    assert [check() for check in checks] == ["daily: not due"] * 2
    clock.now_s += HOUR_S
    assert [check() for check in checks] == ["daily: sent", "daily: not due"]
    clock.now_s += 3 * DAY_S  # nobody was there for three days: one report, not three
    assert [check() for check in checks] == ["daily: sent", "daily: not due"]
    assert len(box.mails) == 2


def test_a_report_that_was_not_taken_is_tried_again(
    services: Services, clock: Clock, box: Mailbox
) -> None:
    check = reporting(services, box)
    check()
    clock.now_s += DAY_S
    box.refused = {"boss@example.com"}
    assert check() == "daily: not delivered to all addresses"
    assert check() == "daily: not due"
    clock.now_s += 300
    box.refused = set()
    assert check() == "daily: sent"
    assert len(box.mails) == 1


def test_a_report_has_numbers_what_they_were_and_pictures(
    services: Services, clock: Clock, box: Mailbox
) -> None:
    for country, hits, days in (("US", 30, 1), ("US", 20, 2), ("<b>", 5, 3), ("US", 40, 9)):
        count(services, hits, days * DAY_S, dimensions={"country": country})
    count(services, 1_000)  # today is not over
    check = reporting(
        services, box, dimension="country", depth=1, metrics="hits,uniques/hits", title="A <shop>"
    )
    check()
    clock.now_s += DAY_S
    count(services, 7, DAY_S, dimensions={"country": "US"})
    check()
    [(_, message)] = box.mails
    assert message["Subject"] == "A <shop>, 2026-03-09 to 2026-03-15"
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "Shop › country: hits 62 (before: 40, +55.0 %)" in text
    assert "Shop › country › US: hits 57 (before: 40, +42.5 %)" in text
    html = message.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert "A &lt;shop&gt;" in html
    assert "Shop › country › US" in html
    assert "+55.0 %" in html
    pictures = list(message.iter_attachments())
    assert [each.get_content_type() for each in pictures] == ["image/svg+xml"] * 2
    assert [each["Content-ID"] for each in pictures] == ["<graph1.svg>", "<graph2.svg>"]
    assert 'src="cid:graph1.svg"' in html
    assert "<script" not in pictures[0].get_content().decode()


def test_a_report_shows_large_sums_to_their_last_digit(
    services: Services, clock: Clock, box: Mailbox
) -> None:
    check = reporting(services, box, metrics="revenue", every="day")
    check()
    count(services, 1, 0, metrics={"revenue": LARGE})
    count(services, 1, WEEK_S, metrics={"revenue": LARGE - 1})
    clock.now_s += DAY_S
    check()
    [(_, message)] = box.mails
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert (
        "Shop: revenue 1,234,567,890,123,456,789,012,345.67"
        " (before: 1,234,567,890,123,456,789,012,344.67, +0.0 %)"
    ) in text
