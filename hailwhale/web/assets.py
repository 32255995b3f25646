"""The widget and the beacon, a script each, and the third-party files that declared packages ship.

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
# What the packages ship: the file's package, and its path in it.
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
    """A script: its text, that gzipped, and a digest that changes with it."""

    text: str
    zipped: bytes
    digest: str

    @classmethod
    def of(cls, text: str) -> Bundle:
        """The bundle of a text."""
        data = text.encode()
        return cls(text, gzip.compress(data, 9, mtime=0), hashlib.sha256(data).hexdigest()[:16])


def static_folder() -> Path:
    """Where the static files are: inside the package when installed, beside it in a checkout."""
    installed = _PACKAGE / "static"
    return installed if installed.is_dir() else _PACKAGE.parent / "static"


def vendor_file(name: str) -> Path | None:
    """The installed file that is served under a name of `VENDOR`, None for any other name.

    The packages are found, not imported: nothing of theirs runs.
    """
    if name not in VENDOR:
        return None
    package, path = VENDOR[name]
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"the package {package} is not installed")
    return Path(next(iter(spec.submodule_search_locations))) / path


def widget() -> Bundle:
    """The widget: uPlot, the graphs and the plugin, with their style, in one scope of its own.

    Only the name HailWhale becomes global, so a uPlot of the page's own stays what it is.
    """
    return _widget(_changed_ns())


def embed_script(literal: str) -> str:
    """The script of an embedded graph; `literal` is what it is called with, as JavaScript."""
    return f"(request=>{{{_embed(_changed_ns())}embed(request);\n}})({literal});\n"


def _changed_ns() -> tuple[tuple[str, int], ...]:
    """Return the files that scripts are joined from, and when each was changed."""
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
    """A text as JavaScript, in the quotes that it has fewer of inside.

    >>> print(_literal('a "b" c'))
    'a "b" c'
    """
    escaped = json.dumps(text)[1:-1].replace('\\"', '"').replace("'", "\\'")
    return f"'{escaped}'"


def _lean_css(text: str) -> str:
    """Remove the comments and the needless white space of a style sheet of ours.

    >>> _lean_css("/* Why. */\\n.a > b,\\n.c {\\n  color: red;\\n}\\n")
    '.a>b,.c{color:red}'
    """
    text = _SPACES.sub(" ", _CSS_COMMENTS.sub("", text))
    return _CSS_MARKS.sub(r"\1", text).replace(";}", "}").strip()


def beacon() -> Bundle:
    """The beacon, which is one file."""
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
