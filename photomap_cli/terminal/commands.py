"""Owns the prompt's commands: one table that feeds dispatch, :help and completion.  Reads no keys."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, cast

from rich.table import Table
from rich.text import Text

from photomap_cli.errors import BadPath, UsageError
from photomap_cli.terminal import desktop
from photomap_cli.terminal.dialogue import MAX_LIMIT
from photomap_cli.terminal.figures import duration
from photomap_cli.terminal.filenames import printable
from photomap_cli.terminal.lines import write_paths
from photomap_cli.terminal.statusbar import next_step, place, plain_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from photomap_cli.terminal.dialogue import Dialogue

HISTORY_LINES = 25
BARE_WORDS = frozenset({"?", "exit", "quit"})
"""Lines that are commands without a colon."""

EXAMPLES = ("dog on a beach -people", "2:golden retriever + ./pool.jpg", "#3 + snow", "sunset after:2023 in:~/Italy")


class Leave(Exception):
    """The user wants to leave the prompt."""


class Argument(Enum):
    """What a command's argument is, for completion."""

    NONE = auto()
    RESULT = auto()
    FOLDER = auto()
    COMMAND = auto()
    CHOICE = auto()


@dataclass(frozen=True, slots=True)
class Command:
    """One command.  `run` gets the conversation and what was typed after the name."""

    name: str
    usage: str
    summary: str
    run: Callable[[Dialogue, str], None]
    aliases: tuple[str, ...] = ()
    argument: Argument = Argument.NONE
    choices: tuple[str, ...] = ()

    @property
    def synopsis(self) -> str:
        """The command as it is typed: `:k N`."""
        return f":{self.name} {self.usage}".rstrip()


def is_command(line: str) -> bool:
    """Whether a line is a command, not a query."""
    return line.startswith(":") or line.lower() in BARE_WORDS


def answer(dialogue: Dialogue, line: str) -> None:
    """Run one line: a command, or a query.  Empty lines do nothing.

    Raises:
        PhotomapError: the line cannot be done.
        Leave: it was `:quit`.
    """
    line = " ".join(line.split("\n")).strip()
    if not line:
        return
    if not is_command(line):
        dialogue.ask(line)
        return
    word, _, rest = line.removeprefix(":").strip().partition(" ")
    find(word).run(dialogue, rest.strip())


def find(word: str) -> Command:
    """Return the command of this name, alias or unique prefix.  Raises UsageError with the nearest names."""
    word = word.lower().removeprefix(":")
    if exact := _BY_WORD.get(word):
        return exact
    begun = [command for command in COMMANDS if word and command.name.startswith(word)]
    if len(begun) == 1:
        return begun[0]
    names = [command.name for command in COMMANDS]
    near = [command.name for command in begun] or difflib.get_close_matches(word, names, 3, 0.5)
    hint = f"did you mean {' or '.join(f':{name}' for name in near)}?" if near else ":help lists the commands"
    raise UsageError(f"there is no command :{word}", hint=hint)


def _help(dialogue: Dialogue, rest: str) -> None:
    shown = [find(rest)] if rest else COMMANDS
    table = Table.grid(padding=(0, 2))
    for command in shown:
        also = f" (also {', '.join(_typed(alias) for alias in command.aliases)})" if command.aliases else ""
        table.add_row(Text(f"  {command.synopsis}", "cyan"), Text(command.summary).append(also, "dim"))
    if not rest:
        dialogue.console.print(Text("Type what you look for:", "bold"))
        dialogue.console.print(Text("\n".join(f"  {example}" for example in EXAMPLES)))
    dialogue.console.print(table)


def _typed(alias: str) -> str:
    return alias if alias in BARE_WORDS else f":{alias}"


def _k(dialogue: Dialogue, rest: str) -> None:
    if rest:
        dialogue.limit = _number(rest, "k", most=MAX_LIMIT)
    dialogue.front.tell(f"{dialogue.limit} results a page")


def _status(dialogue: Dialogue, rest: str) -> None:
    dialogue.console.print(Text(plain_line(dialogue.request(lambda backend: backend.status()))))


def _offload(dialogue: Dialogue, rest: str) -> None:
    status = dialogue.request(lambda backend: backend.offload())
    dialogue.front.tell(f"{place(status)} · {next_step(status)}")


def _load(dialogue: Dialogue, rest: str) -> None:
    status = dialogue.request(lambda backend: backend.load())
    dialogue.front.tell(f"{place(status)} · {next_step(status)}")


def _timeout(dialogue: Dialogue, rest: str) -> None:
    seconds = _seconds(rest) if rest else None
    if seconds is None:
        status = dialogue.request(lambda backend: backend.status())
    else:
        status = dialogue.request(lambda backend: backend.set_idle_timeout(seconds))
    timeout = status.idle_timeout_seconds
    dialogue.front.tell(f"offloads {duration(timeout)} after the last query" if timeout > 0 else "never offloads")


def _seconds(text: str) -> float:
    from photomap_cli.settings import parse_duration  # pydantic costs 0.15 s, so not at the first prompt

    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(str(error), hint=find("timeout").synopsis) from error


def _in(dialogue: Dialogue, rest: str) -> None:
    dialogue.folder = _folder(dialogue.cwd, unquoted(rest))
    where = {None: "this folder if it is indexed, else everything", "*": "the whole library"}
    dialogue.front.tell(f"searching {where.get(dialogue.folder) or printable(str(dialogue.folder))}")


def _folder(cwd: Path, text: str) -> str | None:
    if text in ("", "*"):
        return text or None
    folder = os.path.normpath(cwd / Path(text).expanduser())  # links stay: the library knows photos by the given path
    if not Path(folder).is_dir():
        raise BadPath(f"{folder} is no folder", hint=":in * searches the whole library")
    return folder


def unquoted(text: str) -> str:
    """Return the text without the double quotes around it; a missing closing one is forgiven."""
    return text.removeprefix('"').removesuffix('"') if text.startswith('"') else text


def _more(dialogue: Dialogue, rest: str) -> None:
    dialogue.more()


def _collapse(dialogue: Dialogue, rest: str) -> None:
    if rest.lower() not in ("", "on", "off"):
        raise UsageError(f":collapse: {printable(rest)!r} is neither on nor off", hint=find("collapse").synopsis)
    dialogue.collapse = {"on": True, "off": False}.get(rest.lower(), dialogue.collapse)
    words = {None: "as the setting collapse says", True: "one of several shots of the same thing", False: "every shot"}
    dialogue.front.tell(f"shows {words[dialogue.collapse]}")


def _open(dialogue: Dialogue, rest: str) -> None:
    if not rest:
        raise UsageError("which result?", hint=find("open").synopsis)
    for hit in [dialogue.hit(_number(word.removeprefix("#"), "open")) for word in rest.split()]:
        desktop.open_photo(hit.path)
        dialogue.front.tell(f"opened {printable(hit.path)}")


def _show(dialogue: Dialogue, rest: str) -> None:
    if not rest:
        raise UsageError("which result?", hint=find("show").synopsis)
    for hit in [dialogue.hit(_number(word.removeprefix("#"), "show")) for word in rest.split()]:
        dialogue.front.look(hit)


def _previews(dialogue: Dialogue, rest: str) -> None:
    previews = dialogue.front.previews
    if previews is None:
        raise UsageError("there is no terminal to show pictures on")
    if rest and rest.lower() not in find("previews").choices:
        raise UsageError(f":previews: {printable(rest)!r} is no way of drawing", hint=find("previews").synopsis)
    previews.setting = rest.lower() or previews.setting
    dialogue.front.tell(previews.in_words())


def _paths(dialogue: Dialogue, rest: str) -> None:
    if not dialogue.console.is_terminal:
        write_paths(dialogue.references, cast("TextIO", dialogue.console.file))
    for hit in dialogue.shown if dialogue.console.is_terminal else ():
        dialogue.console.print(Text(printable(hit.path)), soft_wrap=True)


def _history(dialogue: Dialogue, rest: str) -> None:
    lines = dict.fromkeys(line for line in reversed(dialogue.front.past()) if rest.lower() in line.lower())
    kept = list(lines)[:HISTORY_LINES]
    for line in reversed(kept):
        dialogue.console.print(Text(f"  {printable(line)}"))
    if not kept:
        dialogue.front.tell("no such query yet" if rest else "no queries yet")


def _again(dialogue: Dialogue, rest: str) -> None:
    dialogue.again()


def _quit(dialogue: Dialogue, rest: str) -> None:
    raise Leave


def _number(text: str, name: str, *, most: int | None = None) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if number < 1 or (most is not None and number > most):
        wanted = f"a number from 1 to {most}" if most else "the number of a result"
        raise UsageError(f":{name}: {printable(text)!r} is not {wanted}", hint=find(name).synopsis)
    return number


COMMANDS: tuple[Command, ...] = (
    Command("help", "[COMMAND]", "what can be typed", _help, ("h", "?"), Argument.COMMAND),
    Command("k", "N", "results a page", _k, (), Argument.CHOICE, ("5", "10", "20", "50")),
    Command("more", "", "the next page of the last search", _more, ("m",)),
    Command(
        "collapse",
        "[on|off]",
        "show one of several shots of the same thing, or each",
        _collapse,
        (),
        Argument.CHOICE,
        ("on", "off"),
    ),
    Command("open", "N...", "open results in the desktop's viewer", _open, ("o",), Argument.RESULT),
    Command("show", "N...", "look at results here, large", _show, (), Argument.RESULT),
    Command(
        "previews",
        "[on|off|WAY]",
        "results as pictures; ways: auto kitty iterm2 sixel blocks ascii",
        _previews,
        (),
        Argument.CHOICE,
        ("on", "off", "auto", "kitty", "iterm2", "sixel", "blocks", "ascii"),
    ),
    Command("paths", "", "plain paths of the results shown", _paths),
    Command("in", "[DIR|*]", "search below DIR only, * everything, nothing: as at the start", _in, (), Argument.FOLDER),
    Command("again", "", "repeat the last query", _again),
    Command("history", "[TEXT]", "earlier queries, those with TEXT", _history),
    Command("status", "", "where the encoder is, and what happens next", _status),
    Command("offload", "", "take the encoder out of VRAM now", _offload),
    Command("load", "", "bring the encoder to where queries run", _load),
    Command(
        "timeout",
        "[SECONDS|5m|off]",
        "idle time until the encoder leaves VRAM",
        _timeout,
        (),
        Argument.CHOICE,
        ("30", "60", "5m", "off"),
    ),
    Command("quit", "", "leave, as Ctrl-D does", _quit, ("q", "exit")),
)

_BY_WORD = {word: command for command in COMMANDS for word in (command.name, *command.aliases)}
