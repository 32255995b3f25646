"""What can happen to a deployment: each fault lasts as long as its `with`, and is over after it.

One table for the tests, which go through it, and for the soak, which draws from it.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import Any
from unittest.mock import patch

import redis

from hailwhale.store import embedded
from tests.faults.processes import Command, Deployment, wait_for
from tests.faults.slow_valkey import is_loading, load_fast, slow_binary

_LOAD_DELAY_US = "1000"  # for each key or command

Fault = Callable[[Deployment], AbstractContextManager[None]]

# The store


@contextmanager
def store_stopped(deployment: Deployment) -> Iterator[None]:
    """Stopped in good order and started again."""
    deployment.end_valkey(signal.SIGTERM)
    try:
        yield
    finally:
        deployment.valkey.start()


@contextmanager
def store_killed(deployment: Deployment) -> Iterator[None]:
    """Killed and started again on its data."""
    deployment.end_valkey(signal.SIGKILL)
    try:
        yield
    finally:
        deployment.valkey.start()


@contextmanager
def store_emptied(deployment: Deployment) -> Iterator[None]:
    """Killed, and all of its data lost: what it had is gone."""
    deployment.end_valkey(signal.SIGKILL)
    shutil.rmtree(deployment.folder / "data" / "appendonlydir")
    try:
        yield
    finally:
        deployment.valkey.start()


@contextmanager
def store_slow_to_load(deployment: Deployment) -> Iterator[None]:
    """Killed, and started on its data so that it loads them until this is over."""
    valkey = deployment.valkey
    deployment.end_valkey(signal.SIGKILL)
    slow = slow_binary(deployment.folder, _LOAD_DELAY_US)
    with patch.object(embedded, "get_binary_path", lambda: slow):
        valkey.begin()
    try:
        wait_for(lambda: is_loading(valkey.url) or valkey.is_loaded(), "a store that loads")
        yield
    finally:
        load_fast(valkey.url)
        wait_for(valkey.is_loaded, "the store to have loaded its data")


@contextmanager
def store_hung(deployment: Deployment) -> Iterator[None]:
    """It takes connections and requests, and carries them out when this is over."""
    os.kill(deployment.valkey.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(deployment.valkey.pid, signal.SIGCONT)
        # Stopped in the middle of a script for long, it refuses everybody until that is through.
        wait_for(deployment.is_answered, "the store to go on")


@contextmanager
def store_full(deployment: Deployment) -> Iterator[None]:
    """Out of memory, and it may not evict."""
    client: Any = deployment.client
    client.config_set("maxmemory", "1")
    try:
        yield
    finally:
        client.config_set("maxmemory", "0")


@contextmanager
def store_disk_full(deployment: Deployment) -> Iterator[None]:
    """No more can be written to its log.

    It ends itself if it syncs each write, and refuses writes until that works again if not.
    """
    valkey = deployment.valkey
    resource.prlimit(valkey.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            resource.prlimit(valkey.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        wait_for(lambda: not valkey.is_alive() or _writes_well(deployment), "the log to be written")
        if not valkey.is_alive():
            valkey.stop()
            valkey.start()


def _writes_well(deployment: Deployment) -> bool:
    client: Any = deployment.client
    try:
        client.set("written", 1, px=1)
        return bool(client.info("persistence")["aof_last_write_status"] == "ok")
    except redis.RedisError:
        return False


@contextmanager
def spool_disk_full(deployment: Deployment) -> Iterator[None]:
    """The store is gone, and no hail can write to its disk queue: the one cause of a 503."""
    with store_killed(deployment), ExitStack() as stack:
        for pid in deployment.hail.pids():
            with suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
                stack.callback(_unlimited, pid)
        yield


def _unlimited(pid: int) -> None:
    with suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)


@contextmanager
def connections_cut(deployment: Deployment) -> Iterator[None]:
    """Every connection to the store breaks after some bytes, in a request or in an answer."""
    with deployment.proxy.cutting():
        yield


# The processes around it


def killed(victim: str) -> Fault:
    """A SIGKILL for the processes of a name and all of their groups, and a new start."""

    @contextmanager
    def fault(deployment: Deployment) -> Iterator[None]:
        _restart(deployment, victim, Command.kill)
        yield

    return fault


def terminated(victim: str) -> Fault:
    """A SIGTERM for them: each must end in good order, and within seconds."""

    @contextmanager
    def fault(deployment: Deployment) -> Iterator[None]:
        for command in _named(deployment, victim):
            deployment.await_up(command)
        _restart(deployment, victim, _end_in_order)
        yield

    return fault


def paused(victim: str) -> Fault:
    """A SIGSTOP for them: they go on with what they had in hand when it is over."""

    @contextmanager
    def fault(deployment: Deployment) -> Iterator[None]:
        with ExitStack() as stack:
            for command in _named(deployment, victim):
                stack.enter_context(command.paused())
            yield

    return fault


def _named(deployment: Deployment, victim: str) -> Sequence[Command]:
    first, *_ = drains = deployment.drains
    hail, whale = deployment.hail, deployment.whale
    return {"hail": [hail], "a drain": [first], "every drain": drains, "whale": [whale]}[victim]


def _restart(deployment: Deployment, victim: str, end: Callable[[Command], None]) -> None:
    for command in _named(deployment, victim):
        end(command)
        deployment.start_again(command)


def _end_in_order(command: Command) -> None:
    code = command.terminate()
    assert code == 0, f"ended with {code}: {command.log_tail()}"


STORE_FAULTS: Mapping[str, Fault] = {
    "the store is stopped": store_stopped,
    "the store is killed": store_killed,
    "the store loads slowly": store_slow_to_load,
    "the store hangs": store_hung,
    "the store's memory is full": store_full,
    "the store's disk is full": store_disk_full,
    "connections to the store are cut": connections_cut,
}
SPOOL_FAULTS: Mapping[str, Fault] = {"the disk of the spool is full": spool_disk_full}
VICTIMS = ("hail", "a drain", "every drain", "whale")
PROCESS_FAULTS: Mapping[str, Fault] = {
    f"{victim} is {how.__name__}": how(victim)
    for victim in VICTIMS
    for how in (killed, terminated, paused)
}
