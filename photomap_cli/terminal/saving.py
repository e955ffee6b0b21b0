"""Owns writing results into a file of the user's: which form its ending means, and that nothing there is lost."""

from __future__ import annotations

import csv
import io
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from photomap_cli.errors import BadPath, UsageError
from photomap_cli.terminal.lines import ResultStyle, write_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from photomap_cli.records import SearchResult

COLUMNS = ("rank", "score", "path", "taken_at", "width", "height")


def save(result: SearchResult, path: Path, *, over: bool = False) -> None:
    """Write a result in the form that the file's ending says; whole, or not at all.

    Args:
        result: what was found.
        path: absolute.
        over: whether a file that is there may be written over.

    Raises:
        UsageError: the ending is none that is known.
        BadPath: there is such a file already, or it cannot be written.
    """
    form = FORMS.get(path.suffix.lower())
    if form is None:
        raise UsageError(f"{path.name} has no ending that says how to save", hint=f"endings: {' '.join(FORMS)}")
    if os.path.lexists(path) and not over:
        raise BadPath(f"{path} is there already", hint=f":save -f {path.name} writes over it")
    temporary = path.with_name(f".{path.stem[:50]}.new")  # a long name must not get longer
    try:
        temporary.write_bytes(form(result))
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise BadPath(f"{path} cannot be written: {error.strerror}") from error


def _json(result: SearchResult) -> bytes:
    return _lines(result, ResultStyle.JSON)


def _paths(result: SearchResult) -> bytes:
    return _lines(result, ResultStyle.PATHS)


def _lines(result: SearchResult, style: ResultStyle) -> bytes:
    text = io.StringIO()
    write_lines(result.to_json(), style, text)
    return os.fsencode(text.getvalue())


def _csv(result: SearchResult) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    rows.writerows([getattr(hit, column) for column in COLUMNS] for hit in result.hits)
    return os.fsencode(text.getvalue())


FORMS: dict[str, Callable[[SearchResult], bytes]] = {".json": _json, ".csv": _csv, ".txt": _paths}
