"""What attackers send, by what it is meant for; and where they may put it.

Owns values alone: what must not come of them is for the tests to say.
"""

from __future__ import annotations

import base64
import re

from hailwhale.web.plugins.auth import SEALABLE
from hailwhale.web.routes.openapi import OPERATIONS

KEY = base64.urlsafe_b64encode(b"k" * 32).decode().rstrip("=")

SCRIPTS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "`${alert(1)}`",
    "</title></svg><svg onload=alert(1)>",
    "]]><script>alert(1)</script>",
    "<!--<script>",
    "javascript:alert(1)",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "{{constructor.constructor('alert(1)')()}}",
    "\\u003cscript\\u003e",
    "__proto__",
    "constructor",
]
FORMULAS = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "=cmd|' /C calc'!A0", "＝1+1", "＋1", "－1", "＠A1"]
LINE_BREAKS = [
    "\r\nX-Injected: 1",
    "\nX-Injected: 1",
    "\rX-Injected: 1",
    "a\r\n\r\n<script>alert(1)</script>",
    "\u2028X-Injected: 1",
    "\x85X-Injected: 1",
    "\x0bX-Injected: 1",
    "\x00X-Injected: 1",
    "\x1b[31mX-Injected: 1",
]
DIGITS = "9" * 100_000
NUMBERS = [
    *("NaN", "-NaN", "sNaN", "Infinity", "-Infinity", "1e999999", "-1e999999", "1e-999999"),
    *(
        "1e99999999999999999999",
        "0x7fffffff",
        "1_000",
        "٣",
        "²",
        "-0",
        "+.5e-7",
        "1e30",
        "9" * 5000,
    ),
    *("9223372036854775808", "-9223372036854775809", "0.1e400", "1/0", "--1"),
]
TEXTS = [
    *("", " ", "_", "\x00", "a\x00b", "\x7f", "\ufeff", "\ufffe", "\u202e", "🐳" * 64, "x" * 257),
    *("'", '"', "\\", "%", "%00", "%s%n%x", "$(reboot)", "; rm -rf /", "' OR 1=1 --", "*", "a:b"),
    *("[", "{", "[]", "{}", "[[]]", "[{}]", '["a"', "{'a':", '{"a":1,"a":2}', "[null]", "[NaN]"),
    *(
        "[" * 900,
        '{"a":' * 900,
        "[[[[[[[[[[1]]]]]]]]]]",
        '{"":""}',
        "null",
        "true",
        "../../etc/passwd",
    ),
    *("\r\nSET x 1", "EVAL return 1", "{0}", "{127}:x", "hw:{0}", "\x1e", "\x1d", "a\tb"),
]
RAW = [b"%FF", b"%C0%AF", b"%ED%A0%80", b"%E0%80%AF", b"%F8%88%80%80%80", b"\xff\xfe", b"%", b"%zz"]


# Routes of whale that take parameters; of those with one parser, one.
_SAME_PARSER = ("/count.gif", "/count_now.gif", "/count_decision.gif", "/graph.json", "/graph.svg")
ASKED = sorted(
    rule for rule, operation in OPERATIONS.items() if operation.takes and rule not in _SAME_PARSER
)
PLAIN = {
    "/rank": "pk=Shop&dimension=country",
    "/decide": "pk=Page&options=a,b&by_metric=x",
    "/reasons": "pk=Page&options=a,b&by_metric=x",
    "/count_decision": "pk=Page&option=a",
    "/update_count_to": 'pk=Shop&metrics={"jobs":1}',
    "/reset": "pk=Nothing",
}


def names_of(path: str) -> list[str]:
    """Every name that a route takes, of those with two spellings one, as its parser has them."""
    return [*OPERATIONS[path].takes, *(("token",) if path in SEALABLE else ())]


def around(path: str, name: str) -> str:
    """A fine query for a route, but for one parameter."""
    pairs = PLAIN.get(path, "").split("&")
    singular = re.compile(rf"{re.escape(name.rstrip('s'))}s?=")
    return "&".join(pair for pair in pairs if pair and not singular.match(pair))
