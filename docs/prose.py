"""Check the English of the docs: `python docs/prose.py README.rst docs hailwhale`.

Reports words of docs/vocabulary.txt and sentences that are too long, in reStructuredText files and
in the docstrings and comments of Python files. Code, literals and headings are not checked. It
reads files and knows nothing of the project.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from docutils import nodes
from docutils.core import publish_doctree
from docutils.parsers.rst import Directive, directives, roles

HERE = Path(__file__).parent
VOCABULARY = HERE / "vocabulary.txt"
MAX_WORDS = 32
_CODE = "X"  # stands for a literal: one word that no rule looks at
_ABBREVIATIONS = ("e.g.", "i.e.", "et al.", "etc.", "vs.")
_LITERAL = re.compile(r"``.+?``|`[^`]+`")
# Comments that instruct a tool.
_PRAGMA = re.compile(r"(?:noqa|type:|mypy:|ruff:|fmt:|pragma|!)")
_END = re.compile(r"(?<=[.!?:;])[)\"*”]*\s+(?=[\"(*“]*[A-Z0-9/$])")
# Directives of Sphinx: with text to check, and without.
_WITH_TEXT = ("glossary", "note", "warning", "tip")
_WITHOUT = (
    *("toctree", "openapi", "autoclass", "autofunction", "automodule"),
    *("code-block", "include", "image"),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A place where the prose breaks a rule."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase of the vocabulary, and what to write instead."""

    banned: str
    instead: str
    pattern: re.Pattern[str]


def read_vocabulary(text: str) -> list[Phrase]:
    """Parse lines of `phrase -> replacement`; `#` begins a comment.

    >>> [(each.banned, each.instead) for each in read_vocabulary("# why\\nanew -> again")]
    [('anew', 'again')]
    """
    phrases = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        banned, arrow, instead = (part.strip() for part in line.partition(" -> "))
        if not (banned and arrow and instead):
            raise ValueError(f"vocabulary line {number}: got {line!r}; expected phrase -> words")
        words = r"\s+".join(map(re.escape, banned.split()))
        phrases.append(Phrase(banned, instead, re.compile(rf"\b{words}\b", re.IGNORECASE)))
    return phrases


def sentences(text: str) -> list[str]:
    """Split a paragraph into sentences; a colon or a semicolon ends one too.

    >>> sentences("One of two, e.g. this. Another: That is all")
    ['One of two, e.g. this.', 'Another:', 'That is all']
    """
    for each in _ABBREVIATIONS:
        text = text.replace(each, each.replace(".", "\0"))
    return [each.replace("\0", ".") for each in _END.split(" ".join(text.split()))]


def check_paragraph(text: str, vocabulary: Sequence[Phrase]) -> Iterator[str]:
    """Yield a message for each banned phrase and each long sentence of a paragraph."""
    for phrase in vocabulary:
        if found := phrase.pattern.search(text):
            yield f"write {phrase.instead!r} instead of {' '.join(found[0].split())!r}"
    for sentence in sentences(text):
        count = len(re.findall(r"[\w'’-]+", sentence))
        if count > MAX_WORDS:
            start = " ".join(sentence.split()[:6])
            yield f"a sentence of {count} words, at most {MAX_WORDS}: {start} …"


class _Nested(Directive):
    """A directive whose text is prose."""

    has_content = True
    optional_arguments = 9

    def run(self) -> list[nodes.Node]:
        """Parse the text below the directive."""
        container = nodes.container()
        self.state.nested_parse(self.content, self.content_offset, container)
        return [container]


class _Ignored(Directive):
    """A directive without prose."""

    has_content = True
    optional_arguments = 99
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Drop it."""
        return []


@cache
def _register_sphinx() -> None:
    """Teach docutils the directives and roles of Sphinx that the docs use."""
    for name in _WITH_TEXT:
        directives.register_directive(name, _Nested)
    for name in _WITHOUT:
        directives.register_directive(name, _Ignored)
    for name in ("doc", "term", "ref"):
        roles.register_generic_role(name, nodes.literal)


def paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Yield the paragraphs of a reStructuredText document, with their lines."""
    _register_sphinx()
    settings = {"report_level": 5, "halt_level": 5, "file_insertion_enabled": False}
    tree = publish_doctree(text, settings_overrides=settings)
    for paragraph in tree.findall(nodes.paragraph):
        yield _line_of(paragraph), "".join(map(_prose, paragraph.children))


def _line_of(node: nodes.Node | None) -> int:
    while node is not None and node.line is None:
        node = node.parent
    return node.line or 1 if node is not None else 1


def _prose(node: nodes.Node) -> str:
    if isinstance(node, nodes.literal | nodes.title_reference | nodes.system_message):
        return _CODE
    return node.astext()


def docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Yield the docstrings of a Python file, with the lines at which they begin."""
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, kinds) and (text := ast.get_docstring(node)):
            yield node.body[0].lineno, text


def comments(source: str) -> Iterator[tuple[int, str]]:
    """Yield the comments of a Python file, with the lines at which they begin.

    Consecutive comment lines with the same indentation are one comment. A comment behind code is
    one by itself. Lines that are code or that instruct a tool are left out.

    >>> list(comments("# One\\n# sentence.\\nx = 1  # Another.\\n# y = 2\\n"))
    [(1, 'One sentence.'), (3, 'Another.')]
    """
    first, text, previous = 0, "", (0, 0)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        (line, column), words = token.start, token.string.lstrip("#:").strip()
        if _PRAGMA.match(words) or _is_code(words):
            continue
        if text and (line - 1, column) == previous and not token.line[:column].strip():
            text += f" {words}"
        else:
            if text:
                yield first, text
            first, text = line, words
        previous = (line, column)
    if text:
        yield first, text


def _is_code(comment: str) -> bool:
    """Say whether a comment is Python code: it parses and is not only words, as `x is y` is."""
    try:
        ast.parse(comment)
    except SyntaxError:
        return False
    return any(mark in comment for mark in "=([{")


def check_file(path: Path, vocabulary: Sequence[Phrase]) -> Iterator[Finding]:
    """Yield the findings of a file: a document, or a module's docstrings and comments."""
    text = path.read_text(encoding="utf-8")
    for line, paragraph in _document(text) if path.suffix == ".rst" else _module(text):
        for message in check_paragraph(paragraph, vocabulary):
            yield Finding(path, line, message)


def _document(text: str, first_line: int = 1) -> Iterator[tuple[int, str]]:
    for line, paragraph in paragraphs(text):
        yield first_line + line - 1, paragraph


def _module(source: str) -> Iterator[tuple[int, str]]:
    for line, text in docstrings(source):
        yield from _document(text, line)
    for line, text in comments(source):
        yield line, _LITERAL.sub(_CODE, text)


def files_of(arguments: Sequence[str]) -> Iterator[Path]:
    """Yield the files to check; a folder stands for its .rst and .py files."""
    for path in map(Path, arguments):
        if not path.exists():
            raise FileNotFoundError(f"there is no {path}")
        if path.is_dir():
            yield from sorted([*path.glob("*.rst"), *path.rglob("*.py")])
        else:
            yield path


def main(arguments: Sequence[str]) -> int:
    """Check the given files and folders; return 1 if there is a finding."""
    vocabulary = read_vocabulary(VOCABULARY.read_text(encoding="utf-8"))
    findings = [each for path in files_of(arguments) for each in check_file(path, vocabulary)]
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
