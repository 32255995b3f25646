"""Remove comments and white space from JavaScript, token by token.

The scanner relies on how our formatter writes code. A division has spaces around it; a regular
expression does not begin with a space. Statements end with semicolons. No loop has an empty body
and no array a hole. Names stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_STRING = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"")
_REGEX = re.compile(r"/(?![*/ ]|= )(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"[\w$]+")
_TEMPLATE_TEXT = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*", re.DOTALL)

_SIGNS = frozenset("+-/")
# Separators that are redundant before a closing bracket.
_NEEDLESS = frozenset((";}", ",}", ",]", ",)"))


def minify(code: str) -> str:
    r"""Return the same program in fewer characters.

    >>> minify("/* Why. */\nif (a === 1) {\n  // because\n  b('x  y'); // c\n}\nd = [a - -1,\n];\n")
    "if(a===1){b('x  y')}d=[a- -1];"
    >>> minify("const a = `${b ? `c  d` : /[/ ]+ x/.exec(e)}  f`;\nasync function g() {}\n")
    'const a=`${b?`c  d`:/[/ ]+ x/.exec(e)}  f`;async function g(){}'
    """
    return _spaced(tokens(code, 0, len(code)))


def tokens(code: str, at: int, end: int) -> Iterator[str]:
    """Yield the tokens of a part of a script; white space and comments come as a blank."""
    while at < end:
        sign = code[at]
        if sign == "`":
            after = _template_end(code, at)
            yield _template(code, at, after)
        else:
            found = next(
                (
                    match
                    for pattern in (_SPACE, _COMMENT, _STRING, _REGEX, _WORD)
                    if (match := pattern.match(code, at, end))
                ),
                None,
            )
            after = found.end() if found else at + 1
            yield " " if found and found.re in (_SPACE, _COMMENT) else code[at:after]
        at = after


def _spaced(tokens: Iterator[str]) -> str:
    """Join tokens with the blanks that they need."""
    parts: list[str] = []
    blank = False
    for piece in tokens:
        if piece == " ":
            blank = True
            continue
        if parts and blank and _needs_blank(parts[-1][-1], piece[0]):
            parts.append(" ")
        elif parts and parts[-1] + piece in _NEEDLESS:
            parts.pop()
        parts.append(piece)
        blank = False
    return "".join(parts)


def _needs_blank(before: str, after: str) -> bool:
    return (before in _SIGNS and after in _SIGNS) or (_is_word(before) and _is_word(after))


def _is_word(sign: str) -> bool:
    return sign.isalnum() or sign in "_$"


def _template_end(code: str, at: int) -> int:
    """Return where the template literal that begins at `at` ends, with those inside it."""
    at += 1
    while True:
        text = _TEMPLATE_TEXT.match(code, at)
        at = text.end() if text else at
        if at >= len(code):
            raise ValueError("a template literal has no end")
        if code[at] == "`":
            return at + 1
        at = _hole_end(code, at + 2) + 1


def _hole_end(code: str, at: int) -> int:
    """Return where the `}` of a template's `${` is."""
    depth = 0
    while code[at] != "}" or depth:
        if code[at] == "`":
            at = _template_end(code, at)
            continue
        found = _STRING.match(code, at) or _REGEX.match(code, at)
        if found:
            at = found.end()
            continue
        depth += {"{": 1, "}": -1}.get(code[at], 0)
        at += 1
    return at


def _template(code: str, at: int, end: int) -> str:
    """Return a template literal with the code in its holes minified."""
    parts = ["`"]
    at += 1
    while code[at] != "`":
        text = _TEMPLATE_TEXT.match(code, at)
        after = text.end() if text else at
        parts.append(code[at:after])
        at = after
        if code[at] == "$":
            close = _hole_end(code, at + 2)
            parts.append(f"${{{_spaced(tokens(code, at + 2, close))}}}")
            at = close + 1
    return "".join((*parts, "`"))
