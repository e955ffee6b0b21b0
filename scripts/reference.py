"""Writes the files that are generated from commands and settings; with --check, only compares.

That is docs/settings.md, the man page docs/photomap.1, and the tables of commands and options in
photomap_cli/cli/option_table.py.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

os.environ.update(COLUMNS="100", NO_COLOR="1")

import typer

from photomap_cli._version import __version__
from photomap_cli.cli import dispatch  # noqa: F401  registers every command
from photomap_cli.cli.app import app
from photomap_cli.search.filter_values import FILTER_VALUES, MIN
from photomap_cli.settings import Settings

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
OPTION_TABLE = ROOT / "photomap_cli" / "cli" / "option_table.py"
BEGIN, END = "# options: begin\n", "# options: end\n"
READ_WITHOUT_TYPER = ("", "search", "browse", "map", "status")
"""The commands whose options are also read without Typer; "" is for the options before a command."""

SETTINGS = """# Settings

```sh
photomap config                          # every setting, its value, and where it came from
photomap config set results 20           # change one; comments in the file are kept
photomap config path                     # where the file is
PHOTOMAP_RESULTS=20 photomap             # just this once
```

Options of a command beat environment variables, which beat `config.toml`, which beats the defaults. `:set` at the
prompt changes a setting until you leave.

A name that doesn't exist or a value that makes no sense is refused, with the reason and what is allowed. `photomap
config` and `photomap doctor` point out variables that start with `PHOTOMAP_` and name no setting. Times are seconds, or
end in `s`, `m`, `h`, `d` or `w`, up to 366 days. In the environment, lists are written with commas, and `roots` as
`NAME=FOLDER, NAME=FOLDER`. In `config.toml`, `roots` is a table:

```toml
[roots]
archive = "/mnt/nas/archive"
phones = "/mnt/nas/phones"
```

Two variables have no setting, so nothing shows or stores them: `PHOTOMAP_LIBRARY` names the library, and
`PHOTOMAP_LIBRARY_TOKEN` holds `USER:PASSWORD` for a shared one, as the file that `library_token_file` names does.

| setting | default | what it does | environment |
|---|---|---|---|
"""

VARIABLES = (
    ("PHOTOMAP_LIBRARY", "the library's folder, or the address of a shared one"),
    ("PHOTOMAP_LIBRARY_TOKEN", "USER:PASSWORD for a shared library"),
)
FILES = (
    ("the library; catalog.sqlite and albums.sqlite hold what cannot be made again", "$XDG_DATA_HOME/photomap/library"),
    ("settings", "$XDG_CONFIG_HOME/photomap/config.toml"),
    ("the prompt's history", "$XDG_STATE_HOME/photomap/history"),
    ("folders that a search no longer offers to index", "$XDG_STATE_HOME/photomap/not-indexed"),
    ("sockets of live sessions", "$XDG_RUNTIME_DIR/photomap"),
    ("patterns of what is not indexed, in any indexed folder", ".photomapignore"),
)
STATUSES = (
    ("0", "found, or done"),
    ("1", "nothing found, or nothing chosen"),
    ("2", "wrong usage, or something that you can fix; the message has a hint"),
    ("3", "a bug in photomap"),
    ("130", "ended by Ctrl-C"),
)
QUERIES = (
    ("golden retriever on a beach", "words"),
    ('dog -people -"red ball"', "away from these"),
    ("2:dog + ./pool.jpg - fruit", "weights and pictures; an operator on its own takes all up to the next one"),
    ("sunset after:2023-06 in:~/Italy", f"filters: {' '.join((*FILTER_VALUES, MIN))}; a dash before one negates it"),
    ("camera:nikon after:7d", "filters alone list the photos that match, newest first"),
)


def settings_page() -> str:
    """Return docs/settings.md."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = ", ".join(default) if isinstance(default, (tuple, dict)) else str(default).lower()
        rows.append(f"| `{name}` | {shown or 'none'} | {field.description} | `PHOTOMAP_{name.upper()}` |")
    return SETTINGS + "\n".join(rows) + "\n"


def man_page() -> str:
    """Return the man page in roff."""
    group: Any = typer.main.get_command(app)
    context = group.make_context("photomap", ["search"], resilient_parsing=True)
    parts = [
        f'.TH PHOTOMAP 1 "" "photomap {__version__}" "User Commands"',
        ".SH NAME\nphotomap \\- find photos by what is in them",
        ".SH SYNOPSIS\n.B photomap\n[\\fIOPTIONS\\fR] [\\fICOMMAND\\fR [\\fIARGS\\fR]...]",
        ".SH DESCRIPTION\n" + _paragraphs(group.help),
        ".SH OPTIONS\n" + _options(group, context),
        ".SH COMMANDS\n" + "\n".join(_commands(group, context)),
        ".SH QUERIES\n" + _list(QUERIES),
        ".SH EXIT STATUS\n" + _list(STATUSES),
        ".SH ENVIRONMENT\n" + _list(VARIABLES) + "\n" + _environment(),
        ".SH FILES\n" + _list([(path, what) for what, path in FILES]),
    ]
    return "\n".join(parts) + "\n"


def _environment() -> str:
    fields = Settings.model_fields.items()
    return _list([(f"PHOTOMAP_{name.upper()}", field.description or "") for name, field in fields])


def _commands(group: Any, parent: Any) -> list[str]:
    parts = []
    for name, command in group.commands.items():
        context = command.make_context(name, [], parent=parent, resilient_parsing=True)
        usage = " ".join(command.collect_usage_pieces(context))
        parts.append(f".SS {_roff(context.command_path)} {_roff(usage)}\n" + _paragraphs(command.help))
        parts.append(_options(command, context))
        if hasattr(command, "commands"):
            parts += _commands(command, context)
    return parts


def _options(command: Any, context: Any) -> str:
    records = []
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            if parameter.help:
                records.append((parameter.metavar or parameter.name.upper(), parameter.help))
        elif record := parameter.get_help_record(context):
            records.append(record)
    return _list(records)


def _list(pairs: Any) -> str:
    return "\n".join(f".TP\n.B {_roff(left)}\n{_roff(right)}" for left, right in pairs)


def _paragraphs(text: str) -> str:
    return "\n.PP\n".join(map(_paragraph, text.strip().split("\n\n")))


def _paragraph(text: str) -> str:
    lines = [" ".join(line.split()) for line in text.replace("\b", "").splitlines() if line.strip("\b ")]
    if "\b" in text:  # \b marks examples, which aren't wrapped
        return "\n".join([".nf", *map(_roff, lines), ".fi"])
    return _roff(" ".join(lines))


def _roff(text: str) -> str:
    r"""Escape what roff interprets: backslashes, dashes that must stay copyable, lines that look like requests."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped[:1] in (".", "'") else escaped


def option_table() -> str:
    """Return the module of options with fresh tables."""
    group: Any = typer.main.get_command(app)
    lines = ["OPTIONS: dict[str, dict[str, Option]] = {"]
    for name in READ_WITHOUT_TYPER:
        command = group.commands[name] if name else group
        lines += [f'    "{name}": {{', *_table_rows(command), "    },"]
    lines += ["}", "", "COMMANDS: dict[str, bool] = {"]
    lines += [f'    "{name}": {_takes_words(command)},' for name, command in group.commands.items()]
    before, _, rest = OPTION_TABLE.read_text(encoding="utf-8").partition(BEGIN)
    lines += ["}", '"""Whether words may follow a command."""']
    return before + BEGIN + "\n".join(lines) + "\n" + END + rest.partition(END)[2]


def _takes_words(command: Any) -> bool:
    """Whether words may follow a command: arguments, or a group's command."""
    return hasattr(command, "commands") or any(each.param_type_name == "argument" for each in command.params)


def _table_rows(command: Any) -> Iterator[str]:
    """Yield a line of the table for every spelling of a command's options."""
    for parameter in command.params:
        if parameter.param_type_name == "option":
            for spelling in (*parameter.opts, *parameter.secondary_opts):
                yield f'        "{spelling}": {_option(parameter, is_off=spelling in parameter.secondary_opts)},'
    for spelling in ("-h", "--help"):
        yield f'        "{spelling}": Option("help", "flag"),'


def _option(parameter: Any, *, is_off: bool) -> str:
    """Return the Python of an `Option`."""
    runtime = parameter.get_runtime_param()
    kind, limits = runtime.annotation, runtime.parameter_info
    fields = f'"{parameter.name}", '
    if parameter.is_flag:
        return f'Option({fields}"flag"{", value=False" if is_off else ""})'
    if issubclass(kind, Enum):
        words = ", ".join(f'"{member.value}"' for member in kind)
        return f'Option({fields}"choice", choices=({words}))'
    if kind in (int, float):
        return f'Option({fields}"{kind.__name__}", least={_figure(limits.min)}, most={_figure(limits.max)})'
    return f'Option({fields}"text")'


def _figure(value: float) -> str:
    return f"{int(value) if value == int(value) else value:_}"


def main() -> int:
    """Rewrite the files, or compare them; returns the exit status."""
    stale = 0
    files = {DOCS / "settings.md": settings_page, DOCS / "photomap.1": man_page, OPTION_TABLE: option_table}
    for file, write in files.items():
        text = write()
        if "--check" not in sys.argv:
            file.write_text(text, encoding="utf-8")
        elif not file.exists() or file.read_text(encoding="utf-8") != text:
            print(f"{file.relative_to(ROOT)} is out of date; run scripts/reference.py", file=sys.stderr)
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
