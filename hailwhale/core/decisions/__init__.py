"""Decisions: choose an option for each visitor, from sums alone. docs/decisions.rst has the maths.

Pure: no I/O, no clock; randomness is an argument. `fit` turns `DecisionSums` into a `Posterior`,
which computes each visitor's shares (`shares`), chooses options (`choose`) and explains them
(`report`).
"""

from hailwhale.core.decisions.evidence import DecisionSums
from hailwhale.core.decisions.objective import Objective
from hailwhale.core.decisions.off_policy import DecisionLog, Evaluation, ValueEstimate, evaluate
from hailwhale.core.decisions.pipeline import fit, unfitted
from hailwhale.core.decisions.policy import Policy
from hailwhale.core.decisions.posterior import Assignment, Posterior
from hailwhale.core.decisions.reasons import DecisionReport, OptionReport
from hailwhale.core.decisions.sample_ratio import sample_ratio

__all__ = [
    "Assignment",
    "DecisionLog",
    "DecisionReport",
    "DecisionSums",
    "Evaluation",
    "Objective",
    "OptionReport",
    "Policy",
    "Posterior",
    "ValueEstimate",
    "evaluate",
    "fit",
    "sample_ratio",
    "unfitted",
]
