"""Keeps a data directory and the files in it from everybody but their owner.

Knows the names of what HailWhale and Valkey write there, and changes the modes of nothing else.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from hailwhale.errors import HailWhaleError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OURS = (
    *("appendonlydir", "appendonlydir/*", "*.rdb", "valkey.log", "valkey.sock"),
    *("owner.lock", "address", "seal.keys", "spool", "spool/*"),
)


def make_private(folder: Path) -> None:
    """Create a data directory, or take an existing one and what is in it away from other users.

    A directory of another owner stays as it is, if only its owner and group can write to it: the
    files in it are private all the same. Raises `HailWhaleError` for one that everybody writes to,
    as /tmp, and for files that are another user's to close.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _close(folder)
        for path in _ours_in(folder):
            _close(path)
    except OSError as fault:
        raise HailWhaleError(f"cannot use the data directory: {fault}") from fault


def _close(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if not mode & _OTHERS:
        return
    if mode & stat.S_ISVTX:
        raise HailWhaleError(
            f"cannot use the data directory: every user writes to {path}; choose one of your own "
            "with --data-dir or HAILWHALE_DATA_DIR"
        )
    try:
        path.chmod(mode & ~_OTHERS)
    except PermissionError as fault:
        if path.is_dir() and not mode & stat.S_IWOTH:
            return
        raise HailWhaleError(
            f"cannot use the data directory: other users can read {path}, and its owner is another "
            f"user: let the owner run chmod go= {path}"
        ) from fault


def _ours_in(folder: Path) -> Iterator[Path]:
    for pattern in _OURS:
        for path in folder.glob(pattern):
            if not path.is_symlink() and os.path.exists(path):
                yield path
