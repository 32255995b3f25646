"""Decisions: which option to give whom, from sums alone. docs/decisions.rst explains the maths.

Pure: no I/O, no clock; randomness is handed in. `fit` makes a `Posterior` of a `Tally`; that one
says who is given what (`shares`, `choose`) and why (`report`).
"""

from hailwhale.core.decisions.evidence import Tally
from hailwhale.core.decisions.objective import Objective
from hailwhale.core.decisions.off_policy import Estimate, Evaluation, Log, evaluate
from hailwhale.core.decisions.pipeline import fit
from hailwhale.core.decisions.policy import Policy
from hailwhale.core.decisions.posterior import Choice, Posterior
from hailwhale.core.decisions.reasons import OptionReport, Report
from hailwhale.core.decisions.sample_ratio import sample_ratio

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
