"""A reader who does what a page says, in a folder of their own, with one service running.

Commands are typed as they stand; only the port and the folder are others.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit
from urllib.request import urlopen

from hailwhale.core.events.param_names import singular_of
from hailwhale.core.query.parameters import PLOT_PARAMETERS
from tests.deploy.running import DEADLINE_S, Server, environ
from tests.docs.blocks import Block, Command, as_shown, commands

PORT = "localhost:8085"
_ASKING = {each for name in PLOT_PARAMETERS for each in (name, singular_of(name))}
# As a reader types: what was counted by one line is there when the next one asks.
_DOCTEST = """
import doctest, sys, urllib.request
class Typed(doctest.DocTestRunner):
    def report_start(self, out, test, example):
        urllib.request.urlopen(sys.argv[1] + "/flush_hail").close()
test = doctest.DocTestParser().get_doctest(sys.stdin.read(), {}, "the page", None, 0)
flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
sys.exit(Typed(optionflags=flags).run(test).failed > 0)
"""


@dataclass(frozen=True, slots=True)
class Reader:
    """Types blocks in a folder, next to a service.

    `elsewhere` are places on the page, and where they are here.
    """

    folder: Path
    server: Server
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    def does(self, block: Block) -> list[str]:
        """Type a block; what was not as the page shows it."""
        if block.language == "console":
            found = [self._types(command) for command in commands(block)]
        elif block.language == "pycon":
            found = [self._tries(block.text)]
        elif block.language == "html":
            found = [self._loads(url) for url in re.findall(r'src="([^"]+)"', block.text)]
        else:
            raise ValueError(f"who can type {block.language}?")
        return [f"line {block.line}: {wrong}" for wrong in found if wrong]

    def here(self, text: str) -> str:
        """A text of the page, with the places that it names as they are here."""
        for there, here in self.elsewhere.items():
            text = text.replace(there, here)
        return text.replace(PORT, f"localhost:{self.server.address[1]}")

    def _counted(self) -> None:
        """Have counted what was accepted: a reader is slower than the drain."""
        self.server.get("/flush_hail")

    def _types(self, command: Command) -> str:
        self._counted()
        found = self._run(["bash", "-c", self.here(command.words)])
        if found.returncode == 0 and as_shown(command.shown, found.stdout):
            return ""
        said = found.stdout if found.returncode == 0 else found.stderr
        return f"{command.words}\n{said}"

    def _tries(self, text: str) -> str:
        doctest = [sys.executable, "-c", _DOCTEST, self.server.url]
        found = self._run(doctest, self.here(text).replace("…", "..."))
        return "" if found.returncode == 0 else found.stdout + found.stderr

    def environ(self) -> dict[str, str]:
        """Of a terminal in which `. .venv/bin/activate` was typed."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return environ(HAILWHALE_PUBLIC_URL=self.server.url, PATH=path)

    def _run(self, command: list[str], typed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environ(),
            input=typed,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )

    def _loads(self, url: str) -> str:
        """Load a graph as its page does, and see that there is something in it to draw."""
        self._counted()
        here = urlsplit(self.here(unescape(url)))
        with urlopen(here.geturl(), timeout=DEADLINE_S) as answer:  # noqa: S310
            assert answer.status == 200
        asked = {key: value for key, value in parse_qsl(here.query) if key in _ASKING}
        series = json.loads(self.server.get("/plotpoints", **asked))
        points = [
            point for metrics in series.values() for each in metrics.values() for point in each
        ]
        return "" if any(value for _, value in points) else f"{url} draws nothing"
