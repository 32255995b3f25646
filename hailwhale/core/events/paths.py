"""Paths of labels: parsing and formatting of pks and dimensions.

Defines the rules for labels, the accepted forms of `pk` and `dimensions`, and prefixes. Takes plain
values (a text, a list, a dict). Knows nothing of URLs, JSON bodies, metrics or stores.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from hailwhale.core.events.limits import DEFAULT_LIMITS, Limits
from hailwhale.errors import BadInput

Path = tuple[str, ...]

OVERALL: Path = ()
NO_PK: Path = ("_",)
PAIRS = "_pairs"  # below it a decision counts which two dimensions came together; see `exposure`

# The Unicode categories Cc, Cs, Zl and Zp, which no version of Unicode will add to.
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

_OVERALL_LABEL = "_"
_LABEL_FORMS = "a string, a number, true or false"
_PK_FORMS = 'a label or a list of labels, such as "Product" or ["Product", "123"]'
_DIMENSION_FORMS = (
    "a label, a list of labels (one path), a list of lists (several paths) or a nested object, "
    'such as {"country": "US"}'
)


def parse_label(value: object, limits: Limits = DEFAULT_LIMITS, parameter: str = "label") -> str:
    """Parse a label: text unchanged, or the text of a finite number or a boolean.

    Raises `BadInput` for anything else, for empty or blank text, for control characters, surrogates
    and line separators, and for more than `limits.label_bytes` bytes of UTF-8.

    >>> parse_label("Zürich"), parse_label(123), parse_label(True)
    ('Zürich', '123', 'true')
    """
    return _PathReader(limits, parameter, _LABEL_FORMS).label(value)


def parse_pk(value: object, limits: Limits = DEFAULT_LIMITS, parameter: str = "pk") -> Path:
    """Parse a pk: a label or a list of labels; `_` if absent or empty.

    >>> parse_pk(["Product", 123]), parse_pk("Product"), parse_pk(None)
    (('Product', '123'), ('Product',), ('_',))
    """
    reader = _PathReader(limits, parameter, _PK_FORMS)
    if _absent(value):
        return NO_PK
    if not isinstance(value, list | tuple):
        return (reader.label(value),)
    if not value:
        raise reader.refused(value)
    return reader.path(value)


def parse_dimensions(
    value: object, limits: Limits = DEFAULT_LIMITS, parameter: str = "dimensions"
) -> tuple[Path, ...]:
    """Return the unique leaf paths of a dimensions value, in order; () means the overall only.

    A label is one path, and so is a list of labels; a list of lists is several. In an object each
    key leads to its value: an object nests, a list adds one path per item.

    >>> parse_dimensions({"country": "US", "tag": ["x", "y"]})
    (('country', 'US'), ('tag', 'x'), ('tag', 'y'))
    >>> parse_dimensions(["country", "US"])
    (('country', 'US'),)
    >>> parse_dimensions("_")
    ()
    """
    found: dict[Path, None] = {}
    for path in _PathReader(limits, parameter, _DIMENSION_FORMS).leaf_paths(value):
        if path in (OVERALL, (_OVERALL_LABEL,)):
            continue
        if _OVERALL_LABEL in path:
            raise BadInput(parameter, path, '"_" only on its own: it means the overall')
        if path[0] == PAIRS:
            raise BadInput(
                parameter, path, f"a label other than {PAIRS}, which is reserved for decisions"
            )
        found[path] = None
        if len(found) > limits.paths:
            raise BadInput(parameter, value, f"at most {limits.paths} paths")
    return tuple(found)


def prefixes(path: Path) -> tuple[Path, ...]:
    """Return the nonempty prefixes of a path, shortest first; the last is the path itself.

    >>> prefixes(("country", "US"))
    (('country',), ('country', 'US'))
    """
    return tuple([path[:length] for length in range(1, len(path) + 1)])


def expand(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return where an event with these leaf paths is counted: the overall and every prefix.

    >>> expand([("b", "x"), ("b", "y")])
    ((), ('b',), ('b', 'x'), ('b', 'y'))
    """
    found = {OVERALL: None}
    for path in paths:
        found.update(dict.fromkeys(prefixes(path)))
    return tuple(found)


def written(path: Path) -> str:
    """Format a path: its label when one deep, else a JSON list; `_` for the overall.

    The text parses back to the path: a label that looks like JSON is written as a list, too.

    >>> written(("country",)), written(("country", "US")), written(())
    ('country', '["country", "US"]', '_')
    >>> written(("[sic]",))
    '["[sic]"]'
    """
    if not path:
        return _OVERALL_LABEL
    if len(path) == 1 and not path[0].lstrip().startswith(("[", "{")):
        return path[0]
    return json.dumps(path, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class _PathReader:
    """Reads labels and paths of one parameter; `forms` is what to say it takes."""

    limits: Limits
    parameter: str
    forms: str

    def label(self, value: object) -> str:
        label = value if isinstance(value, str) else self._text(value)
        if not label or label.isspace():
            raise self.refused(value, "labels that are not empty")
        if UNPRINTABLE.search(label):
            raise self.refused(value, "labels without control characters or line breaks")
        if len(label.encode()) > self.limits.label_bytes:
            raise self._too_long(value)
        return label

    def path(self, labels: Sequence[object]) -> Path:
        self._bound(labels)
        return tuple([self.label(label) for label in labels])

    def leaf_paths(self, value: object) -> Iterator[Path]:
        """Return the paths in any form of dimensions; the overall appears as () or ("_",)."""
        if _absent(value):
            return
        if isinstance(value, Mapping):
            yield from self._below(OVERALL, value)
        elif not isinstance(value, list | tuple):
            yield (self.label(value),)
        elif any(isinstance(item, list | tuple) for item in value):
            for item in value:
                if not isinstance(item, list | tuple):
                    raise self.refused(value)
                yield self.path(item)
        else:
            yield self.path(value)

    def _below(self, above: Path, node: Mapping[object, object]) -> Iterator[Path]:
        """Yield the leaf paths of an object below `above`, no deeper than the limit."""
        for key, value in node.items():
            path = (*above, self.label(key))
            self._bound(path)
            items = value if isinstance(value, list | tuple) else [value]
            if not items:
                yield path
            for item in items:
                if not isinstance(item, Mapping):
                    yield self.path((*path, item))
                elif item:
                    yield from self._below(path, item)
                else:
                    yield path

    def _bound(self, path: Sequence[object]) -> None:
        if len(path) > self.limits.depth:
            raise self.refused(path, f"paths of at most {self.limits.depth} labels")

    def _text(self, value: object) -> str:
        """Return the text of a number or boolean; a float reads as the same number in JSON."""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float):
            value = Decimal(float.__repr__(value))
        if isinstance(value, Decimal) and value.is_finite():
            return str(value)
        if isinstance(value, int):
            try:
                return str(value)
            except ValueError as fault:  # thousands of digits
                raise self._too_long(value) from fault
        raise self.refused(value)

    def _too_long(self, value: object) -> BadInput:
        return self.refused(value, f"labels of at most {self.limits.label_bytes} bytes")

    def refused(self, got: object, expected: str = "") -> BadInput:
        return BadInput(self.parameter, got, expected or self.forms)


def _absent(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value)
