"""Pictures of pictures/*.svg stand in the page itself, so that they take the colours of its theme.

An SVG of an `<img>` cannot see whether a reader switched the page to dark; one within the page has
its CSS variables. Where they are missing (on GitHub) the picture has colours of its own.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

FOLDER = "pictures/"


class InlineSvg(SphinxPostTransform):
    """Puts the file in the place of the image; its `alt` is what a screen reader says."""

    default_priority = 500
    formats = ("html",)

    def run(self, **_: Any) -> None:
        for image in list(self.document.findall(nodes.image)):
            if image["uri"].startswith(FOLDER) and image["uri"].endswith(".svg"):
                text = (Path(self.env.srcdir) / image["uri"]).read_text(encoding="utf-8")
                alt = escape(" ".join(image.get("alt", "").split()))
                tag = f'<svg role="img" aria-label="{alt}" class="picture"'
                made = re.sub(r"<svg", tag, text, count=1)
                image.replace_self(nodes.raw("", made, format="html"))


def setup(app: Sphinx) -> dict[str, Any]:
    """Sphinx's hook."""
    app.add_post_transform(InlineSvg)
    return {"parallel_read_safe": True}
