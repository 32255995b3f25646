"""`hailwhale serve` whose Valkey hangs or dies: /count goes on, and all of it is counted once."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from urllib.error import HTTPError

from tests.deploy.running import KILL, VALKEY, WEB, Server, started, until

IMPATIENT = {"HAILWHALE_STORE_TIMEOUT": "0.3"}


def status(server: Server, path: str) -> int:
    try:
        server.get(path, pk="Shop")
    except HTTPError as answer:
        with answer:
            return answer.code
    return 200


def test_counting_goes_on_while_the_store_hangs_or_dies_and_though_the_web_process_dies_too(
    data_dir: Path,
) -> None:
    with started(
        "serve", "--port", "0", "--data-dir", str(data_dir), variables=IMPATIENT
    ) as server:
        valkey, web = server.child(VALKEY), server.child(WEB)
        os.kill(valkey, signal.SIGSTOP)
        assert [status(server, "/count") for _ in range(5)] == [200] * 5
        os.kill(web, KILL)
        until(lambda: server.child(WEB) != web, "another web process")
        assert [status(server, "/count") for _ in range(5)] == [200] * 5
        assert status(server, "/totals") == 503
        assert sum(path.stat().st_size for path in (data_dir / "spool").iterdir()) > 0
        os.kill(valkey, signal.SIGCONT)
        until(lambda: status(server, "/totals") == 200 and server.hits() == 10, "what is spooled")
        os.kill(valkey, KILL)
        assert [status(server, "/count") for _ in range(5)] == [200] * 5
        until(lambda: server.child(VALKEY) != valkey, "another store")
        until(lambda: status(server, "/totals") == 200 and server.hits() == 15, "all the hits")
        until(lambda: not list((data_dir / "spool").iterdir()), "the spool to be empty")
        server.signal(signal.SIGTERM)
        assert server.ended() == 0
