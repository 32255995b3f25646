"""Settings as command-line options: each option is equivalent to its HAILWHALE_* variable.

So one parser reads each value, from either source. A process that a command starts gets all options
through the environment.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from dataclasses import Field, fields
from typing import TypeAlias

from hailwhale.settings import Settings
from hailwhale.store.redis.url import masked

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

_NAMES = {"open_to_all": "open"}
_FLAGS = ("open_to_all",)


def add_settings(parser: argparse.ArgumentParser, *names: str) -> None:
    """Add an option for each setting named: `data_dir` becomes `--data-dir`."""
    by_name = {setting.name: setting for setting in fields(Settings)}
    for name in names:
        setting = by_name[name]
        option = f"--{_NAMES.get(name, name).replace('_', '-')}"
        variable, doc = setting.metadata["variable"], setting.metadata["doc"]
        if name in _FLAGS:
            parser.add_argument(
                option,
                dest=variable,
                action="store_const",
                const="1",
                help=f"{doc.removeprefix('1 to ')} [{variable}]",
            )
        else:
            parser.add_argument(
                option,
                dest=variable,
                metavar=name.rpartition("_")[2].upper(),
                help=f"{doc} [{variable}, default: {setting.default or 'none'}]",
            )


def given_variables(args: argparse.Namespace) -> dict[str, str]:
    """Return the variables that were given as options."""
    variables = [setting.metadata["variable"] for setting in fields(Settings)]
    found = {variable: getattr(args, variable, None) for variable in variables}
    return {variable: text for variable, text in found.items() if text is not None}


def environment(args: argparse.Namespace) -> dict[str, str]:
    """Return the environment, with the options applied."""
    return {**os.environ, **given_variables(args)}


def read_settings(args: argparse.Namespace) -> Settings:
    """Return the effective settings; raise `BadSetting`."""
    return Settings.from_env(environment(args))


def settings_to_ask(args: argparse.Namespace) -> Settings:
    """Return the settings for a query command; warn on stderr if there is no data to query.

    Without the warning, every answer in a wrong directory would be zero.
    """
    settings = read_settings(args)
    if not settings.redis_url and not settings.data_dir.expanduser().exists():
        where = shown_store(settings)
        print(
            f"hailwhale: no data in {where} yet: pass the service's directory with --data-dir",
            file=sys.stderr,
        )
    return settings


def shown_value(variable: str, text: str) -> str:
    """Return the text of a setting with its secrets masked.

    >>> shown_value("HAILWHALE_REDIS_URL", "redis://app:hunter2@db:6379/0")
    'redis://app:***@db:6379/0'
    >>> shown_value("HAILWHALE_ADMIN_TOKEN", "hunter2")
    '***'
    """
    if variable.endswith(("_TOKEN", "_KEY", "_KEYS")):
        return "***" if text else ""
    return masked(text) if variable.endswith("_URL") else text


def shown_store(settings: Settings) -> str:
    """Describe where the counts are stored, for display."""
    if settings.redis_url:
        return shown_value("HAILWHALE_REDIS_URL", settings.redis_url)
    return str(settings.data_dir.expanduser().resolve())


def default_text(setting: Field[object]) -> str:
    """Return the default of a setting as it would be written in its variable."""
    value = setting.default
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, tuple):
        return ",".join(rollup.spec for rollup in value)
    return str(getattr(value, "name", value) if setting.name == "zone" else value)


def source_of(variable: str, given: Mapping[str, str]) -> str:
    """Return the source of the effective value: command line, environment or default."""
    if variable in given:
        return "option"
    return "environment" if variable in os.environ else "default"
