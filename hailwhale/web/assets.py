"""Serves the widget and the beacon, one script each, and the files of third-party packages.

The widget is joined from its modules. There is no build step: an edit shows at the next request.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import hailwhale
from hailwhale.web.js_minifier import minify
from hailwhale.web.js_modules import join

_PACKAGE = Path(hailwhale.__file__).parent
STYLES = ("palette", "frame", "parts")
# Files of third-party packages: the package, and the path in it.
VENDOR = {
    "jquery.js": ("xstatic.pkg.jquery", "data/jquery.min.js"),
    "uplot.js": ("youplot", "vendor/uplot.iife.min.js"),
    "uplot.css": ("youplot", "vendor/uplot.min.css"),
}
_CSS_COMMENTS = re.compile(r"/\*.*?\*/", re.DOTALL)
_SPACES = re.compile(r"\s+")
_CSS_MARKS = re.compile(r" ?([{};,>]) ?|(?<=:) ")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A script: its text, the gzipped text, and a digest of the text."""

    text: str
    zipped: bytes
    digest: str

    @classmethod
    def of(cls, text: str) -> Bundle:
        """Create the bundle of a text."""
        data = text.encode()
        return cls(text, gzip.compress(data, 9, mtime=0), hashlib.sha256(data).hexdigest()[:16])


def static_folder() -> Path:
    """Return the folder of static files: in the installed package, or next to it in a checkout."""
    installed = _PACKAGE / "static"
    return installed if installed.is_dir() else _PACKAGE.parent / "static"


def vendor_file(name: str) -> Path | None:
    """Return the installed file that is served under a name of `VENDOR`; None for other names.

    The packages are located, not imported: none of their code runs.
    """
    if name not in VENDOR:
        return None
    package, path = VENDOR[name]
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"the package {package} is not installed")
    return Path(next(iter(spec.submodule_search_locations))) / path


def widget() -> Bundle:
    """Return the widget: uPlot, the graphs and the plugin, with their style, in one scope.

    Only the name HailWhale becomes global, so the page's own uPlot is not replaced.
    """
    return _widget(_changed_ns())


def embed_script(literal: str) -> str:
    """Return the script of an embedded graph; `literal` is its argument, as JavaScript."""
    return f"(request=>{{{_embed(_changed_ns())}embed(request);\n}})({literal});\n"


def _changed_ns() -> tuple[tuple[str, int], ...]:
    """Return the files that scripts are joined from, with their modification times."""
    static = static_folder()
    files = (static / "jquery.hailwhale.js", *sorted((static / "hailwhale").iterdir()))
    return tuple((file.name, file.stat().st_mtime_ns) for file in files)


@lru_cache(1)
def _widget(_changed_ns: tuple[tuple[str, int], ...]) -> Bundle:
    static = static_folder()
    uplot, uplot_css = (_vendor_text(name) for name in ("uplot.js", "uplot.css"))
    styles = [(static / "hailwhale" / f"{name}.css").read_text(encoding="utf-8") for name in STYLES]
    style = _lean_css("\n".join((uplot_css, *styles)))
    supplied = {"uplot": "$uPlot", "hailwhale.css": "$css"}
    script = join(static / "jquery.hailwhale.js", supplied)
    return Bundle.of(
        "(function(){'use strict';if(globalThis.HailWhale&&HailWhale.Graph)return;\n"
        f"const $css={_literal(style)};\n{uplot}\nconst $uPlot=uPlot;\n{script}}})();\n"
    )


@lru_cache(1)
def _embed(_changed_ns: tuple[tuple[str, int], ...]) -> str:
    return join(static_folder() / "hailwhale" / "embed.js")


def _literal(text: str) -> str:
    """Return a text as a JavaScript literal, in the kind of quotes that needs fewer escapes.

    >>> print(_literal('a "b" c'))
    'a "b" c'
    """
    escaped = json.dumps(text)[1:-1].replace('\\"', '"').replace("'", "\\'")
    return f"'{escaped}'"


def _lean_css(text: str) -> str:
    r"""Remove the comments and the unnecessary white space of one of our style sheets.

    >>> _lean_css("/* Why. */\n.a > b,\n.c {\n  color: red;\n}\n")
    '.a>b,.c{color:red}'
    """
    text = _SPACES.sub(" ", _CSS_COMMENTS.sub("", text))
    return _CSS_MARKS.sub(r"\1", text).replace(";}", "}").strip()


def beacon() -> Bundle:
    """Return the beacon, which is one file."""
    file = static_folder() / "hailwhale.beacon.js"
    return _minified(file, file.stat().st_mtime_ns)


@lru_cache(1)
def _minified(file: Path, _changed_ns: int) -> Bundle:
    return Bundle.of(minify(file.read_text(encoding="utf-8")))


def _vendor_text(name: str) -> str:
    file = vendor_file(name)
    if file is None:
        raise FileNotFoundError(name)
    return file.read_text(encoding="utf-8")
