"""Owns `:info`: what is known of a photo, and where its date comes from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO, cast

from rich.table import Table
from rich.text import Text

from photomap_cli.records import DateSource
from photomap_cli.repl.commands import arguments
from photomap_cli.views.filenames import shown_path
from photomap_cli.views.formatting import human_bytes
from photomap_cli.views.machine_output import write_plain
from photomap_cli.views.output import printable

if TYPE_CHECKING:
    from photomap_cli.records import PhotoDetails
    from photomap_cli.repl.state import SearchState

_SOURCES = {
    DateSource.EXIF: "from EXIF",
    DateSource.EXIF_DAY: "from EXIF, which has no valid time",
    DateSource.NAME: "from the file name",
    DateSource.NAME_DAY: "from the file name, which has no time",
    DateSource.FILE: "the file's own time; neither EXIF nor the name has a date",
    DateSource.UNKNOWN: "EXIF, the name and the file's own time have none that can be true",
}


def info(state: SearchState, rest: str) -> None:
    """Print what the library knows about results; for programs one fact per line, after its name and a tab."""
    for hit in arguments.hits(state, rest):
        known = state.request(lambda backend, path=hit.path: backend.details(path))  # type: ignore[misc]
        if state.console.is_terminal:
            _print(state, known)
        else:
            file = cast("TextIO", state.console.file)
            for name, value in [("path", known.path), *facts(known)]:
                write_plain((name,), value, file)


def facts(known: PhotoDetails) -> Iterator[tuple[str, str]]:
    """Yield each fact's name and value, in the order they are shown."""
    yield "date", f"{date(known)} ({_SOURCES[known.date_source]})"
    megapixels = known.width * known.height / 1e6
    yield "pixels", f"{known.width} × {known.height} ({megapixels:.1f} megapixels, {_shape(known)})"
    yield "size", human_bytes(known.size_bytes)
    yield "kind", f"{'RAW' if known.kind == 'raw' else known.kind}, {known.extension}".removesuffix(", ")
    if known.seconds is not None:
        yield "length", _length(known.seconds)
    if known.rating:
        yield "rating", "rejected" if known.rating < 0 else f"{known.rating} of 5"
    if known.camera:
        yield "camera", known.camera
    if known.lens:
        yield "lens", known.lens
    if known.latitude is not None and known.longitude is not None:
        yield "place", f"{known.latitude:.6f}, {known.longitude:.6f}"


def _length(seconds: float) -> str:
    """Return how long a video is, as players show it: `0:12`, `1:02:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _shape(known: PhotoDetails) -> str:
    """Return the orientation, as the most specific word of the filter `orientation:`."""
    if known.width == known.height:
        return "square"
    if known.width >= 2 * known.height:
        return "panorama"
    return "landscape" if known.width > known.height else "portrait"


def date(known: PhotoDetails) -> str:
    """Return a photo's date, without the time of day where that is not known."""
    if known.date_source is DateSource.UNKNOWN:
        return "unknown"
    day, _, time = known.dated_at.partition("T")
    return day if known.date_source.is_day else f"{day} {time}"


def _print(state: SearchState, known: PhotoDetails) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in [("path", shown_path(known.path, state.cwd)), *facts(known)]:
        table.add_row(name, Text(printable(value)))
    state.console.print(table)
