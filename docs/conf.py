"""How the docs are built: `make docs`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "HailWhale"
author = "the HailWhale authors"
project_copyright = author
extensions = ["sphinx.ext.autodoc", "inline_svg", "openapi_routes"]
default_role = "literal"  # a `name` in a docstring
exclude_patterns = ["_build"]
# Pygments knows no quotes over several lines of a console; it colours the rest all the same.
suppress_warnings = ["misc.highlighting_failure"]
autodoc_member_order = "bysource"
autodoc_typehints = "description"
html_theme = "furo"
html_title = "HailWhale"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#00629e", "color-brand-content": "#00629e"},
    "dark_css_variables": {"color-brand-primary": "#7cc4f5", "color-brand-content": "#7cc4f5"},
}
