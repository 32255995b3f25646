"""The tests of `hailwhale.contrib.django` again, on the oldest Django that is supported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OLDER = Path(sys.prefix) / "django-lts"  # `make test` puts it there
DEADLINE_S = 120


def test_the_tests_of_django_pass_on_the_oldest_that_is_supported() -> None:
    if not OLDER.is_dir():
        pytest.skip("needs an older Django: make test installs it")
    version = "import django; assert django.VERSION[:2] == (4, 2), django.VERSION"
    run = "import pytest, sys; sys.exit(pytest.main(sys.argv[1:]))"
    told = {"PYTHONPATH": f"{OLDER}{os.pathsep}{ROOT}", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    found = subprocess.run(
        [sys.executable, "-c", f"{version}; {run}", "tests/contrib/django"],
        cwd=ROOT,
        env={**os.environ, **told, "REQUIRE_ALL": "1"},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr
