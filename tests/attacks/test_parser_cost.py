"""Whatever a stranger sends, parsing it takes time in proportion to its length.

Each parser is given hostile texts that double in size, and its steps are counted: see `steps`. Each
pattern is checked by its syntax: see `patterns`. Both have limits, so the parsers of the standard
library that are used at all are listed with why their work is bounded.
"""

from __future__ import annotations

import ast
import importlib
import io
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import bottle
import pytest
from crawleruseragents import CRAWLER_USER_AGENTS_DATA

import hailwhale
from hailwhale.contrib import request_events
from hailwhale.core.decisions.parameters import parse_decide
from hailwhale.core.events.event import parse_event
from hailwhale.core.events.limits import DEFAULT_LIMITS
from hailwhale.core.events.literals import parse_literal, parse_relaxed_json
from hailwhale.core.events.paths import parse_dimensions, parse_pk
from hailwhale.core.events.query_string import query_fields_of
from hailwhale.core.graphite.paths import Pattern
from hailwhale.core.graphite.target import parse_target
from hailwhale.core.graphite.times import parse_interval, parse_time
from hailwhale.core.imports.access_log import FORMATS, LogReader
from hailwhale.core.numbers import parse_number
from hailwhale.core.query.formula import Formula
from hailwhale.core.query.parameters import parse_plot
from hailwhale.core.query.ranking import Sort
from hailwhale.core.statsd.aggregate import MetricNaming, StatsdSums
from hailwhale.core.statsd.lines import parse_line
from hailwhale.core.time.calendar_grid import UTC, Interval, parse_tzoffset, parse_zone
from hailwhale.core.time.period import Period
from hailwhale.core.time.timestamp import parse_timestamp
from hailwhale.core.value_parsers import parse_int
from hailwhale.errors import BadInput, BadSeal, shown
from hailwhale.services.decisions.journal import read_journal
from hailwhale.services.imports.column_mapping import ColumnMapping
from hailwhale.services.imports.row_readers import csv_rows, lines_of
from hailwhale.services.ingest.bots import is_bot
from hailwhale.services.security.keyring import Keyring
from hailwhale.services.security.sealed_tokens import TokenSealer
from hailwhale.services.security.signed_cookie import CookieSigner
from hailwhale.settings import Settings
from hailwhale.web.client_address import client_address, network_of
from hailwhale.web.request import SizeLimits, listed_fields, posted_events, query_fields
from hailwhale.web.responses import first_wanted
from hailwhale.web.routes.tracker import known_uid
from tests.attacks.hostile import KEY
from tests.attacks.patterns import is_super_linear
from tests.attacks.steps import counted
from tests.conftest import NOW_S

SIZES = SizeLimits(event_bytes=10**9, batch_bytes=10**9, batch_events=10**9)
SEALING = TokenSealer(
    Keyring(Settings.from_env({"HAILWHALE_SEAL_KEYS": KEY})), DEFAULT_LIMITS, lambda: NOW_S
)
COOKIES = CookieSigner(lambda: b"key")
NETWORKS = Settings.from_env({"HAILWHALE_TRUSTED_PROXIES": "0.0.0.0/0,::/0"}).trusted_proxies


def posted(kind: str) -> Callable[[str], object]:
    def parse(text: str) -> object:
        body = text.encode("utf-8", "replace")
        return posted_events(
            {
                "REQUEST_METHOD": "POST",
                "CONTENT_TYPE": kind,
                "CONTENT_LENGTH": str(len(body)),
                "wsgi.input": io.BytesIO(body),
            },
            SIZES,
        )

    return parse


def of_line(form: str) -> Callable[[str], object]:
    return lambda text: LogReader(FORMATS[form]).read(text)


def referred(text: str) -> object:
    line = '1.1.1.1 - - [01/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5 "%s" "%s"'
    return LogReader(FORMATS["nginx"]).read(line % (text, text))


def statsd(text: str) -> object:
    sums = StatsdSums(MetricNaming(), DEFAULT_LIMITS)
    for line in text.encode("utf-8", "replace").split(b"\n"):
        sums.add(parse_line(line), int(NOW_S))
    return sums.take()


def journal(text: str) -> object:
    return read_journal(text.encode("utf-8", "replace").split(b"\n"))


TABLE = ColumnMapping.parse(pk="{a}", metrics=["b"])
PARSERS: Mapping[str, Callable[[str], object]] = {
    "cookie": lambda text: known_uid({"HTTP_COOKIE": text}, COOKIES),
    "signed cookie": COOKIES.verify,
    "accept": first_wanted,
    "forwarded": lambda text: client_address(
        {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": text}, NETWORKS
    ),
    "network": lambda text: network_of({"REMOTE_ADDR": text}, NETWORKS),
    "content type": lambda text: posted(text)("{}"),
    "query": lambda text: query_fields({"QUERY_STRING": text.encode().decode("latin-1")}, SIZES),
    "query in a log": lambda text: query_fields_of(text, "query"),
    "listed query": lambda text: listed_fields(
        {"QUERY_STRING": text.encode().decode("latin-1")}, SIZES
    ),
    "form": posted("application/x-www-form-urlencoded"),
    "json body": posted("application/json"),
    "ndjson body": posted("application/x-ndjson"),
    "json": lambda text: parse_relaxed_json(text, "metrics"),
    "literal": lambda text: parse_literal(text, "metrics"),
    "number": lambda text: parse_number(text, "metrics"),
    "whole number": lambda text: parse_int(text, "depth", 0, 8, 0),
    "timestamp": lambda text: parse_timestamp(text, NOW_S),
    "period": Period.parse,
    "interval": Interval.parse,
    "zone": parse_zone,
    "offset": parse_tzoffset,
    "formula": Formula.parse,
    "sort": Sort.parse,
    "pk": lambda text: parse_pk(parse_literal(text, "pk")),
    "dimensions": lambda text: parse_dimensions(parse_literal(text, "dimensions")),
    "event": lambda text: parse_event(query_fields_of(text, "query"), NOW_S),
    "plot": lambda text: parse_plot(query_fields_of(text, "query")),
    "decision": lambda text: parse_decide({"pk": "P", "options": text, "by_metric": "x"}),
    "graphite target": parse_target,
    "graphite path": lambda text: Pattern.parse(text).last.matching(["US", text[:250]]),
    "graphite time": lambda text: parse_time(text, int(NOW_S), UTC, "from"),
    "graphite interval": lambda text: parse_interval(text, "target"),
    "seal": lambda text: SEALING.event(text, {}),
    "statsd": statsd,
    "nginx log": of_line("nginx"),
    "s3 log": of_line("s3"),
    "cloudfront log": lambda text: of_line("cloudfront")("#Fields: " + text),
    "referrer and user agent": referred,
    "csv": lambda text: list(csv_rows(io.BytesIO(b"a,b\n" + text.encode()), TABLE)),
    "lines": lambda text: list(lines_of(io.BytesIO(text.encode()))),
    "journal": journal,
    "user agent": is_bot,
    "error": shown,
}

UNITS = (
    *("a", "0", "9", " ", "\t", "\n", "a ", "é", "\u0300\u0316", "%", "%4", "%41", "%C3"),
    *("&", "&a=1", "a=1;", ";", "; hwuid=a", '; hwuid="\\"', "=", ",", ", ", "q=0;", ";q=1,"),
    *('"', "'", "\\", '\\"', "\\'", '\\"\\"', "\\134", "\\x41", '"a', '"\\"', "' ", '" '),
    *("(", ")", "[", "]", "{", "}", "{a,", "{a}", "[[", "[1,", '{"a":', '{"a":1},', '["a",'),
    *("*", "?", "*a", "a.", ".", "..", "a,", "1,", "1.", "1e9", "-", " - ", "- ", "+", "/", "a/"),
    *(":", "::", "1:", ":1", "a:sum", "|", "|c", "|#a", "a:1|c\n", "|@1", "#", "@", "<", "T1"),
    *("10.0.0.1,", "::1,", "1.", "f(", "f(a,", "a)", "1d:", 'x,"\n', '"",', "{}\n", '{"a":1}\n'),
    *("_", "__", "http://", "//", "[01/", "] ", "- - ", "a a", "\x00", "\ufeff", "'a',"),
)
PREFIXES = ("", "{", "[", '["', "['", '{"a": "', "hwuid=", 'hwuid="', "a=", "pk=[", "a:1|c|#", "0.")
ENDS = ("", "\x00", '"', "b")
LENGTHS = (1_024, 2_048, 4_096)  # longer than what caches hold
# What may be added at each doubling: steps that a parser takes once, and, beyond the bound of a
# parameter, two for each character of the text that is refused.
_SLACK, _GROWTH = 400, 2.3


def hostile(length: int) -> Iterator[str]:
    """Yield texts of about a length, each a unit repeated between a beginning and an end."""
    for number, unit in enumerate(UNITS):
        for prefix in ("", PREFIXES[number % len(PREFIXES)]):
            yield prefix + unit * (length // len(unit)) + ENDS[number % len(ENDS)]


def refused(parse: Callable[[str], object], text: str) -> None:
    with suppress(BadInput, BadSeal):
        parse(text)


@pytest.mark.parametrize("name", PARSERS)
def test_steps_grow_as_the_text_does(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first_wanted.cache_clear()
    with counted(monkeypatch) as steps_of:
        parse = getattr(PARSERS[name], "__wrapped__", PARSERS[name])
        refused(parse, "a")  # imports, caches
        for texts in zip(*map(hostile, LENGTHS), strict=True):
            steps = [steps_of(partial(refused, parse, text)) for text in texts]
            for text, (before, after) in zip(texts[1:], pairwise(steps), strict=True):
                assert after <= _GROWTH * before + _SLACK + 2 * len(text), (text[:40], steps)


def test_the_steps_of_a_parser_that_is_quadratic_grow_faster(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also if each single line of it is linear."""
    escape = re.compile(r"\\[0-3][0-7]{2}")
    monkeypatch.setattr(hailwhale, "escape", escape, raising=False)

    def by_patterns(text: str) -> None:
        for at in range(0, len(text), 8):
            hailwhale.escape.search(text, at)  # type: ignore[attr-defined]

    def by_lines(text: str) -> None:
        for at in range(len(text) // 8):
            for _ in range(at):
                pass

    with counted(monkeypatch) as steps_of:
        for parse in (by_patterns, by_lines):
            small, large = (steps_of(partial(parse, "a" * n)) for n in (2_048, 4_096))
            assert large > 3.5 * small


# Patterns


@pytest.mark.parametrize(
    ("pattern", "search", "whole", "found"),
    [
        (r"(a+)+b", False, False, True),
        (r"(a|aa)*b", False, False, True),
        (r"(a|ab|b)*c", False, False, True),
        (r"\s*x?\s*y", False, False, True),
        (r"[a-z]*[a-c]*1", False, False, True),
        (r".*.*x", False, False, True),
        (r"\s+$", True, False, True),
        (r"/\*.*?\*/", True, False, True),
        (r"a*a*", False, True, True),
        (r"[0-9]+(?:\.[0-9]*)?", False, True, False),
        (r"(?:/[a-z]+)*", False, True, False),
        (r"\s*\.\.\s*", False, True, False),
        (r"\{([^{}]*)\}", True, False, False),
        (r"\s+", True, False, False),
        (r'"(?:[^"\\]|\\.?)*+"?', False, False, False),
        (r'"(?:[^"\\]|\\.)*"', False, False, False),
        (r"[a-z]{1,9}[a-z]{1,9}", False, True, False),
    ],
)
def test_ambiguous_patterns_are_found(pattern: str, search: bool, whole: bool, found: bool) -> None:
    assert is_super_linear(re.compile(pattern), search=search, whole=whole) is found


SEARCHES = {"search", "sub", "subn", "split", "findall", "finditer"}
PACKAGE = Path(hailwhale.__file__).parent
# Ambiguous patterns, and why that costs nothing: their texts are short, or our own.
BOUNDED: Mapping[tuple[str, str], str] = {
    ("hailwhale.core.security.hosts", "_NAME"): "at most 253 characters",
    ("hailwhale.web.assets", "_CSS_COMMENTS"): "our own files",
    ("hailwhale.web.js_modules", "_IMPORT"): "our own files",
    ("hailwhale.web.js_modules", "_COMMENTS"): "our own files",
    ("hailwhale.web.js_modules", "_LEFT_OVER"): "our own files",
}
# Compiled where they are used, because they are made of what was given.
MADE: Mapping[str, str] = {
    "hailwhale.core.graphite.paths": "a glob that commits to the first text that fits",
    "hailwhale.services.imports.log_files": "the name of the operator's log",
    "hailwhale.contrib.request_events": "see test_templates_of_routes_are_linear",
}


def trees() -> dict[str, ast.Module]:
    """Return the syntax of every module, by name."""
    return {
        "hailwhale." + str(path.relative_to(PACKAGE).with_suffix("")).replace("/", "."): ast.parse(
            path.read_text()
        )
        for path in PACKAGE.rglob("*.py")
    }


TREES = trees()


def compiled(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Yield the calls of `re.compile` with the name of the constant they make; "" for others."""
    named = {
        id(node.value): node.targets[0].id
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile":
            yield named.get(id(node), ""), node


def attributes() -> dict[tuple[str, str], set[str]]:
    """Return the attributes that are read of every name, by module."""
    found: dict[tuple[str, str], set[str]] = {}
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                found.setdefault((module, node.value.id), set()).add(node.attr)
    return found


def imported() -> dict[tuple[str, str], set[tuple[str, str]]]:
    """Return where, and as what, each name of a module is imported."""
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                for each in node.names:
                    there = (module, each.asname or each.name)
                    found.setdefault((node.module, each.name), set()).add(there)
    return found


ATTRIBUTES, IMPORTED = attributes(), imported()


def uses(module: str, name: str) -> set[str]:
    """Return the methods that are called of a pattern, in its module and where it is imported."""
    places = {(module, name)} | IMPORTED.get((module, name), set())
    return set().union(*(ATTRIBUTES.get(place, set()) for place in places))


CONSTANTS = [(module, name) for module, tree in TREES.items() for name, _ in compiled(tree) if name]


@pytest.mark.parametrize(("module", "name"), CONSTANTS)
def test_patterns_are_matched_in_linear_time(module: str, name: str) -> None:
    pytest.importorskip("django") if ".django" in module else None
    pattern = getattr(importlib.import_module(module), name)
    methods = uses(module, name)
    # One that is handed to a function is matched there: see the test below.
    ambiguous = is_super_linear(
        pattern,
        search=bool(methods & SEARCHES),
        whole="fullmatch" in methods or not methods,
    )
    assert ambiguous == ((module, name) in BOUNDED)


def test_no_pattern_is_searched_for_that_was_handed_over() -> None:
    """Where a pattern is an argument, it is matched from a fixed place."""
    for (module, name), methods in ATTRIBUTES.items():
        if methods & {"search", "finditer", "findall", "subn"} and name != "re":
            origins = {(module, name)}
            origins |= {origin for origin, places in IMPORTED.items() if (module, name) in places}
            assert origins & set(CONSTANTS), (module, name)


@pytest.mark.parametrize("route", ["/<a>-<b>-<c>", "/{a}{b}{c}/x", "/a/<b>/c/<d>.<e>"])
def test_templates_of_routes_are_linear(route: str) -> None:
    pattern = request_events._pattern(route)
    assert not is_super_linear(pattern, search=False, whole=True)
    assert pattern.fullmatch(re.sub(r"<.>|\{.\}", "x-y", route))


def test_patterns_are_constants_or_known() -> None:
    """So that the check above sees all of them."""
    assert {module for module, tree in TREES.items() for name, _ in compiled(tree) if not name} == (
        set(MADE)
    )
    assert set(BOUNDED) <= set(CONSTANTS)
    direct = {
        (module, ast.unparse(node.func), ast.literal_eval(node.args[0]))
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and re.fullmatch(r"re\.(?!compile|escape)\w+", ast.unparse(node.func))
    }
    assert direct
    for module, method, pattern in direct:
        if module == "hailwhale.commands.man":  # our own texts
            continue
        whole = method == "re.fullmatch"
        found = is_super_linear(re.compile(pattern), search=not whole, whole=whole)
        assert not found, (module, pattern)


def test_no_bot_takes_long_to_be_recognised() -> None:
    """A User-Agent is cut to 512 characters: not even an ambiguous pattern takes long."""
    for each in CRAWLER_USER_AGENTS_DATA:
        pattern = re.compile(each["pattern"])
        assert not is_super_linear(pattern, search=False, whole=False), pattern.pattern


# The standard library and Bottle

LIBRARY: Mapping[str, str] = {
    "csv": "a cell has at most 131,072 characters",
    "fnmatch": "its patterns commit to the first text that fits; a node has 32 stars and brackets",
    "json": "in C, and each character once; ours refuses integers of more than 1,000 digits",
    "urllib.parse": "each character once; of urlsplit see below",
    "zoneinfo": "a name has at most 64 characters",
    "ipaddress": "refuses more than eight parts, and each of more than four characters",
}
UNBOUNDED = (
    *("ast", "cgi", "configparser", "difflib", "email", "html.parser", "http.cookiejar"),
    *("http.cookies", "mimetypes", "pickle", "plistlib", "shlex", "string", "tokenize", "xml"),
)


def imports(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module}
    return found


def test_only_known_parsers_of_the_standard_library_are_used() -> None:
    allowed = {
        ("hailwhale.core.alerts.fields", "difflib"),  # the operator's own
        ("hailwhale.core.events.param_names", "difflib"),  # 64 characters of a name
        ("hailwhale.settings", "difflib"),  # the operator's own
        ("hailwhale.web.plugins.errors", "difflib"),  # 64 characters of a path
        ("hailwhale.services.notify.mailer", "email"),  # writes
        ("hailwhale.services.notify.webhooks", "email"),  # the type of headers
    }
    used = {
        (module, name)
        for module, tree in TREES.items()
        for each in imports(tree)
        for name in UNBOUNDED
        if each == name or each.startswith(f"{name}.")
    }
    assert used <= allowed, used - allowed
    assert set(LIBRARY) <= set().union(*map(imports, TREES.values()))


def test_unicode_is_normalised_of_short_texts_alone() -> None:
    """It sorts runs of combining marks in quadratic time; urlsplit does it to an authority."""
    found = {
        (module, ast.unparse(node.func))
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and re.search(r"(urlsplit|urlparse|normalize)$", ast.unparse(node.func))
    }
    assert found == {
        ("hailwhale.core.imports.access_log", "urlsplit"),  # of at most 512 characters
        ("hailwhale.core.numbers", "number.normalize"),  # a Decimal
        ("hailwhale.services.notify.webhooks", "urlsplit"),  # the operator's own
        ("hailwhale.store.redis.url", "urlsplit"),  # the operator's own
    }


def test_a_long_referrer_has_no_host() -> None:
    """So that no long text is normalised."""
    marks = "\u0300\u0316" * 10_000
    for referrer in (f"http://{marks}/", f"//{marks}", f"http://{marks}@example.com/"):
        fields = LogReader(FORMATS["nginx"]).read(
            f'1.1.1.1 - - [01/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5 "{referrer}" "x"'
        )
        assert fields is not None
        assert fields["referer_host"] == ""


def test_of_bottle_only_the_environ_is_read() -> None:
    """Its own cookies, forms, queries and bodies have other bounds than ours."""
    used = {
        node.attr
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "bottle.request"
    }
    assert used == {"app", "environ", "path"}  # the path is one value of the environ


def test_routes_are_found_in_linear_time(services: Any) -> None:
    from hailwhale.web.apps import whale_app

    app = whale_app(services)
    while not isinstance(app, bottle.Bottle):
        app = app.app
    patterns = [
        route[0].__self__ for routes in app.router.dyna_regexes.values() for route in routes
    ]
    assert patterns
    for pattern in patterns:
        assert not is_super_linear(pattern, search=False, whole=False)


def test_every_module_is_looked_at() -> None:
    names = {each.name for each in pkgutil.walk_packages([str(PACKAGE)], "hailwhale.")}
    assert names <= {name.removesuffix(".__init__") for name in TREES}
