"""Run the real prompt over a backend with real, short timers, or with those of a clock that is a file.

From the repository: `PYTHONPATH=. python tests/fake_repl.py --history /tmp/photomap-history --idle 3`.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from terminal_fakes import PaintedGallery, TimedBackend

from photomap_cli.errors import LibraryBusy
from photomap_cli.graphics import terminal_query
from photomap_cli.records import Facets
from photomap_cli.repl import prompt
from photomap_cli.repl.repl import Choices, Repl
from photomap_cli.views.previews import Previews

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> int:
    options = _options()
    terminal_query.TIMEOUT_SECONDS, prompt.CPR_SECONDS = options.answer_timeout, options.cursor_timeout
    subscribers = []
    opened = []

    def open_backend() -> TimedBackend:
        opened_at = options.clock() + options.opening
        while options.clock() < opened_at:
            time.sleep(0.01)
        if options.busy:
            options.busy -= 1
            raise LibraryBusy("the library is busy", hint="wait a moment")
        times = {name: getattr(options, name) for name in ("load", "reload", "idle", "release", "clock")}
        backend = TimedBackend(**times, device=options.device)
        backend._is_gone = bool(opened)
        backend.on_change = lambda: [repaint() for repaint in subscribers]
        opened.append(backend)
        return backend

    console = Console(highlight=False)
    return Repl(
        open_backend,
        console=console,
        previews=Previews(console, PaintedGallery),
        cwd=Path("/photos"),
        history_path=options.history,
        choices=lambda: Choices(options.limit, options.prewarm, options.previews),
        read_words=lambda: Facets(cameras=(("NIKON Z 6", 900),)),
        first_note=lambda: options.note,
        read_usual_folder=lambda: options.folder,
        subscribe=subscribers.append,
    ).run()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for name, default in (("load", 0.1), ("reload", 0.05), ("idle", 30.0), ("release", 600.0), ("opening", 0.0)):
        parser.add_argument(f"--{name}", type=float, default=default)
    parser.add_argument("--clock", type=_clock, default=time.monotonic, help="a file with the time in it, in seconds")
    for name in ("--answer-timeout", "--cursor-timeout"):
        parser.add_argument(name, type=float, default=3600.0, help="how long the terminal may take for its answer")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--note", default="")
    parser.add_argument("--folder", default="", help="what is searched unless told otherwise")
    parser.add_argument("--limit", type=int, default=3)
    parser.add_argument("--busy", type=int, default=0, help="how often opening fails")
    parser.add_argument("--previews", default="off")
    parser.add_argument("--prewarm", action="store_true")
    parser.add_argument("--history", type=Path, required=True)
    return parser.parse_args()


def _clock(path: str) -> Callable[[], float]:
    return lambda: float(Path(path).read_text())


if __name__ == "__main__":
    sys.exit(main())
