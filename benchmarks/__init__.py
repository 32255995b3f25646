"""What HailWhale costs, each figure beside a yardstick measured in the same run.

`python -m benchmarks` prints the table; docs/benchmarks.rst says how to read it. One module holds
one bench: a function `run(effort)` that returns the rows of the table it fills. The product is used
through its public doors only, so a bench cannot know how a figure comes about.
"""
