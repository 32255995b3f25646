"""Reads HailWhale's settings from Django's, and opens the public API with them.

Defines the form of `HAILWHALE = {"REDIS_URL": "redis://…", …}`: the environment variables without
their prefix, with Python values. Settings that are missing there come from the environment. Knows
nothing of what is counted.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from django.conf import settings as django_settings
from django.utils.module_loading import import_string

from hailwhale.errors import BadSetting, shown
from hailwhale.hail import Hail
from hailwhale.settings import Settings
from hailwhale.whale import Whale

SETTING = "HAILWHALE"
SEND_BY = "SEND_BY"  # the one that HailWhale itself does not have
WHALE, HAIL = "whale", "hail"
_FORMS = "a string, a number, True or False, a path, or a list of strings"

SendEvent = Callable[..., Any]


def given() -> dict[str, object]:
    """Return the settings in Django's settings; None counts as absent."""
    found = getattr(django_settings, SETTING, {})
    if not isinstance(found, Mapping):
        raise BadSetting(f"{SETTING}: got {shown(found)}; expected a dict of settings")
    return {str(name): value for name, value in found.items() if value is not None}


def variables() -> dict[str, str]:
    """Return them as environment variables, for other processes."""
    return {f"{SETTING}_{k}": text(k, value) for k, value in given().items() if k != SEND_BY}


def text(name: str, value: object) -> str:
    """Return a value as the text of its environment variable.

    >>> text("OPEN", True), text("CORS_ORIGINS", ["https://a.example", "https://b.example"])
    ('1', 'https://a.example,https://b.example')
    """
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return ",".join(value)
    if isinstance(value, str | int | float | os.PathLike):
        return os.fspath(value) if isinstance(value, os.PathLike) else str(value)
    raise BadSetting(f"{SETTING}_{name}: got {shown(value)}; expected {_FORMS}")


def read_settings() -> Settings:
    """Return the effective settings; raise `BadSetting` naming the variable."""
    return Settings.from_env({**os.environ, **variables()})


@cache
def whale() -> Whale:
    """Return the `Whale` for counting and queries."""
    return Whale(settings=read_settings())


@cache
def hail() -> Hail:
    """Return the `Hail` for events that are to be buffered."""
    return Hail(settings=read_settings())


@cache
def sender() -> SendEvent:
    """Return the function that sends an event's fields, by `SEND_BY`; see `sender_of`."""
    return sender_of(given().get(SEND_BY, WHALE))()


def sender_of(how: object) -> Callable[[], SendEvent]:
    """Return a factory of the sender for a value of `SEND_BY`; call it once the settings are valid.

    "whale" (the default) counts at once, "hail" buffers for a `hailwhale drain`. The dotted path of
    a function is called with the fields as keywords. Raises `BadSetting` for anything else.
    """
    if how == WHALE:
        return lambda: whale().count_now
    if how == HAIL:
        return lambda: hail().count
    expected = f'"{WHALE}", "{HAIL}" or the dotted path of a function'
    try:
        found: SendEvent = import_string(str(how))
    except ImportError as fault:
        raise BadSetting(f"{SETTING}_{SEND_BY}: got {shown(how)}; expected {expected}") from fault
    if not callable(found):
        raise BadSetting(f"{SETTING}_{SEND_BY}: {how} is not callable; expected {expected}")
    return lambda: found


def forget(*, setting: str, **_: object) -> None:
    """Drop cached settings; called by Django when a test overrides a setting."""
    if setting != SETTING:
        return
    for door in (whale, hail):
        if door.cache_info().currsize:
            door().close()
        door.cache_clear()
    sender.cache_clear()
