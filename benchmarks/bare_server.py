"""The least that a server of the same kind must do: a yardstick for ours.

`python -m benchmarks.bare_server [READS]` serves under the same WSGI server, with the same
settings, a Bottle application without anything of HailWhale: `/count` answers a constant GIF;
`/reads` answers from the Redis reads listed in the file READS, made by hand.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import bottle
import redis

from hailwhale.commands.serve.sockets import listen
from hailwhale.commands.serve.wsgi_servers import server
from hailwhale.settings import Settings
from hailwhale.web.lazy_app import LazyApp

Reads = list[tuple[str, list[str]]]  # a hash and the fields wanted of it

_GIF = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)


def bare_app(redis_url: str, reads: Reads) -> bottle.Bottle:
    """The application; it connects at the first /reads."""
    app = bottle.Bottle()
    client = redis.Redis.from_url(redis_url)

    @app.get("/count")
    def count() -> bottle.HTTPResponse:
        return bottle.HTTPResponse(_GIF, 200, {"Content-Type": "image/gif"})

    @app.get("/reads")
    def points() -> dict[str, Any]:
        return {"points": by_hand(client, reads)}

    return app


def by_hand(client: redis.Redis, reads: Reads) -> list[list[float]]:
    """The reads as someone writes them who has the keys at hand, and needs no exact sums."""
    pipeline = client.pipeline(transaction=False)
    for key, fields in reads:
        pipeline.hmget(key, fields)
    return [[float(value or 0) for value in values] for values in pipeline.execute()]


def main() -> None:
    """Serve until stopped by a signal."""
    settings = Settings.from_env()
    reads = json.loads(Path(sys.argv[1]).read_text()) if len(sys.argv) > 1 else []
    app = LazyApp(lambda _services: bare_app(settings.redis_url, reads), settings)
    server(settings)(app, settings, listen(settings.host, settings.port))


if __name__ == "__main__":
    main()
