"""No help, error, log line, output or setting says a phrase of docs/vocabulary.txt."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

import hailwhale
from docs import prose
from hailwhale.cli import parser
from hailwhale.commands.man import manual
from hailwhale.settings import Settings
from tests.docs.messages import banned, messages

PACKAGE = Path(hailwhale.__file__).parent
VOCABULARY = prose.read_vocabulary(prose.VOCABULARY.read_text(encoding="utf-8"))
MODULES = sorted(PACKAGE.rglob("*.py"))


def helps(whole: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    """Yield every text of a parser and of its commands, with the name of what it describes."""
    for text in (whole.description, whole.epilog):
        yield whole.prog, text or ""
    for group in whole._action_groups:
        yield f"{whole.prog} {group.title}", f"{group.title}\n{group.description or ''}"
    for action in whole._actions:
        if action.help != argparse.SUPPRESS:
            yield f"{whole.prog} {action.dest}", f"{action.help or ''}\n{action.metavar or ''}"
        if isinstance(action, argparse._SubParsersAction):
            for choice in action._choices_actions:
                yield f"{whole.prog} {choice.dest}", choice.help or ""
            for command in action.choices.values():
                yield from helps(command)


def found_in_help(whole: argparse.ArgumentParser) -> list[str]:
    return [
        f"{name}: {phrase}" for name, text in helps(whole) for phrase in banned(text, VOCABULARY)
    ]


def found_in_module(source: str, name: str) -> list[str]:
    return [
        f"{name}:{line}: {phrase} in {text!r}"
        for line, text in messages(source)
        for phrase in banned(text, VOCABULARY)
    ]


def test_no_help_says_one() -> None:
    assert len(list(helps(parser()))) > 300
    assert found_in_help(parser()) == []


def test_no_line_of_the_manual_page_says_one() -> None:
    assert banned(manual(parser()), VOCABULARY) == []


def test_no_description_of_a_setting_says_one() -> None:
    found = {each.name: banned(each.metadata["doc"], VOCABULARY) for each in fields(Settings)}
    assert {name: phrases for name, phrases in found.items() if phrases} == {}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_message_of_a_module_says_one(module: Path) -> None:
    name = str(module.relative_to(PACKAGE))
    assert found_in_module(module.read_text(encoding="utf-8"), name) == []


@pytest.mark.parametrize(
    "statement",
    [
        'raise BadInput("at", at, "a time, made anew")',
        'raise BadInput("at", at, "anew")',
        'raise BadInput("at", at, f"{what} is let go of")',
        'raise StoreUnavailable(f"{where}: the store "\n    "is away")',
        'log.warning("%s; begun anew in %s s", fault, wait_s)',
        'self._log.exception("anew")',
        "print(f\"{name}: {'told' if found else 'sent'}\")",
        'sys.stderr.write("told\\n")',
        'expected = "a time that is put aside"\nraise BadInput("at", at, expected)',
        'FORMS = ("no sign", "parted by commas")',
        'return CheckResult(Level.OK, "store", "it is cut short")',
        'return abort(500, "a fault of ours")',
        'text = (\n    "it is let go "\n    "of"\n)',
        'parser.add_argument("--at", help="whoever comes")',
    ],
)
def test_a_message_that_says_one_is_found(statement: str) -> None:
    assert found_in_module(statement, "module.py")


@pytest.mark.parametrize(
    "statement",
    [
        '"""A module that is made anew."""',
        'def f() -> None:\n    """Start anew."""',
        "value = 1  # made anew",
        'log = logging.getLogger("hailwhale.tallies")',
        'Thread(target=run, name="tallies")',
        'raise BadInput("at", at, "a time such as `told 1d`")',
        'raise BadInput("at", at, f"{told} and {told!r}, again")',
        'found["settled"] = anew(told)',
        'print("It is retold")',
    ],
)
def test_docstrings_comments_and_names_are_no_messages(statement: str) -> None:
    assert found_in_module(statement, "module.py") == []


def _parser_saying(where: str) -> argparse.ArgumentParser:
    """Return a parser with a command; the text at `where` says a phrase."""
    said = {each: "Start anew" if each == where else "Start again" for each in _PLACES}
    whole = argparse.ArgumentParser(description=said["description"], epilog=said["epilog"])
    whole.add_argument_group("group", said["group"])
    command = whole.add_subparsers().add_parser(
        "command", help=said["command"], description=said["command's description"]
    )
    command.add_argument("--option", help=said["option"], metavar=said["metavar"])
    return whole


_PLACES = (
    *("description", "epilog", "group", "command", "command's description", "option"),
    "metavar",
)


@pytest.mark.parametrize("where", _PLACES)
def test_a_help_that_says_one_is_found(where: str) -> None:
    assert len(found_in_help(_parser_saying(where))) == 1
    assert found_in_help(_parser_saying("nowhere")) == []


def test_a_setting_that_says_one_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    port = next(each for each in fields(Settings) if each.name == "port")
    monkeypatch.setattr(port, "metadata", {**port.metadata, "doc": "port to listen on anew"})
    assert found_in_help(parser()) != []
    with pytest.raises(AssertionError):
        test_no_description_of_a_setting_says_one()
