"""Dotted paths: the Graphite notation of a pk, a dimension and a metric, and patterns of them.

A path consists of the labels of the pk, then the word ``by`` and the labels of the dimension if
there is one, then the metric or formula::

    Shop.revenue                        the pk Shop, overall
    Product.7.revenue                   the pk Product > 7
    Shop.by.country.US.dollars/hits     the pk Shop, the dimension country > US, a formula

In a label every character but letters, digits and ``_ - / : @`` is percent-encoded as UTF-8. A
label that equals ``by`` is written ``%62y``. So each path names exactly one series.

Knows nothing of stores, or of what is computed from series.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate
from itertools import product
from urllib.parse import quote, unquote

from hailwhale.core.events.limits import DEFAULT_LIMITS, Limits
from hailwhale.core.events.paths import OVERALL, Path, parse_label
from hailwhale.errors import BadInput

BY = "by"
_BY_ESCAPED = "%62y"
_SAFE = "_-/:@"
_MAX_CHARS = 4096
_MAX_CHOICES = 100  # that braces of one node may come to
_MAX_CHOICE_CHARS = 8_192  # of all of them together, for each is compiled
_MAX_WILD = 32  # stars and brackets of one node, for translating a bracket reads all that follows
_WILD = re.compile(r"[*?\[\]{}]")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_BRACES = re.compile(r"\{([^{}]*)\}")
_FORM = "a path such as Shop.by.country.US.revenue; see /metrics/find"


def node_of(label: str) -> str:
    """Return the path node of a label.

    >>> node_of("US"), node_of("v1.2 (beta)"), node_of("by")
    ('US', 'v1%2E2%20%28beta%29', '%62y')
    """
    if label == BY:
        return _BY_ESCAPED
    return "".join(c if c.isalnum() or c in _SAFE else _escaped(c) for c in label)


def label_of(node: str) -> str:
    """Return the label of a path node; raise `BadInput` for an invalid escape.

    >>> label_of("v1%2E2")
    'v1.2'
    """
    if _ESCAPE.search(node):
        raise BadInput("target", node, "percent-encoded UTF-8, with %25 for a percent sign")
    try:
        return unquote(node, errors="strict")
    except UnicodeDecodeError as fault:
        raise BadInput("target", node, "percent-encoded UTF-8") from fault


@dataclass(frozen=True, slots=True)
class SeriesPath:
    """Name the pk, dimension and metric of one series."""

    pk: Path
    dimension: Path
    metric: str

    @property
    def path(self) -> str:
        """Return the dotted path.

        >>> SeriesPath(("Shop",), ("country", "US"), "dollars/hits").path
        'Shop.by.country.US.dollars/hits'
        """
        return ".".join([*branch_nodes(self.pk, self.dimension), node_of(self.metric)])


def branch_nodes(pk: Path, dimension: Path = OVERALL) -> list[str]:
    """Return the path nodes above the metrics of a pk and a dimension."""
    between = [BY] if dimension else []
    return [*map(node_of, pk), *between, *map(node_of, dimension)]


@dataclass(frozen=True, slots=True)
class PathNode:
    """One node of a pattern: a plain text, or a wildcard with ``* ? [ab] {a,b}``."""

    text: str

    @property
    def is_wild(self) -> bool:
        """Return whether the node can match more than one label."""
        return _WILD.search(self.text) is not None

    def label(self, limits: Limits) -> str:
        """Return the label of a node without wildcards; raise `BadInput` if it is invalid."""
        return parse_label(label_of(self.text), limits, "target")

    def matching(self, labels: Iterable[str]) -> list[str]:
        """Return the labels that match, in their order.

        >>> PathNode("{U*,CA}").matching(["CA", "DE", "UK", "US"])
        ['CA', 'UK', 'US']
        """
        patterns = self._patterns()
        return [
            label
            for label in sorted(labels)
            if any(pattern.match(node_of(label)) for pattern in patterns)
        ]

    def matches_word(self, word: str) -> bool:
        """Return whether the node matches a keyword of the grammar, which is not a label.

        >>> PathNode("b*").matches_word("by"), PathNode("%62y").matches_word("by")
        (True, False)
        """
        return any(pattern.match(word) for pattern in self._patterns())

    def _patterns(self) -> list[re.Pattern[str]]:
        return [re.compile(translate(choice)) for choice in _choices(self.text)]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A parsed pattern: nodes of the pk and of the dimension (None without ``by``), last node."""

    text: str
    pk: tuple[PathNode, ...]
    dimension: tuple[PathNode, ...] | None
    last: PathNode

    @classmethod
    def parse(cls, text: str, parameter: str = "target") -> Pattern:
        """Parse a dotted pattern; raise `BadInput` if it is invalid.

        >>> found = Pattern.parse("Shop.by.country.*.revenue")
        >>> [node.text for node in found.dimension], found.last.text
        (['country', '*'], 'revenue')
        """
        nodes = text.split(".")
        if not text or len(text) > _MAX_CHARS or not all(nodes):
            raise BadInput(parameter, text, _FORM)
        for node in nodes:
            if node.count("{") != node.count("}") or node.count("{") != len(_BRACES.findall(node)):
                raise BadInput(parameter, text, "braces within one node, such as {US,CA}")
        *above, last = map(PathNode, nodes)
        words = [node.text for node in above]
        if BY not in words:
            return cls(text, tuple(above), None, last)
        at = words.index(BY)
        if at == 0 or BY in words[at + 1 :]:
            raise BadInput(parameter, text, f"{_FORM}; write the label {BY} as {_BY_ESCAPED}")
        return cls(text, tuple(above[:at]), tuple(above[at + 1 :]), last)


def address_of(pattern: Pattern, limits: Limits = DEFAULT_LIMITS) -> SeriesPath:
    """Return the series that a pattern without wildcards names; raise `BadInput` if it names none.

    >>> address_of(Pattern.parse("Shop.by.country.US.revenue")).dimension
    ('country', 'US')
    """
    pk = tuple(node.label(limits) for node in pattern.pk)
    dimension = tuple(node.label(limits) for node in pattern.dimension or ())
    if not pk or pattern.dimension == () or max(len(pk), len(dimension)) > limits.depth:
        raise BadInput("target", pattern.text, _FORM)
    return SeriesPath(pk, dimension, label_of(pattern.last.text))


def _choices(text: str) -> list[str]:
    """Expand the braces of a pattern into every alternative.

    >>> _choices("a{b,c}d")
    ['abd', 'acd']
    """
    parts = _BRACES.split(text)  # texts, and between them what stood in braces
    options = [part.split(",") if place % 2 else [part] for place, part in enumerate(parts)]
    count = 1
    for option in options:
        count *= len(option)
    if count > _MAX_CHOICES:
        raise BadInput("target", text, f"braces with at most {_MAX_CHOICES} choices")
    if count > 1 and count * len(text) > _MAX_CHOICE_CHARS:
        expected = f"braces whose choices have at most {_MAX_CHOICE_CHARS} characters together"
        raise BadInput("target", text, expected)
    if text.count("*") + text.count("[") > _MAX_WILD:
        raise BadInput("target", text, f"at most {_MAX_WILD} stars and brackets in a node")
    return ["".join(chosen) for chosen in product(*options)]


def _escaped(char: str) -> str:
    return f"%{ord(char):02X}" if char.isascii() else quote(char)
