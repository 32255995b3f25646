"""Event loops for tests that run beside a browser's.

Playwright keeps a loop running in the thread of the tests, in which no other may run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

R = TypeVar("R")


def run_async(coroutine: Coroutine[Any, Any, R]) -> R:
    """What a coroutine comes to, in a loop and a thread of its own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()
