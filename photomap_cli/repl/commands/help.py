"""Owns `:help`: what can be typed, each command, and every filter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from photomap_cli.search.filter_values import FILTER_VALUES, MIN, MIN_ABOUT, MIN_HINT
from photomap_cli.views.palette import ACCENT

if TYPE_CHECKING:
    from photomap_cli.repl.commands.registry import Command
    from photomap_cli.repl.state import SearchState

TOPICS = ("queries", "filters")
"""Topics of help other than commands; both are the same."""
ALL = "commands"
"""The topic that lists every command on a line."""

EXAMPLES = (
    "dog on a beach -people",
    "2:golden retriever + ./pool.jpg",
    "sunset after:2023 in:~/Italy      filters: :help queries",
    "#3 + snow                         photos like result 3, with snow",
    "like 3                            photos like result 3",
    "more 3 less 5                     closer to result 3, further from 5",
    "why 3                             explains the score of result 3",
)

GROUPS = {
    "See results": ("more", "show", "browse", "open", "reveal", "info", "previews"),
    "Use them": ("copy", "paths", "save", "mark", "cp", "ln", "mv", "mv!", "album", "albums"),
    "Search": ("in", "k", "sort", "collapse", "again", "why", "save-search", "searches"),
    "Library": ("index", "map", "status", "load", "offload", "timeout"),
    "Prompt": ("history", "set", "help", "quit"),
}
"""Every command, grouped by purpose."""

_NOTES = (
    "A - in front of a filter keeps the other photos, as in -ext:gif. All filters must hold.",
    "Filters alone list the photos they leave, newest first, as in camera:nikon after:2023.",
    "What isn't known of a photo meets no filter, so -has:lens keeps photos without a lens.",
)


def tell_everything(state: SearchState) -> None:
    """Print how to search, and the commands in groups; fits into 80x24."""
    _tell_examples(state)
    table = Table.grid(padding=(0, 2))
    for group, names in GROUPS.items():
        table.add_row(Text(f"{group}:", "bold"), Text(" ".join(f":{name}" for name in names), ACCENT))
    state.console.print(table)
    state.console.print(Text(f":help {ALL} says what each does, :help save how one works", "dim"))
    if state.front.keys:
        state.console.print(Text(state.front.keys, "dim"))


def tell_all_commands(state: SearchState, commands: Sequence[Command]) -> None:
    """Print every command with what it does."""
    _tell_commands(state, commands)


def tell_command(state: SearchState, command: Command) -> None:
    """Print one command with its examples."""
    _tell_commands(state, [command])
    if command.examples:
        state.console.print(Text("\n".join(f"    {example}" for example in command.examples), "dim"))


def tell_queries(state: SearchState) -> None:
    """Print how to search, and the filters."""
    _tell_examples(state)
    state.console.print(Text("Filters:", "bold"))
    table = Table.grid(padding=(0, 2))
    filters = {name: (known.about, known.hint) for name, known in FILTER_VALUES.items()} | {MIN: (MIN_ABOUT, MIN_HINT)}
    for name, (about, hint) in filters.items():
        table.add_row(Text(f"  {name}:", ACCENT), Text(about), Text(hint, "dim"))
    state.console.print(table)
    state.console.print(Text("\n".join(f"  {note}" for note in _NOTES), "dim"))


def _tell_examples(state: SearchState) -> None:
    state.console.print(Text("Type what you're looking for:", "bold"))
    state.console.print(Text("\n".join(f"  {example}" for example in EXAMPLES)))


def _tell_commands(state: SearchState, commands: Sequence[Command]) -> None:
    table = Table.grid(padding=(0, 2))
    for command in commands:
        also = f" (also {', '.join(command.also)})" if command.also else ""
        table.add_row(Text(f"  {command.synopsis}", ACCENT), Text(command.summary).append(also, "dim"))
    state.console.print(table)
