"""The types of the plugin and the beacon: what is right passes, each mistake is found."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.static.node_tools import ROOT, TOOLS, node

PROGRAMS = Path("tests/static/types")
TSC = TOOLS / "typescript/bin/tsc"
STRICT = ("--ignoreConfig", "--allowJs", "--checkJs", "--noEmit", "--strict", "--target", "es2022")
TYPES = "static/hailwhale.d.ts"
_ERROR = re.compile(r"^(?:.*/)?(\w+\.js)\((\d+),\d+\): error TS\d+: ", re.MULTILINE)


def test_a_program_that_uses_the_whole_plugin_and_beacon_is_right() -> None:
    done = node(TSC, "--project", PROGRAMS)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_graphs_and_the_beacon_need_no_types_of_jquery() -> None:
    done = node(TSC, *STRICT, "--types", "", TYPES, PROGRAMS / "graph_and_beacon.js")
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_each_mistake_is_found_and_nothing_else() -> None:
    done = node(TSC, *STRICT, "--types", "jquery", TYPES, PROGRAMS / "mistakes.js")
    lines = (ROOT / PROGRAMS / "mistakes.js").read_text(encoding="utf-8").split("\n")
    mistakes = {number for number, line in enumerate(lines, 1) if line.endswith("// mistake")}
    assert len(mistakes) >= 30
    found = {(file, int(line)) for file, line in _ERROR.findall(done.stdout)}
    assert found == {("mistakes.js", line) for line in mistakes}
    assert done.returncode != 0


def test_the_lock_file_names_no_registry() -> None:
    """Where packages come from is a setting of the machine that installs them."""
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert len(packages) > 10
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if "integrity" not in package] == []
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted
