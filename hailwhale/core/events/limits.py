"""Size limits of one event, enforced by the parsers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The maximum size of one event.

    `depth` labels per path, `paths` dimension paths, `metrics` metrics, `label_bytes` bytes of
    UTF-8 per label or metric name, `event_bytes` bytes in the whole event as received. It adds to
    at most `cells` cells in `rollups` rollups (see `event_cost`).
    """

    depth: int = 8
    paths: int = 32
    metrics: int = 32
    label_bytes: int = 256
    event_bytes: int = 64 * 1024
    cells: int = 20_000
    rollups: int = 4


DEFAULT_LIMITS = Limits()
