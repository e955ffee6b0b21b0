"""Owns saving results to a user's file: the format by its extension, without losing what is there."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from photomap_cli import files
from photomap_cli.constraints import one_of
from photomap_cli.errors import BadPath, UsageError
from photomap_cli.views.machine_output import ResultStyle, document, write_lines

if TYPE_CHECKING:
    from photomap_cli.records import SearchResult

    Form = Callable[[SearchResult], Iterable[bytes]]

COLUMNS = ("rank", "score", "path", "taken_at", "width", "height")


def save(result: SearchResult, path: Path, *, as_page: Form, over: bool, hint: str) -> None:
    """Write a result in the format of the file's extension, completely or not at all.

    Args:
        result: what was found.
        path: absolute.
        as_page: returns a page for a browser, in pieces.
        over: whether an existing file may be overwritten.
        hint: how to overwrite it.

    Raises:
        UsageError: the extension is unknown.
        BadPath: the file already exists, or can't be written.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        what = f"as {ending}" if ending else "without an ending"
        raise UsageError(f"can't save {what}", hint=f"use a name that ends in {one_of(ENDINGS)}")
    require_free(path, over=over, hint=hint)
    write(path, (FORMS.get(ending) or as_page)(result))


def require_free(path: Path, *, over: bool, hint: str) -> None:
    """Raise BadPath for a folder, and for an existing file that may not be overwritten."""
    if os.path.isdir(path):  # noqa: PTH112  Path.is_dir raises for a name that is too long
        raise BadPath(f"{path} is a folder", hint="name a file in it")
    if files.is_other(path) and os.path.exists(path):  # noqa: PTH110  likewise
        raise BadPath(f"{path} is not a regular file", hint="name a file to write")
    if os.path.lexists(path) and not over:
        raise BadPath(f"{path} already exists", hint=hint)


def write(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file that replaces an existing one once it is complete.  Raises BadPath."""
    try:
        with files.replacing(path, private=False) as file:
            file.writelines(pieces)
    except OSError as error:
        raise BadPath(f"{path} cannot be written: {error.strerror}", hint="name a file in a folder of yours") from error


def write_out(pieces: Iterable[bytes], stream: TextIO) -> None:
    """Write to a standard stream, for programs."""
    stream.flush()
    stream.buffer.writelines(pieces)
    stream.buffer.flush()


def _json(result: SearchResult) -> Iterable[bytes]:
    return (document(result.to_json(), indented=True).encode("ascii"),)


def _paths(result: SearchResult) -> Iterable[bytes]:
    return _lines(result, ResultStyle.PATHS)


def _lines(result: SearchResult, style: ResultStyle) -> Iterable[bytes]:
    text = io.StringIO()
    write_lines(result.to_json(), style, text)
    return (os.fsencode(text.getvalue()),)


def _csv(result: SearchResult) -> Iterable[bytes]:
    rows = (COLUMNS, *([getattr(hit, column) for column in COLUMNS] for hit in result.hits))
    return map(os.fsencode, map(_csv_row, rows))


def _csv_row(values: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(
        values
    )  # before Python 3.13, "\n" alone has no \r in a name quoted
    return text.getvalue().removesuffix("\r\n") + "\n"


FORMS: dict[str, Form] = {".json": _json, ".csv": _csv, ".txt": _paths}
ENDINGS = (".html", *FORMS)
