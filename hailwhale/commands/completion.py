"""`hailwhale completion`: shell completion of the command line.

Defines which arguments complete to what; argcomplete talks to the shells. It is part of
`hailwhale[completion]`, and is imported only for this command and during completion.
"""

from __future__ import annotations

import argparse
import os

from hailwhale.commands.options import Subparsers
from hailwhale.errors import BadInput

_SHELLS = ("bash", "zsh", "fish")
_FILES = ("FILE", "DIR")

_EPILOG = """\
  source <(hailwhale completion bash)    # in ~/.bashrc
  source <(hailwhale completion zsh)     # in ~/.zshrc, after compinit
  hailwhale completion fish > ~/.config/fish/completions/hailwhale.fish"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "completion",
        help="print a completion script for a shell",
        description="Print a script that makes a shell complete commands, options and files.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=_SHELLS, help="the shell that will run the script")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    try:
        from argcomplete.shell_integration import shellcode
    except ImportError as fault:
        expected = "argcomplete, which is not installed: pip install 'hailwhale[completion]'"
        raise BadInput("completion", args.shell, expected) from fault
    print(shellcode(["hailwhale"], shell=args.shell))
    return 0


def asked() -> bool:
    """Return whether a shell asks for completions."""
    return "_ARGCOMPLETE" in os.environ


def complete(whole: argparse.ArgumentParser) -> None:
    """Answer the shell and exit during completion; do nothing otherwise."""
    if not asked():
        return
    import argcomplete
    from argcomplete.completers import FilesCompleter, SuppressCompleter

    for action in _actions(whole):
        if action.metavar in _FILES:
            action.completer = FilesCompleter()  # type: ignore[attr-defined]
    argcomplete.autocomplete(whole, default_completer=SuppressCompleter())


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    found = list(parser._actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                found += _actions(command)
    return found
