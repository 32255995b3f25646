"""A store is made of its parts: each operation is written once, in the part that has it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import pytest

import hailwhale.store
from hailwhale.store.protocol import Store
from hailwhale.store.redis.store import RedisStore

MODULES = sorted(Path(hailwhale.store.__path__[0]).rglob("*.py"))


def test_a_store_has_parts_and_a_connection_and_no_operation_of_its_own(
    store: RedisStore,
) -> None:
    methods = {name for name in vars(RedisStore) if not name.startswith("_")}
    assert methods == {"ping", "close"}
    assert set(vars(store)) == {"client", "keys", *get_type_hints(Store)}


def handed_on(text: str) -> Iterator[str]:
    """The methods that do nothing but call another object's method with what they were given."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef) or not node.args.args:
            continue
        match node.body[1:] if ast.get_docstring(node) else node.body:
            case [ast.Return(value=ast.Call() as call)] | [ast.Expr(value=ast.Call() as call)]:
                given = [ast.unparse(value) for value in call.args]
                given += [f"{each.arg}={ast.unparse(each.value)}" for each in call.keywords]
                taken = [arg.arg for arg in node.args.args[1:]]
                taken += [f"{arg.arg}={arg.arg}" for arg in node.args.kwonlyargs]
                path = ast.unparse(call.func).split(".")  # self, a part, its method
                if path[0] == "self" and len(path) == 3 and taken and given == taken:
                    yield node.name


def test_a_method_that_hands_on_is_seen() -> None:
    text = '''
class Store:
    def put(self, id, record):
        """See `Tokens.put`."""
        self._tokens.put(id, record)
    def window(self, shard, *, most):
        return self._buffers.head(shard, most=most)
    def drop(self, id):
        return self._tokens.drop(id) == 1
    def _ask(self, commands):
        return self._send(commands)
'''
    assert list(handed_on(text)) == ["put", "window"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_no_method_of_a_store_hands_on(path: Path) -> None:
    assert list(handed_on(path.read_text())) == []
