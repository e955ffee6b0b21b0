"""`photomap encoders`: the encoders it knows, and which this computer would use."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photomap_cli.cli.exit_status import FOUND
from photomap_cli.cli.options import Globals, make_console
from photomap_cli.views.machine_output import write_document, write_rows
from photomap_cli.views.output import say

if TYPE_CHECKING:
    from photomap_cli.encoder.models import EncoderModel


def encoders(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> int:
    """List encoders, and which one is used here.

    Shows the length of their vectors, size, licence, and which are on disk.  Any other open_clip model works too.
    """
    from photomap_cli.encoder import models
    from photomap_cli.session.libraries import facts

    given: Globals = context.obj
    values = given.settings().values
    chosen, library = models.resolve(values.encoder, values.device), facts(given.library)
    known = {model.spec: model for model in models.KNOWN}
    specs = dict.fromkeys((*known, chosen, library["encoder"] or chosen))
    rows = [_encoder_row(spec, known.get(spec), chosen, library) for spec in specs]
    for row in rows:
        row["text_tower"], row["text_tower_fault"] = _text_tower(given, row)
    if as_json:
        write_document({"encoders": rows}, sys.stdout)
        return FOUND
    written = [_words_on(row) for row in rows]
    if sys.stdout.isatty():
        _print_encoders(written)
    else:
        write_rows(written, sys.stdout)
    return FOUND


def _text_tower(given: Globals, row: dict[str, Any]) -> tuple[bool | None, str | None]:
    """Return whether words are encoded without PyTorch, and why not; None for what isn't known yet."""
    from photomap_cli.session import text_encoder_report

    fault = text_encoder_report.fault(given.library) if row["library"] else None
    return (None, None) if fault is None else (not fault, fault or None)


def _encoder_row(spec: str, model: EncoderModel | None, chosen: str, library: dict[str, Any]) -> dict[str, Any]:
    """Return an encoder's facts as JSON values; None for what isn't known without loading it."""
    is_library = spec == library["encoder"]
    return {
        "spec": spec,
        "dim": model.dim if model else library["dim"] if is_library else None,
        "weight_bytes": model.weight_bytes if model else None,
        "licence": model.licence if model else None,
        "on_disk": model.is_on_disk if model else True if spec.startswith("local-dir:") else None,
        "default": spec == chosen,
        "library": is_library,
        "about": model.about if model else "",
    }


def _words_on(row: dict[str, Any]) -> tuple[str, ...]:
    """Return an encoder's row as text: spec, dimension, size, licence, whether it is on disk, and notes."""
    from photomap_cli.views.formatting import human_bytes

    size = human_bytes(row["weight_bytes"]) if row["weight_bytes"] else "?"
    on_disk = {True: "yes", False: "no", None: "?"}[row["on_disk"]]
    fault = row["text_tower_fault"]
    marks = {
        "this library's": row["library"],
        "used for new libraries": row["default"],
        "words without PyTorch": row["text_tower"],
        f"words by PyTorch: {fault}": fault,
        row["about"]: row["about"],
    }
    notes = "; ".join(words for words, is_so in marks.items() if is_so)
    return row["spec"], str(row["dim"] or "?"), size, row["licence"] or "?", on_disk, notes


def _print_encoders(rows: list[tuple[str, ...]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    table.add_column(
        "encoder", no_wrap=True, min_width=max(len(row[0]) for row in rows)
    )  # so that it can be copied in one piece
    for heading in ("dim", "size", "licence", "on disk"):
        table.add_column(heading, no_wrap=True)
    table.add_column()
    for row in rows:
        table.add_row(*map(Text, row))
    make_console().print(table)
    say("also: MODEL/TAG as open_clip lists them, hf-hub:ORG/NAME, local-dir:/PATH", file=sys.stdout)
