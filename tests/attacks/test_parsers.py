"""Whatever comes in at a parser: a value, or `BadInput` that names its parameter; nothing else.

Only for parsers without such a test of their own: paths, metrics, formulas, events, questions,
rollups, rows and literals have theirs in tests/core and tests/services.
"""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hailwhale.commands.serve.log_setup import TextLines
from hailwhale.core.decisions.exposure import EXPOSURE_PARAMETERS, parse_exposure
from hailwhale.core.decisions.parameters import (
    DECIDE_PARAMETERS,
    REASONS_PARAMETERS,
    parse_decide,
    parse_reasons,
)
from hailwhale.core.events.limits import DEFAULT_LIMITS
from hailwhale.core.events.param_names import normalize_names
from hailwhale.core.graph.options import GRAPH_PARAMETERS, parse_graph
from hailwhale.core.query.parameters import (
    CHILDREN_PARAMETERS,
    SPY_PARAMETERS,
    parse_children,
    parse_spy,
)
from hailwhale.core.query.ranking import Sort
from hailwhale.core.time.calendar_grid import Interval, parse_tzoffset, parse_zone
from hailwhale.core.time.period import Period
from hailwhale.core.time.timestamp import parse_timestamp
from hailwhale.errors import BadInput, BadSeal
from hailwhale.services.query.csv_output import totals_csv
from hailwhale.services.query.results import PeriodTotals
from hailwhale.services.security.bearer_tokens import Tokens
from hailwhale.services.security.keyring import Keyring
from hailwhale.services.security.sealed_tokens import TokenSealer
from hailwhale.settings import Settings
from hailwhale.web.client_address import client_address, network_of
from hailwhale.web.responses import first_wanted
from tests.attacks.hostile import FORMULAS, KEY, LINE_BREAKS, NUMBERS, SCRIPTS, TEXTS
from tests.conftest import NOW_S

SETTINGS = Settings.from_env({"HAILWHALE_SEAL_KEYS": KEY})
SEALING = TokenSealer(Keyring(SETTINGS), DEFAULT_LIMITS, lambda: NOW_S)
WORDS = st.sampled_from(
    [
        *(*TEXTS, *NUMBERS, *SCRIPTS, *LINE_BREAKS, *FORMULAS),
        *(
            "1d:1mo",
            "mtd|-500",
            "2026-01-01..2026-01-31",
            "1/1/2026-1/2/2026",
            "all",
            "today",
            "30d",
        ),
        *(
            "UTC",
            "Europe/Berlin",
            "-0800",
            "2026-03-15T12:10:30Z",
            "1773576630",
            "hits",
            "a/b",
            "-a",
        ),
        *("a,b", "['a','b']", '{"a": 3}', "max", "min", "0.05", "1", "true", "0", "b", "Page"),
    ]
)
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | WORDS
    | st.text(max_size=20)
)
KEYS = WORDS | st.text(max_size=5)
VALUES = st.recursive(
    PLAIN,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(KEYS, below, max_size=4),
    max_leaves=8,
)
bounded = settings(max_examples=40, deadline=None, derandomize=True)


def refusal(parse: Callable[[], object]) -> BadInput | None:
    """How a value was refused, if it was; in words that a person can read."""
    try:
        parse()
    except BadInput as fault:
        refused = fault
    else:
        return None
    assert refused.parameter
    assert refused.message.isprintable()
    assert len(refused.message) < 900
    return refused


def fields_of(names: tuple[str, ...]) -> st.SearchStrategy[dict[str, object]]:
    return st.dictionaries(st.sampled_from(names) | WORDS, VALUES, max_size=5)


@pytest.mark.parametrize(
    ("parse", "fine"),
    [
        (lambda value: parse_timestamp(value, NOW_S), "2026-03-15T12:10:30Z"),
        (lambda value: Period.parse(str(value)), "1d:1mo"),
        (lambda value: Interval.parse(str(value)), "5m"),
        (lambda value: parse_zone(str(value)), "Europe/Berlin"),
        (parse_tzoffset, "-0800"),
        (lambda value: Sort.parse(str(value)), "-dollars"),
        (lambda value: SEALING.pixel({"pk": "a"}, expires=value), "30d"),
        (lambda value: SEALING.pixel({"pk": "a"}, slots=[str(value)]), "country"),
    ],
    ids=["instant", "period", "interval", "zone", "offset", "sort", "expires", "slots"],
)
@bounded
@given(st.data())
def test_any_value_is_read_or_refused(
    parse: Callable[[object], object], fine: str, data: Any
) -> None:
    assert refusal(lambda: parse(fine)) is None
    value = data.draw(VALUES)
    refusal(lambda: parse(value))


@pytest.mark.parametrize(
    ("parse", "names", "fine"),
    [
        (parse_decide, DECIDE_PARAMETERS, {"pk": "P", "options": "a,b", "by_metric": "x"}),
        (parse_reasons, REASONS_PARAMETERS, {"pk": "P", "options": "a,b", "by_metric": "x"}),
        (lambda fields: parse_exposure(fields, NOW_S), EXPOSURE_PARAMETERS, {"option": "a"}),
        (parse_graph, GRAPH_PARAMETERS, {"pk": "P"}),
        (parse_children, CHILDREN_PARAMETERS, {"pk": "P"}),
        (parse_spy, SPY_PARAMETERS, {"pk": "P"}),
        (lambda fields: normalize_names(fields, GRAPH_PARAMETERS), GRAPH_PARAMETERS, {"pk": "P"}),
        (SEALING.pixel, ("pk", "dimensions", "metrics"), {"pk": "P"}),
        (SEALING.graph, GRAPH_PARAMETERS, {"pk": "P"}),
    ],
    ids=["decide", "reasons", "exposure", "graph", "children", "spy", "names", "pixel", "sealed"],
)
@bounded
@given(st.data())
def test_any_parameters_are_read_or_refused(
    parse: Callable[[Any], object], names: tuple[str, ...], fine: dict[str, object], data: Any
) -> None:
    assert refusal(lambda: parse(fine)) is None
    given_fields = data.draw(fields_of(names))
    refusal(lambda: parse(given_fields))
    refusal(lambda: parse({**fine, **given_fields}))


@bounded
@given(WORDS | st.text(max_size=60) | st.from_regex(r"[A-Za-z0-9_-]{20,80}", fullmatch=True))
def test_any_text_for_a_seal_is_a_bad_seal_and_for_a_token_nobodys(text: str) -> None:
    with pytest.raises(BadSeal):
        SEALING.event(text, {})
    with pytest.raises(BadSeal):
        SEALING.question(text)

    class NoTokens:
        def all(self) -> dict[str, bytes]:
            return {}

    assert Tokens(NoTokens(), lambda: 0.0).find(text) is None  # type: ignore[arg-type]


@bounded
@given(fields_of(("pk", "country", "uid", "_")))
def test_whatever_a_page_fills_in_is_a_label_a_refusal_or_a_bad_seal(
    filled: dict[str, object],
) -> None:
    token = SEALING.pixel({"pk": "Shop"}, slots=["country", "uid"])
    more = [name for name in filled if name not in ("country", "uid") and name[:1] != "_"]
    if more:
        with pytest.raises(BadSeal):
            SEALING.event(token, filled)
        return
    refused = refusal(lambda: SEALING.event(token, filled))
    if refused is not None:
        assert refused.parameter in ("country", "uid")
        return
    event = SEALING.event(token, filled)
    assert event["pk"] == ["Shop"]
    assert set(event) <= {"pk", "dimensions", "uid"}


ADDRESSES = st.ip_addresses().map(str) | WORDS | st.text(max_size=12)


@bounded
@given(ADDRESSES, st.lists(ADDRESSES, max_size=4).map(",".join), st.booleans())
def test_a_client_is_an_address_or_unknown_whatever_is_forwarded(
    peer: str, said: str, trusting: bool
) -> None:
    environ = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": said}
    trusted = [ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")] if trusting else []
    network = network_of(environ, trusted)
    assert network == "unknown" or ipaddress.ip_address(network)
    assert "%" not in network
    assert client_address(environ, []) == (peer or "127.0.0.1")


@bounded
@given(st.text(max_size=60))
def test_any_accept_header_wants_something_or_nothing(accept: str) -> None:
    assert first_wanted(accept) in accept or first_wanted(accept) == ""


@bounded
@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.decimals(allow_nan=False, allow_infinity=False),
)
def test_no_row_of_a_csv_is_a_formula(label: str, amount: Decimal) -> None:
    text = totals_csv([PeriodTotals("all", {(label,): {"hits": amount}})])
    cell = text.split("\r\n", 1)[1].removeprefix("all,").removeprefix('"')
    assert not re.match(r"[ ]*[=+\-@\t＝＋－＠]", cell)


@bounded
@given(st.text(max_size=60), st.text(max_size=60))
def test_any_message_is_one_line_of_the_log(message: str, value: str) -> None:
    record = logging.LogRecord("hw", logging.INFO, "", 0, message.replace("%", "%%"), (), None)
    record.shown = {"client": value}
    assert TextLines().format(record).isprintable()
