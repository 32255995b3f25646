"""Alerts and reports: rules as a file has them, when they are due, and what is to be told.

Pure. `fields` reads a table of the file, `rules` makes rules of it, `watch` is how an alert stands
from check to check, `wording` what a notice says.
"""
