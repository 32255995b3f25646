"""The house keeps its shape: imports go down only, and the core is pure."""

from __future__ import annotations

import ast
import importlib.util
import logging
import os
import subprocess
import sys
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


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("core/*.py")), ids=lambda path: path.name)
def test_the_core_imports_the_standard_library_alone(path: Path) -> None:
    assert set(imported(path)) <= sys.stdlib_module_names | {"hailwhale"}


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.glob("core/decisions/*.py")), ids=lambda path: path.name
)
def test_decisions_take_numpy_besides_and_no_clock(path: Path) -> None:
    assert set(imported(path)) <= sys.stdlib_module_names | {"hailwhale", "numpy"}
    assert not set(imported(path)) & {"time", "secrets", "os", "io", "socket", "pathlib"}


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("core/*.py")), ids=lambda path: path.name)
def test_the_core_has_no_clock_no_randomness_and_no_io(path: Path) -> None:
    assert not set(imported(path)) & {"time", "random", "secrets", "os", "io", "socket", "pathlib"}
    assert ".now(" not in path.read_text()


MODULES = sorted(PACKAGE.rglob("*.py"))
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
        f"{path.relative_to(PACKAGE)}: {node.name}"
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
        f"{path.relative_to(PACKAGE)}: {node.name}"
        for path in MODULES
        for node in public_functions(ast.parse(path.read_text()))
        if answers_a_bare_tuple(node)
    }
    assert found == set(BARE_TUPLES)


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
