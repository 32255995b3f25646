"""Alerts and reports: rules of a file, their schedule and the notifications.

Pure. `fields` reads a table of the file and `rules` turns it into rules. `watch` holds the state of
an alert between checks, `wording` formats notifications.
"""
