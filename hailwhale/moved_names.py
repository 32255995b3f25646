"""Old names of modules: importable with a warning that gives the new name."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from importlib import import_module


def moved(old: str, new: str, renamed: Mapping[str, str] | None = None) -> Callable[[str], object]:
    """Make the `__getattr__` of a module that has moved.

    Args:
        old: The module's old name, where the result is put.
        new: Its new name, from which attributes are taken.
        renamed: The new names of attributes that have others now.

    >>> moved("hailwhale.store.keys", "hailwhale.store.redis.keys")("__path__")
    Traceback (most recent call last):
    ...
    AttributeError: module 'hailwhale.store.keys' has no attribute '__path__'
    """

    def attribute(name: str) -> object:
        target = (renamed or {}).get(name, name)
        module = import_module(new)
        if name.startswith("__") or not hasattr(module, target):
            raise AttributeError(f"module {old!r} has no attribute {name!r}")
        warnings.warn(
            f"{old}.{name} has moved: use {new}.{target}", DeprecationWarning, stacklevel=2
        )
        return getattr(module, target)

    return attribute
