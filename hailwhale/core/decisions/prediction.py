"""Predicts the value of each option for one visitor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hailwhale.core.decisions.evidence import Floats, NodePath, Places
from hailwhale.core.decisions.model import Model
from hailwhale.core.decisions.nodes import Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """The values of options to a visitor above `level`, in model units, with standard errors.

    The visitor is at `columns` by `amounts`; the last of them are those of `pairs`.
    `places` are the options' indices in the model, -1 for those it has never seen.
    """

    columns: Places
    amounts: Floats
    pairs: Places
    places: Places  # [K]
    level: float
    means: Floats  # [K]
    doubts: Floats  # [K], standard deviations


def look(model: Model, visitor: Sequence[NodePath], options: Sequence[str]) -> Prediction:
    """Predict the value of each option for a visitor with these nodes.

    For a node, pair or option that was never seen, only the spread of its family is known.
    """
    at, solution = model.nodes.visitor(visitor), model.solution
    pairs, met = _pairs(model, at)
    behind = [model.pair_columns[int(pair)] for pair in pairs]
    columns = np.concatenate([at.nodes, np.array(behind, dtype=np.intp)])
    amounts = np.concatenate([at.amounts, met])
    strange = float(solution.spreads[at.strange].sum())
    if model.pair_columns:
        strange += at.strangers * model.pair_spread
    where = {option: place for place, option in enumerate(model.options)}
    places = np.array([where.get(option, -1) for option in options], dtype=np.intp)
    known = places >= 0
    mine = places[known]
    new = float((solution.spreads[model.family[columns]] * amounts**2).sum())
    means, variances = np.zeros(len(options)), np.full(len(options), new)
    means[known] = solution.effects[np.ix_(mine, columns)] @ amounts
    variances[known] = solution.covariances[np.ix_(mine, columns, columns)] @ amounts @ amounts
    level = model.average + model.unit * float(solution.baseline[columns] @ amounts)
    doubts = np.sqrt(np.maximum(variances + strange, 0.0))
    return Prediction(
        columns=columns,
        amounts=amounts,
        pairs=pairs,
        places=places,
        level=level,
        means=means,
        doubts=doubts,
    )


def _pairs(model: Model, at: Visitor) -> tuple[Places, Floats]:
    """Return the visitor's pairs that are columns, and how much the visitor is at each.

    The amount is the product of the amounts at the two nodes. So a visitor that does not give a
    dimension is at the pairs of it as often as the others. Without them, their share of the level
    would be missing.
    """
    amounts = np.zeros(len(model.nodes.families))
    amounts[at.nodes] = at.amounts
    pairs = np.array(list(model.pair_columns), dtype=np.intp)
    met = amounts[model.nodes.pairs[pairs]].prod(axis=1) if len(pairs) else np.array([])
    return pairs[met > 0], met[met > 0]
