"""A minified script is the same program."""

from __future__ import annotations

import json

import pytest

from hailwhale.web.assets import static_folder
from hailwhale.web.js_minifier import minify
from tests.static.node_tools import ROOT, node

CASES = {
    "division": "const a = b / c / d;\n",
    "regular expressions": "const a = /[/'\"` ]+ \\/ x/g.exec(b) || /=+/.test(c);\n",
    "strings": "const a = 'it\\'s  // no comment' + \"/* nor this */ '\" + `and  'so'`;\n",
    "templates": "const a = `a ${b ? `{ ${c('}')}  }` : /}`/.source}  d` + `$ {x}`;\n",
    "signs": "let a = b + +c - -d + ++e - --f;\na++;\n--a;\n",
    "words": "async function* a() {\n  yield* b;\n  return typeof c in d;\n}\n",
    "commas": "const [a, b] = c(\n  d,\n  [e, f],\n  { g, h },\n);\n",
    "blocks": "if (a) {\n  b();\n}\nfor (const c of d) e(c);\ndo {\n  f();\n} while (g);\n",
    "classes": "class A {\n  b = 1;\n  #c;\n  get d() {\n    return this.#c ?? 2;\n  }\n}\n",
    "numbers": "const a = 1.5 + 0.5 / 2e3;\nconst b = c ? 0.5 : d?.e;\n",
    "comments": "/** @type {A} */ // and\nconst a = /** @type {B} */ (c) /* d */ + 1; // e\n",
    "in a word": "const a = b/* c */ + (d) // it's\n;\n",
}


def scripts() -> dict[str, str]:
    """The cases, and every script of ours."""
    files = sorted(static_folder().rglob("*.js"))
    assert len(files) > 40
    return CASES | {str(file.name): file.read_text(encoding="utf-8") for file in files}


def test_every_script_of_ours_is_the_same_program_when_minified() -> None:
    pairs = [(name, text, minify(text)) for name, text in scripts().items()]
    assert differing(pairs) == []


def test_another_program_would_be_noticed() -> None:
    assert differing([("x", "a = 'b  c';\n", "a='b c';"), ("y", "a;\n", "a;")]) == ["x"]


@pytest.mark.parametrize("name", CASES)
def test_minifying_leaves_no_comments_and_no_double_blanks_outside_texts(name: str) -> None:
    found = minify(CASES[name])
    assert len(found) < len(CASES[name])
    assert "\n" not in found


def test_a_template_without_an_end_is_an_error() -> None:
    with pytest.raises(ValueError, match="no end"):
        minify("const a = `b")


def differing(pairs: list[tuple[str, str, str]]) -> list[str]:
    """The names of the pairs that are not the same program."""
    done = node(ROOT / "tests/static/same_program.js", stdin=json.dumps(pairs))
    assert done.stderr == ""
    return done.stdout.split("\n")[:-1]
