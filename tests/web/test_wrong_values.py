"""Every wrong value of every parameter: 400 that names it and what was expected; nothing counts."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from hailwhale.services.container import Services, assemble
from hailwhale.settings import Settings
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.store.open import open_store
from hailwhale.web.apps import whale_app
from tests.conftest import Clock
from tests.web.client import Client

DEEP = json.dumps(list("abcdefghi"))
LONG = "x" * 257
LABELS = 'a label or a list of labels, such as "Product" or ["Product", "123"]'
PATHS = "a label, a list of labels (one path), a list of lists (several paths) or a nested object"
NUMBER = "a number below 10^30 with at most 30 decimals"
INSTANT = "ISO 8601 such as 2026-01-31T12:00:00Z, epoch seconds of at least 9 digits"
PERIOD = "interval:length in s m h d w mo y such as 1d:1mo"
ZONE = "the name of an IANA time zone, such as Europe/Berlin"
OFFSET = "an offset from UTC such as +05:30, -0800, -800 or 330min"

PK = [
    ('pk={"a":1}', "pk", LABELS),
    ("pk=[]", "pk", LABELS),
    ('pk=["a",["b"]]', "pk", LABELS),
    ('pk=["a",null]', "pk", LABELS),
    ('pk=["a",""]', "pk", "labels that are not empty"),
    ("pk=%20", "pk", "labels that are not empty"),
    ("pk=a%00b", "pk", "labels without control characters or line breaks"),
    ("pk=a%0Ab", "pk", "labels without control characters or line breaks"),
    (f"pk={DEEP}", "pk", "paths of at most 8 labels"),
    (f"pk={LONG}", "pk", "labels of at most 256 bytes"),
    ("pk=%C3%A9" + "%C3%A9" * 128, "pk", "labels of at most 256 bytes"),
    ("pk=[", "pk", "valid JSON"),
    ('pk=["a"', "pk", "valid JSON"),
    ("pk=['a", "pk", "valid JSON"),
    ('pk={"a":1,"a":2}', "pk", "each key only once"),
    ("pk=[NaN]", "pk", "finite numbers"),
    ("pk=a&pk=b", "pk", "this parameter only once"),
]
DIMENSIONS = [
    ("dimensions=%20", "dimensions", "labels that are not empty"),
    ('dimensions={"":"v"}', "dimensions", "labels that are not empty"),
    ('dimensions={"a":""}', "dimensions", "labels that are not empty"),
    ('dimensions={"a":null}', "dimensions", PATHS),
    ('dimensions=["a",null]', "dimensions", PATHS),
    ('dimensions=["a",{"b":"c"}]', "dimensions", PATHS),
    ('dimensions=[["a"],"b"]', "dimensions", PATHS),
    ('dimensions=[["a",["b"]]]', "dimensions", PATHS),
    ('dimensions=["a","_"]', "dimensions", '"_" only on its own'),
    ('dimensions={"_":"a"}', "dimensions", '"_" only on its own'),
    (f"dimensions={DEEP}", "dimensions", "paths of at most 8 labels"),
    ("dimensions=" + '{"a":' * 8 + '"b"' + "}" * 8, "dimensions", "paths of at most 8 labels"),
    (f"dimensions={LONG}", "dimensions", "labels of at most 256 bytes"),
    (f"dimensions={json.dumps([[n] for n in range(33)])}", "dimensions", "at most 32 paths"),
    ("dimensions={", "dimensions", "valid JSON"),
    ("dimension=a&dimensions=b", "dimensions", "dimensions only once, in one spelling"),
    ("dimension=a&dimension=b", "dimension", "this parameter only once"),
]
AMOUNTS = [
    ('metrics={"a":"x"}', "metrics", NUMBER),
    ('metrics={"a":""}', "metrics", NUMBER),
    ('metrics={"a":null}', "metrics", NUMBER),
    ('metrics={"a":true}', "metrics", NUMBER),
    ('metrics={"a":[1]}', "metrics", NUMBER),
    ('metrics={"a":{"b":1}}', "metrics", NUMBER),
    ('metrics={"a":1e30}', "metrics", NUMBER),
    ('metrics={"a":1e999999999}', "metrics", NUMBER),
    ('metrics={"a":1e-31}', "metrics", NUMBER),
    ('metrics={"a":"nan"}', "metrics", NUMBER),
    ('metrics={"a":"-Infinity"}', "metrics", NUMBER),
    ('metrics={"a":"1_0"}', "metrics", NUMBER),
    ('metrics={"a":"0x10"}', "metrics", NUMBER),
    ('metrics={"a":NaN}', "metrics", "finite numbers, not NaN"),
    ('metrics={"a":-Infinity}', "metrics", "finite numbers, not -Infinity"),
    ('metrics={"a":' + "9" * 1001 + "}", "metrics", "numbers of at most 1000 digits"),
    ('metrics={"a":1e99999999999999999999}', "metrics", "exponents"),
    ('metrics={"a":1,"a":2}', "metrics", "each key only once"),
    ('metrics={"":1}', "metrics", "labels that are not empty"),
    ('metrics={"a/b":1}', "metrics", "metric names without any of / : ( ) * + ,"),
    ('metrics={"a:sum":1}', "metrics", "metric names without any of / : ( ) * + ,"),
    ("metrics=a,b", "metrics", "metric names without any of / : ( ) * + ,"),
    ('metrics={"-a":1}', "metrics", "without a minus at the start"),
    ('metrics={" a":1}', "metrics", "without spaces at the start or end"),
    ('metrics={"1":1}', "metrics", "names that are not numbers"),
    ('metrics=["a","a"]', "metrics", "each name only once"),
    ("metrics=[1]", "metrics", "the name of a metric"),
    (f'metrics={{"{LONG}":1}}', "metrics", "labels of at most 256 bytes"),
    (f"metrics={json.dumps([f'm{n}' for n in range(33)])}", "metrics", "at most 32 metrics"),
    ("metrics={", "metrics", "valid JSON"),
    ('metrics={"a":1}}', "metrics", "valid JSON"),
]
EVENT = [
    ("at=yesterday", "at", INSTANT),
    ("at=0", "at", INSTANT),
    ("at=202601", "at", INSTANT),
    ("at=202601311200", "at", "with a T after the date"),
    ("at=", "at", INSTANT),
    ("at=[1]", "at", INSTANT),
    ("at=2026-13-01", "at", INSTANT),
    ("at=nan", "at", INSTANT),
    ("at=1e999999999", "at", "a time in the years 1900 to 2200"),
    ("at=1899-12-31T23:59:59Z", "at", "a time in the years 1900 to 2200"),
    ("at=2026-03-16T12:10:31Z", "at", "a time at most 24 hours in the future"),
    ("id=", "id", "labels that are not empty"),
    ("id=a%00", "id", "labels without control characters or line breaks"),
    (f"id={LONG}", "id", "labels of at most 256 bytes"),
    ("metrcis=a", "metrcis", "did you mean metrics?"),
    ("PK=a", "PK", "a parameter named at, id, pk, uid, metric(s) or dimension(s)"),
    ("=a", "parameter", "a parameter named at, id, pk, uid, metric(s) or dimension(s)"),
    ("period=1d:1mo", "period", "a parameter named at, id, pk, uid, metric(s) or dimension(s)"),
    ("pk=%FF", "query", "percent-encoded UTF-8"),
    ("&".join(f"p{n}=1" for n in range(101)), "query", "at most 100 parameters"),
]
FORMULAS = [
    ("metrics={}", "metrics", "a string or a list of strings"),
    ("metrics=[1]", "metrics", "a string or a list of strings"),
    ("metrics=,", "metrics", "a formula of 1 to 1000 characters"),
    ("metrics=a/", "metrics", "a metric, a number or a parenthesis, at character 3"),
    ("metrics=(a", "metrics", "an operator or a closing parenthesis"),
    ("metrics=a:max", "metrics", "sum or last after a metric's colon"),
    ("metrics=1/2", "metrics", "a formula with at least one metric, such as dollars/hits"),
    ("metrics=a*1e61", "metrics", "numbers from 10^-60 to 10^60"),
    ("metrics=a%00", "metrics", "a formula without control characters"),
    (f"metrics={'(' * 30}a{')' * 30}", "metrics", "at most 20 levels"),
    (f"metrics={json.dumps([f'm{n}' for n in range(65)])}", "metrics", "at most 64 metrics"),
    (f"metrics={'m' * 1001}", "metrics", "a formula of 1 to 1000 characters"),
    ("metric=a&metrics=b", "metrics", "metrics only once, in one spelling"),
]
PERIODS = [
    ("period=never", "period", PERIOD),
    ("period=1d", "period", PERIOD),
    ("period=1x:1d", "period", "a number and a unit of s m h d w mo y"),
    ("period=1d:1h", "period", PERIOD),
    ("period=0d:1mo", "period", "a number and a unit of s m h d w mo y"),
    ("period=25h:1mo", "period", "an interval of whole days, or of at most 24h"),
    ("period=monthly", "period", PERIOD),
    ("period=5m:1w", "period", "it needs a rollup of 5m kept for 7d (HAILWHALE_ROLLUPS)"),
    ("period=1s:1h", "period", "it needs a rollup of 1s"),
    ("period=1h:100y", "period", "at most 10000 points"),
    ("period=1d:100y", "period", "at most 10000 points"),
    ("period=1d:100000y", "period", "a time between the years 1900 and 2200"),
    ("period=1/1/0001-12/30/9999", "period", "dates in order between the years 1900 and 2200"),
    ("period=2026-02-30..2026-03-01", "period", "dates that exist"),
    ("period=2026-03-02..2026-03-01", "period", "dates in order"),
    ("period=mtd|noon", "period", OFFSET),
    ("period=1d:1mo&periods=1d:1y", "periods", "periods only once, in one spelling"),
    ("tz=Mars/Olympus", "tz", ZONE),
    ("tz=../../etc/passwd", "tz", ZONE),
    ("tz=[]", "tz", "an IANA time zone such as Europe/Berlin"),
    ("tzoffset=noon", "tzoffset", OFFSET),
    ("tzoffset=-2400", "tzoffset", "less than a day"),
    ("tzoffset=[]", "tzoffset", OFFSET),
    ("tz=UTC&tzoffset=0", "tzoffset", "either tz or tzoffset, not both"),
    ("tz=Asia/Kolkata&period=1d:1w", "period", "it needs a rollup of 30m"),
    ("tz=Asia/Kathmandu&period=1d:1y", "period", "it needs a rollup of 15m"),
    ("format=xml", "format", "json or csv"),
    ("format=[]", "format", "json or csv"),
]
TOTALS = [
    ("period={}", "period", "a string or a list of strings"),
    (f"periods={json.dumps(['1d:1w'] * 33)}", "period", "at most 32 periods"),
    (
        "depth=1",
        "depth",
        "a parameter named pk, tz, format, tzoffset, metric(s), period(s) or dimension(s)",
    ),
    ("limit=1", "limit", "a parameter named"),
    ("at=2026-01-01", "at", "a parameter named"),
]
WHOLE_DEPTH = "a whole number from 0 to 8"
SHARE = "a share of the parent from 0 to 1, such as 0.1"
PLOT = [
    ("period={}", "period", "a string or a list of strings"),
    ("period=1d:1mo,1d:1y", "period", "a single period such as 1d:1mo"),
    ("depth=-1", "depth", WHOLE_DEPTH),
    ("depth=9", "depth", WHOLE_DEPTH),
    ("depth=1.5", "depth", WHOLE_DEPTH),
    ("depth=deep", "depth", WHOLE_DEPTH),
    ("depth=nan", "depth", WHOLE_DEPTH),
    ("depth=1e999999", "depth", WHOLE_DEPTH),
    ("depth=[1]", "depth", WHOLE_DEPTH),
    ("threshold=-0.1", "threshold", SHARE),
    ("threshold=1.1", "threshold", SHARE),
    ("threshold=10%25", "threshold", SHARE),
    ("threshold=nan", "threshold", SHARE),
    ("threshold={}", "threshold", SHARE),
    ("limit=-1", "limit", "a whole number from 0 to 1000000"),
    ("limit=all", "limit", "a whole number from 0 to 1000000"),
    ("sort=-", "sort", "a formula of 1 to 1000 characters"),
    ("sort=a/", "sort", "a metric, a number or a parenthesis"),
    ("sort=[]", "sort", "a metric such as hits, or -hits for the largest first"),
    ("other=maybe", "other", "1 or 0"),
    ("other=2", "other", "1 or 0"),
    ("other=[]", "other", "1 or 0"),
    ("deptth=1", "deptth", "did you mean depth?"),
]
RANK = [
    ('period=["1d:1w","1d:1mo"]', "period", "a single period such as 1d:1mo"),
    ("depth=0", "depth", "a whole number from 1 to 8"),
    ("depth=9", "depth", "a whole number from 1 to 8"),
    ("depth=every", "depth", "a whole number from 1 to 8"),
    ('depth=["all"]', "depth", "a whole number from 1 to 8"),
    ("threshold=2", "threshold", "a share of the parent from 0 to 1, such as 0.1"),
    ("threshold=some", "threshold", "a share of the parent from 0 to 1, such as 0.1"),
    ("limit=-1", "limit", "a whole number from 0 to 1000000"),
    ("limit=ten", "limit", "a whole number from 0 to 1000000"),
    ("sort=-", "sort", "a formula of 1 to 1000 characters"),
    ("sort=a/", "sort", "a metric, a number or a parenthesis"),
    ("sort=[]", "sort", "a metric such as hits, or -hits for the largest first"),
    ("by=dollars", "by", "one of value share difference relative importance"),
    ("by=[]", "by", "one of value share difference relative importance"),
    ("of=children", "of", "one of dimensions pks"),
    ('of={"a":1}', "of", "one of dimensions pks"),
    ('of=pks&dimensions=[["a"],["b"]]', "dimensions", "a single dimension when pks are ranked"),
    ("other=1", "other", "a parameter named"),
    ("order=value", "order", "a parameter named by, of, pk, tz"),
]
CHILDREN = [
    ("depth=0", "depth", "a whole number from 1 to 8"),
    ("depth=9", "depth", "a whole number from 1 to 8"),
    ("depth=x", "depth", "a whole number from 1 to 8"),
    ("metrics=hits", "metrics", "a parameter named pk, depth or dimension(s)"),
    ("format=csv", "format", "a parameter named pk, depth or dimension(s)"),
]
UPDATE = [
    ("", "metrics", "the values to set"),
    ('metrics={"a":1}&at=1767225600', "at", "a parameter named pk, metric(s) or dimension(s)"),
    ('metrics={"a":1}&id=1', "id", "a parameter named pk, metric(s) or dimension(s)"),
    ('metrics={"a":1}&uid=1', "uid", "a parameter named pk, metric(s) or dimension(s)"),
    ('metrics={"a":1}&dimensions={"a":["b","c"]}', "dimensions", "at most one dimension path"),
]
RESET = [
    ("", "pk", "the pk to erase"),
    ("pk=", "pk", "the pk to erase"),
    ('pk=a&dimensions=[["a"],["b"]]', "dimensions", "one dimension to erase"),
    ("pk=a&metrics=hits", "metrics", "a parameter named pk or dimension(s)"),
]
COUNTS = [*PK, *DIMENSIONS, *AMOUNTS, *EVENT]
BY_ROUTE = {
    "/count": COUNTS,
    "/count.gif": EVENT,
    "/count_now": COUNTS,
    "/count_now.gif": EVENT,
    "/update_count_to": [*PK, *AMOUNTS, *UPDATE],
    "/totals": [*PK, *DIMENSIONS, *FORMULAS, *PERIODS, *TOTALS],
    "/plotpoints": [*PK, *DIMENSIONS, *FORMULAS, *PERIODS, *PLOT],
    "/rank": [*PK, *DIMENSIONS, *FORMULAS, *PERIODS, *RANK],
    "/subdimensions": [*PK, *DIMENSIONS, *CHILDREN],
    "/reset": [*PK, *RESET],
    "/flush_hail": [("now=1", "now", "a parameter named")],
}
CASES = [(path, *case) for path, cases in BY_ROUTE.items() for case in cases]


@pytest.fixture(scope="module")
def untouched(valkey: EmbeddedValkey) -> Iterator[Services]:
    """Services in which nothing was ever counted."""
    settings = Settings.from_env({}, redis_url=valkey.url, namespace="untouched")
    opened = open_store(settings)
    yield assemble(settings, opened.store, Clock())
    opened.close()


@pytest.fixture(scope="module")
def whale(untouched: Services) -> Client:
    return Client(whale_app(untouched))


@pytest.mark.parametrize(
    ("path", "query", "parameter", "expected"), CASES, ids=lambda value: str(value)[:40]
)
def test_a_wrong_value_is_refused_by_name_and_nothing_counts(
    untouched: Services, whale: Client, path: str, query: str, parameter: str, expected: str
) -> None:
    answer = whale.get(path, query)
    assert (answer.status, answer.error["parameter"]) == (400, parameter)
    assert answer.error["message"].startswith("got ")
    assert expected in answer.error["message"].partition("; expected ")[2]
    assert len(answer.error["message"]) < 700
    assert answer.errors == ""
    assert (untouched.store.labels.subpks(()), untouched.store.stats.loads()) == (set(), [])
