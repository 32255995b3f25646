"""A rules file: what is in it is understood, what is wrong in it is said by rule and key."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from typing import Any

import pytest

from hailwhale.core.alerts.rules import MailServer, parse_rules
from hailwhale.errors import BadInput

FILE = """
every = "30s"
tz = "Europe/Berlin"
home = "https://hw.example.com/"
email = "ops@example.com"

[mail]
host = "mail.example.com"
from = "hailwhale@example.com"
tls = "starttls"
user = "hw"
password_variable = "SMTP_PASSWORD"

[[alert]]
name = "revenue drop"
pk = ["Shop", "7"]
dimension = {country = "US"}
metric = "revenue/hits"
period = "1h:3h"
falls_by = 30
against = "last_week"
minimum = 100
for = 3
quiet = ["22:00-07:00", "12:30-13:00"]
repeat = "4h"
webhook = ["https://a.example.com/x?y=z", "http://localhost:9"]
email = []
graph = false

[[alert]]
name = "errors"
pk = "Errors"
above = 0.5

[[report]]
name = "weekly"
pk = "Shop"
dimension = "country"
depth = 1
limit = 5
metrics = ["revenue", "revenue/hits"]
every = "week"
on = "friday"
at = "08:30"
title = "The shop"
email = ["a@example.com", "b@example.com"]
"""

MAIL = {"from": "hw@example.com"}
HOOK = "http://example.com/hook"


def rules(**file: Any) -> Any:
    return parse_rules({"mail": MAIL, **file})


def alert(**keys: Any) -> Any:
    return rules(alert=[{"name": "a", "above": 1, "webhook": HOOK} | keys]).alerts[0]


def test_a_whole_file_is_understood() -> None:
    found = parse_rules(tomllib.loads(FILE, parse_float=Decimal))
    assert (found.every_s, found.home) == (30, "https://hw.example.com")
    assert found.mail == MailServer(
        *("mail.example.com", 587, "hailwhale@example.com", "starttls", "hw", "SMTP_PASSWORD")
    )
    drop, errors = found.alerts
    assert (drop.name, drop.pk, drop.dimension) == (
        "revenue drop",
        ("Shop", "7"),
        ("country", "US"),
    )
    assert (drop.formula.text, drop.period.text) == ("revenue/hits", "1h:3h")
    assert (drop.word, drop.against) == ("falls_by", "last_week")
    assert [drop.bound, drop.minimum] == [30, 100]
    assert (drop.checks, drop.repeat_s, drop.graph) == (3, 4 * 3_600, False)
    assert drop.quiet == ((22 * 60, 7 * 60), (12 * 60 + 30, 13 * 60))
    assert drop.quiet_grid.name == "Europe/Berlin"
    assert drop.webhooks == ("https://a.example.com/x?y=z", "http://localhost:9")
    assert drop.emails == ()
    assert (errors.word, errors.bound, errors.emails) == (
        "above",
        Decimal("0.5"),
        ("ops@example.com",),
    )
    assert (errors.period.text, errors.checks, errors.graph) == ("1m:1h", 1, True)
    [weekly] = found.reports
    assert (weekly.name, weekly.title, weekly.weekday, weekly.minute) == (
        "weekly",
        "The shop",
        4,
        510,
    )
    assert (weekly.plot.depth, weekly.plot.limit, weekly.plot.period.text) == (1, 5, "1d:4w")
    assert weekly.emails == ("a@example.com", "b@example.com")


@pytest.mark.parametrize(
    ("keys", "where", "expected"),
    [
        ({"abov": 2}, "alert a: abov", "did you mean above?"),
        ({"below": 2}, "alert a: condition", "not above and below"),
        ({"above": "many"}, "alert a: above", "a number"),
        ({"above": True}, "alert a: above", "a number"),
        ({"metric": "a/"}, "alert a: metric", ""),
        ({"metric": ["a", "b"]}, "alert a: metric", "a metric or a formula"),
        ({"period": "5x:1h"}, "alert a: period", "a number and a unit"),
        ({"period": 5}, "alert a: period", ""),
        ({"pk": {"a": 1}}, "alert a: pk", ""),
        ({"dimension": [["a"], ["b"]]}, "alert a: dimension", "one dimension"),
        ({"for": 0}, "alert a: for", "a whole number from 1"),
        ({"for": 1.5}, "alert a: for", "a whole number"),
        ({"quiet": "22-7"}, "alert a: quiet", "hours such as"),
        ({"quiet": "08:00-08:00"}, "alert a: quiet", "begin and end at different times"),
        ({"repeat": "4"}, "alert a: repeat", "a length"),
        ({"repeat": "1mo"}, "alert a: repeat", "s, m, h or d"),
        ({"tz": "Mars/Olympus"}, "alert a: tz", "IANA"),
        ({"webhook": "ftp://x"}, "alert a: webhook", "URLs"),
        ({"webhook": "file:///etc/passwd"}, "alert a: webhook", "URLs"),
        ({"webhook": []}, "alert a: email", "at least one address, such as ops@example.com"),
        ({"email": "nobody"}, "alert a: email", "addresses"),
        ({"email": "a@b\nBcc: c@d"}, "alert a: email", "addresses"),
        ({"email": "a..b@[x"}, "alert a: email", "addresses"),  # breaks Python's parser of headers
        ({"graph": 1}, "alert a: graph", "true or false"),
        ({"minimum": 5}, "alert a: minimum", "rises_by or falls_by"),
        ({"against": "before"}, "alert a: against", "rises_by or falls_by"),
    ],
)
def test_an_invalid_alert_is_reported_with_its_name_and_key(
    keys: dict[str, Any], where: str, expected: str
) -> None:
    with pytest.raises(BadInput) as fault:
        alert(**keys)
    assert fault.value.parameter == where
    assert expected in fault.value.message


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        ({"rises_by": -5}, "alert a: rises_by"),
        ({"rises_by": 5, "period": "today"}, "alert a: period"),
        ({"falls_by": 5, "against": "yesterday"}, "alert a: against"),
        ({"falls_by": 5, "minimum": -1}, "alert a: minimum"),
        ({}, "alert a: condition"),
    ],
)
def test_an_invalid_change_is_reported(keys: dict[str, Any], where: str) -> None:
    with pytest.raises(BadInput) as fault:
        rules(alert=[{"name": "a", "webhook": HOOK} | keys])
    assert fault.value.parameter == where


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        ({"every": "month"}, "report r: every"),
        ({"on": "monday"}, "report r: on"),
        ({"every": "week", "on": "Montag"}, "report r: on"),
        ({"at": "7"}, "report r: at"),
        ({"at": "24:00"}, "report r: at"),
        ({"period": "today"}, "report r: period"),
        ({"period": "x"}, "report r: period"),
        ({"metrics": "a//b"}, "report r: metrics"),
        ({"depth": 99}, "report r: depth"),
        ({"email": []}, "report r: email"),
        ({"title": "a\nb"}, "report r: title"),
        ({"webhook": HOOK}, "report r: webhook"),
    ],
)
def test_an_invalid_report_is_reported(keys: dict[str, Any], where: str) -> None:
    with pytest.raises(BadInput) as fault:
        rules(report=[{"name": "r", "email": "a@b"} | keys])
    assert fault.value.parameter == where


@pytest.mark.parametrize(
    ("file", "where"),
    [
        ({"alerts": []}, "the file: alerts"),
        ({"every": "0s"}, "the file: every"),
        ({"every": 5}, "the file: every"),
        ({"home": "hw"}, "the file: home"),
        ({"mail": {}}, "mail: from"),
        ({"mail": {**MAIL, "tls": "yes"}}, "mail: tls"),
        ({"mail": {**MAIL, "user": "u"}}, "mail: user"),
        ({"mail": {**MAIL, "port": 0}}, "mail: port"),
        ({"mail": {**MAIL, "password": "p"}}, "mail: password"),
        ({"alert": {"name": "a"}}, "alert"),
        ({"alert": [{"above": 1}]}, "alert 1: name"),
        ({"alert": [{"name": "a", "above": 1, "webhook": HOOK}] * 2}, "alert 2: name"),
    ],
)
def test_an_invalid_file_is_reported(file: dict[str, Any], where: str) -> None:
    with pytest.raises(BadInput) as fault:
        rules(**file)
    assert fault.value.parameter == where


def test_mail_without_a_server_is_refused() -> None:
    with pytest.raises(BadInput, match=r"\[mail\]"):
        parse_rules({"alert": [{"name": "a", "above": 1, "email": "a@b"}]})
