"""Owns the prompt's commands: one table that feeds dispatch, :help and completion.  Reads no keys."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from rich.text import Text

from photomap_cli.errors import UsageError
from photomap_cli.pathnames import key
from photomap_cli.repl.commands import (
    albums,
    browse,
    encoder,
    export,
    help,
    index,
    info,
    map,
    marks,
    results,
    search,
    settings,
    why,
)
from photomap_cli.search.query import whole_file
from photomap_cli.views.export import ENDINGS
from photomap_cli.views.output import printable

if TYPE_CHECKING:
    from photomap_cli.repl.state import SearchState

HISTORY_LINES = 25
BARE_WORDS = frozenset({"?", "exit", "quit"})
"""Lines that are commands without a colon."""

_BARE_WHY = re.compile(r"why( +#?\d+)+", re.IGNORECASE)


class Quit(Exception):
    """Raised when the user leaves the prompt."""


class Argument(Enum):
    """What a command's argument is, for completion."""

    NONE = auto()
    RESULT = auto()
    MARK = auto()
    PLACE = auto()
    ALBUM = auto()
    SEARCH = auto()
    FOLDER = auto()
    FILE = auto()
    SETTING = auto()
    GROUP = auto()
    COMMAND = auto()
    CHOICE = auto()


@dataclass(frozen=True, slots=True)
class Command:
    """One command.  `run` receives the conversation and what was typed after the name."""

    name: str
    usage: str
    summary: str
    run: Callable[[SearchState, str], None]
    aliases: tuple[str, ...] = ()
    argument: Argument = Argument.NONE
    choices: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()

    @property
    def synopsis(self) -> str:
        """The command as it is typed: `:k N`."""
        return f":{self.name} {self.usage}".rstrip()

    @property
    def also(self) -> tuple[str, ...]:
        """The aliases as they are typed."""
        return tuple(alias if alias in BARE_WORDS else f":{alias}" for alias in self.aliases)


def is_command(line: str) -> bool:
    """Whether a line is a command, not a query."""
    return line.startswith(":") or line.lower() in BARE_WORDS or bool(_BARE_WHY.fullmatch(line))


def answer(state: SearchState, line: str) -> None:
    """Run one line: a command, or a query.  Empty lines do nothing.

    A line that names an existing file, as `--paths` prints it, is a query, whatever the name contains.

    Raises:
        PhotomapError: the line is wrong or failed.
        Quit: it was `:quit`.
    """
    line = " ".join(line.split("\n"))
    if whole_file(line, str(state.cwd)):
        state.ask(line)
        return
    line = line.strip()
    if not line:
        return
    if not is_command(line):
        state.ask(line)
        return
    word, _, rest = line.removeprefix(":").strip().partition(" ")
    command = find(word)
    if rest.strip() and not command.usage:
        hint = f"leave out the colon to search for it: {line.removeprefix(':').strip()}"
        raise UsageError(f"{command.synopsis} takes no arguments", hint=hint)
    try:
        command.run(state, rest.strip())
    except UsageError as error:
        error.hint = error.hint or command.synopsis
        raise


def find(word: str) -> Command:
    """Return the command of this name, alias or unique prefix.  Raises UsageError with the nearest names."""
    word = word.lower().removeprefix(":")
    if exact := _BY_WORD.get(word):
        return exact
    begun = [command for command in COMMANDS if word and command.name.startswith(word)]
    if len(begun) == 1:
        return begun[0]
    names = [command.name for command in COMMANDS]
    near = [command.name for command in begun] or difflib.get_close_matches(word, names, 3, 0.67)
    hint = f"did you mean {' or '.join(f':{name}' for name in near)}?" if near else ":help lists the commands"
    raise UsageError(f"there is no command :{word}", hint=hint)


def _help(state: SearchState, rest: str) -> None:
    if rest.lower() in help.TOPICS:
        help.tell_queries(state)
    elif rest.lower() == help.ALL:
        help.tell_all_commands(state, COMMANDS)
    elif rest:
        help.tell_command(state, find(rest))
    else:
        help.tell_everything(state)


def _history(state: SearchState, rest: str) -> None:
    past = (line for line in reversed(state.front.past_lines()) if not is_command(line))
    lines = dict.fromkeys(line for line in past if key(rest) in key(line))
    kept = list(lines)[:HISTORY_LINES]
    for line in reversed(kept):
        state.console.print(Text(f"  {printable(line)}"))
    if not kept:
        state.front.tell("no search like that yet" if rest else "no searches yet")


def _quit(state: SearchState, rest: str) -> None:
    raise Quit


COMMANDS: tuple[Command, ...] = (
    Command(
        "help",
        "[COMMAND|queries]",
        "the commands, how one works, or every filter",
        _help,
        ("h", "?"),
        Argument.COMMAND,
        examples=(":help save", ":h k", ":help queries"),
    ),
    Command(
        "k",
        "N",
        "number of results per search",
        search.limit,
        (),
        Argument.CHOICE,
        ("5", "10", "20", "50"),
        (":k 20",),
    ),
    Command("more", "", "show more results of the last search", search.more, ("m",)),
    Command(
        "collapse",
        "[on|off]",
        "show only the best of similar shots",
        search.collapse,
        (),
        Argument.CHOICE,
        search.SWITCH,
        (":collapse on",),
    ),
    Command(
        "sort",
        "[score|date]",
        "order of results: best first, or the same ones with the newest first",
        search.sort,
        (),
        Argument.CHOICE,
        tuple(search.ORDERS),
        (":sort date",),
    ),
    Command(
        "open",
        "N...",
        "open in your image viewer",
        results.open_results,
        ("o",),
        Argument.RESULT,
        examples=(":open 3", ":o 1 4-6"),
    ),
    Command(
        "reveal",
        "N...",
        "show in your file manager",
        results.reveal,
        (),
        Argument.RESULT,
        examples=(":reveal 3",),
    ),
    Command("show", "N...", "show large, here in the terminal", search.show, (), Argument.RESULT, (), (":show 3",)),
    Command(
        "previews",
        "[on|off|WAY]",
        "show results as pictures, or choose how they are drawn",
        search.previews,
        (),
        Argument.CHOICE,
        search.PREVIEWS,
        (":previews off", ":previews sixel"),
    ),
    Command(
        "copy",
        "[N...]",
        "copy paths to the clipboard, over ssh too",
        results.copy,
        ("c",),
        Argument.RESULT,
        examples=(":copy 2", ":copy 1-5", ":copy"),
    ),
    Command("why", "N...", "explain a score, term by term", why.why, (), Argument.RESULT),
    Command(
        "info",
        "N...",
        "show a result's date, camera, place and size",
        info.info,
        (),
        Argument.RESULT,
        examples=(":info 3",),
    ),
    Command("paths", "", "print the paths of the results", results.paths),
    Command(
        "save",
        "[-f] [N...] FILE",
        f"save results to FILE ({', '.join(ENDINGS)}); -f overwrites it",
        results.save,
        ("w",),
        Argument.FILE,
        examples=(":save dogs.html", ":save dogs.csv", ":save -f ~/Desktop/dogs.json"),
    ),
    Command(
        "browse",
        "[QUERY]",
        "browse a search, the last results or all photos, full screen",
        browse.browse,
        ("b",),
        examples=(":browse", ":browse beach -people"),
    ),
    Command(
        "mark",
        "[N|-N|all|none]",
        "mark results for :save :cp :ln :mv; alone, list the marked",
        marks.mark,
        (),
        Argument.MARK,
        examples=(":mark 1-4 7", ":mark -3", ":mark none", ":mark"),
    ),
    Command(
        "cp",
        "[--reflink] [N...] DIR",
        "copy the marked, or all results, to DIR or DIR.zip",
        export.copy,
        (),
        Argument.PLACE,
        examples=(":cp ~/frames", ":cp 1-4 7 ~/frames", ":cp best.zip"),
    ),
    Command(
        "ln",
        "[--hard] [N...] DIR",
        "link them into DIR, with symbolic or hard links",
        export.link,
        (),
        Argument.PLACE,
        examples=(":ln ~/frames", ":ln --hard 3 ~/frames"),
    ),
    Command(
        "mv",
        "[N...] DIR",
        "move them to DIR after asking; they stay in the library",
        export.move,
        (),
        Argument.PLACE,
        examples=(":mv 2 ~/Pictures/Italy",),
    ),
    Command("mv!", "[N...] DIR", "move them without asking", export.move_at_once, (), Argument.PLACE),
    Command(
        "album",
        "[N...] NAME",
        "add them to an album; --remove takes them out, --delete deletes it",
        albums.album,
        (),
        Argument.ALBUM,
        examples=(":album Best of 2023", ":album 1-3 Best of 2023", ":album --delete Best of 2023"),
    ),
    Command("albums", "", "list albums; album:NAME in a search keeps the photos of one", albums.albums),
    Command(
        "save-search",
        "NAME",
        "save the last search for use as @@NAME; --delete deletes it",
        albums.save_search,
        (),
        Argument.SEARCH,
        examples=(":save-search trip",),
    ),
    Command("searches", "", "list saved searches", albums.searches),
    Command(
        "in",
        "[DIR|*]",
        "limit searches to DIR; * = everything",
        search.folder,
        (),
        Argument.FOLDER,
        examples=(":in ~/Pictures/Italy", ":in *", ":in"),
    ),
    Command(
        "index",
        "[DIR|*]",
        "add or update DIR (this folder); * updates the whole library",
        index.index,
        (),
        Argument.FOLDER,
        examples=(":index ~/Pictures/Italy", ":index", ":index *"),
    ),
    Command(
        "map",
        "[GROUP|FILTER...]",
        "draw a map of the photos; GROUP lists a group's photos",
        map.draw_or_list,
        (),
        Argument.GROUP,
        examples=(":map", ":map B", ":map after:2023"),
    ),
    Command("again", "", "repeat the last search", search.again),
    Command(
        "history", "[TEXT]", "list earlier searches, or those containing TEXT", _history, examples=(":history beach",)
    ),
    Command("status", "", "show where the encoder is and what happens next", encoder.status),
    Command("offload", "", "free GPU memory now", encoder.offload),
    Command("load", "", "load the encoder now; retries after a failure", encoder.load),
    Command(
        "timeout",
        "[SECONDS|5m|off]",
        "idle time until GPU memory is freed",
        encoder.timeout,
        (),
        Argument.CHOICE,
        ("30", "60", "5m", "off"),
        (":timeout 5m", ":timeout off"),
    ),
    Command(
        "set",
        "[NAME [VALUE]]",
        "show settings, or change one until you leave",
        settings.choose,
        (),
        Argument.SETTING,
        examples=(":set", ":set keys vi", ":set min_score 0.25"),
    ),
    Command("quit", "", "leave (or Ctrl-D)", _quit, ("q", "exit")),
)

_BY_WORD = {word: command for command in COMMANDS for word in (command.name, *command.aliases)}
