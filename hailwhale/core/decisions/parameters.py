"""Parses decision queries: the parameters of /decide and /reasons.

Defines the parameters and their defaults. Does not choose options: see `posterior`. Values are
plain Python, as in `query.parameters`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hailwhale.core.decisions.policy import Policy
from hailwhale.core.events.limits import DEFAULT_LIMITS, Limits
from hailwhale.core.events.metrics import UNIQUES
from hailwhale.core.events.param_names import Fields, normalize_names
from hailwhale.core.events.paths import Path, parse_dimensions, parse_label, parse_pk
from hailwhale.core.query.formula import Formula
from hailwhale.core.time.calendar_grid import DAY_S, Interval
from hailwhale.core.value_parsers import is_absent, parse_bool, parse_decimal, parse_enum, parse_int
from hailwhale.errors import BadInput

MAX_OPTIONS = 500
GOALS = ("max", "min")
RULES = ("weights", "holdout", "minimum", "maximum", "half_life", "delay", "explore")
REASONS_PARAMETERS = (
    "pk",
    "options",
    "dimensions",
    "known_data",
    "by_metric",
    "goal",
    *RULES,
)
DECIDE_PARAMETERS = (*REASONS_PARAMETERS, "uid", "slots", "reasons", "log")

_FORMULA = "the metric or formula to decide by, such as earned/spent"
_OPTIONS = 'a list of options such as ["a", "b", "c"], or options separated by commas'


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionQuery:
    """A decision query.

    Empty `options` stand for all that were ever counted; `dimensions` are the leaf paths of the
    visitor.
    """

    pk: Path
    options: tuple[str, ...]
    dimensions: tuple[Path, ...]
    formula: Formula
    goal: str
    policy: Policy
    uid: str | None = None
    slots: int = 1
    reasons: bool = True
    log: bool = False


def parse_decide(fields: Fields, limits: Limits = DEFAULT_LIMITS) -> DecisionQuery:
    """Parse the parameters of /decide; see `DECIDE_PARAMETERS`. Raises `BadInput`.

    >>> choice = parse_decide({"pk": "Page", "options": ["a", "b"], "by_metric": "earned/spent"})
    >>> choice.options, choice.formula.text, choice.goal
    (('a', 'b'), 'earned/spent', 'max')
    """
    return _choice(normalize_names(fields, DECIDE_PARAMETERS), limits)


def parse_reasons(fields: Fields, limits: Limits = DEFAULT_LIMITS) -> DecisionQuery:
    """Parse the parameters of /reasons; see `REASONS_PARAMETERS`. Raises `BadInput`."""
    return _choice(normalize_names(fields, REASONS_PARAMETERS), limits)


def _choice(found: Fields, limits: Limits) -> DecisionQuery:
    options = _options(found.get("options"), limits)
    uid = found.get("uid")
    return DecisionQuery(
        pk=parse_pk(found.get("pk"), limits),
        options=options,
        dimensions=_dimensions(found, limits),
        formula=_formula(found.get("by_metric")),
        goal=parse_enum(found.get("goal"), "goal", GOALS, "max, or min when less is better"),
        policy=_policy(found, options),
        uid=None if is_absent(uid) else parse_label(uid, limits, "uid"),
        slots=parse_int(found.get("slots"), "slots", 1, len(options) or MAX_OPTIONS, default=1),
        reasons=parse_bool(found.get("reasons", True), "reasons"),
        log=parse_bool(found.get("log"), "log"),
    )


def _options(value: object, limits: Limits) -> tuple[str, ...]:
    if is_absent(value):
        return ()
    listed = value.split(",") if isinstance(value, str) else value
    if not isinstance(listed, Sequence):
        listed = [listed]
    if not listed:
        raise BadInput("options", value, _OPTIONS)
    options = [
        parse_label(each.strip() if isinstance(each, str) else each, limits, "options")
        for each in listed
    ]
    if len(set(options)) < len(options):
        raise BadInput("options", value, "each option only once")
    if len(options) > MAX_OPTIONS:
        raise BadInput("options", f"{len(options)} options", f"at most {MAX_OPTIONS}")
    return tuple(options)


def _dimensions(found: Fields, limits: Limits) -> tuple[Path, ...]:
    given = [name for name in ("dimensions", "known_data") if _is_given(found, name)]
    if len(given) > 1:
        expected = "either dimensions or known_data, not both"
        raise BadInput("known_data", found["known_data"], expected)
    return parse_dimensions(found[given[0]], limits, given[0]) if given else ()


def _formula(value: object) -> Formula:
    if not isinstance(value, str) or not value.strip():
        raise BadInput("by_metric", value, _FORMULA)
    formula = Formula.parse(value, "by_metric")
    if UNIQUES in formula.metrics:
        raise BadInput("by_metric", value, "other metrics: uniques cannot be added up")
    return formula


def _policy(found: Fields, options: Sequence[str]) -> Policy:
    weights = _by_option(found.get("weights"), "weights", options)
    minimum = _by_option(found.get("minimum"), "minimum", options, most=1)
    maximum = _by_option(found.get("maximum"), "maximum", options, most=1)
    if sum(minimum.values()) > 1:
        raise BadInput("minimum", minimum, "shares that add up to at most 1")
    if options:
        _refuse_contradiction(weights, minimum, maximum, options)
    half_life_s = _length_s(found, "half_life") if _is_given(found, "half_life") else None
    holdout = parse_decimal(found["holdout"], "holdout", 0, 1) if _is_given(found, "holdout") else 0
    return Policy(
        half_life_days=None if half_life_s is None else half_life_s / DAY_S,
        delay_s=_delay_s(found) if _is_given(found, "delay") else None,
        holdout=float(holdout),
        minimum=minimum,
        maximum=maximum,
        weights=weights,
        explore=parse_bool(found.get("explore", True), "explore"),
    )


def _refuse_contradiction(
    weights: Mapping[str, float],
    minimum: Mapping[str, float],
    maximum: Mapping[str, float],
    options: Sequence[str],
) -> None:
    """Raise `BadInput` if the shares cannot add up to 1."""
    if weights and not any(weights.get(option, 1.0) for option in options):
        raise BadInput("weights", dict(weights), "at least one option with a weight above 0")
    if sum(maximum.get(option, 1.0) for option in options) < 1:
        raise BadInput("maximum", dict(maximum), "shares that add up to at least 1")
    for option in options:
        if minimum.get(option, 0.0) > maximum.get(option, 1.0):
            raise BadInput("minimum", minimum[option], f"at most the maximum of option {option}")


def _by_option(
    value: object, parameter: str, options: Sequence[str], most: float = 1e6
) -> dict[str, float]:
    """Parse one number for all options, or one for each option named; others are refused."""
    if is_absent(value):
        return {}
    if not isinstance(value, Mapping):
        if not options:
            expected = 'a number for each option, such as {"a": 0.1}, because options is not given'
            raise BadInput(parameter, value, expected)
        number = float(parse_decimal(value, parameter, 0, most))
        return dict.fromkeys(options, number)
    numbers = {}
    for name, given in value.items():
        option = parse_label(name, parameter=parameter)
        if options and option not in options:
            raise BadInput(parameter, option, f"one of the options {', '.join(options)}")
        numbers[option] = float(parse_decimal(given, parameter, 0, most))
    return numbers


def _is_given(found: Fields, name: str) -> bool:
    return not is_absent(found.get(name))


def _delay_s(found: Fields) -> int:
    return 0 if found["delay"] in (0, "0") else _length_s(found, "delay")


def _length_s(found: Fields, name: str) -> int:
    value = found[name]
    if not isinstance(value, str):
        raise BadInput(name, value, "a length of time such as 12h or 7d")
    return Interval.parse(value, name).nominal_s
