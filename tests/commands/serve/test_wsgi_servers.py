"""Which server serves, and what is said when it cannot."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from hailwhale.cli import main
from hailwhale.commands.serve.wsgi_servers import server, server_name
from hailwhale.errors import BadSetting
from hailwhale.settings import Settings

NOT_INSTALLED = (
    "HAILWHALE_SERVER: granian is not installed: pip install 'hailwhale[fast]', or serve with "
    "gunicorn (--server gunicorn)"
)


@pytest.fixture
def no_granian(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "hailwhale.commands.serve.wsgi_servers.find_spec",
        lambda name: None if name == "granian" else find(name),
    )


def settings(name: str) -> Settings:
    return Settings.from_env({"HAILWHALE_SERVER": name})


@pytest.mark.parametrize(
    ("asked", "found"), [("auto", "granian"), ("granian", "granian"), ("gunicorn", "gunicorn")]
)
def test_granian_serves_where_it_is_installed_unless_another_is_named(
    asked: str, found: str
) -> None:
    assert server_name(settings(asked)) == found
    assert server(settings(asked)).__module__ == f"hailwhale.commands.serve.{found}"


@pytest.mark.usefixtures("no_granian")
def test_without_granian_gunicorn_serves() -> None:
    assert server_name(settings("auto")) == "gunicorn"
    assert server(settings("auto")).__module__ == "hailwhale.commands.serve.gunicorn"


@pytest.mark.usefixtures("no_granian")
def test_granian_named_and_not_installed_is_refused_with_what_to_do() -> None:
    with pytest.raises(BadSetting) as caught:
        server(settings("granian"))
    assert str(caught.value) == NOT_INSTALLED


@pytest.mark.usefixtures("no_granian")
@pytest.mark.parametrize("command", ["serve", "hail", "whale"])
def test_no_command_starts_a_server_that_is_not_installed(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = [] if command != "serve" else ["--data-dir", str(tmp_path / "data")]
    assert main([command, "--server", "granian", *where]) == 2
    assert capsys.readouterr().err == f"hailwhale: {NOT_INSTALLED}\n"
    assert not (tmp_path / "data").exists()


def test_a_server_that_does_not_serve_is_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    for server_module in ("granian", "gunicorn"):
        name = f"hailwhale.commands.serve.{server_module}"
        monkeypatch.delitem(sys.modules, name, raising=False)
    server(settings("gunicorn"))
    assert "hailwhale.commands.serve.granian" not in sys.modules
