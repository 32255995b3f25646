"""Random events and questions, the same for the same seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from random import Random

from tests.model.calendar import DAY_S, SIZES_S, Calendar, Interval, days_of, wall_of
from tests.model.counts import Counted, Counts, Path
from tests.model.formulas import Formula

ZONES = [
    *("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu"),
    *("Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia", "Africa/Casablanca"),
    *("America/Sao_Paulo", "Pacific/Chatham"),
]
ROLLUPS = ["1m:3d,1h:60d,1d:9y,all", "15m:40d,1d:9y,all", "1m:2h,1h:35d,1d:3y,1mo:20y,all"]
ADDED = "5m:40d"  # by a later version of the settings
ROOTS = ["Shop", "Blog", "é/1"]
LABELS = ["a", "b", "US", "1", "null", '["x"]', "x,y", "a b", "_z"]
METRICS = ["sales", "page-views", "hours", "days", "x"]
TRAILING: list[tuple[Interval, Interval]] = [
    *(((1, "m"), (30, "m")), ((5, "m"), (2, "h")), ((7, "m"), (3, "h")), ((1, "h"), (1, "h"))),
    *(((1, "h"), (26, "h")), ((5, "h"), (3, "d")), ((1, "d"), (9, "d")), ((2, "d"), (9, "d"))),
    *(((1, "w"), (5, "w")), ((1, "d"), (1, "mo")), ((1, "mo"), (8, "mo")), ((3, "mo"), (2, "y"))),
]
MINUTE_S = 60


@dataclass(frozen=True)
class Sent:
    """An event as it is sent: amounts as texts, the time None for now."""

    pk: Path
    dimensions: tuple[Path, ...]
    metrics: dict[str, str]
    at_s: int | None

    def counted(self, now_s: int) -> Counted:
        """docs/http.rst: each event counts 1 hit, unless it says how many; without at it is now."""
        amounts = {name: Fraction(text) for name, text in self.metrics.items()}
        at_s = now_s if self.at_s is None else self.at_s
        return Counted(self.pk, self.dimensions, {"hits": Fraction(1), **amounts}, at_s)


@dataclass(frozen=True)
class Span:
    """A period, its text, and the edges of its buckets now; no edges for all."""

    text: str
    edges: tuple[int, ...]


@dataclass(frozen=True)
class Question:
    """A formula over a period, of a dimension of a pk, in a time zone (None: the service's)."""

    pk: Path
    dimension: Path
    formula: Formula
    span: Span
    zone: str | None


class Stream:
    """Draws what happens next."""

    def __init__(self, random: Random, zone: str) -> None:
        self.random = random
        self.zone = zone

    def path(self, most: int) -> Path:
        size = self.random.choice([1, 1, 2, most])
        return tuple(self.random.choices(LABELS, k=min(size, most)))

    def pk(self) -> Path:
        root = self.random.choice(ROOTS)
        return (root, *self.path(2)) if self.random.random() < 0.5 else (root,)

    def event(self, now_s: int) -> Sent:
        dimensions = {self.path(3) for _ in range(self.random.choice([0, 1, 1, 2, 3]))}
        names = self.random.sample(METRICS, self.random.choice([0, 1, 1, 2]))
        metrics = {name: self.amount() for name in names}
        if self.random.random() < 0.15:
            metrics["hits"] = self.random.choice(["0", "5", "-1"])
        return Sent(self.pk(), tuple(sorted(dimensions)), metrics, self.time(now_s))

    def amount(self) -> str:
        choices = ["1", "0.1", "-3", "19.99", "1e-9", "0", "123456789012345678901234567.125"]
        if self.random.random() < 0.5:
            return self.random.choice(choices)
        return f"{self.random.randint(-(10**6), 10**9)}e{self.random.randint(-12, 3)}"

    def time(self, now_s: int) -> int | None:
        """Mostly now or lately; at times long ago, or up to a day ahead."""
        draw = self.random.random()
        if draw < 0.3:
            return None
        if draw < 0.35:
            return now_s + self.random.randint(0, DAY_S)
        longest_s = [MINUTE_S, 3_600, DAY_S, 30 * DAY_S, 400 * DAY_S, 12 * 365 * DAY_S]
        return now_s - self.random.randint(0, self.random.choice(longest_s))

    def formula(self, counted: list[str]) -> Formula:
        """A metric, a sum of products, or the quotient of two of these."""
        if self.random.random() < 0.4:
            return Formula(leaf=self.random.choice(["hits", *METRICS]))
        whole = self._exact(counted, 2)
        if self.random.random() < 0.5:
            return _with_a_metric(whole)
        divisor = self._exact(counted, 1)
        if self.random.random() < 0.3:
            divisor = Formula(leaf=self.random.choice([":seconds", ":minutes", ":hours"]))
        found = Formula("/", left=whole, right=divisor)
        return _with_a_metric(found)

    def _exact(self, counted: list[str], depth: int) -> Formula:
        if depth == 0 or self.random.random() < 0.3:
            # docs/http.rst: hours and days are metrics in a formula if counted under the pk.
            plain = [name for name in METRICS if name not in ("hours", "days") or name in counted]
            return Formula(leaf=self.random.choice([*plain, "hits", "2", "0.5", "100"]))
        sign = self.random.choice("+-*")
        return Formula(
            sign, left=self._exact(counted, depth - 1), right=self._exact(counted, depth - 1)
        )

    def question(self, counts: Counts, now_s: int) -> Question:
        pk = self.random.choice([*counts.pks(), ("Nowhere",)])
        dimension = self.random.choice([(), *counts.dimensions(pk), ("nothing",)])
        zone = self.random.choice(ZONES) if self.random.random() < 0.3 else None
        span = self.span(Calendar(zone or self.zone), now_s)
        return Question(pk, dimension, self.formula(counts.metrics(pk)), span, zone)

    def span(self, calendar: Calendar, now_s: int) -> Span:
        draw = self.random.random()
        if draw < 0.1:
            return Span("all", ())
        if draw < 0.5:
            return self._trailing(calendar, now_s)
        if draw < 0.7:
            return self._named(calendar, now_s)
        return self._between(calendar, now_s)

    def _trailing(self, calendar: Calendar, now_s: int) -> Span:
        """docs/http.rst: interval:length ends with the bucket that holds now."""
        interval, length = self.random.choice(TRAILING)
        end_s = calendar.after(now_s, interval)
        begin_s = calendar.floor(_back(calendar, end_s, length), interval)
        text = f"{interval[0]}{interval[1]}:{length[0]}{length[1]}"
        return Span(text, tuple(calendar.edges(begin_s, end_s, interval)))

    def _named(self, calendar: Calendar, now_s: int) -> Span:
        name = self.random.choice(["today", "yesterday", "mtd", "wtd", "hour", "seven"])
        day = calendar.day_of(now_s)
        day_s = calendar.day_start(day)
        if name == "hour":
            end_s = calendar.after(now_s, (1, "m"))
            return Span(name, tuple(calendar.edges(end_s - 3_600, end_s, (1, "m"))))
        if name == "today":
            end_s = calendar.after(now_s, (1, "h"))
            return Span(name, tuple(calendar.edges(day_s, end_s, (1, "h"))))
        if name == "yesterday":
            before_s = calendar.floor(day_s - 1, (1, "d"))
            return Span(name, tuple(calendar.edges(before_s, day_s, (1, "h"))))
        begin_s = {
            "mtd": calendar.floor(now_s, (1, "mo")),
            "wtd": calendar.floor(now_s, (1, "w")),
            "seven": _back(calendar, calendar.after(now_s, (1, "d")), (7, "d")),
        }[name]
        return Span(name, tuple(calendar.edges(begin_s, calendar.after(now_s, (1, "d")), (1, "d"))))

    def _between(self, calendar: Calendar, now_s: int) -> Span:
        """docs/http.rst: dates include both, times end at the second one."""
        first = calendar.date_of(now_s) - timedelta(days=self.random.choice([0, 1, 3, 20]))
        if self.random.random() < 0.5:
            last = first + timedelta(days=self.random.choice([0, 1, 5]))
            last = min(last, calendar.date_of(now_s))
            interval = self.random.choice([(1, "h"), (1, "d"), (6, "h")])
            begin_s = calendar.day_start(days_of(first))
            end_s = calendar.day_start(days_of(last) + 1)
            text = f"{interval[0]}{interval[1]}:{first}..{last}"
            return Span(text, tuple(calendar.edges(begin_s, end_s, interval)))
        hour, minute = self.random.choice([0, 2, 10]), self.random.choice([0, 30])
        length_s = self.random.choice([1_800, 3_600, 5 * 3_600])
        begin = wall_of(first, hour, minute)
        walls = (begin, begin + length_s)
        begin_s, end_s = map(calendar.instant, walls)
        interval = (30, "m")
        if begin_s >= end_s:  # the clock was set over all of it
            return Span("all", ())
        text = f"30m:{_written(walls[0])}..{_written(walls[1])}"
        return Span(text, tuple(calendar.edges(begin_s, end_s, interval)))


def _with_a_metric(formula: Formula) -> Formula:
    """docs/http.rst: a formula needs a metric that is not one of the words alone."""
    return formula if formula.metrics - {"hours", "days"} else Formula(leaf="hits")


def _written(wall_s: int) -> str:
    return (datetime(1970, 1, 1) + timedelta(seconds=wall_s)).isoformat(timespec="minutes")


def _back(calendar: Calendar, edge_s: int, length: Interval) -> int:
    """docs/concepts.rst: lengths of days and more are of the calendar, shorter ones of the clock.

    One month before a day is the same day of the month before, or that month's last day.
    """
    count, unit = length
    if unit in SIZES_S:
        return edge_s - count * SIZES_S[unit]
    wall_s = edge_s - 1 + calendar.offset_s(edge_s - 1) + 1
    day, clock_s = divmod(wall_s, DAY_S)
    if unit in ("d", "w"):
        return calendar.instant((day - count * (7 if unit == "w" else 1)) * DAY_S + clock_s)
    then = date.fromordinal(date(1970, 1, 1).toordinal() + day)
    months = then.year * 12 + then.month - 1 - count * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    last = (date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    before = date(year, month + 1, min(then.day, last))
    return calendar.instant(days_of(before) * DAY_S + clock_s)
