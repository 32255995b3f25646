"""Events and other things to draw, and hits read back, for the tests of both."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Context, Decimal

from hypothesis import strategies as st

from hailwhale.core.events.event import EVENT_PARAMETERS, Event, parse_event
from hailwhale.core.events.hit_codec import decode_amount, decode_head, decode_instant, split_hit
from hailwhale.core.events.metrics import UNIQUES, parse_metric_name
from hailwhale.core.events.paths import parse_label
from hailwhale.errors import BadInput

NOW_S = 1_767_225_600.75
NEW_YEAR_S = 1_767_225_600

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(max_size=5)
    | st.binary(max_size=3)
    | st.just(object()),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=4)
    ),
    max_leaves=10,
)
names = st.sampled_from([*EVENT_PARAMETERS, "dimension", "metric", "_", "_t", "pks", "", "\ud800"])


def accepts(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except BadInput:
        return False
    return True


labels = st.text(min_size=1, max_size=8).filter(
    lambda text: text != "_" and accepts(parse_label, text)
)
metric_names = st.text(min_size=1, max_size=8).filter(
    lambda text: accepts(parse_metric_name, text) and text != UNIQUES
)
amounts = st.builds(
    lambda units, decimals: Decimal(units).scaleb(-decimals, Context(prec=60)),
    st.integers(-(10**30) + 1, 10**30 - 1),
    st.integers(0, 30),
)
paths = st.lists(labels, min_size=1, max_size=4)
events = st.builds(
    lambda pk, dimensions, metrics, at_s: parse_event(
        {
            "pk": pk,
            "dimensions": dimensions,
            "metrics": metrics,
            "at": datetime.fromtimestamp(at_s, UTC),
        },
        NOW_S,
    ),
    paths,
    st.lists(paths, max_size=4),
    st.dictionaries(metric_names, amounts, max_size=4),
    st.integers(-2_000_000_000, NEW_YEAR_S),
)


def decoded_hit(hit: bytes) -> Event:
    """The event that a hit stands for; a hit has no id."""
    at, head, numbers, _ = split_hit(hit)
    found = decode_head(head)
    amounts = [Decimal(decode_amount(number)) for number in numbers.split(b",")]
    metrics = dict(zip(found.metrics, amounts, strict=True))
    return Event(found.pk, found.dimensions, metrics, decode_instant(at))
