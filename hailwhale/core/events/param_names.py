"""Names of parameters: singular and plural are one, the unknown is refused with a suggestion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from hailwhale.errors import BadInput

Fields = Mapping[str, object]  # a request's or an event's parameters by name

_SINGULAR = {
    "dimension": "dimensions",
    "metric": "metrics",
    "period": "periods",
    "option": "options",
}


_SINGULAR_OF = {plural: one for one, plural in _SINGULAR.items()}


def singular_of(name: str) -> str:
    """Return the singular spelling of a parameter name that has one, else the name.

    >>> singular_of("metrics"), singular_of("pk")
    ('metric', 'pk')
    """
    return _SINGULAR_OF.get(name, name)


def normalize_names(fields: Fields, known: Sequence[str]) -> dict[str, object]:
    """Return the fields under their canonical names; `known` lists those names.

    A singular that is itself in `known` stays unchanged. Names that begin with ``_`` are cache
    busters and are dropped. An unknown name raises `BadInput`: a misspelt `metrcis` must not lose
    its dollars silently.

    >>> normalize_names({"metric": "dollars", "_": "1767"}, ["metrics", "pk"])
    {'metrics': 'dollars'}
    >>> normalize_names({"metrcis": "dollars"}, ["metrics", "pk"])
    Traceback (most recent call last):
    ...
    hailwhale.errors.BadInput: metrcis: got 'dollars'; expected a parameter named pk or metric(s); did you mean metrics?
    """  # noqa: E501
    settled: dict[str, object] = {}
    for name, value in fields.items():
        if isinstance(name, str) and name.startswith("_"):
            continue
        chosen = name if name in known or not isinstance(name, str) else _other_spelling(name)
        if chosen not in known:
            raise BadInput(_nameable(name), value, _known_names(name, known))
        if chosen in settled:
            raise BadInput(chosen, value, f"{chosen} only once, in one spelling")
        settled[chosen] = value
    return settled


def _other_spelling(name: str) -> str:
    return _SINGULAR.get(name) or singular_of(name)


def _known_names(name: object, known: Sequence[str]) -> str:
    singular = {plural: f"{one}(s)" for one, plural in _SINGULAR.items()}
    names = sorted((singular.get(each, each) for each in known), key=lambda each: (len(each), each))
    expected = f"a parameter named {' or '.join(filter(None, [', '.join(names[:-1]), names[-1]]))}"
    close = get_close_matches(str(name)[:64], [*known, *_SINGULAR], n=1)
    return f"{expected}; did you mean {close[0]}?" if close else expected


def _nameable(name: object) -> str:
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(name))
    return text[:64] or "parameter"
