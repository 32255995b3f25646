"""How the docs are built: `make docs`."""

project = "HailWhale"
author = "the HailWhale authors"
extensions = ["sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
html_theme = "alabaster"
autodoc_member_order = "bysource"
autodoc_typehints = "description"


def setup(app):
    """The README stands above docs/ and is the first page: its pictures are found from both."""

    def read(_app, _path, _parent, content):
        content[0] = content[0].replace(".. image:: docs/", ".. image:: ")

    app.connect("include-read", read)
