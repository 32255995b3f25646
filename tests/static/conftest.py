"""The widget's pure maths in a JavaScript engine without a browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from py_mini_racer import MiniRacer

from hailwhale.web.assets import static_folder

PURE = ("options", "model", "stacking", "scales", "formats", "csv", "tables")

Js = Callable[..., Any]


@pytest.fixture(scope="session")
def engine() -> MiniRacer:
    engine = MiniRacer()
    for name in PURE:
        engine.eval((static_folder() / "hailwhale" / f"{name}.js").read_text(encoding="utf-8"))
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
        code = f"""(() => {{ const hw = globalThis.HailWhale;
            const found = hw.{name}({written});
            return JSON.stringify(found, (_, value) =>
                value instanceof Map || value instanceof Set ? [...value] : value); }})()"""
        answer = engine.eval(code)
        return None if answer is None else json.loads(str(answer))

    return call
