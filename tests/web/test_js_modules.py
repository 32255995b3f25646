"""Modules are joined in the order of their imports; what cannot be joined is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from py_mini_racer import MiniRacer

from hailwhale.web.js_modules import ModuleError, join, ordered

A = "export const a = 1;\n"


def written(folder: Path, files: dict[str, str]) -> Path:
    """Write modules; the first one is the entry."""
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder / next(iter(files))


def run(code: str) -> object:
    """The global `result` after the code ran."""
    engine = MiniRacer()
    engine.eval(f"(()=>{{'use strict';{code}}})()")
    return json.loads(str(engine.eval("JSON.stringify(globalThis.result)")))


def test_modules_run_once_each_after_those_they_import(tmp_path: Path) -> None:
    log = "globalThis.result = [...(globalThis.result || []), '{}'];\n"
    entry = written(
        tmp_path,
        {
            "entry.js": "import { b } from './b.js';\nimport { c } from './c.js';\nb(c);\n"
            + log.format("entry"),
            "b.js": "import { a } from './a.js';\nexport const b = () => a;\n" + log.format("b"),
            "c.js": "import { a as first } from './a.js';\nexport const c = first;\n"
            + log.format("c"),
            "a.js": A + log.format("a"),
        },
    )
    assert [module.file.name for module in ordered(entry, ())] == [
        *("a.js", "b.js", "c.js", "entry.js")
    ]
    assert run(join(entry)) == ["a", "b", "c", "entry"]


def test_names_of_their_own_stay_their_own(tmp_path: Path) -> None:
    entry = written(
        tmp_path,
        {
            "entry.js": "import * as one from './one.js';\n"
            "import {\n  value as other,\n  Thing,\n} from './two.js';\n"
            "const own = 3;\nglobalThis.result = [own, one.value(), other, new Thing().own];\n",
            "one.js": "const own = 1;\nexport function value() {\n  return own;\n}\n",
            "two.js": "const own = 2;\nexport const value = own;\n"
            "export class Thing {\n  own = own;\n}\n",
        },
    )
    assert run(join(entry)) == [3, 1, 2, 2]


def test_what_the_service_supplies_is_imported_by_a_bare_name(tmp_path: Path) -> None:
    entry = written(tmp_path, {"entry.js": "import css from 'a.css';\nglobalThis.result = css;\n"})
    assert run(join(entry, {"a.css": json.dumps("a { b: c }")})) == "a { b: c }"


def test_the_exports_of_the_entry_are_names_of_the_result(tmp_path: Path) -> None:
    entry = written(tmp_path, {"entry.js": A})
    assert run(f"{join(entry)}globalThis.result = a;") == 1


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        (
            {
                "entry.js": "import { a } from './a.js';\n",
                "a.js": "import { b } from './b.js';\nexport const a = b;\n",
                "b.js": "import { a } from './a.js';\nexport const b = a;\n",
            },
            "circular import of modules: a.js -> b.js -> a.js",
        ),
        (
            {"entry.js": "import { a } from './entry.js';\nexport const a = 1;\n"},
            "circular import of modules: entry.js -> entry.js",
        ),
        (
            {"entry.js": "import { a, c } from './a.js';\n", "a.js": A},
            "entry.js: './a.js' exports no 'c', but a",
        ),
        (
            {"entry.js": "import { a } from './a.js';\n", "a.js": "const a = 1;\n"},
            "entry.js: './a.js' exports no 'a', but nothing",
        ),
        (
            {"entry.js": "import { a } from './b.js';\n", "a.js": A},
            "entry.js: there is no './b.js' to import",
        ),
        (
            {"entry.js": "import a from './a.js';\n", "a.js": A},
            "entry.js: './a.js' has no default export",
        ),
        (
            {"entry.js": "import a from 'jquery';\n"},
            "entry.js: no module 'jquery' is supplied; known are uplot",
        ),
        (
            {"entry.js": "import { paths } from 'uplot';\n"},
            "entry.js: 'uplot' has only a default export",
        ),
        ({"entry.js": "import { 1 } from 'uplot';\n"}, "entry.js: cannot import '1'"),
    ],
)
def test_a_wrong_import_is_named(tmp_path: Path, files: dict[str, str], fault: str) -> None:
    with pytest.raises(ModuleError) as caught:
        join(written(tmp_path, files), {"uplot": "uPlot"})
    assert str(caught.value) == fault


@pytest.mark.parametrize(
    "statement",
    [
        "export default 1;",
        "export { a } from './a.js';",
        "export * from './a.js';",
        "export let a = 1;",
        "export const { a } = b;",
        "import './a.js';",
        "import a, { b } from './a.js';",
        "const a = import('./a.js');",
        "const a = import.meta.url;",
        "const a = `one\ntwo`;",
    ],
)
def test_syntax_that_cannot_be_joined_is_refused(tmp_path: Path, statement: str) -> None:
    entry = written(tmp_path, {"entry.js": f"{statement}\n", "a.js": A})
    with pytest.raises(ModuleError, match=r"^entry\.js: cannot join "):
        join(entry)
