"""`hailwhale man`: the manual page, generated from the parser that reads the command line.

Lays out the page and escapes text for troff. The content comes from the parser and the settings, so
the page always describes this version.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator
from dataclasses import fields

from hailwhale import __version__
from hailwhale.commands.options import Subparsers, default_text
from hailwhale.settings import Settings

_WIDTH = 76  # of a synopsis, inside the margins of a page for a terminal of 80
_SHOWN_ONCE = (argparse._SubParsersAction, argparse._HelpAction)  # not with every command

_EXIT_STATUS = """\
0 on success, 1 if a check found a problem or input was rejected, 2 for an error that the caller
must correct, 130 after Ctrl-C."""


def add_parser(subparsers: Subparsers, whole: Callable[[], argparse.ArgumentParser]) -> None:
    """Add the command; `whole` creates the parser that the page describes."""
    parser = subparsers.add_parser(
        "man",
        help="print the manual page",
        description="Print the manual page in troff format, for man.",
        epilog="  hailwhale man | man -l -\n  hailwhale man > ~/.local/share/man/man1/hailwhale.1",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=lambda _args: _print(whole()))


def _print(whole: argparse.ArgumentParser) -> int:
    print(manual(whole), end="")
    return 0


def manual(whole: argparse.ArgumentParser) -> str:
    """Return the manual page of a parser that has commands."""
    return "\n".join([*_page(whole), ""])


def _page(whole: argparse.ArgumentParser) -> Iterator[str]:
    yield f'.TH HAILWHALE 1 "" "hailwhale {__version__}" "User Commands"'
    yield from (".SH NAME", _text(f"hailwhale - {whole.description}".rstrip(".")))
    yield from (".SH SYNOPSIS", *_shown(_usage(whole)))
    yield from (".SH DESCRIPTION", *_prose(whole.epilog or ""))
    yield from (".SH OPTIONS", ".TP", r"\fB\-h, \-\-help\fR")
    yield "Show the options of the command before it, or of hailwhale, then exit."
    yield from _arguments(whole)
    yield ".SH COMMANDS"
    for action in whole._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, command in action.choices.items():
                yield from _command(command, helps.get(name, ""))
    yield ".SH ENVIRONMENT"
    for setting in fields(Settings):
        about = f"{setting.metadata['doc']} [default: {default_text(setting) or 'none'}]"
        yield from (".TP", rf"\fB{setting.metadata['variable']}\fR", _text(about))
    yield from (".SH EXIT STATUS", _text(_EXIT_STATUS))


def _command(command: argparse.ArgumentParser, about: str) -> Iterator[str]:
    yield f'.SS "{_text(command.prog)}"'
    yield from _shown(_usage(command))
    yield from _prose(command.description or about)
    yield from _arguments(command)
    if command.epilog:
        yield from (".PP", *_prose(command.epilog))


def _usage(parser: argparse.ArgumentParser) -> str:
    formatter = argparse.HelpFormatter(parser.prog, width=_WIDTH)
    groups = parser._mutually_exclusive_groups
    formatter.add_usage(parser.usage, parser._actions, groups, prefix="")
    return formatter.format_help()


def _arguments(parser: argparse.ArgumentParser) -> Iterator[str]:
    formatter = argparse.HelpFormatter(parser.prog)
    for action in parser._actions:
        if not (action.help == argparse.SUPPRESS or isinstance(action, _SHOWN_ONCE)):
            written = _text(formatter._format_action_invocation(action)).replace("-", r"\-")
            about = formatter._expand_help(action) if action.help else ""
            yield from (".TP", rf"\fB{written}\fR", _text(about) or r"\&")


def _prose(text: str) -> Iterator[str]:
    """Format paragraphs; those with an indented line are examples and keep their line breaks."""
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text.strip("\n"))):
        if number:
            yield ".PP"
        if re.search(r"^ ", paragraph, re.MULTILINE):
            yield from _shown(paragraph)
        else:
            yield _text(paragraph)


def _shown(text: str) -> Iterator[str]:
    """Format lines without filling them."""
    yield from (".PP", ".nf")
    for line in text.rstrip().splitlines():
        yield _line(line).replace("-", r"\-")
    yield from (".fi", ".PP")


def _text(text: str) -> str:
    return _line(" ".join(text.split()))


def _line(text: str) -> str:
    r"""Escape a line for troff, so that nothing in it is a request or an escape.

    >>> _line(r".gz too: C:\logs")
    '\\&.gz too: C:\\elogs'
    """
    escaped = text.replace("\\", r"\e").replace("`", r"\(ga").replace("^", r"\(ha")
    escaped = escaped.replace("~", r"\(ti").replace('"', r"\(dq").replace("'", r"\(aq")
    return rf"\&{escaped}" if escaped.startswith((".", r"\(aq")) else escaped
