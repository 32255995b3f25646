"""The widget and the beacon, a script each, and the third-party files that declared packages ship.

Owns which files of ``static/`` make up the widget and in which order. They are joined as they are,
less comments and indentation: there is no build step, and an edit shows at the next request.
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

_PACKAGE = Path(hailwhale.__file__).parent
SCRIPTS = (
    *(
        "options",
        "model",
        "stacking",
        "scales",
        "formats",
        "csv",
        "tables",
        "dom",
        "source",
        "plot",
    ),
    *("legend", "readout", "reading", "table", "numbers", "frame", "picture", "graph"),
)
STYLES = ("palette", "frame", "parts")
# What the packages ship: the file's package, and its path in it.
VENDOR = {
    "jquery.js": ("xstatic.pkg.jquery", "data/jquery.min.js"),
    "uplot.js": ("youplot", "vendor/uplot.iife.min.js"),
    "uplot.css": ("youplot", "vendor/uplot.min.css"),
}
_COMMENTS = re.compile(r"^\s*/\*.*?\*/\n|^\s*//[^\n]*\n", re.MULTILINE | re.DOTALL)
_BETWEEN_RULES = re.compile(r"\s*([{};])\s*")
_INDENTS = re.compile(r"\n\s+")


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
    static = static_folder()
    scripts = [static / "hailwhale" / f"{name}.js" for name in SCRIPTS]
    styles = [static / "hailwhale" / f"{name}.css" for name in STYLES]
    files = (*scripts, static / "jquery.hailwhale.js", *styles)
    return _joined(files, tuple(file.stat().st_mtime_ns for file in files))


@lru_cache(1)
def _joined(files: tuple[Path, ...], _changed_ns: tuple[int, ...]) -> Bundle:
    uplot, uplot_css = (_vendor_text(name) for name in ("uplot.js", "uplot.css"))
    own = {file: lean(file.read_text(encoding="utf-8")) for file in files}
    styles = "".join(text for file, text in own.items() if file.suffix == ".css")
    style = uplot_css + _BETWEEN_RULES.sub(r"\1", styles)
    script = "".join(text for file, text in own.items() if file.suffix == ".js")
    return Bundle.of(
        "(function(){if(globalThis.HailWhale&&HailWhale.Graph)return;\n"
        f"{uplot}\nglobalThis.HailWhale=Object.assign(globalThis.HailWhale||{{}},"
        f"{{uPlot:uPlot,css:{json.dumps(style)}}});\n{script}}})();\n"
    )


def beacon() -> Bundle:
    """The beacon, which is one file."""
    file = static_folder() / "hailwhale.beacon.js"
    return _lean_bundle(file, file.stat().st_mtime_ns)


@lru_cache(1)
def _lean_bundle(file: Path, _changed_ns: int) -> Bundle:
    return Bundle.of(lean(file.read_text(encoding="utf-8")))


def lean(text: str) -> str:
    """A file of ours without its comments and indentation: they are for whoever reads the source.

    >>> lean("/* Why. */\\nif (a) {\\n  // because\\n  b();\\n}\\n")
    'if (a) {\\nb();\\n}\\n'
    """
    return _INDENTS.sub("\n", _COMMENTS.sub("", text)).lstrip("\n")


def _vendor_text(name: str) -> str:
    file = vendor_file(name)
    if file is None:
        raise FileNotFoundError(name)
    return file.read_text(encoding="utf-8")
