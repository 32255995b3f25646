"""Rounds, rows and the table: how a bench measures, and how its result is judged and shown.

Knows nothing of what is measured. A figure is never measured alone: rounds of the work and of its
yardstick alternate, so that whatever else the machine does meets both alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, TypeVar

T = TypeVar("T")
_COLUMNS = ("work", "figure", "yardstick", "ratio (spread)", "goal", "met")


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to measure: a full run, or a quick one that shows only that everything runs."""

    quick: bool = False

    def pick(self, full: T, quick: T) -> T:
        """The size to take: of a full run, or of a quick one."""
        return quick if self.quick else full

    @property
    def rounds(self) -> int:
        """Rounds of work and yardstick each, after one that is not measured."""
        return self.pick(5, 1)


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound on the ratio, or (`of_figure`) on the figure itself. None: no bound was set."""

    at_least: float | None = None
    at_most: float | None = None
    of_figure: bool = False

    def met_by(self, row: Row) -> bool:
        """Whether a row keeps this goal."""
        value = row.figure if self.of_figure else row.ratio
        over = self.at_least is not None and value < self.at_least
        under = self.at_most is not None and value > self.at_most
        return not (over or under)

    def text(self, unit: str) -> str:
        """The bound as the table shows it."""
        if self.at_least is None and self.at_most is None:
            return "none set"
        sign, bound = (">=", self.at_least) if self.at_least is not None else ("<=", self.at_most)
        return f"{sign} {number(bound or 0.0)} {unit if self.of_figure else 'x'}"


NO_GOAL = Goal()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `figures` and `yardsticks` hold a value a round, in the same unit."""

    work: str
    unit: str
    figures: Sequence[float]
    yardstick_name: str
    yardsticks: Sequence[float]
    goal: Goal = NO_GOAL
    notes: Sequence[str] = field(default=())
    point: tuple[str, int] | None = None  # of a curve: its name, and where on it

    @property
    def figure(self) -> float:
        """The median over the rounds."""
        return median(self.figures)

    @property
    def yardstick(self) -> float:
        """The median over the rounds."""
        return median(self.yardsticks)

    @property
    def ratio(self) -> float:
        """Figure by yardstick, of the medians."""
        return self.figure / self.yardstick

    @property
    def met(self) -> str:
        """`yes` or `no`; a dash where no goal was set."""
        if self.goal == NO_GOAL:
            return "-"
        return "yes" if self.goal.met_by(self) else "no"

    def as_json(self) -> dict[str, Any]:
        """The row as plain values, with all that was measured."""
        judged = {name: getattr(self, name) for name in ("figure", "yardstick", "ratio", "met")}
        return {**asdict(self), **judged, "goal": self.goal.text(self.unit)}

    def cells(self) -> tuple[str, ...]:
        """The row as the table shows it; the spread is that of the rounds' own ratios."""
        ratios = [a / b for a, b in zip(self.figures, self.yardsticks, strict=True)]
        return (
            self.work,
            f"{number(self.figure)} {self.unit}",
            f"{number(self.yardstick)} {self.yardstick_name}",
            f"{number(self.ratio)} x ({number(min(ratios))} to {number(max(ratios))})",
            self.goal.text(self.unit),
            self.met,
        )


def alternate(
    rounds: int, work: Callable[[], T], yardstick: Callable[[], T]
) -> tuple[list[T], list[T]]:
    """What each gives in `rounds` rounds A B A B, after one round of both to warm up."""
    work()
    yardstick()
    pairs = [(work(), yardstick()) for _ in range(rounds)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def table(rows: Iterable[Row]) -> str:
    """The rows as one table of aligned text, the notes below it."""
    shown = list(rows)
    text = aligned([_COLUMNS, *(row.cells() for row in shown)])
    notes = [f"{row.work}: {note}" for row in shown for note in row.notes]
    return "\n".join([*text, "", *notes] if notes else text)


def aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    """Lines of cells in columns of one width each, the first of them over a rule."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = ["-" * width for width in widths]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (lines[0], rule, *lines[1:])
    ]


def number(value: float) -> str:
    """A measured number with the digits that mean something: 123,457 or 12.3 or 0.046."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.2g}"
