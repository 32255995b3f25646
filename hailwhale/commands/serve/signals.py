"""Signal handling of all long-running processes: end with the parent, stop on a signal."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

GRACE_S = 5  # for requests in flight when a server stops

_PR_SET_PDEATHSIG = 1  # from <linux/prctl.h>
_LOOK_S = 1.0


def end_with_parent(parent_pid: int, with_signal: int = signal.SIGKILL) -> None:
    """End this process when its parent ends, however that happens.

    The child calls this first. On Linux the kernel sends `with_signal` as soon as the thread that
    started this process ends; elsewhere a thread checks the parent's id once a second.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, with_signal)
    else:
        threading.Thread(target=_watch, args=(parent_pid, with_signal), daemon=True).start()
    if os.getppid() != parent_pid:  # it ended before the signal was requested
        os.kill(os.getpid(), with_signal)


def _watch(parent_pid: int, with_signal: int) -> None:
    while os.getppid() == parent_pid:
        time.sleep(_LOOK_S)
    os.kill(os.getpid(), with_signal)


def stop_on_signals() -> threading.Event:
    """Return an event that is set on SIGTERM or SIGINT.

    A thread sets it, because a handler could interrupt the main thread while it holds the event's
    own lock. The thread reads the interpreter's wakeup file descriptor, which gets every signal,
    whichever thread the kernel delivers it to. Blocking the signals and waiting for them would not
    work, because numpy's threads do not block them.
    """
    stop = threading.Event()
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)

    def wait() -> None:
        os.read(readable, 1)
        stop.set()

    threading.Thread(target=wait, name="signals", daemon=True).start()
    return stop
