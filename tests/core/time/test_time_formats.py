"""Times in a format that the caller names: what is read, and what is refused instead of guessed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale.core.time.time_formats import time_reader
from hailwhale.errors import BadInput


@pytest.mark.parametrize(
    ("form", "text", "time"),
    [
        ("year", "1952", "1952-01-01T00:00:00+00:00"),
        ("year", " 1952.0 ", "1952-01-01T00:00:00+00:00"),
        ("epoch", "0", "1970-01-01T00:00:00+00:00"),
        ("epoch", "86399.9", "1970-01-01T23:59:59+00:00"),
        ("epoch", "-1", "1969-12-31T23:59:59+00:00"),
        ("epoch_ms", "1767225600999", "2026-01-01T00:00:00.999000+00:00"),
        ("epoch_ms", "20260101", "1970-01-01T05:37:40.101000+00:00"),
        ("%d/%m/%Y", "03/04/2024", "2024-04-03T00:00:00+00:00"),
        ("%m/%d/%Y", "03/04/2024", "2024-03-04T00:00:00+00:00"),
        ("%d.%m.%y %H:%M", "31.12.99 23:59", "1999-12-31T23:59:00+00:00"),
        ("%Y%m%d%H%M", "202603151230", "2026-03-15T12:30:00+00:00"),
        ("%Y-%m-%dT%H:%M%z", "2026-03-15T12:30+0530", "2026-03-15T12:30:00+05:30"),
        ("%d %b %Y", "1 Mar 2026", "2026-03-01T00:00:00+00:00"),
        ("%G-W%V-%u", "2026-W01-1", "2025-12-29T00:00:00+00:00"),
    ],
)
def test_a_time_is_read_by_its_format_alone(form: str, text: str, time: str) -> None:
    assert time_reader(form, "at-format")(text).isoformat() == time


@pytest.mark.parametrize(
    "form", ["", "jahr", "%d/%m", "%H:%M", "%Q", "%", "%Y %Y", "%I:%M %p", "date", "epoch_us"]
)
def test_a_format_that_gives_no_date_is_refused(form: str) -> None:
    with pytest.raises(BadInput, match=r"^at-format: got .*epoch, epoch_ms, year, or a format"):
        time_reader(form, "at-format")


@pytest.mark.parametrize(
    ("form", "text"),
    [
        *[("year", text) for text in ("", "12", "1952.5", "1899", "2201", "x", "1952-01")],
        *[("epoch", text) for text in ("", "2026-01-01", "1e30", "NaN", "1_000")],
        *[("%d/%m/%Y", text) for text in ("", "31/02/2026", "2026-01-01", "01/01/2026 10:00")],
    ],
)
def test_a_time_in_another_format_is_refused_with_the_format(form: str, text: str) -> None:
    with pytest.raises(BadInput, match=f"^at: got .*a time in the format {form}"):
        time_reader(form, "at-format")(text)


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)))
def test_what_a_format_writes_it_reads(moment: datetime) -> None:
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    for form in ("%d/%m/%Y %H:%M:%S", "%Y%m%d%H%M%S", "%B %d, %Y at %I:%M:%S %p"):
        assert time_reader(form, "at-format")(f"{moment:{form}}") == moment
