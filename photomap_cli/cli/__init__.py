"""The command line: parse, open a backend, render, exit status.  Heavy imports wait for the command that needs them."""

from photomap_cli.cli.entry import main, run

__all__ = ["main", "run"]
