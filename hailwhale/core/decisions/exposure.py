"""Exposures: counts an option that was shown, or the outcome of one.

Defines the parameters of /count_decision, and what a decision counts in addition to an ordinary
event: how often two dimensions occurred together, and squares and products of metrics. Knows
nothing of what is concluded from them (see `pipeline`), nor of how an event is buffered or stored.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from itertools import combinations, combinations_with_replacement

from hailwhale.core.events.event import EVENT_PARAMETERS, Event, parse_event
from hailwhale.core.events.event_cost import refuse_costly
from hailwhale.core.events.limits import DEFAULT_LIMITS, Limits
from hailwhale.core.events.literals import unwrap
from hailwhale.core.events.metrics import HITS
from hailwhale.core.events.param_names import normalize_names
from hailwhale.core.events.paths import PAIRS, Path, parse_label, prefixes
from hailwhale.core.value_parsers import is_absent
from hailwhale.errors import BadInput

EXPOSURE_PARAMETERS = (*EVENT_PARAMETERS, "option", "decision")

PRODUCT_SIGN = "^"
DECIDED = "decided"  # the metric of an option that says how often it was given
MAX_PAIRED = 12  # nodes of one exposure of which pairs are counted, the first in their order
MAX_MULTIPLIED = 4  # metrics of one exposure of which products with each other are counted
# A sum of squares measures the variance of results; nobody needs its ninth digit.
_ROUNDED = Context(prec=9, rounding=ROUND_HALF_EVEN)
_SMALLEST, _LARGEST = Decimal("1e-12"), Decimal("1e29")  # what of it an amount can hold


def parse_exposure(
    fields: Mapping[str, object], now_s: float, limits: Limits = DEFAULT_LIMITS
) -> Event:
    """Parse an exposure or its outcome into an event; the option is the last label of its pk.

    The parameters are those of an event, and `option`. An exposure counts 1 hit. An outcome of an
    exposure that was counted before gives `"hits": 0`. Raises `BadInput`.

    >>> event = parse_exposure({"pk": "Page", "option": "b", "metric": {"spent": ".5"}}, now_s=0)
    >>> event.pk, event.dimensions
    (('Page', 'b'), ())
    >>> {name: str(amount) for name, amount in event.metrics.items()}
    {'spent': '0.5', 'hits': '1', 'spent^spent': '0.25'}
    """
    found = normalize_names(fields, EXPOSURE_PARAMETERS)
    option = parse_option(found.pop("option", None), limits)
    found.pop("decision", None)
    event = parse_event(found, now_s, limits)
    if len(event.pk) >= limits.depth:
        raise BadInput(
            "pk", event.pk, f"at most {limits.depth - 1} labels: the option is added as one more"
        )
    for name in event.metrics:
        if PRODUCT_SIGN in name:
            raise BadInput("metrics", name, f"names without {PRODUCT_SIGN}, which is reserved")
    exposure = replace(
        event,
        pk=(*event.pk, option),
        dimensions=(*event.dimensions, *pair_paths(event.dimensions, limits)),
        metrics={**event.metrics, **products(event.metrics)},
    )
    refuse_costly(exposure.pk, exposure.dimensions, exposure.numbers, limits)
    return exposure


def parse_option(value: object, limits: Limits = DEFAULT_LIMITS) -> str:
    """Parse the label of one option.

    >>> parse_option(2)
    '2'
    """
    value = unwrap(value)
    if is_absent(value):
        raise BadInput("option", value, "the option that was shown, such as option=b")
    return parse_label(value, limits, "option")


@lru_cache(4_096)
def pair_paths(leaves: tuple[Path, ...], limits: Limits = DEFAULT_LIMITS) -> tuple[Path, ...]:
    """Return the paths under which an exposure counts the pairs of its nodes; see `nodes_of`.

    A node and its ancestor need no pair: both occur whenever the descendant does. A pair whose
    label would be too long is omitted, which treats the two nodes as independent.

    >>> pair_paths((("country", "US"), ("device", "mobile")))
    (('_pairs', '[["country","US"],["device","mobile"]]'),)
    """
    return tuple(
        (PAIRS, label)
        for label in map(pair_label, _apart(sorted(nodes_of(leaves))[:MAX_PAIRED]))
        if len(label.encode()) <= limits.label_bytes
    )


def nodes_of(leaves: Sequence[Path]) -> list[Path]:
    """Return the unique nodes of a visitor that may matter to a decision: its paths.

    A path of several labels gives its prefixes of two labels or more. A visitor having some country
    carries no information; the country itself may.

    >>> nodes_of([("country", "US", "NY"), ("vip",)])
    [('country', 'US'), ('country', 'US', 'NY'), ('vip',)]
    """
    found: dict[Path, None] = {}
    for leaf in leaves:
        found.update(dict.fromkeys(prefixes(leaf)[1:] or (leaf,)))
    return list(found)


def pair_label(pair: tuple[Path, Path]) -> str:
    """Encode two nodes as one label; `read_pair` decodes it.

    >>> read_pair(pair_label((("country", "US"), ("vip",))))
    (('country', 'US'), ('vip',))
    """
    return json.dumps(sorted(pair), ensure_ascii=False, separators=(",", ":"))


def read_pair(label: str) -> tuple[Path, Path] | None:
    """Decode the two nodes of a pair's label; None for any other label, such as `_other`."""
    try:
        left, right = json.loads(label)
        return tuple(map(str, left)), tuple(map(str, right))
    except (ValueError, TypeError):
        return None


def products(metrics: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Return what an exposure adds to the sums of squares and products, by `product_name`.

    An event of several hits stands for as many equal events: the square of each is smaller by the
    factor hits², and there are hits of them.

    >>> found = products({"earned": Decimal(6), "spent": Decimal(2), "hits": Decimal(3)})
    >>> {name: str(amount) for name, amount in found.items()}
    {'earned^earned': '12', 'earned^spent': '4', 'spent^spent': '1.33333333'}
    """
    hits = max(metrics.get(HITS, Decimal(1)), Decimal(1))
    names = sorted(name for name in metrics if name != HITS)
    if len(names) > MAX_MULTIPLIED:
        pairs = [(name, name) for name in names]
    else:
        pairs = list(combinations_with_replacement(names, 2))
    made = {}
    for left, right in pairs:
        product = _ROUNDED.divide(_ROUNDED.multiply(metrics[left], metrics[right]), hits)
        if _SMALLEST < abs(product) < _LARGEST:
            made[product_name(left, right)] = product
    return made


def product_name(left: str, right: str) -> str:
    """Return the name of the metric that sums the products of two metrics.

    >>> product_name("spent", "earned")
    'earned^spent'
    """
    return PRODUCT_SIGN.join(sorted((left, right)))


def _apart(nodes: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    for left, right in combinations(nodes, 2):
        if right[: len(left)] != left and left[: len(right)] != right:
            yield left, right
