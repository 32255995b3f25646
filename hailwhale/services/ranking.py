"""Deprecated: the old name of `hailwhale.types`."""

from __future__ import annotations

from hailwhale.moved_names import moved

__getattr__ = moved(__name__, "hailwhale.types")
