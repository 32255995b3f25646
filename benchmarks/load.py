"""Load from another process: HTTP requests by `wrk`, HINCRBYFLOAT by `redis-benchmark`.

Both are Debian packages (wrk; redis-tools or valkey-tools). Where one is missing,
`benchmarks.stand_in` takes its place. Knows command lines and outputs, not what is measured.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

CONNECTIONS = 32
PIPELINED = 64
HASHES = 100_000
STAND_IN = "benchmarks.stand_in"

_WRK_SCRIPT = """
local paths, at = {{}}, 0
for line in io.lines("{file}") do paths[#paths + 1] = line end
request = function()
  at = at % #paths + 1
  return wrk.format("GET", paths[at], {{["Accept"] = "image/*"}})
end
"""


@dataclass(frozen=True, slots=True)
class Served:
    """How many requests were answered with success, and at what rate a second."""

    requests: int
    rate: float


def http_tool() -> str:
    """What makes the HTTP load here."""
    return "wrk" if shutil.which("wrk") else STAND_IN


def increment_tool() -> str:
    """What makes the load of HINCRBYFLOAT here."""
    tools = ("valkey-benchmark", "redis-benchmark")
    return next((tool for tool in tools if shutil.which(tool)), STAND_IN)


def http_load(port: int, paths: Sequence[str], seconds: int) -> Served:
    """GET `paths` round and round over `CONNECTIONS` keep-alive connections.

    Raises RuntimeError when an answer had another status than 200.
    """
    with TemporaryDirectory() as folder:
        listed = Path(folder) / "paths"
        listed.write_text("\n".join(paths))
        if http_tool() == STAND_IN:
            return _stand_in("http", str(port), str(listed), str(seconds))
        script = Path(folder) / "paths.lua"
        script.write_text(_WRK_SCRIPT.format(file=listed))
        options = ["-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script)]
        out = _output(["wrk", *options, f"http://127.0.0.1:{port}"])
    failed = re.search(r"Non-2xx.*|Socket errors.*", out)
    if failed:
        raise RuntimeError(f"wrk: {failed.group()}")
    return Served(int(_found(r"(\d+) requests in", out)), _found(r"Requests/sec:\s+([\d.]+)", out))


def increments_per_s(url: str, increments: int) -> float:
    """HINCRBYFLOAT on random ones of `HASHES` hashes, `PIPELINED` in flight a connection.

    `url` is the `unix://` or `redis://` URL of the server.
    """
    tool = increment_tool()
    if tool == STAND_IN:
        return _stand_in("redis", url, str(increments)).rate
    where = ["-s", url.removeprefix("unix://")]
    if url.startswith("redis://"):
        host, port = url.removeprefix("redis://").partition("/")[0].rsplit(":", 1)
        where = ["-h", host, "-p", port]
    options = ["-P", str(PIPELINED), "-n", str(increments), "-r", str(HASHES), "--csv"]
    out = _output([tool, *where, *options, "HINCRBYFLOAT", "b:__rand_int__", "13:usd", "19.99"])
    return _found(r'"HINCRBYFLOAT[^"]*","([\d.]+)"', out)


def _stand_in(*args: str) -> Served:
    done, took_s = _output([sys.executable, "-m", STAND_IN, *args]).split()
    return Served(int(done), int(done) / float(took_s))


def _output(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stdout}{done.stderr}")
    return done.stdout


def _found(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    if not found:
        raise RuntimeError(f"no {pattern!r} in {text!r}")
    return float(found.group(1))
