"""Commands run in this process, over services at a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hailwhale.cli import main
from hailwhale.services.container import Services

Run = Callable[..., str]


@pytest.fixture
def run(
    make_services: Callable[..., Services],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Run:
    """Runs a command and gives what it printed; it must end with `code`."""
    monkeypatch.setenv("HAILWHALE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(
        "hailwhale.default_instance.open_services", lambda _settings: make_services()
    )

    def run(*arguments: str, code: int = 0) -> str:
        assert main(arguments) == code
        out, err = capsys.readouterr()
        return out or err

    return run
