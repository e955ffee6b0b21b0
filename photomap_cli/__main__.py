"""Runs the command line as `python -m photomap_cli`."""

from photomap_cli.cli import main

main()
