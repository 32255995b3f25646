"""Instants: each accepted form of `at`, its bounds, and that nothing else is ever raised."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Context, Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hailwhale.core.time.timestamp import EARLIEST_S, LATEST_S, parse_timestamp
from hailwhale.errors import BadInput

NOW_S = 1_767_225_600.75  # 2026-01-01T00:00:00.75Z
NEW_YEAR_S = 1_767_225_600
NEW_YORK_WINTER = timezone(timedelta(hours=-5))


@pytest.mark.parametrize(
    ("value", "at_s"),
    [
        (None, NEW_YEAR_S),
        (NEW_YEAR_S, NEW_YEAR_S),
        (NEW_YEAR_S + 0.9, NEW_YEAR_S),
        (Decimal("1767225600.999999999"), NEW_YEAR_S),
        ("1767225600", NEW_YEAR_S),
        ("1767225600.5", NEW_YEAR_S),
        (" 1.7672256e9 ", NEW_YEAR_S),
        (1_767_225_600_000, NEW_YEAR_S),
        (1_767_225_599_999, NEW_YEAR_S - 1),
        ("1767225600999", NEW_YEAR_S),
        (1_767_225_600_999.9, NEW_YEAR_S),
        (-1_000_000_000_001, -1_000_000_001),
        (100_000_000_000, 100_000_000),
        (100_000_000, 100_000_000),
        (-100_000_000.5, -100_000_001),
        (20260101, NEW_YEAR_S),
        ("20260101", NEW_YEAR_S),
        (" 20260101.0 ", NEW_YEAR_S),
        (Decimal(20260101), NEW_YEAR_S),
        (2026, NEW_YEAR_S),
        ("2026", NEW_YEAR_S),
        ("2026.0", NEW_YEAR_S),
        ("1900", EARLIEST_S),
        ("20260101T0000", NEW_YEAR_S),
        ("2026-01-01t00:00Z", NEW_YEAR_S),
        ("1970-01-01T00:00:00Z", 0),
        ("2026-01-01", NEW_YEAR_S),
        ("2026-01-01T00:00", NEW_YEAR_S),
        ("2026-01-01T00:00:00", NEW_YEAR_S),
        ("2026-01-01 00:00:00.999", NEW_YEAR_S),
        ("2026-01-01T00:00:00Z", NEW_YEAR_S),
        ("2026-01-01T01:00:00+01:00", NEW_YEAR_S),
        ("2025-12-31T19:00:00-0500", NEW_YEAR_S),
        ("2026-W01-4", NEW_YEAR_S),
        (" 2026-01-01 ", NEW_YEAR_S),
        ("1969-12-31T23:59:59.5Z", -1),
        ("1900-01-01", EARLIEST_S),
        (date(2026, 1, 1), NEW_YEAR_S),
        (datetime(2026, 1, 1), NEW_YEAR_S),
        (datetime(2026, 1, 1, 0, 0, 0, 999_999, tzinfo=UTC), NEW_YEAR_S),
        (datetime(2025, 12, 31, 19, tzinfo=NEW_YORK_WINTER), NEW_YEAR_S),
        (NEW_YEAR_S + 86_400, NEW_YEAR_S + 86_400),
        ("2026-01-02T00:00:00Z", NEW_YEAR_S + 86_400),
    ],
)
def test_an_instant_is_a_number_or_iso_text_or_a_date(value: object, at_s: int) -> None:
    found = parse_timestamp(value, NOW_S)
    assert found == at_s
    assert type(found) is int


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", "ISO 8601"),
        ("yesterday", "ISO 8601"),
        ("01/31/2026", "ISO 8601"),
        ("2026-13-01", "ISO 8601"),
        ("2026-01-01T25:00", "ISO 8601"),
        ("2026-01-01T00:00:00 01:00", "ISO 8601"),
        ("2026-01-01\x00", "ISO 8601"),
        ("2026-01-01\ud800", "ISO 8601"),
        ("nan", "ISO 8601"),
        (True, "ISO 8601"),
        (False, "ISO 8601"),
        (math.nan, "ISO 8601"),
        (math.inf, "ISO 8601"),
        (Decimal("sNaN"), "ISO 8601"),
        (b"1767225600", "ISO 8601"),
        ([1_767_225_600], "ISO 8601"),
        ({}, "ISO 8601"),
        (timedelta(days=1), "ISO 8601"),
        (object(), "ISO 8601"),
        (0, "ISO 8601"),
        (-1, "ISO 8601"),
        ("1", "ISO 8601"),
        (99_999_999, "ISO 8601"),
        ("-99999999", "ISO 8601"),
        (Decimal("1E-999999"), "ISO 8601"),
        (1899, "ISO 8601"),
        (2201, "ISO 8601"),
        (2026.5, "ISO 8601"),
        ("202601", "ISO 8601"),
        ("260131", "ISO 8601"),
        ("31012026", "ISO 8601"),
        ("20261301", "ISO 8601"),
        ("20260230", "ISO 8601"),
        (46_023, "ISO 8601"),  # a day in a spreadsheet
        ("2026-01-01+05:30", "ISO 8601"),  # not half past five
        ("2026-01-01-05:00", "ISO 8601"),
        ("2026-01-01\n05:00", "ISO 8601"),
        ("2026-01-01x05:00", "ISO 8601"),
        ("202601010530", "T after the date"),
        (202_601_010_530, "T after the date"),
        ("20260101053000", "T after the date"),
        ("1899-12-31T23:59:59Z", "in the years 1900 to 2200"),
        ("0001-01-01T00:00:00+23:59", "in the years 1900 to 2200"),
        ("2201-01-01", "in the years 1900 to 2200"),
        ("9999-12-31T23:59:59-23:59", "in the years 1900 to 2200"),
        (datetime.min, "in the years 1900 to 2200"),
        (date.max, "in the years 1900 to 2200"),
        (-2_208_988_801, "in the years 1900 to 2200"),
        (99_999_999_999, "in the years 1900 to 2200"),
        ("1e999999999", "in the years 1900 to 2200"),
        ("-1e999999999", "in the years 1900 to 2200"),
        (1e300, "in the years 1900 to 2200"),
        pytest.param(10**9999, "in the years 1900 to 2200", id="10^9999"),
        (NEW_YEAR_S + 86_401, "at most 24 hours in the future"),
        ("2026-01-02T00:00:01Z", "at most 24 hours in the future"),
        ((NEW_YEAR_S + 86_401) * 1000, "at most 24 hours in the future"),
        ("2200-12-31", "at most 24 hours in the future"),
    ],
)
def test_no_other_value_is_an_instant(value: object, expected: str) -> None:
    with pytest.raises(BadInput, match=expected) as caught:
        parse_timestamp(value, NOW_S)
    assert caught.value.parameter == "at"


def test_a_refusal_names_the_given_parameter() -> None:
    with pytest.raises(BadInput, match=r"^from: got 'x'; expected ISO 8601"):
        parse_timestamp("x", NOW_S, "from")


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 12, 31), timezones=st.timezones()))
@settings(max_examples=100, deadline=None)
def test_a_datetime_its_iso_text_and_its_epoch_are_one_instant(moment: datetime) -> None:
    later_s = LATEST_S
    at_s = parse_timestamp(moment, later_s)
    assert at_s == math.floor(Decimal(str(moment.timestamp())))
    assert parse_timestamp(moment.isoformat(), later_s) == at_s
    assert abs(at_s) < 10**8 or parse_timestamp(at_s, later_s) == at_s
    assert parse_timestamp(datetime.fromtimestamp(at_s, UTC).replace(tzinfo=None), later_s) == at_s


@given(st.integers(10**11, 7 * 10**12))
@settings(max_examples=100, deadline=None)
def test_milliseconds_are_rounded_down_whatever_the_decimal_context(at_ms: int) -> None:
    with localcontext(Context(prec=3)):
        for value in (at_ms, str(at_ms), Decimal(at_ms), f"{at_ms}.75"):
            if 190_001_010_000 <= at_ms <= 220_012_312_359:  # may be a date and a time of day
                continue
            assert parse_timestamp(value, LATEST_S) == at_ms // 1000


@given(st.dates(date(1900, 1, 1), date(2200, 12, 31)))
@settings(max_examples=100, deadline=None)
def test_a_date_is_the_same_with_and_without_separators_as_text_and_as_a_number(day: date) -> None:
    at_s = parse_timestamp(day, LATEST_S)
    digits = f"{day:%Y%m%d}"
    for value in (day.isoformat(), digits, int(digits), Decimal(digits), float(digits)):
        assert parse_timestamp(value, LATEST_S) == at_s
    with pytest.raises(BadInput, match="T after the date"):
        parse_timestamp(f"{digits}1200", LATEST_S)
    assert parse_timestamp(f"{digits}T1200", LATEST_S) == at_s + 43_200


@given(
    st.integers(-(10**8) + 1, 10**8 - 1) | st.floats(-1e8, 1e8, exclude_min=True, exclude_max=True)
)
@settings(max_examples=200, deadline=None)
def test_a_number_of_fewer_than_nine_digits_is_never_epoch_seconds(number: float) -> None:
    try:
        at_s = parse_timestamp(number, LATEST_S)
    except BadInput:
        return
    moment = datetime.fromtimestamp(at_s, UTC)
    assert number in (moment.year, int(f"{moment:%Y%m%d}"))


@given(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text()
    | st.text("0123456789-:TZW+. ", max_size=30)
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.dates()
    | st.times()
    | st.binary()
    | st.lists(st.integers())
)
@settings(max_examples=200, deadline=None)
def test_whatever_comes_in_is_a_second_within_bounds_or_bad_input(value: object) -> None:
    try:
        at_s = parse_timestamp(value, NOW_S)
    except BadInput as fault:
        assert fault.parameter == "at"  # noqa: PT017
    else:
        assert EARLIEST_S <= at_s <= NOW_S + 86_400
