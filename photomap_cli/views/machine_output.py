"""Owns output for programs: JSON documents and their version, JSON lines, paths, plain rows.  Light: no rich.

Programs get every byte unchanged; if `file` is a terminal, names are written as for people.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, TextIO

from photomap_cli.views.output import printable

NO_SCORE = "-"
"""Stands for a missing score; an empty column would be lost when rows are split at blanks."""

_CURSOR = "cursor"  # for a session's clients


JSON_VERSION = 1
"""The version in every JSON document; a change that breaks readers raises it."""


class ResultStyle(StrEnum):
    """How to write a result."""

    TABLE = "table"
    PLAIN = "plain"
    JSON = "json"
    JSONL = "jsonl"
    PATHS = "paths"
    NUL = "nul"


def write_lines(result: dict[str, Any], style: ResultStyle, file: TextIO) -> None:
    """Write a result, given as JSON values, to `file` in any style but TABLE.

    Paths are written as their bytes on disk, whatever the encoding of `file`.
    """
    hits = result["hits"]
    match style:
        case ResultStyle.JSON:
            write_document({name: value for name, value in result.items() if name != _CURSOR}, file)
        case ResultStyle.JSONL:
            file.writelines(map(_json_line, hits))
        case ResultStyle.PLAIN:
            for hit in hits:
                score = NO_SCORE if hit["score"] is None else f"{hit['score']:.4f}"
                write_plain((str(hit["rank"]), score), hit["path"], file)
                for part in hit.get("terms", ()):
                    figures = f"{part['part']:+.4f}", f"{part['weight']:g}", f"{part['cosine']:.4f}"
                    write_plain(("", *figures), part["term"], file)
        case ResultStyle.PATHS:
            write_paths((hit["path"] for hit in hits), file)
        case ResultStyle.NUL:
            write_paths((hit["path"] for hit in hits), file, end="\0")
        case ResultStyle.TABLE:
            raise ValueError("a table is drawn by terminal.results")


def write_paths(paths: Iterable[str], file: TextIO, *, end: str = "\n") -> None:
    """Write paths, each followed by `end`, as the bytes they have on disk."""
    shown = map(printable, paths) if file.isatty() else paths
    _write_bytes(file, "".join(path + end for path in shown))


def write_rows(rows: Iterable[Iterable[str]], file: TextIO) -> None:
    """Write rows of fields separated by tabs."""
    for row in rows:
        *fields, last = row
        write_plain(fields, last, file)


def write_document(fields: dict[str, Any], file: TextIO) -> None:
    """Write a JSON document with its version: indented on a terminal, else on one line."""
    file.write(document(fields, indented=file.isatty()))


def write_document_line(fields: dict[str, Any], file: TextIO) -> None:
    """Write one of several JSON documents with its version, on its own line, and flush it."""
    file.write(document(fields))
    file.flush()


def document(fields: dict[str, Any], *, indented: bool = False) -> str:
    """Return a JSON document, its version first, with a line end."""
    return _json_line({"version": JSON_VERSION, **fields}, indent=2 if indented else None)


def _json_line(value: object, indent: int | None = None) -> str:
    # ASCII, so that a name that isn't UTF-8 is still valid JSON and survives any encoding of the pipe.
    return json.dumps(value, indent=indent) + "\n"


def write_plain(fields: Iterable[str], path: str, file: TextIO) -> None:
    """Write a row: the fields and a path, separated by tabs."""
    escape = printable if file.isatty() else _without_controls
    _write_bytes(file, "\t".join(map(escape, (*fields, path))) + "\n")


def _without_controls(name: str) -> str:
    """Return a name without tabs or line ends, which would break the row."""
    return "".join(printable(letter) if letter < " " or letter == "\x7f" else letter for letter in name)


def _write_bytes(file: TextIO, text: str) -> None:
    buffer = getattr(file, "buffer", None)
    if buffer is None:
        file.write(text)
        return
    file.flush()
    buffer.write(os.fsencode(text))
    buffer.flush()
