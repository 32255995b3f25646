"""Child processes of the supervisor: starts, restarts and stops them.

Knows nothing of what a child does.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

_FIRST_WAIT_S = 0.1
_LONGEST_WAIT_S = 10.0
_STABLE_S = 30.0  # after that long, the next exit counts as the first
_KILLED_S = 5.0

log = logging.getLogger("hailwhale.serve")


class ChildProcess:
    """A process `python -m hailwhale.cli ARGUMENTS`, by default in its own process group.

    So Ctrl-C in a terminal reaches only the supervisor, which stops its children in order.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        keep_fds: Sequence[int] = (),
        own_group: bool = True,
    ) -> None:
        self.name = name
        self._arguments = arguments
        self._keep_fds = keep_fds
        self._group = 0 if own_group else None
        self._process: subprocess.Popen[bytes] | None = None
        self._deaths = 0
        self._started_s = 0.0
        self._start_again_s: float | None = None

    def start(self, environ: Mapping[str, str]) -> None:
        """Start the process with these variables."""
        self._start_again_s = None
        self._started_s = time.monotonic()
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-m", "hailwhale.cli", *self._arguments],
            # The child imports the same code as this process, wherever either was started.
            env={**environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
            stdin=subprocess.DEVNULL,
            pass_fds=self._keep_fds,
            process_group=self._group,
        )

    @property
    def exit_code(self) -> int | None:
        """Return the exit code (minus the number of a signal), or None while it runs."""
        return self._process.poll() if self._process is not None else None

    def look_after(self, environ: Mapping[str, str]) -> None:
        """Restart the process if it died, with backoff after repeated failures."""
        if self.exit_code is None:
            return
        now_s = time.monotonic()
        if self._start_again_s is None:
            if now_s - self._started_s > _STABLE_S:
                self._deaths = 0
            wait_s = min(_FIRST_WAIT_S * 2**self._deaths, _LONGEST_WAIT_S)
            self._deaths += 1
            self._start_again_s = now_s + wait_s
            log.warning("%s %s; restarting it in %.1f s", self.name, self.ended(), wait_s)
        elif now_s >= self._start_again_s:
            self._restart(environ)

    def renew(self, environ: Mapping[str, str], patience_s: float) -> None:
        """Stop the process gracefully and start it again."""
        self.stop(patience_s)
        self._restart(environ)

    def _restart(self, environ: Mapping[str, str]) -> None:
        try:
            self.start(environ)
        except OSError as fault:  # out of memory or processes: may be temporary
            log.error("%s could not be started: %s", self.name, fault)

    def ended(self) -> str:
        """Describe how the process ended."""
        code = self.exit_code
        if code is None:
            return "is still running"
        return f"was killed by signal {-code}" if code < 0 else f"exited with code {code}"

    def terminate(self) -> None:
        """Ask the process to end."""
        if self._process is not None:
            self._process.terminate()

    def stop(self, patience_s: float) -> None:
        """Stop the process gracefully; kill it after `patience_s`."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            log.warning("%s did not exit within %.0f s: killing it", self.name, patience_s)
            self._process.kill()
            self._process.wait(_KILLED_S)
