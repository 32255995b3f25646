"""Measures what HailWhale costs, and compares each figure with a yardstick from the same run.

`python -m benchmarks` prints the table; docs/benchmarks.rst says how to read it. Each module is one
benchmark: a function `run(effort)` that returns its rows of the table. Benchmarks use the public
API only, so none depends on how a figure is computed.
"""
