"""The service as a program and as WSGI applications.

`python hailwhale/wsgi.py` runs `hailwhale serve`. Another WSGI server can load
`hailwhale.wsgi:application` (whale, with /count counting at once) and
`hailwhale.wsgi:hail_application` (hail). Both read the HAILWHALE_* settings and open their store at
the first request. Several server processes need one store that outlives each of them: set
HAILWHALE_REDIS_URL for those.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in hailwhale.cli, before numpy is imported

if __name__ == "__main__":
    # When this file is run, its folder is first on the import path, and its modules would
    # shadow libraries of the same names. The package is in the folder above.
    _here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [
        os.path.dirname(_here),
        *(place for place in sys.path if os.path.abspath(place) != _here),
    ]

from hailwhale.web.apps import hail_app, whale_app
from hailwhale.web.lazy_app import LazyApp

application = LazyApp(whale_app)
hail_application = LazyApp(hail_app, spooled=True)

if __name__ == "__main__":
    from hailwhale.cli import main

    sys.exit(main(["serve", *sys.argv[1:]]))
