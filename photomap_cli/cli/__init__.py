"""The command line: parse, open a backend, render, exit status.  Heavy imports wait for the command that needs them."""

from __future__ import annotations

import sys

from photomap_cli import __version__


def main() -> None:
    """Run the command line of this process and exit."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit status; errors become one line and a hint."""
    if arguments == ["--version"]:  # before anything is imported
        print(f"photomap {__version__}")
        return 0
    from photomap_cli.cli import fast

    status = fast.answer(arguments)
    if status is not None:
        return status
    from photomap_cli.cli import entry

    return entry.run(arguments)
