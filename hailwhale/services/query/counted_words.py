"""Reads the words of formulas that are metrics under one pk and lengths of time under another.

Asks the store which metrics were counted, and only where a formula has such a word. Knows nothing
of how formulas are evaluated.
"""

from __future__ import annotations

from collections.abc import Sequence

from hailwhale.core.events.paths import Path
from hailwhale.core.query.formula import Formula
from hailwhale.store.protocol import LabelStore


def where_counted(labels: LabelStore, pk: Path, formulas: Sequence[Formula]) -> tuple[Formula, ...]:
    """Return formulas as they read under a pk: a word such as `hours` is a metric if counted there.

    Each is returned at the place of the given one, with the same text.
    """
    if not any(formula.ambiguous for formula in formulas):
        return tuple(formulas)
    counted = labels.metrics(pk)
    return tuple([formula.where_counted(counted) for formula in formulas])
