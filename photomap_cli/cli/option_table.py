"""Owns the table of commands and options, for reading a command line without Typer (which costs 0.1 s).

`scripts/reference.py` writes the tables from the commands, and `scripts/check` compares them.
"""

from __future__ import annotations

from typing import NamedTuple


class Option(NamedTuple):
    """One spelling of an option.

    Attributes:
        parameter: the command's name for it.
        kind: "flag", or what its value is: "int", "float", "choice" or "text".
        value: what a flag sets the parameter to.
        least, most: limits of a number.
        choices: the words that a choice is between.
    """

    parameter: str
    kind: str
    value: bool = True
    least: float = 0
    most: float = 0
    choices: tuple[str, ...] = ()


# options: begin
OPTIONS: dict[str, dict[str, Option]] = {
    "": {
        "--library": Option("library", "text"),
        "--quiet": Option("quiet", "flag"),
        "-q": Option("quiet", "flag"),
        "--verbose": Option("verbose", "flag"),
        "-v": Option("verbose", "flag"),
        "--version": Option("_version", "flag"),
        "--install-completion": Option("install_completion", "flag"),
        "--show-completion": Option("show_completion", "flag"),
        "-h": Option("help", "flag"),
        "--help": Option("help", "flag"),
    },
    "search": {
        "-k": Option("limit", "int", least=1, most=100_000),
        "--limit": Option("limit", "int", least=1, most=100_000),
        "--in": Option("folder", "text"),
        "--min-score": Option("min_score", "float", least=-1, most=1),
        "--sort": Option("sort", "choice", choices=("score", "date")),
        "--collapse": Option("collapse", "flag"),
        "--no-collapse": Option("collapse", "flag", value=False),
        "--json": Option("as_json", "flag"),
        "--jsonl": Option("jsonl", "flag"),
        "--paths": Option("paths", "flag"),
        "-0": Option("nul", "flag"),
        "--exact": Option("exact", "flag"),
        "--explain": Option("explain", "flag"),
        "--preview": Option("preview", "flag"),
        "--html": Option("html", "text"),
        "--force": Option("force", "flag"),
        "--local": Option("local", "flag"),
        "-h": Option("help", "flag"),
        "--help": Option("help", "flag"),
    },
    "browse": {
        "--in": Option("folder", "text"),
        "--print0": Option("print0", "flag"),
        "-h": Option("help", "flag"),
        "--help": Option("help", "flag"),
    },
    "map": {
        "--in": Option("folder", "text"),
        "--clusters": Option("clusters", "int", least=1, most=52),
        "--group": Option("group", "text"),
        "--json": Option("as_json", "flag"),
        "--html": Option("html", "text"),
        "--force": Option("force", "flag"),
        "--local": Option("local", "flag"),
        "-h": Option("help", "flag"),
        "--help": Option("help", "flag"),
    },
    "status": {
        "--json": Option("as_json", "flag"),
        "--watch": Option("watch", "flag"),
        "-w": Option("watch", "flag"),
        "-h": Option("help", "flag"),
        "--help": Option("help", "flag"),
    },
}

COMMANDS: dict[str, bool] = {
    "search": True,
    "browse": True,
    "index": True,
    "map": True,
    "duplicates": True,
    "albums": False,
    "copy": True,
    "status": False,
    "serve": False,
    "offload": False,
    "stop": False,
    "encoders": False,
    "doctor": False,
    "demo": False,
    "config": True,
}
"""Whether words may follow a command."""
# options: end
