"""An independent model of counting and answering, and random streams that are held against it.

`calendar`, `counts`, `formulas` and `streams` import nothing of the package: what they compute
follows from sentences of the documentation, which their comments quote. `ways_in` and `ways_out`
drive the package, and `run` compares.
"""
