"""Join ES modules into one classic script, without a build step.

A module becomes a function that returns its exports, so private names of two modules may be equal.
The order follows from the imports of one entry file. Modules use a small part of the language,
which needs no JavaScript parser: named and namespace imports, default imports of what the service
supplies, and exports of functions, classes and constants. Anything else is an error that names the
file and the statement.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hailwhale.web.js_minifier import minify, tokens

_NAME = r"[A-Za-z_$][\w$]*"
_IMPORT = re.compile(
    rf"^import (?:\{{(?P<names>[^}}]*)\}}|\* as (?P<namespace>{_NAME})|(?P<default>{_NAME})) "
    r"from '(?P<source>[^']+)';\n",
    re.MULTILINE,
)
_EXPORT = re.compile(
    rf"^export (?=(?:async )?function\*? (?P<function>{_NAME})|class (?P<class>{_NAME})"
    rf"|const (?P<const>{_NAME}) =)",
    re.MULTILINE,
)
_LEFT_OVER = re.compile(r"^(?:import|export)\b.*|\bimport\.meta\b|\bimport\s*\(", re.MULTILINE)
_COMMENTS = re.compile(r"^[ \t]*/\*.*?\*/|^[ \t]*//[^\n]*\n", re.MULTILINE | re.DOTALL)
_BINDING = re.compile(rf"(?P<exported>{_NAME})(?: as (?P<local>{_NAME}))?\Z")


class ModuleError(ValueError):
    """A module that cannot be joined: a missing file or name, an import cycle, unknown syntax."""


@dataclass(frozen=True, slots=True)
class Import:
    """An import statement: the module it names, and what is bound to which local name.

    `bindings` maps exported to local names; `whole` is the local name of a namespace or a default.
    """

    source: str
    bindings: tuple[tuple[str, str], ...]
    whole: str
    default: bool


@dataclass(frozen=True, slots=True)
class Module:
    """A parsed module: its imports, the names it exports, and its code without either keyword."""

    file: Path
    imports: tuple[Import, ...]
    exports: tuple[str, ...]
    code: str


def join(entry: Path, supplied: Mapping[str, str] | None = None) -> str:
    """Return the code of a module and of all it imports, ready to stand in a function.

    Args:
        entry: the file of the module; what it exports are local names of the result.
        supplied: bare module names such as ``uplot`` and the expressions of their default exports.

    Raises:
        ModuleError: a file or a name is missing, modules import each other in a circle, or one has
            syntax that cannot be joined.
    """
    supplied = supplied or {}
    modules = ordered(entry, supplied)
    names = {module.file: f"$${number}" for number, module in enumerate(modules)}
    known = {module.file: module for module in modules}
    parts = []
    for module in modules:
        lines = [_bound(module, each, known, names, supplied) for each in module.imports]
        body = "".join(lines) + module.code
        if module.file != entry.resolve():
            exports = ",".join(module.exports)
            body = f"const {names[module.file]}=(()=>{{{body}return{{{exports}}}}})();"
        parts.append(f"{body}\n")
    return "".join(parts)


def parse(file: Path, text: str) -> Module:
    """Parse the text of a module.

    >>> module = parse(Path("b.js"), "import { a as c } from './a.js';\\nexport const d = c;\\n")
    >>> module.imports[0].bindings, module.exports, module.code
    ((('a', 'c'),), ('d',), 'const d=c;')
    """
    if any(each[0] == "`" and "\n" in each for each in tokens(text, 0, len(text))):
        raise ModuleError(f"{file.name}: cannot join a template literal of several lines")
    code = _COMMENTS.sub("", text)
    imports = tuple(_imported(file, found) for found in _IMPORT.finditer(code))
    exports = tuple(
        found["function"] or found["class"] or found["const"] for found in _EXPORT.finditer(code)
    )
    code = _EXPORT.sub("", _IMPORT.sub("", code))
    odd = _LEFT_OVER.search(code)
    if odd:
        raise ModuleError(
            f"{file.name}: cannot join {odd[0]!r}; known are import {{…}}, import * as, and export"
            " of a function, a class or a const"
        )
    return Module(file, imports, exports, minify(code))


def _imported(file: Path, found: re.Match[str]) -> Import:
    bindings = []
    for written in filter(None, map(str.strip, (found["names"] or "").split(","))):
        binding = _BINDING.match(written)
        if binding is None:
            raise ModuleError(f"{file.name}: cannot import {written!r}")
        bindings.append((binding["exported"], binding["local"] or binding["exported"]))
    whole = found["namespace"] or found["default"] or ""
    return Import(found["source"], tuple(bindings), whole, bool(found["default"]))


def ordered(entry: Path, supplied: Collection[str]) -> list[Module]:
    """Return the modules in the order of evaluation: each one after those that it imports.

    Raises:
        ModuleError: a file is missing, or modules import each other in a circle.
    """
    modules: dict[Path, Module] = {}
    path: list[Path] = []

    def visit(file: Path) -> None:
        if file in modules:
            return
        if file in path:
            circle = [*path[path.index(file) :], file]
            names = " -> ".join(each.name for each in circle)
            raise ModuleError(f"circular import of modules: {names}")
        path.append(file)
        module = parse(file, file.read_text(encoding="utf-8"))
        for each in _files(module, supplied):
            visit(each)
        modules[path.pop()] = module

    visit(entry.resolve())
    return list(modules.values())


def _files(module: Module, supplied: Collection[str]) -> Iterator[Path]:
    for each in module.imports:
        if each.source in supplied:
            continue
        if not each.source.startswith("."):
            known = ", ".join(supplied) or "none"
            raise ModuleError(
                f"{module.file.name}: no module {each.source!r} is supplied; known are {known}"
            )
        file = _target(module, each)
        if not file.is_file():
            raise ModuleError(f"{module.file.name}: there is no {each.source!r} to import")
        yield file


def _target(module: Module, each: Import) -> Path:
    return (module.file.parent / each.source).resolve()


def _bound(
    module: Module,
    each: Import,
    known: Mapping[Path, Module],
    names: Mapping[Path, str],
    supplied: Mapping[str, str],
) -> str:
    """Return the declaration that stands for an import statement."""
    if each.source in supplied:
        if not each.default:
            raise ModuleError(f"{module.file.name}: {each.source!r} has only a default export")
        return f"const {each.whole}={supplied[each.source]};"
    target = known[_target(module, each)]
    if each.default:
        raise ModuleError(f"{module.file.name}: {each.source!r} has no default export")
    missing = [name for name, _ in each.bindings if name not in target.exports]
    if missing:
        exports = ", ".join(target.exports) or "nothing"
        raise ModuleError(
            f"{module.file.name}: {each.source!r} exports no {missing[0]!r}, but {exports}"
        )
    if each.whole:
        return f"const {each.whole}={names[target.file]};"
    pairs = ",".join(
        exported if exported == local else f"{exported}:{local}"
        for exported, local in each.bindings
    )
    return f"const{{{pairs}}}={names[target.file]};"
