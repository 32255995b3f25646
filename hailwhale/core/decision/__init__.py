"""Decisions: which option to give whom, from sums alone. docs/decisions.rst explains the maths.

Pure: no I/O, no clock; randomness is handed in. `fit` makes a `Posterior` of a `Tally`; that one
says who is given what (`shares`, `choose`) and why (`report`).
"""

from hailwhale.core.decision.evaluation import Estimate, Evaluation, Log, evaluate
from hailwhale.core.decision.evidence import Tally
from hailwhale.core.decision.fitting import fit
from hailwhale.core.decision.objective import Objective
from hailwhale.core.decision.policy import Policy
from hailwhale.core.decision.posterior import Choice, Posterior
from hailwhale.core.decision.ratio import sample_ratio
from hailwhale.core.decision.report import OptionReport, Report

__all__ = [
    "Choice",
    "Estimate",
    "Evaluation",
    "Log",
    "Objective",
    "OptionReport",
    "Policy",
    "Posterior",
    "Report",
    "Tally",
    "evaluate",
    "fit",
    "sample_ratio",
]
