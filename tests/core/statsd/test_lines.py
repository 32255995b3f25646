"""The line protocols of StatsD and DogStatsD: what a line says, and which lines are refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale.core.statsd.lines import CHECK, EVENT, LINE, SampleType, StatsdSample, parse_line
from hailwhale.errors import BadInput

D = Decimal


@pytest.mark.parametrize(
    ("line", "sample"),
    [
        (
            b"a.b:1|c",
            StatsdSample(name="a.b", kind=SampleType.COUNTER, texts=("1",), amounts=(D(1),)),
        ),
        (
            b"a:-2.5|c",
            StatsdSample(name="a", kind=SampleType.COUNTER, texts=("-2.5",), amounts=(D("-2.5"),)),
        ),
        (
            b"a:1|c|@0.1",
            StatsdSample(
                name="a", kind=SampleType.COUNTER, texts=("1",), amounts=(D(1),), rate=D("0.1")
            ),
        ),
        (
            b"a:1|c|@1",
            StatsdSample(name="a", kind=SampleType.COUNTER, texts=("1",), amounts=(D(1),)),
        ),
        (
            b"a:1:2:3|c",
            StatsdSample(
                name="a", kind=SampleType.COUNTER, texts=("1", "2", "3"), amounts=(D(1), D(2), D(3))
            ),
        ),
        (b"a:+3|g", StatsdSample(name="a", kind=SampleType.GAUGE, texts=("+3",), amounts=(D(3),))),
        (b"a:-3|g", StatsdSample(name="a", kind=SampleType.GAUGE, texts=("-3",), amounts=(D(-3),))),
        (b"a:alice|s", StatsdSample(name="a", kind=SampleType.SET, texts=("alice",), amounts=())),
        (
            b"a:al ice:\xc3\xa5|s",
            StatsdSample(name="a", kind=SampleType.SET, texts=("al ice", "å"), amounts=()),
        ),
        (b"a:1|ms", StatsdSample(name="a", kind=SampleType.TIMING, texts=("1",), amounts=(D(1),))),
        (b"a:1|h", StatsdSample(name="a", kind=SampleType.TIMING, texts=("1",), amounts=(D(1),))),
        (
            b"a:1e-3|d",
            StatsdSample(name="a", kind=SampleType.TIMING, texts=("1e-3",), amounts=(D("0.001"),)),
        ),
        (
            b"a:1|c|#country:US,beta, url:http://x ,",
            StatsdSample(
                name="a",
                kind=SampleType.COUNTER,
                texts=("1",),
                amounts=(D(1),),
                tags=(("country", "US"), ("beta",), ("url", "http://x")),
            ),
        ),
        (
            b"a:1|c|#",
            StatsdSample(name="a", kind=SampleType.COUNTER, texts=("1",), amounts=(D(1),)),
        ),
        (
            b"a:1|c|#country:",
            StatsdSample(
                name="a",
                kind=SampleType.COUNTER,
                texts=("1",),
                amounts=(D(1),),
                rate=D(1),
                tags=(("country",),),
            ),
        ),
        (
            b"a:1|c|@0.5|#x:y|c:ci-1f2e|e:it-false|card:low|T1767225600\r",
            StatsdSample(
                name="a",
                kind=SampleType.COUNTER,
                texts=("1",),
                amounts=(D(1),),
                rate=D("0.5"),
                tags=(("x", "y"),),
                at_s=1767225600,
            ),
        ),
    ],
)
def test_a_line_says(line: bytes, sample: StatsdSample) -> None:
    assert parse_line(line) == sample


@pytest.mark.parametrize(
    ("line", "reason", "said"),
    [
        (b"_e{5,5}:hello|world", EVENT, "events are not supported"),
        (b"_sc|db|0|#a:b", CHECK, "service checks are not supported"),
        (b"hello", LINE, "name:value|type"),
        (b"a:1", LINE, "name:value|type"),
        (b":1|c", LINE, "name:value|type"),
        (b"a:|c", LINE, "name:value|type"),
        (b"a:1:|c", LINE, "values that are not empty"),
        (b"a:1|x", LINE, "one of the types c, g, s, ms, h, d"),
        (b"a:1|", LINE, "one of the types"),
        (b"a:one|c", LINE, "a number below 10^30"),
        (b"a:nan|g", LINE, "a number below 10^30"),
        (b"a:1e30|ms", LINE, "a number below 10^30"),
        (b"a:1e999999999|ms", LINE, "a number below 10^30"),
        (b"a:1|c|@0", LINE, "a rate above 0"),
        (b"a:1|c|@2", LINE, "a rate above 0"),
        (b"a:1|c|@-1", LINE, "a rate above 0"),
        (b"a:1|c|@x", LINE, "a number"),
        (b"a:1|c|Tnow", LINE, "epoch seconds"),
        (b"a:1|c|T9999999999999999", LINE, "epoch seconds"),
        (b"a:1|c|%what", LINE, "|@rate, |#tags or |Ttime"),
        (b"a:\xff|s", LINE, "UTF-8 text"),
    ],
)
def test_a_line_is_refused_with_the_reason(line: bytes, reason: str, said: str) -> None:
    with pytest.raises(BadInput) as fault:
        parse_line(line)
    assert fault.value.parameter == reason
    assert said in fault.value.message


@given(st.binary(max_size=80) | st.from_regex(rb"[a-z.]*:[-+0-9.:a]*\|[cgsmhd]*(\|[@#cT].*)*"))
def test_any_bytes_are_a_sample_or_refused(line: bytes) -> None:
    reason = ""
    try:
        parse_line(line)
    except BadInput as fault:
        reason = fault.parameter
    assert reason in ("", LINE, EVENT, CHECK)


LABELS = st.text("abcXYZ0129_-é", min_size=1, max_size=8)
NUMBERS = st.decimals(-(10**12), 10**12, places=3).map(lambda number: f"{number:f}")


@given(
    LABELS,
    st.lists(NUMBERS, min_size=1, max_size=4),
    st.sampled_from(["c", "ms", "h", "d", "g"]),
    st.sampled_from(["1", "0.5", "0.125"]),
    st.lists(st.tuples(LABELS, LABELS), max_size=3),
)
def test_what_is_written_as_a_client_does_is_read_as_it_was(
    name: str, numbers: list[str], kind: str, rate: str, tags: list[tuple[str, str]]
) -> None:
    written = ",".join(f"{tag}:{value}" for tag, value in tags)
    sample = parse_line(f"{name}:{':'.join(numbers)}|{kind}|@{rate}|#{written}".encode())
    assert sample.name == name
    assert sample.amounts == tuple(map(Decimal, numbers))
    assert sample.rate == Decimal(rate)
    assert sample.tags == tuple(tags)
