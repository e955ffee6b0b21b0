"""Writes generated help texts into the docs, between markers; with --check, only compares.

README.md has the list of commands, docs/commands.md the help of each, docs/prompt.md the prompt's commands.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
COMMANDS = (
    "",
    "index",
    "search",
    "browse",
    "map",
    "duplicates",
    "albums",
    "copy",
    "status",
    "serve",
    "stop",
    "offload",
    "config",
    "config path",
    "config set",
    "encoders",
    "doctor",
    "demo",
)


def help_of(command: str) -> str:
    """Return one command's help at 100 columns."""
    words = [sys.executable, "-m", "photomap_cli", *command.split(), "--help"]
    environment = {**os.environ, "COLUMNS": "100", "TERMINAL_WIDTH": "100", "NO_COLOR": "1"}
    return subprocess.run(words, capture_output=True, text=True, check=True, env=environment).stdout.strip()


def block(command: str = "") -> str:
    """Return one command and its help as a Markdown block."""
    return f"```text\n$ {_words(command)} --help\n{help_of(command)}\n```\n"


def command_help() -> str:
    """Return the help of all commands as Markdown, each below its own heading."""
    return "\n".join(f"## {_words(command)}\n\n{block(command)}" for command in COMMANDS)


def _words(command: str) -> str:
    return f"photomap {command}".rstrip()


def prompt_commands() -> str:
    """Return the prompt's commands as a Markdown table."""
    from photomap_cli.repl.commands.registry import COMMANDS as AT_THE_PROMPT

    rows = [
        f"| {_code(each.synopsis, *each.also)} | {each.summary} | {_code(*each.examples)} |" for each in AT_THE_PROMPT
    ]
    return "\n".join(["| command | does | for example |", "|---|---|---|", *rows]) + "\n"


def _code(*words: str) -> str:
    return " ".join(f"`{word}`" for word in words).replace("|", "\\|")


SECTIONS = (
    ("README.md", "help", block),
    ("docs/commands.md", "help", command_help),
    ("docs/prompt.md", "commands", prompt_commands),
)


def main() -> int:
    """Rewrite the sections, or compare them; returns the exit status."""
    stale = False
    for name, mark, write in SECTIONS:
        page = ROOT / name
        text = page.read_text(encoding="utf-8")
        begin, end = f"<!-- {mark}: begin -->\n", f"<!-- {mark}: end -->\n"
        before, _, rest = text.partition(begin)
        fresh = before + begin + write() + end + rest.partition(end)[2]
        if "--check" not in sys.argv:
            page.write_text(fresh, encoding="utf-8")
        elif fresh != text:
            stale = True
            print(f"{name}: out of date; run scripts/readme_help.py", file=sys.stderr)
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
