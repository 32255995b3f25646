"""How the docs are built: `make docs`."""

project = "HailWhale"
author = "the HailWhale authors"
extensions = ["sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
html_theme = "alabaster"
autodoc_member_order = "bysource"
autodoc_typehints = "description"
