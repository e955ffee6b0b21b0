"""Writes the commands' help into README.md between its markers; with --check, only says whether it is up to date."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- help: begin -->\n", "<!-- help: end -->\n"
COMMANDS = (
    "",
    "index",
    "search",
    "map",
    "duplicates",
    "status",
    "serve",
    "stop",
    "offload",
    "config",
    "encoders",
    "doctor",
    "demo",
)


def help_of(command: str) -> str:
    """Return one command's help at 100 columns."""
    words = [sys.executable, "-m", "photomap_cli", *command.split(), "--help"]
    environment = {**os.environ, "COLUMNS": "100", "TERMINAL_WIDTH": "100", "NO_COLOR": "1"}
    return subprocess.run(words, capture_output=True, text=True, check=True, env=environment).stdout.strip()


def block(command: str) -> str:
    """Return one command and its help as a Markdown block."""
    line = " ".join(["photomap", *command.split(), "--help"])
    return f"```text\n$ {line}\n{help_of(command)}\n```\n"


def main() -> int:
    """Rewrite the section, or compare it; returns the exit status."""
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    fresh = before + BEGIN + "\n".join(map(block, COMMANDS)) + END + after
    if "--check" in sys.argv:
        if fresh != text:
            print("README.md: the help is out of date; run scripts/readme_help.py", file=sys.stderr)
        return int(fresh != text)
    README.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
