"""Owns `:album`, `:albums`, `:save-search` and `:searches`: what users keep in the library besides photos."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, cast

from rich.table import Table
from rich.text import Text

from photomap_cli.errors import UsageError
from photomap_cli.repl.commands import arguments
from photomap_cli.views.formatting import photos
from photomap_cli.views.machine_output import write_plain
from photomap_cli.views.output import printable

if TYPE_CHECKING:
    from photomap_cli.repl.state import SearchState


def album(state: SearchState, rest: str) -> None:
    """Add photos to an album; `--remove` takes them out, `--delete` deletes the album, `--delete!` without asking."""
    option, rest = arguments.option(rest, "--remove", "--delete", "--delete!")
    if option.startswith("--delete"):
        _delete_album(state, _name(rest), is_asked=option == "--delete")
        return
    hits, name = arguments.chosen(state, rest)
    name = _name(name)
    if option == "--remove":
        _remove(state, [hit.path for hit in hits], name)
    else:
        _add(state, [hit.path for hit in hits], name)


def _add(state: SearchState, paths: list[str], name: str) -> None:
    from photomap_cli.library import albums, user_data
    from photomap_cli.session.libraries import open_library

    library = library_of(state)
    with open_library(library) as opened:
        members = albums.as_members(opened.facts, paths)
    added = user_data.add(library, name, members)
    known = len(paths) - added
    there = f"; {known:,} in it already" if known else ""
    state.front.tell(f"{photos(added)} added to {name}{there}; album:{quoted(name)} finds it")


def _remove(state: SearchState, paths: list[str], name: str) -> None:
    from photomap_cli.library import user_data

    library = library_of(state)
    if user_data.album(library, name) is None:
        raise UsageError(f"there is no album {name}", hint=":albums lists them")
    state.front.tell(f"{photos(user_data.remove(library, name, paths))} taken out of {name}")


def _delete_album(state: SearchState, name: str, *, is_asked: bool) -> None:
    from photomap_cli.library import user_data

    library = library_of(state)
    found = user_data.album(library, name)
    if found is None:
        raise UsageError(f"there is no album {name}", hint=":albums lists them")
    question = f"delete the album {found.name} of {photos(len(found.members))}? the photos stay"
    if is_asked and not state.front.confirm(question, unasked=f":album --delete! {name}"):
        state.front.tell("nothing was deleted")
        return
    user_data.delete(library, name)
    state.front.tell(f"the album {found.name} is deleted; its photos stay")


def albums(state: SearchState, rest: str) -> None:
    """List the albums and how many photos each has."""
    from photomap_cli.library import user_data

    found = user_data.albums(library_of(state))
    rows = ((name, f"{count:,}" if state.console.is_terminal else str(count)) for name, count in found)
    _list(state, rows, ":album NAME makes an album of the marked, else of the results")


def save_search(state: SearchState, rest: str) -> None:
    """Save the last query under a name; `--delete` deletes a saved one."""
    from photomap_cli.library import user_data

    option, rest = arguments.option(rest, "--delete")
    name, library = _name(rest), library_of(state)
    if option:
        if not user_data.delete_search(library, name):
            raise UsageError(f"there is no saved search {name}", hint=":searches lists them")
        state.front.tell(f"the saved search {name} is deleted")
        return
    text = state.portable_query()
    was_there = user_data.save_search(library, name, text)
    place = ", replacing another" if was_there else ""
    state.front.tell(f"saved{place}: @@{quoted(name)} is {text}")


def searches(state: SearchState, rest: str) -> None:
    """List the saved searches."""
    from photomap_cli.library import user_data

    found = user_data.searches(library_of(state))
    _list(state, found.items(), ":save-search NAME saves the last query")


def library_of(state: SearchState) -> Path:
    """Return the folder of the conversation's library."""
    from photomap_cli.library.location import library_directory

    return library_directory(state.request(lambda backend: backend.status()).library)


def quoted(name: str) -> str:
    """Return a name as it is written in a query."""
    return f'"{name}"' if " " in name else name


def _name(text: str) -> str:
    from photomap_cli.library import user_data

    return user_data.valid_name(arguments.path_meant(text.strip()))


def _list(state: SearchState, rows: Iterable[tuple[str, str]], nothing: str) -> None:
    """Print names with their descriptions; for programs, separated by a tab."""
    found = list(rows)
    if not found:
        state.front.tell(f"none yet; {nothing}")
    if not state.console.is_terminal:
        for name, value in found:
            write_plain((name,), value, cast("TextIO", state.console.file))
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(style="dim", overflow="fold")
    for name, value in found:
        table.add_row(Text(f"  {printable(name)}"), Text(printable(value)))
    if found:
        state.console.print(table)
