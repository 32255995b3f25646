"""`python -m tests.attacks.fuzzing TARGET RUNS FOLDER`: atheris looks for what a parser falls over.

It makes bytes that reach ever more of a parser's lines, from a fixed seed, and ends at the first
exception that is not a refusal. FOLDER takes what it begins with. Here is what is fed with them;
`test_fuzzing` runs it.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import FunctionType

from hailwhale.core.events.event import parse_event
from hailwhale.core.events.limits import DEFAULT_LIMITS
from hailwhale.core.events.literals import parse_literal, parse_relaxed_json
from hailwhale.core.graph.options import parse_graph
from hailwhale.core.query.formula import Formula
from hailwhale.core.query.parameters import parse_rank
from hailwhale.core.time.period import Period
from hailwhale.errors import BadInput, BadSeal
from hailwhale.services.security.bearer_tokens import Tokens
from hailwhale.services.security.keyring import Keyring
from hailwhale.services.security.sealed_tokens import TokenSealer
from hailwhale.settings import Settings
from hailwhale.web.request import SizeLimits, one_event, posted_events, query_fields
from tests.attacks.hostile import NUMBERS, TEXTS

# It has wheels for these: elsewhere the development extra does not ask for it.
HAS_ATHERIS = (
    sys.version_info < (3, 14) and sys.platform == "linux" and platform.machine() == "x86_64"
)
SEED = 20_260_315
NOW_S = 1_773_576_630
SIZES = SizeLimits(65_536, 65_536, 100)
SEALING = TokenSealer(
    Keyring(Settings.from_env({"HAILWHALE_SEAL_KEYS": "A" * 43})), DEFAULT_LIMITS, lambda: NOW_S
)


class _NoTokens:
    def all(self) -> Mapping[str, bytes]:
        return {}


TOKENS = Tokens(_NoTokens(), lambda: 0.0)  # type: ignore[arg-type]


def query(data: bytes) -> None:
    """Any bytes as the query of a count, of a ranking and of a graph."""
    environ = {"REQUEST_METHOD": "GET", "QUERY_STRING": data.decode("latin-1")}
    fields = query_fields(environ, SIZES)
    asked = one_event(environ, SIZES)
    for parse in (
        lambda: parse_event(fields, NOW_S),
        lambda: parse_rank(asked),
        lambda: parse_graph(asked),
    ):
        refused(parse)


def body(data: bytes) -> None:
    """Any bytes as a body, of a type that its first byte chooses."""
    kinds = ("application/json", "application/x-ndjson", "application/x-www-form-urlencoded", "")
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": kinds[data[0] % len(kinds)] if data else "",
        "CONTENT_LENGTH": str(len(data)),
        "wsgi.input": _Input(data),
    }
    for event in posted_events(environ, SIZES).events:
        if not isinstance(event, BadInput):
            parse_event(event, NOW_S)


class _Input:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, _size: int) -> bytes:
        return self._data


def literal(data: bytes) -> None:
    """Any text as a literal and as JSON."""
    text = data.decode("utf-8", "surrogateescape")
    refused(lambda: parse_literal(text, "pk"))
    parse_relaxed_json(text, "body")


def words(data: bytes) -> None:
    """Any text as a formula and as a period."""
    text = data.decode("utf-8", "replace")
    refused(lambda: Formula.parse(text, "metrics"))
    Period.parse(text, "period")


def token(data: bytes) -> None:
    """Any text as a seal, as what a seal holds, and as a bearer token."""
    text = data.decode("utf-8", "replace")
    assert TOKENS.find(text) is None
    for opened in (partial(SEALING.event, text, {}), partial(SEALING.question, text)):
        try:
            opened()
        except BadSeal:
            continue
        raise AssertionError(f"{text!r} is no seal")


TARGETS: dict[str, Callable[[bytes], None]] = {
    each.__name__: each for each in (query, body, literal, words, token)
}


def refused(parse: Callable[[], object]) -> None:
    """Parse, and let a refusal be."""
    try:
        parse()
    except BadInput:
        return


def seeds(target: str) -> list[bytes]:
    """What to begin with: texts that a target takes, and those of attackers."""
    fine = {
        "query": ["pk=Shop&dimensions={'a':'b'}&metrics={'m':.5}&at=1773576630", "hwurl=/&depth=1"],
        "body": ['0{"pk": ["a", 7], "id": "x"}', '1{"pk": "a"}\n{"pk": "b"}', "2pk=a&metric=b"],
        "literal": ["['a', {\"b\": [1.5e3, null]}]", '{"a": -0.5}'],
        "words": ["(a + b:sum)/hits - 2*c:last", "1d:1mo", "2026-01-01..2026-01-31", "mtd|-500"],
        "token": ["hw_00000000_" + "A" * 43, SEALING.pixel({"pk": "a"})[:-1]],
    }[target]
    return [text.encode() for text in (*fine, *TEXTS, *NUMBERS)]


def main(target: str, runs: int, corpus: str) -> None:
    """Fuzz a target; exits with 0 after so many runs, and otherwise with what it fell over."""
    import atheris

    attack = TARGETS[target]
    for number, seed in enumerate(seeds(target)):
        (Path(corpus) / f"seed{number}").write_bytes(seed)
    for name, module in list(sys.modules.items()):
        if name.startswith(("hailwhale.core", "hailwhale.web.request", "hailwhale.services")):
            for function in _functions_of(module, name):
                atheris.instrument_func(function)
    options = [f"-seed={SEED}", f"-runs={runs}", "-max_len=400", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *options, corpus], lambda data: refused(lambda: attack(data)))
    atheris.Fuzz()


def _functions_of(module: object, name: str) -> Iterator[FunctionType]:
    """The functions of a module and the methods of its classes."""
    for found in vars(module).values():
        if getattr(found, "__module__", None) == name:
            inside = vars(found).values() if isinstance(found, type) else ()
            yield from (each for each in (found, *inside) if isinstance(each, FunctionType))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
