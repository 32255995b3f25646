"""HailWhale: real-time counting of rolled-up, multi-dimensional metrics.

`hailwhale.whale.Whale` counts and answers, `hailwhale.hail.Hail` buffers, `hailwhale.periods` has
the periods. The same over HTTP: `hailwhale.wsgi`; from a terminal: the command `hailwhale`.
"""

__version__ = "1.0.0.dev0"
