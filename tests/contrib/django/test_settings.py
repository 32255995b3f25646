"""HailWhale's settings among Django's, the system checks and the command."""

from __future__ import annotations

import doctest
import importlib
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.test import override_settings

import hailwhale.contrib.django
from hailwhale.contrib.django import conf
from hailwhale.errors import BadSetting
from hailwhale.store.embedded import EmbeddedValkey

PACKAGE = Path(hailwhale.contrib.django.__file__).parent
MODULES = sorted(
    ".".join(("hailwhale.contrib.django", *path.relative_to(PACKAGE).with_suffix("").parts))
    for path in PACKAGE.rglob("*.py")
    if path.name != "__init__.py"
)


@pytest.fixture(autouse=True)
def forgotten() -> Any:
    """No door of another test, and none of ours for the next."""
    conf.forget(setting="HAILWHALE")
    yield
    conf.forget(setting="HAILWHALE")


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_the_modules_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_settings_are_read_in_the_forms_of_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAILWHALE_PORT", "9000")
    monkeypatch.setenv("HAILWHALE_NAMESPACE", "env")
    told = {
        "NAMESPACE": "django",
        "DATA_DIR": Path("/tmp/x"),  # noqa: S108
        "OPEN": True,
        "MAX_DEPTH": 5,
        "STORE_TIMEOUT": 0.5,
        "CORS_ORIGINS": ["https://a.example", "https://b.example"],
        "REDIS_URL": None,
    }
    with override_settings(HAILWHALE=told):
        found = conf.read_settings()
    assert (found.namespace, found.port, found.redis_url) == ("django", 9000, "")
    assert (found.data_dir, found.open_to_all) == (Path("/tmp/x"), True)  # noqa: S108
    assert (found.max_depth, found.store_timeout_s) == (5, 0.5)
    assert found.cors_origins == ("https://a.example", "https://b.example")


def test_a_setting_that_is_overridden_is_read_again() -> None:
    with override_settings(HAILWHALE={"PUBLIC_URL": "https://a.example"}):
        assert conf.whale().settings.home == "https://a.example"
    with override_settings(HAILWHALE={"PUBLIC_URL": "https://b.example"}):
        assert conf.whale().settings.home == "https://b.example"


@pytest.mark.parametrize(
    ("told", "messages"),
    [
        ({}, []),
        ({"SEND_BY": "hail"}, []),
        ({"REPLICAS": 1, "REDIS_URL": "redis://h"}, []),
        ({"PROT": 1}, ['HAILWHALE["PROT"]: no such setting; did you mean PORT? Known are REDIS_']),
        ({"SENDBY": "hail"}, ['HAILWHALE["SENDBY"]: no such setting; known are REDIS_URL,']),
        ({"PORT": "x", "FSYNC": "now"}, ['HAILWHALE["PORT"]: got', 'HAILWHALE["FSYNC"]: got']),
        ({"PORT": object()}, ['HAILWHALE["PORT"]: got <object']),
        ({"REPLICAS": 1}, ["HAILWHALE_REPLICAS: got 1, but"]),
        ({"SEND_BY": "nowhere.at_all"}, ["HAILWHALE[\"SEND_BY\"]: got 'nowhere.at_all'"]),
        ({"SEND_BY": 7}, ['HAILWHALE["SEND_BY"]: got 7']),
        ({"SEND_BY": "os.sep"}, ['HAILWHALE["SEND_BY"]: os.sep is not callable']),
        ("redis://h", ["HAILWHALE: got 'redis://h'; expected a dict"]),
    ],
)
def test_the_system_check_says_what_is_wrong_with_each(told: Any, messages: list[str]) -> None:
    with override_settings(HAILWHALE=told):
        found = [each for each in run_checks() if each.id == "hailwhale.E001"]
    assert len(found) == len(messages)
    for each, message in zip(found, messages, strict=True):
        assert each.msg.startswith(message)


def test_a_wrong_setting_is_an_exception_where_it_is_used() -> None:
    with override_settings(HAILWHALE={"PROT": 1}), pytest.raises(BadSetting, match="PROT"):
        conf.whale()


def warned(**options: Any) -> list[str | None]:
    return [each.id for each in run_checks(**options) if str(each.id).startswith("hailwhale")]


def test_a_store_that_does_not_answer_is_warned_of_when_databases_are_looked_at() -> None:
    with override_settings(HAILWHALE={"REDIS_URL": "redis://127.0.0.1:1", "STORE_TIMEOUT": 1}):
        assert warned() == []
        assert warned(databases=["default"]) == ["hailwhale.W001"]


def test_a_different_store_is_warned_about(valkey: EmbeddedValkey, namespace: str) -> None:
    told = {"REDIS_URL": valkey.url, "NAMESPACE": namespace}
    with override_settings(HAILWHALE=told):
        assert warned(databases=["default"]) == []
    with override_settings(HAILWHALE={**told, "TIMEZONE": "Asia/Tokyo"}):
        assert warned(databases=["default"]) == ["hailwhale.W001"]


def test_an_embedded_store_is_not_started_to_look_at_it(tmp_path: Path) -> None:
    with override_settings(HAILWHALE={"DATA_DIR": tmp_path / "data"}):
        assert warned(databases=["default"]) == []
    assert not (tmp_path / "data").exists()


def test_a_deployment_without_a_key_is_warned_of(tmp_path: Path) -> None:
    with override_settings(HAILWHALE={"DATA_DIR": tmp_path}):
        assert warned(include_deployment_checks=True) == ["hailwhale.W002"]
    with override_settings(HAILWHALE={"SEAL_KEYS": ["A" * 43]}):
        assert warned(include_deployment_checks=True) == []


def test_the_command_runs_with_the_settings_of_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAILWHALE_DATA_DIR", "elsewhere")  # and undone after the test
    with override_settings(HAILWHALE={"DATA_DIR": tmp_path}):
        call_command("hailwhale", "keys", "new", stdout=StringIO())
        assert (tmp_path / "seal.keys").is_file()
        with pytest.raises(SystemExit, match="2"):
            call_command("hailwhale", "keys", "new")


def test_the_help_of_the_command_names_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        call_command("hailwhale", "--help")
    told = capsys.readouterr().out
    assert "--settings SETTINGS" in told
    assert "everything on one machine: web, drain, embedded Valkey" in told
    assert "manage.py hailwhale COMMAND --help" in told
