"""The public methods: documented as manual pages, typed, and alike wherever they are asked."""

from __future__ import annotations

import doctest
import inspect
import pydoc
import re
from collections.abc import Callable
from typing import Any, get_type_hints

import pytest

from hailwhale import AsyncClient, AsyncQueries, Client, Hail, Period, Queries, Settings, Whale
from hailwhale.types import GraphOptions

PUBLIC: tuple[type, ...] = (Whale, Hail, Client, AsyncClient, Period)
QUESTIONS = sorted(name for name in vars(Queries) if not name.startswith("_"))
PAIRS = {
    "dimension": "dimensions",
    "metric": "metrics",
    "period": "periods",
    "option": "options",
}


def methods_of(kind: type) -> dict[str, Callable[..., Any]]:
    """The public methods of a class, by name; of several names of one only the first."""
    found: dict[str, Callable[..., Any]] = {}
    for name in dir(kind):
        attribute = inspect.getattr_static(kind, name)
        value = getattr(kind, name)
        if name.startswith("_") or isinstance(attribute, property) or not callable(value):
            continue
        if getattr(value, "__name__", name) == name:
            found[name] = value
    return found


METHODS = [(kind, name) for kind in PUBLIC for name in methods_of(kind)]
IDS = [f"{kind.__name__}.{name}" for kind, name in METHODS]


def parameters_of(method: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The parameters that a caller gives, by name."""
    return {
        name: parameter
        for name, parameter in inspect.signature(method).parameters.items()
        if name not in ("self", "cls")
    }


def sections_of(method: Callable[..., Any]) -> dict[str, str]:
    """The sections of a docstring: "" is what stands before the first heading."""
    parts = re.split(
        r"^(Args|Returns|Raises|Example):\n", inspect.getdoc(method) or "", flags=re.MULTILINE
    )
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def described(method: Callable[..., Any]) -> dict[str, str]:
    """What the section on arguments says of each."""
    entries = re.split(
        r"^    (?=\w[\w, ]*:)", sections_of(method).get("Args", ""), flags=re.MULTILINE
    )[1:]
    found: dict[str, str] = {}
    for entry in entries:
        names, _, text = entry.partition(":")
        found |= dict.fromkeys(names.split(", "), " ".join(text.split()))
    return found


def test_there_are_as_many_methods_as_the_docs_say() -> None:
    assert len(METHODS) >= 60
    assert len(QUESTIONS) >= 16


@pytest.mark.parametrize(("kind", "name"), METHODS, ids=IDS)
def test_a_method_is_documented_as_in_a_manual(kind: type, name: str) -> None:
    method = methods_of(kind)[name]
    sections = sections_of(method)
    first = sections[""].split("\n\n")[0].strip()
    assert re.fullmatch(r"[A-Z][a-z]+,? [^\n]*[^.\n]\.", first), first
    assert set(described(method)) == set(parameters_of(method))
    assert all(len(text) > 10 for text in described(method).values())
    returns = inspect.signature(method).return_annotation
    assert ("Returns" in sections) == (str(returns) != "None")
    assert ">>> " in sections["Example"]


@pytest.mark.parametrize(("kind", "name"), METHODS, ids=IDS)
def test_every_example_is_run(kind: type, name: str) -> None:
    owner = next(base for base in kind.__mro__ if name in vars(base))
    module = inspect.getmodule(owner)
    assert module is not None
    found = [
        test for test in doctest.DocTestFinder().find(module) if test.name.endswith(f".{name}")
    ]
    assert any(test.examples for test in found)


@pytest.mark.parametrize(("kind", "name"), METHODS, ids=IDS)
def test_every_parameter_has_a_type_that_says_something(kind: type, name: str) -> None:
    method = methods_of(kind)[name]
    hints = get_type_hints(inspect.unwrap(method))
    assert hints.pop("return", object) is not object
    assert set(hints) >= set(parameters_of(method))
    for parameter in parameters_of(method):
        assert hints[parameter] not in (object, Any), parameter


@pytest.mark.parametrize(("kind", "name"), METHODS, ids=IDS)
def test_both_spellings_of_a_keyword_are_taken_or_none(kind: type, name: str) -> None:
    parameters = parameters_of(methods_of(kind)[name])
    names = {name for name, each in parameters.items() if each.kind is not each.VAR_KEYWORD}
    if len(names) < len(parameters):
        names |= set(GraphOptions.__annotations__)
    for one, several in PAIRS.items():
        assert (one in names) == (several in names)


@pytest.mark.parametrize("kind", [Whale, Client, AsyncClient])
@pytest.mark.parametrize("question", QUESTIONS)
def test_whale_and_the_clients_are_asked_alike(kind: type, question: str) -> None:
    asked = methods_of(kind)[question]
    expected = vars(Queries)[question]
    own, agreed = parameters_of(asked), parameters_of(inspect.unwrap(expected))
    if question == "decide":  # overloaded: the implementation takes what both overloads do
        own = {name: each for name, each in own.items() if name != "slots"}
        agreed = parameters_of(inspect.unwrap(methods_of(Client)["decide"]))
        agreed.pop("slots")
    assert [*own] == [*agreed]
    for name, parameter in own.items():
        other = agreed[name]
        assert str(parameter.annotation) == str(other.annotation), name
        assert (parameter.kind, parameter.default) == (other.kind, other.default), name
    assert described(asked) == described(methods_of(Whale)[question])
    assert sections_of(asked).get("Returns") == sections_of(methods_of(Whale)[question]).get(
        "Returns"
    )
    assert inspect.iscoroutinefunction(asked) == (kind is AsyncClient)


def test_the_protocols_name_the_same_questions() -> None:
    coroutines = {name: value for name, value in vars(AsyncQueries).items() if name in QUESTIONS}
    assert [*coroutines] == [name for name in vars(Queries) if name in QUESTIONS]
    client = Client("http://127.0.0.1:9", close_timeout_s=0)
    assert isinstance(client, Queries)
    assert isinstance(Whale, Queries)
    assert isinstance(AsyncClient("http://127.0.0.1:9", close_timeout_s=0), AsyncQueries)
    assert not isinstance(Hail, Queries)


def test_help_reads_like_a_manual_page() -> None:
    page = pydoc.plain(pydoc.render_doc(Whale.plotpoints))
    assert "\nplotpoints(\n    pk: PathLike | None = None,\n" in page
    assert "\n    *,\n    dimension: DimensionsLike | None = None,\n" in page
    assert "\n) -> Plotpoints\n    Return a series of points" in page
    headings = re.findall(r"^    (\w+):$", page, re.MULTILINE)
    assert headings == ["Args", "Returns", "Raises", "Example"]
    assert "epoch milliseconds" in page
    assert "self" not in page
    assert max(map(len, page.splitlines())) <= 100


def test_help_of_a_short_method_stays_on_a_line() -> None:
    page = pydoc.plain(pydoc.render_doc(Whale.pks))
    assert "\npks(pk: PathLike | None = None) -> list[list[str]]\n" in page


@pytest.mark.parametrize("kind", [Whale, Hail])
def test_every_method_works_on_the_class(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = object.__new__(kind)
    monkeypatch.setattr(kind, "_default", instance)
    for name in methods_of(kind):
        method = inspect.getattr_static(kind, name)
        assert "self" not in parameters_of(getattr(kind, name)), name
        if name != "default":
            assert not inspect.isfunction(method), name


def test_the_class_can_be_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []

    class Services:
        def close(self) -> None:
            closed.append(self)

    default = Whale("redis://localhost:1/0")
    default._services = services = Services()  # type: ignore[assignment]
    monkeypatch.setattr(Whale, "_default", default)
    Whale.close()
    Whale.close()
    assert closed == [services]


def test_a_url_overrides_that_of_the_settings() -> None:
    settings = Settings.from_env({}, redis_url="redis://one:1/0", namespace="shop")
    other = Whale("redis://two:2/0", settings=settings).settings
    assert (other.redis_url, other.namespace) == ("redis://two:2/0", "shop")
    assert Whale(settings=settings).settings is settings
