"""Deprecated: the old name of `hailwhale.services.container`."""

from __future__ import annotations

from hailwhale.moved_names import moved

__getattr__ = moved(__name__, "hailwhale.services.container")
