"""Owns the first start, when there is no library: finds photos, says how long they take, offers to index them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from photomap_cli import directories
from photomap_cli.errors import EmptyLibrary, PhotomapError
from photomap_cli.repl.commands.help import EXAMPLES
from photomap_cli.views.formatting import duration, folded, human_bytes, photos
from photomap_cli.views.output import say

if TYPE_CHECKING:
    from photomap_cli.encoder.models import EncoderModel
    from photomap_cli.session.opener import SessionOpener
    from photomap_cli.session.session import Session
    from photomap_cli.settings import Settings

COUNTING_SECONDS = 2.0
MOST_LOOKED_AT = 2000
NOT_COVERED = "this folder isn't indexed, so the whole library is searched; `photomap index` adds it"
NOTHING_DONE = (
    "Nothing was indexed.",
    "`photomap index FOLDER` adds a folder. `photomap demo` tries sample photos.",
)
TRIED = 16  # photos, spread over all that were found, so that the newest camera's are included


@dataclass(frozen=True, slots=True)
class Finding:
    """Photos below a folder; `is_all` is False if there wasn't enough time to count them all."""

    folder: Path
    paths: tuple[str, ...]
    is_all: bool

    @property
    def words(self) -> str:
        """Return how many photos there are, and where."""
        more = "" if self.is_all else "more than "
        return f"{more}{photos(len(self.paths))} in {self.folder}"


def offer(opener: SessionOpener, settings: Settings, ask: Callable[[str], str] = input) -> bool:
    """Offer to make the library of the photos in this folder, or in the user's folder of pictures.

    The trial, the indexing and the prompt share one session, and so one encoder process.

    Returns:
        Whether there is a library now; the session is left to the prompt then.

    Raises:
        EmptyLibrary: no photos were found; the hint says what to do.
        KeyboardInterrupt: the user pressed Ctrl-C at the question, or before it.
        PhotomapError: indexing failed.
    """
    say("There are no photos in your library yet.", file=sys.stdout)
    found = _found(settings)
    say(f"Found {found.words}.", file=sys.stdout)
    with ExitStack() as undo:
        undo.callback(opener.give_up)
        say(*_time_needed(found, opener, settings), file=sys.stdout)
        if not _agrees(ask):
            say(*NOTHING_DONE, file=sys.stdout)
            return False
        undo.pop_all()
    with ExitStack() as undo:
        undo.callback(opener.close)
        if has_photos := _index(opener.begun or opener.begin(), settings, found.folder):
            undo.pop_all()
        return has_photos


def note_on(folder: Path, library: Path) -> str:
    """Return a notice if a folder has photos that the library doesn't cover; else an empty string.

    Only looks at the folder itself, not below it, as this happens at every start.
    """
    from photomap_cli.indexing.roots import covers
    from photomap_cli.session import libraries

    if any(covers(root, str(folder)) for root in libraries.covered(library)):
        return ""
    return NOT_COVERED if has_photos(folder) else ""


def has_photos(folder: Path) -> bool:
    """Return whether a folder itself has photos, judging by the names of its first files."""
    from photomap_cli.library.file_types import has_photo_name
    from photomap_cli.library.optional_decoders import may_be_read

    with suppress(OSError), os.scandir(folder) as entries:
        return any(has_photo_name(entry.name) and may_be_read(entry.name) for entry in islice(entries, MOST_LOOKED_AT))
    return False


def _found(settings: Settings) -> Finding:
    """Return the photos of the first place that has any: this folder, or the desktop's pictures folder."""
    places = _places()
    for folder in places:
        found = find_photos(folder, settings)
        if found.paths:
            return found
    raise EmptyLibrary(
        f"found none in {' or '.join(map(str, places))} either",
        hint="`photomap index FOLDER` adds a folder; `photomap demo` lets you try it on sample photos",
    )


def _places() -> list[Path]:
    import platformdirs

    here, pictures = directories.working_directory(), Path(platformdirs.user_pictures_path())
    places = [pictures, here] if here == Path.home() else [here, pictures]  # a home folder is more than photos
    return [folder for folder in dict.fromkeys(places) if folder.is_dir()]


def find_photos(folder: Path, settings: Settings, clock: Callable[[], float] = time.monotonic) -> Finding:
    """Find the photos below a folder, within the time people are willing to wait."""
    from photomap_cli.indexing.content_sniffing import Sniffer
    from photomap_cli.indexing.scan import ScanRules, scan
    from photomap_cli.library.entities import FoundFile

    end, paths = clock() + COUNTING_SECONDS, []
    for found in Sniffer({}, {}).told(scan([str(folder)], ScanRules(settings.exclude))):
        if isinstance(found, FoundFile):
            paths.append(found.path)
        if clock() > end:
            return Finding(folder, tuple(paths), False)
    return Finding(folder, tuple(paths), True)


def _time_needed(found: Finding, opener: SessionOpener, settings: Settings) -> tuple[str, ...]:
    """Return lines on how long indexing will take, from trying some photos, or on what must be downloaded first."""
    from photomap_cli.encoder import models

    spec = models.resolve(settings.encoder, settings.device)
    model = next((model for model in models.KNOWN if model.spec == spec), None)
    if model is not None and not model.is_on_disk:
        return _words_on_download(model)
    sample = spread(found.paths, TRIED)
    rate = _tried(sample, opener)
    if not rate:
        return (f"The encoder is {spec}.",)
    about, needed = "about" if found.is_all else "at least", duration(len(found.paths) / rate)
    return (*folded([f"{spec} reads {rate:,.1f} photos/s here ({len(sample)} tried):", f"{about} {needed} for all."]),)


def _words_on_download(model: EncoderModel) -> tuple[str, ...]:
    size = human_bytes(model.weight_bytes)
    return (
        f"First the encoder is downloaded, once: {model.spec}, {size}.",
        "Then a bar shows how long the photos take.",
    )


def spread(paths: Sequence[str], most: int) -> list[Path]:
    """Return some of the paths, evenly spread."""
    step = max(1.0, len(paths) / most)
    return [Path(paths[int(number * step)]) for number in range(min(most, len(paths)))]


def _tried(sample: list[Path], opener: SessionOpener) -> float:
    """Return how many photos are read per second here, or 0 if that failed; indexing will say why."""
    from photomap_cli.cli.options import make_console
    from photomap_cli.indexing.speed_estimate import photos_per_second
    from photomap_cli.views.spinner import wait_for

    with suppress(PhotomapError):
        session = opener.begin()
        limit, words = session.settings.megapixel_limit, f"trying {photos(len(sample))}…"
        return wait_for(
            lambda: photos_per_second(sample, session.image_encoder, max_megapixels=limit),
            console=make_console(stderr=True),
            words=lambda: words,
        )
    return 0.0


def _agrees(ask: Callable[[str], str]) -> bool:
    while True:
        try:
            answer = ask("Index them now? [Y/n] ").strip().lower()
        except EOFError:
            say("", file=sys.stdout)
            return False
        except KeyboardInterrupt:
            say("", file=sys.stdout)  # the shell's prompt gets a line of its own
            raise
        if answer in ("", "y", "yes"):
            return True
        if answer in ("n", "no"):
            return False


def _index(session: Session, settings: Settings, folder: Path) -> bool:
    from photomap_cli.cli.index_run import run_index
    from photomap_cli.indexing.index_options import IndexOptions
    from photomap_cli.views.index_report import write_report

    interrupted, report = run_index(session, [folder], IndexOptions.of(settings), quiet=False)
    write_report(report, sys.stdout)
    if interrupted:
        say(f"`photomap index {folder}` continues from here.", file=sys.stdout)
    if report.added:
        say(f"Now type what you're looking for, such as: {EXAMPLES[0]}", file=sys.stdout)
    return report.added > 0
