"""How large one event may be: the bounds the parsers hold every event to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one event may carry.

    `depth` labels in a path, `paths` dimension paths, `metrics` metrics, `label_bytes` bytes of
    UTF-8 in a label or metric name, `event_bytes` bytes in the whole event as it arrives.
    """

    depth: int = 8
    paths: int = 32
    metrics: int = 32
    label_bytes: int = 256
    event_bytes: int = 64 * 1024


DEFAULT_LIMITS = Limits()
