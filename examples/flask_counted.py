"""A Flask app whose requests are counted, with HailWhale mounted in it at /hailwhale.

    pip install flask hailwhale
    python -m examples.flask_counted

Open http://localhost:8000/products/7 a few times, then
http://localhost:8000/hailwhale/rank?pk=Requests&dimensions=route&metrics=requests,duration_s/requests
"""

from __future__ import annotations

import os
from wsgiref.simple_server import make_server

from flask import Flask
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from hailwhale.client import Client
from hailwhale.contrib.request_events import EventCounter
from hailwhale.contrib.wsgi import CountRequests


def make_app(counter: EventCounter) -> Flask:
    """A shop of two pages. Its requests are counted by `counter`."""
    app = Flask(__name__)

    @app.get("/products/<int:number>")
    def product(number: int) -> str:
        return f"Product {number}"

    @app.get("/products/<int:number>/stock")
    def stock(number: int) -> str:
        raise NotFound(f"nobody has counted product {number}")

    app.wsgi_app = CountRequests(app.wsgi_app, counter)  # type: ignore[method-assign]
    return app


def main() -> None:
    """Serve both on port 8000."""
    from hailwhale.wsgi import application

    client = Client(os.environ.get("COUNTED_AT", "http://localhost:8000/hailwhale"))
    both = DispatcherMiddleware(make_app(client), {"/hailwhale": application})
    with make_server("127.0.0.1", 8000, both) as server:
        print("http://localhost:8000")
        server.serve_forever()


if __name__ == "__main__":
    main()
