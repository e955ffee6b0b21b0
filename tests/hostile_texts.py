"""Says to a terminal, by every way there is, texts that would command it or fool its reader.  Run by the test."""

from __future__ import annotations

import io
import logging
import sys
from dataclasses import asdict, replace
from pathlib import Path

from rich.text import Text
from terminal_fakes import VRAM, Thumbnail, make_hit, make_result

from photomap_cli import errors
from photomap_cli.cli import backend, exit_status, stdio
from photomap_cli.cli.options import Globals
from photomap_cli.graphics.layout import single_layout
from photomap_cli.records import (
    Check,
    CheckState,
    DuplicateGroup,
    DuplicatePhoto,
    EncoderFailure,
    IndexFailure,
    IndexProgress,
    IndexReport,
    LibraryStatus,
    TermPart,
)
from photomap_cli.records.maps import MapCluster, MapPoint, PhotoMap
from photomap_cli.views import (
    doctor,
    duplicates,
    index_report,
    machine_output,
    map,
    results,
    status_table,
    status_watch,
)
from photomap_cli.views.captions import captions, line_below
from photomap_cli.views.console import console_on
from photomap_cli.views.machine_output import ResultStyle
from photomap_cli.views.output import say
from photomap_cli.views.progress import follow
from photomap_cli.views.score_breakdown import explanation
from photomap_cli.views.spinner import wait_for

BYTES = "\udc9b31m\udc9d52;c;aGk=\udc9c"  # C1 as bytes that are no UTF-8
HOSTILE = (  # the clipboard, a colour, a reset, a title, letters turned round, unseen ones, Rich's markup
    "\x1b]52;c;aGk=\x07\x1b[97;105m\x1bc\x08\r\n\x9b31m\x9d0;title\x9c"
    "\u202egpj\u2066\u200f\u2028\u200b\U000e0041[red]x[/]" + BYTES
)
PATH = f"/{HOSTILE}/{HOSTILE}.jpg"
LIBRARY = LibraryStatus(PATH, 1, HOSTILE, 8, 1, None, (PATH,))
SESSION = replace(VRAM, kind=HOSTILE, library=PATH, encoder=HOSTILE, device=HOSTILE, device_name=HOSTILE, log=PATH)
HIT = replace(make_hit(1, PATH), taken_at=HOSTILE, terms=(TermPart(HOSTILE, 1.0, 0.3, 0.3),))
RESULT = replace(make_result(1, query=HOSTILE), hits=(HIT,), served_by=HOSTILE, notices=(HOSTILE,))
MAP = PhotoMap(
    HOSTILE, "groups", 1.0, (MapCluster(1, HOSTILE, 1, (0.5, 0.5), (PATH,)),), (MapPoint(PATH, 0.5, 0.5, 1),)
)


def errors_and_notices() -> None:
    for kind in errors.PhotomapError._classes.values():
        error = kind(HOSTILE, hint=HOSTILE, position=3)
        error.text = HOSTILE
        exit_status.report(error, [])
    exit_status.report(errors.BadQuery(HOSTILE), ["search", "--json"])
    exit_status._defect(ValueError(HOSTILE), [])
    backend.tell([HOSTILE], Globals(PATH, False, False))
    say(HOSTILE, HOSTILE)
    stdio.configure_logging(verbose=True)
    logging.getLogger(HOSTILE).warning("%s", HOSTILE)
    sys.excepthook(ValueError, ValueError(HOSTILE), None)


def results_and_tables() -> None:
    console, cwd = console_on(), Path("/")
    for style in ResultStyle:
        results.write(RESULT, style, sys.stdout, cwd=cwd, console=console)
    console.print(explanation(HIT, cwd))
    console.print(line_below(HIT, cwd))
    faulty = Thumbnail(fault=HOSTILE)
    console.print(captions([HIT], [faulty], single_layout(80, 24)))
    console.print(Text(HOSTILE), HOSTILE)
    machine_output.write_rows([(HOSTILE, HOSTILE)], sys.stdout)
    photos = tuple(DuplicatePhoto(PATH, 1.0, 1, HOSTILE, 1, 1) for _ in range(2))
    group = DuplicateGroup("similar", photos)
    duplicates.print_groups([group], console, cwd)
    duplicates.write_rows([group], sys.stdout)
    map.write(MAP, sys.stdout, as_json=False, console=console)
    map.write(MAP, sys.stdout, as_json=True, console=console)
    for state in CheckState:
        console.print(doctor.line(Check(HOSTILE, state, HOSTILE, HOSTILE)))


def states_and_reports() -> None:
    console = console_on()
    for session in (
        SESSION,
        replace(SESSION, last_error=EncoderFailure("internal", HOSTILE)),
        replace(SESSION, state=VRAM.state),
    ):
        for width in (40, 80, 160):
            console.width = width
            console.print(status_table.status_table([session], LIBRARY))
        say(*status_table.status_lines([session], LIBRARY), file=sys.stdout)
    looks = [{"sessions": [each.to_json()], "library": asdict(LIBRARY)} for each in (SESSION,)]
    looks.append({"sessions": [], "library": asdict(LIBRARY)})
    status_watch.print_lines(looks, sys.stdout)
    status_watch.print_json(looks, sys.stdout)
    status_watch.draw(looks, console_on())
    done = IndexReport(roots=(PATH,), failures=(IndexFailure(PATH, HOSTILE),))
    index_report.write_report(done, sys.stdout, list_errors=True)
    follow(iter([IndexProgress(1, 2, 1, HOSTILE)]), console=console_on(stderr=True), note=lambda: HOSTILE)
    wait_for(lambda: None, console=console_on(stderr=True), words=lambda: HOSTILE)


if __name__ == "__main__":
    stdio.tolerate_encoding_errors()
    stdio.install_excepthooks()
    assert isinstance(sys.stdout, io.TextIOWrapper)
    errors_and_notices()
    results_and_tables()
    states_and_reports()
    say("said all")
