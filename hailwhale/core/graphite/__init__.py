"""Graphite compatibility: dotted paths, targets, times and functions.

Pure. `paths` maps a pk, a dimension and a metric to a dotted path and back. `target` parses what a
request asks for, `times` its from and until. `curves` computes on series, `functions` maps
Graphite's function names to those computations.
"""
