"""The tools from npm that check the JavaScript, for tests that need one of them.

`make lint` installs them. Without them such tests are skipped, which REQUIRE_ALL=1 makes a failure.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "node_modules"


def node(*arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run node in the project's folder; skip the test where it or the tools are missing."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("needs node: apt-get install nodejs npm")
    if not (TOOLS / ".package-lock.json").is_file():
        pytest.skip("needs the JavaScript tools: make lint installs them")
    return subprocess.run(
        [program, *arguments],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
