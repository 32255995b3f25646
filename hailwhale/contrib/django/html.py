"""The HTML of graphs and pixels: sealed if there is a key, otherwise with plain parameters.

Makes that choice. The library generates the tags, escaped for HTML.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import urlencode

from django.utils.safestring import SafeString, mark_safe

from hailwhale.contrib.django import conf
from hailwhale.contrib.django.pks import pk_of
from hailwhale.core.events.event import parse_event
from hailwhale.core.events.query_string import query_text
from hailwhale.errors import BadInput
from hailwhale.whale import Whale

_SEALED_ALONE = ("slots", "expires", "once")


def graph(what: object, *, sealed: bool | None = None, **asked: Any) -> SafeString:
    """Return the `<script>` that draws a graph of an object in its place.

    `asked` are the parameters of /graph.js. A sealed graph shows its reader exactly this and needs
    no other permission. If `sealed` is None, the graph is sealed if there is a key. Raises
    `BadInput`, and `BadSetting` if it must be sealed and there is no key.
    """
    pk, whale = pk_of(what), conf.whale()
    if not _seals(whale, sealed):
        _refuse(asked, ("expires",))
        return mark_safe(whale.graph_tag(pk, **asked))  # noqa: S308 - escaped by the library
    return mark_safe(whale.sealed_graph_tag(pk, **asked))  # noqa: S308


def pixel(what: object, *, sealed: bool | None = None, **asked: Any) -> SafeString:
    """Return the `<img>` that counts an object when it is loaded, by `dimensions` and `metrics`.

    A sealed one may have `slots`, `expires` and `once`, as in `Whale.pixel_tag`; see `graph`.
    """
    pk, whale = pk_of(what), conf.whale()
    if _seals(whale, sealed):
        return mark_safe(whale.pixel_tag(pk, **asked))  # noqa: S308
    _refuse(asked, _SEALED_ALONE)
    fields = {name: value for name, value in {"pk": pk, **asked}.items() if value is not None}
    parse_event(fields, time.time(), whale.settings.limits)
    query = urlencode({name: query_text(value) for name, value in fields.items()})
    address = escape(f"{whale.settings.home}/count.gif?{query}")
    return mark_safe(f'<img src="{address}" width="1" height="1" alt="">')  # noqa: S308


def _seals(whale: Whale, sealed: bool | None) -> bool:
    return bool(whale.sealing.keyring.all()) if sealed is None else sealed


def _refuse(asked: Mapping[str, object], names: tuple[str, ...]) -> None:
    for name in names:
        if asked.get(name):
            raise BadInput(name, asked[name], "no such argument unless the URL is sealed")
