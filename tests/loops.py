"""Event loops for tests that run next to that of a browser.

Playwright keeps a loop running in the thread of the tests, in which no other may run, until the
last browser test of the process is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

R = TypeVar("R")


def run_async(coroutine: Coroutine[Any, Any, R]) -> R:
    """What a coroutine comes to, in a loop and a thread of its own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


@contextmanager
def no_loop_running() -> Iterator[None]:
    """Hides the browser's loop, which rests as long as nobody asks its browser for anything."""
    resting = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(resting)
