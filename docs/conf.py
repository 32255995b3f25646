"""How the docs are built: `make docs`."""

import inspect
import re
import sys
from pathlib import Path

from sphinx.util.inspect import TypeAliasForwardRef

from hailwhale import types

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "HailWhale"
author = "the HailWhale authors"
project_copyright = author
extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "inline_svg", "openapi_routes"]
default_role = "literal"  # a `name` in a docstring
exclude_patterns = ["_build"]
# Pygments knows no quotes over several lines of a console; it colours the rest all the same.
suppress_warnings = ["misc.highlighting_failure"]
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_type_aliases = {name: f"hailwhale.types.{name}" for name in types.__all__}
# Sphinx writes an alias within a union as its repr: that is to be its name.
TypeAliasForwardRef.__repr__ = lambda alias: alias.name.rpartition(".")[2]
html_theme = "furo"
html_title = "HailWhale"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#00629e", "color-brand-content": "#00629e"},
    "dark_css_variables": {"color-brand-primary": "#7cc4f5", "color-brand-content": "#7cc4f5"},
}


def setup(app):
    """Register how docstrings are shown."""

    def as_code(_app, _what, _name, _thing, _options, lines):
        """Show a `name` in a docstring as code: its content is neither markup nor a type's name."""
        lines[:] = [re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", line) for line in lines]

    app.connect("autodoc-process-docstring", as_code, priority=400)  # before napoleon reads them

    def on_the_class(_app, what, _name, thing, _options, signature, returns):
        """Keep the first parameter of methods called on the class; autodoc takes it for self."""
        whole = getattr(thing, "__signature__", None)
        if what != "method" or whole is None:
            return signature, returns
        bare = [each.replace(annotation=each.empty) for each in whole.parameters.values()]
        return str(inspect.Signature(bare)), None

    app.connect("autodoc-process-signature", on_the_class)
