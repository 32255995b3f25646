"""Graphite's words for what HailWhale counts: dotted paths, targets, times and functions.

Pure. `paths` maps a pk, a dimension and a metric to a dotted path and back, `target` reads what a
request asks for, `times` its from and until; `curves` is what may be made of series, and
`functions` how that is asked for.
"""
