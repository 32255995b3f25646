"""The widget's pure maths in a JavaScript engine without a browser."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from py_mini_racer import MiniRacer

from hailwhale.web.assets import static_folder
from hailwhale.web.js_modules import join

PURE = (
    "options",
    "model",
    "stacking",
    "scales",
    "formats",
    "csv",
    "tables",
    "fake_hits",
    "numbers",
)

Js = Callable[..., Any]


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> MiniRacer:
    """An engine with the pure modules, joined as the widget is, in a global `hw`."""
    folder = tmp_path_factory.mktemp("js").resolve()
    modules = os.path.relpath(static_folder().resolve() / "hailwhale", folder)
    imports = "".join(f"import * as {name} from './{modules}/{name}.js';\n" for name in PURE)
    entry = Path(folder / "entry.js")
    entry.write_text(f"{imports}globalThis.hw = {{ {', '.join(PURE)} }};\n", encoding="utf-8")
    engine = MiniRacer()
    engine.eval(f"(()=>{{'use strict';{join(entry)}}})()")
    return engine


@pytest.fixture
def js(engine: MiniRacer) -> Js:
    """`js("scales.nice", 0, 9, 4)`: what a function of the widget answers, as plain values.

    Maps and sets come back as lists; a text that begins with `js:` goes in as the code behind it.
    """

    def call(name: str, *arguments: object) -> Any:
        written = ",".join(
            argument[3:]
            if isinstance(argument, str) and argument.startswith("js:")
            else json.dumps(argument)
            for argument in arguments
        )
        code = f"""(() => {{
            const found = hw.{name}({written});
            return JSON.stringify(found, (_, value) =>
                value instanceof Map || value instanceof Set ? [...value] : value); }})()"""
        answer = engine.eval(code)
        return None if answer is None else json.loads(str(answer))

    return call
