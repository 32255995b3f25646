"""Alert and report rules: the tables of a TOML file, validated key by key.

Defines the keys and their meaning; docs/alerts.rst documents them for users. Knows nothing of
stores, clocks or delivery.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

from hailwhale.core.alerts.fields import DaySpan, RuleTable
from hailwhale.core.events.limits import DEFAULT_LIMITS, Limits
from hailwhale.core.events.paths import Path, parse_pk
from hailwhale.core.query.formula import Formula
from hailwhale.core.query.parameters import (
    DEFAULT_LIMIT,
    PlotQuery,
    parse_plot,
    parse_requested_dimensions,
)
from hailwhale.core.query.ranking import Sort
from hailwhale.core.time.calendar_grid import Grid, parse_zone
from hailwhale.core.time.period import Period, Trailing
from hailwhale.errors import BadInput

T = TypeVar("T")
Tables = Mapping[str, object]

MIN_EVERY_S = 1
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ABSOLUTE = ("above", "below")
_RELATIVE = ("rises_by", "falls_by")
_OF_A_CHANGE = ("against", "minimum")
_ASKED = ("pk", "dimension")
_ALERT_KEYS = (
    *("name", *_ASKED, "metric", "period", "tz", *_ABSOLUTE, *_RELATIVE, "against", "minimum"),
    *("for", "quiet", "repeat", "webhook", "email", "graph"),
)
_REPORT_KEYS = (
    *("name", *_ASKED, "metrics", "depth", "limit", "period", "tz"),
    *("every", "on", "at", "title", "email"),
)
_MAIL_KEYS = ("host", "port", "from", "tls", "user", "password_variable")
_FILE_KEYS = ("every", "tz", "home", "webhook", "email", "mail", "alert", "report")


@dataclass(frozen=True, slots=True)
class MailServer:
    """The SMTP server; `tls` is none, starttls or tls; the password comes from the environment."""

    host: str
    port: int
    sender: str
    tls: str
    user: str
    password_variable: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """A condition on the total of a formula, and whom to notify.

    `word` is above, below, rises_by or falls_by. `bound` is its number, in per cent for the last
    two, relative to the period that `against` names. The alert fires after `checks` consecutive
    checks at which the condition held.
    """

    name: str
    pk: Path
    dimension: Path
    formula: Formula
    period: Period
    grid: Grid | None
    word: str
    bound: Decimal
    against: str
    minimum: Decimal
    checks: int
    quiet: tuple[DaySpan, ...]
    quiet_grid: Grid
    repeat_s: int
    webhooks: tuple[str, ...] = field(repr=False)  # their URLs may have secrets
    emails: tuple[str, ...]
    graph: bool

    @property
    def plot(self) -> PlotQuery:
        """Return the plot query of the alert's period, for its graph."""
        return PlotQuery(
            pk=self.pk,
            dimensions=(self.dimension,),
            formulas=(self.formula,),
            period=self.period,
            grid=None,
            depth=0,
            threshold=Decimal(0),
            limit=DEFAULT_LIMIT,
            sort=Sort(self.formula, descending=True),
            other=False,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRule:
    """An e-mail with numbers and graphs, sent daily or weekly at a time of day."""

    name: str
    plot: PlotQuery
    title: str
    weekday: int | None
    minute: int
    grid: Grid
    emails: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AlertRules:
    """The content of a file. Alerts are checked every `every_s`; `home` is the service's URL."""

    every_s: int
    home: str
    mail: MailServer | None
    alerts: tuple[AlertRule, ...]
    reports: tuple[ReportRule, ...]


def parse_rules(file: Tables, limits: Limits = DEFAULT_LIMITS) -> AlertRules:
    """Parse a file's tables; `BadInput` names the rule and the key."""
    top = RuleTable("the file", file)
    top.only(*_FILE_KEYS)
    grid = top.zone("tz", parse_zone("UTC"))
    mail = _mail(file["mail"]) if "mail" in file else None
    every_s = top.seconds("every", "1m")
    if every_s < MIN_EVERY_S:
        raise top.refuse("every", "a length of at least 1s")
    shared = _RuleDefaults(
        limits, grid, top.urls("webhook"), top.addresses("email"), mail is not None
    )
    home = top.urls("home")
    return AlertRules(
        every_s,
        home[0].rstrip("/") if home else "",
        mail,
        tuple(_alert(table, shared) for table in _tables(file, "alert")),
        tuple(_report(table, shared) for table in _tables(file, "report")),
    )


@dataclass(frozen=True, slots=True)
class _RuleDefaults:
    """What the rules of a file have in common."""

    limits: Limits
    grid: Grid
    webhooks: tuple[str, ...] = field(repr=False)  # their URLs may have secrets
    emails: tuple[str, ...]
    can_mail: bool


def _tables(file: Tables, kind: str) -> list[RuleTable]:
    """Return the tables of one kind by their names, which must be unique."""
    found = file.get(kind, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise BadInput(kind, found, f"tables that begin with [[{kind}]]")
    tables, names = [], set()
    for place, values in enumerate(found, 1):
        name = RuleTable(f"{kind} {place}", values).text("name")
        if not name or name in names:
            raise BadInput(
                f"{kind} {place}: name",
                values.get("name"),
                "a name that is not empty and not used twice",
            )
        names.add(name)
        tables.append(RuleTable(f"{kind} {name}", values))
    return tables


def _mail(value: object) -> MailServer:
    table = RuleTable("mail", value if isinstance(value, dict) else {})
    table.only(*_MAIL_KEYS)
    sender = table.addresses("from")
    if len(sender) != 1:
        raise table.refuse("from", "one sender address, such as hailwhale@example.com")
    tls = table.word("tls", "none", "starttls", "tls")
    user, variable = table.text("user"), table.text("password_variable")
    if bool(user) != bool(variable):
        raise table.refuse(
            "user", "both user and password_variable, the name of an environment variable"
        )
    port = table.whole("port", 1, 65_535, {"none": 25, "starttls": 587, "tls": 465}[tls])
    return MailServer(table.text("host", "localhost"), port, sender[0], tls, user, variable)


def _alert(table: RuleTable, shared: _RuleDefaults) -> AlertRule:
    table.only(*_ALERT_KEYS)
    period = _named(table, "period", Period.parse, "1m:1h")
    word, bound = _condition(table)
    against = table.word("against", "before", "last_week") if word in _RELATIVE else ""
    if word in _RELATIVE and not isinstance(period.reach, Trailing):
        raise table.refuse(
            "period", "interval:length such as 1m:1h, which rises_by and falls_by require"
        )
    for key in _OF_A_CHANGE:
        if word in _ABSOLUTE and key in table.values:
            raise table.refuse(key, "rises_by or falls_by in the same alert")
    pk, dimension = _asked(table, shared.limits)
    webhooks = table.urls("webhook", shared.webhooks)
    return AlertRule(
        name=table.name.partition(" ")[2],
        pk=pk,
        dimension=dimension,
        formula=_named(table, "metric", Formula.parse, "hits"),
        period=period,
        grid=table.zone("tz", shared.grid) if "tz" in table.values else None,
        word=word,
        bound=bound,
        against=against,
        minimum=table.number("minimum", Decimal(0)) or Decimal(0),
        checks=table.whole("for", 1, 1_000, 1),
        quiet=table.hours("quiet"),
        quiet_grid=table.zone("tz", shared.grid),
        repeat_s=table.seconds("repeat", ""),
        webhooks=webhooks,
        emails=_emails(table, shared, needed=not webhooks),
        graph=table.flag("graph", True),
    )


def _condition(table: RuleTable) -> tuple[str, Decimal]:
    words = [word for word in (*_ABSOLUTE, *_RELATIVE) if word in table.values]
    if len(words) != 1:
        given = " and ".join(words) or "none"
        expected = f"one of {', '.join((*_ABSOLUTE, *_RELATIVE))}, not {given}"
        raise BadInput(f"{table.name}: condition", words, expected)
    [word] = words
    bound = table.number(word, Decimal(0) if word in _RELATIVE else None)
    return word, bound if bound is not None else Decimal(0)


def _report(table: RuleTable, shared: _RuleDefaults) -> ReportRule:
    table.only(*_REPORT_KEYS)
    every = table.word("every", "day", "week")
    if every == "day" and "on" in table.values:
        raise table.refuse("on", 'a day of the week only with every = "week"')
    asked = {"period": "1d:1w" if every == "day" else "1d:4w", "depth": 0, "limit": 10}
    fields = {
        "dimensions" if name == "dimension" else name: table.values.get(name, asked.get(name))
        for name in ("pk", "dimension", "metrics", "depth", "limit", "period")
    }
    try:
        plot = parse_plot({name: value for name, value in fields.items() if value is not None})
    except BadInput as fault:
        raise BadInput(
            f"{table.name}: {fault.parameter}",
            table.values.get(fault.parameter.rstrip("s"), table.values.get(fault.parameter)),
            fault.message.partition("expected ")[2],
        ) from fault
    if not isinstance(plot.period.reach, Trailing):
        raise table.refuse("period", "interval:length, such as 1d:1w")
    weekday = WEEKDAYS.index(table.word("on", *WEEKDAYS)) if every == "week" else None
    return ReportRule(
        name=table.name.partition(" ")[2],
        plot=plot,
        title=table.text("title") or table.name.partition(" ")[2],
        weekday=weekday,
        minute=table.minute("at", "07:00"),
        grid=table.zone("tz", shared.grid),
        emails=_emails(table, shared, needed=True),
    )


def _emails(table: RuleTable, shared: _RuleDefaults, *, needed: bool) -> tuple[str, ...]:
    emails = table.addresses("email", shared.emails)
    if emails and not shared.can_mail:
        raise table.refuse("email", "a table [mail] that names the mail server")
    if needed and not emails:
        raise table.refuse("email", "at least one address, such as ops@example.com")
    return emails


def _asked(table: RuleTable, limits: Limits) -> tuple[Path, Path]:
    """Return the pk and the single dimension of an alert."""

    def pk(value: object, parameter: str) -> Path:
        return parse_pk(value, limits, parameter)

    def dimension(value: object, parameter: str) -> tuple[Path, ...]:
        return parse_requested_dimensions(value, limits)

    paths = _named(table, "dimension", dimension, "_")
    if len(paths) != 1:
        raise table.refuse("dimension", "one dimension")
    return _named(table, "pk", pk, "_"), paths[0]


def _named(table: RuleTable, key: str, parse: Callable[[str, str], T], default: str) -> T:
    """Parse a value with a core parser; errors name the rule and the key."""
    value = table.values.get(key, default)
    try:
        return parse(value, key)  # type: ignore[arg-type]  # each parser refuses what is no text
    except BadInput as fault:
        raise table.refuse(key, fault.message.partition("expected ")[2]) from fault
