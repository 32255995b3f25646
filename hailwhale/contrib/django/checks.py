"""System checks: `manage.py check` reports errors in HailWhale's settings, store and keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, Warning

from hailwhale.contrib.django import conf
from hailwhale.errors import BadSetting, HailWhaleError
from hailwhale.settings import Settings
from hailwhale.whale import Whale

_NAMED = re.compile(rf"^{conf.SETTING}_([A-Z_]+)")


def check_settings(**_: Any) -> list[CheckMessage]:
    """E001: report unknown settings and invalid values."""
    return [Error(fault, id="hailwhale.E001") for fault in _faults()]


def check_store(databases: Any = None, **_: Any) -> list[CheckMessage]:
    """W001: report a store that does not answer or does not match the settings.

    Runs with --database only. Checks a Redis or Valkey by URL; does not start an embedded one.
    """
    if not databases or any(_faults()):
        return []
    settings = conf.read_settings()
    if not settings.redis_url:
        return []
    door = Whale(settings=settings)
    try:
        door.services.store.ping()
    except HailWhaleError as fault:
        return [Warning(f"HailWhale's store: {fault}", id="hailwhale.W001")]
    finally:
        door.close()
    return []


def check_seal_keys(**_: Any) -> list[CheckMessage]:
    """W002: report that there is no key to seal pixels and graphs. Runs with --deploy only."""
    if any(_faults()) or conf.whale().sealing.keyring.all():
        return []
    hint = "Run `manage.py hailwhale keys new` to create a key."
    text = "Pixels and graphs in templates are not sealed: anyone can change their URLs."
    return [Warning(text, hint=hint, id="hailwhale.W002")]


def _faults() -> Iterator[str]:
    """Yield the errors of each setting; if there are none, those of all settings combined."""
    try:
        names = list(conf.given())
    except BadSetting as fault:
        yield str(fault)
        return
    found = False
    for name in names:
        for text in _faults_of(name):
            found = True
            # other settings in the message, too, are named as in the dict
            yield _NAMED.sub(rf'{conf.SETTING}["\1"]', text).replace(f"{conf.SETTING}_", "")
    if not found:
        try:
            conf.read_settings()
        except BadSetting as fault:
            yield str(fault)


def _faults_of(name: str) -> Iterator[str]:
    value = conf.given()[name]
    try:
        if name == conf.SEND_BY:
            conf.sender_of(value)
        elif name != "REPLICAS":  # right or wrong together with another
            variable = f"{conf.SETTING}_{name}"
            Settings.from_env({variable: conf.text(name, value)})
    except BadSetting as fault:
        yield str(fault)
