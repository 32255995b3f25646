"""A directive for the HTTP reference: what /openapi.json says of a route, as a reader wants it.

    .. openapi:: /totals

writes the methods, who may, the parameters, the answers and the refusals of a route. Several routes
with the same parameters may share one. The description is asked of a real service, once a build, so
the page cannot say otherwise than the code does. Owns how it looks, and knows no route.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from hailwhale.services.container import open_services
from hailwhale.settings import Settings
from hailwhale.web.apps import whale_app

Found = dict[str, Any]
Cell = tuple[str, str]  # words, and what is to be typed
JSON = "application/json"
# Statuses of all routes, described once at the head of the page.
_ANYWHERE = {"400", "401", "403", "413", "429", "503"}


@cache
def description() -> Found:
    """What /openapi.json answers, of a service on an empty store and the default settings."""
    with tempfile.TemporaryDirectory() as folder:
        services = open_services(Settings.from_env({}, data_dir=Path(folder)))
        try:
            environ: Found = {"PATH_INFO": "/openapi.json"}
            setup_testing_defaults(environ)
            body = b"".join(whale_app(services)(environ, lambda *_: None))
        finally:
            services.close()
    found: Found = json.loads(body)
    return found


class OpenApi(Directive):
    """`.. openapi:: /route …`"""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        paths = description()["paths"]
        routes = self.arguments[0].split()
        if unknown := [route for route in routes if route not in paths]:
            raise self.error(f"/openapi.json has no {', '.join(unknown)}")
        told = [paths[route] for route in routes]
        first = told[0].get("get") or told[0]["post"]
        if any(_parameters(each) != _parameters(told[0]) for each in told):
            raise self.error(f"{', '.join(routes)} have different parameters: one directive each")
        found: list[nodes.Node] = [_heads(routes, told), _facts(first)]
        if rows := _parameters(told[0]):
            found.append(_table(rows))
        return found


def _heads(routes: list[str], told: list[Found]) -> nodes.Node:
    block = nodes.line_block(classes=["routes"])
    for route, methods in zip(routes, told, strict=True):
        words = " ".join(method.upper() for method in methods)
        block += nodes.line("", "", nodes.literal("", f"{words} {route}"))
    return block


def _facts(operation: Found) -> nodes.Node:
    """List the scope, the content types and the statuses that are not common to all routes."""
    kinds = operation["responses"]["200"]["content"]
    facts = [_who(operation), f"Answers with {', '.join(map(_kind, kinds))}."]
    facts += [
        f"{status}: {each['description']}."
        for status, each in operation["responses"].items()
        if status != "200" and status not in _ANYWHERE
    ]
    return nodes.paragraph("", " ".join(facts))


def _who(operation: Found) -> str:
    if not operation["security"]:
        return "Everybody may."
    return str(operation["description"])


def _kind(kind: str) -> str:
    return "JSON" if kind == JSON else kind.replace("*/*", "a file")


def _parameters(methods: Found) -> list[tuple[str, str, Cell]]:
    """Rows of a table: singular and plural of a name together, what it is, what it may be."""
    if "get" in methods:
        said = {each["name"]: each for each in methods["get"]["parameters"]}
    else:
        said = _of_body(methods["post"])
    return [
        (" / ".join(names), said[names[0]].get("description", ""), _values(said[names[0]]))
        for names in _pairs(said)
    ]


def _of_body(operation: Found) -> dict[str, Found]:
    schema = operation["requestBody"]["content"][JSON]["schema"]
    one = schema["oneOf"][0] if "oneOf" in schema else schema
    return {
        name: {"schema": each, "description": each.get("description", "")}
        for name, each in one["properties"].items()
    }


def _pairs(names: Collection[str]) -> Iterator[tuple[str, ...]]:
    for name in names:
        if name.endswith("s") and name[:-1] in names:
            yield (name, name[:-1])
        elif f"{name}s" not in names:
            yield (name,)


def _values(parameter: Found) -> Cell:
    """What a parameter may be: words, and what is to be typed."""
    schema = parameter["schema"]
    if "enum" in schema:
        return "", ", ".join(schema["enum"])
    if "minimum" in schema:
        whole = "whole, " if schema["type"] == "integer" else ""
        return f"{whole}{schema['minimum']:,} to {schema['maximum']:,}", ""
    if "maxLength" in schema:
        return f"text, at most {schema['maxLength']:,} characters", ""
    if "examples" in schema:
        return "such as ", schema["examples"][0]
    return ("in the path" if parameter.get("in") == "path" else "text"), ""


def _table(rows: list[tuple[str, str, Cell]]) -> nodes.Node:
    group = nodes.tgroup(cols=3)
    for width in (24, 42, 34):
        group += nodes.colspec(colwidth=width)
    head = [[nodes.Text(name)] for name in ("parameter", "what it is", "values")]
    group += nodes.thead("", _row(head))
    group += nodes.tbody(
        "",
        *(
            _row([[nodes.literal("", name)], [nodes.Text(doc)], _cell(*values)])
            for name, doc, values in rows
        ),
    )
    return nodes.table("", group, classes=["parameters"])


def _cell(words: str, typed: str) -> list[nodes.Node]:
    return [nodes.Text(words), *([nodes.literal("", typed)] if typed else [])]


def _row(cells: list[list[nodes.Node]]) -> nodes.Node:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", *cell)) for cell in cells))


def _stale(app: Sphinx, *_: object) -> list[str]:
    """Return the pages to rebuild every time, because the code may have changed."""
    return [name for name in app.env.all_docs if name == "http"]


def setup(app: Sphinx) -> dict[str, Any]:
    """Sphinx's hook."""
    app.add_directive("openapi", OpenApi)
    app.connect("env-get-outdated", _stale)
    return {"parallel_read_safe": True}
