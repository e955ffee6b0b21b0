"""Run the real prompt over a backend with real, short timers, or with those of a clock that is a file.

From the repository: `PYTHONPATH=. python tests/fake_repl.py --history /tmp/photomap-history --idle 3`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from terminal_fakes import FakeHost, PaintedThumbnailer, TimedBackend

from photomap_cli.errors import LibraryBusy
from photomap_cli.graphics import terminal_query
from photomap_cli.records import Facets
from photomap_cli.repl import prompt
from photomap_cli.repl.repl import Repl
from photomap_cli.views.previews import Previews


class TimedHost(FakeHost):
    """Opens backends that take their time, as the options say."""

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__(results=options.limit, prewarm=options.prewarm, previews=options.previews)
        self._options = options
        self._has_opened = False

    def open_backend(self) -> TimedBackend:
        options = self._options
        opened_at = options.clock() + options.opening
        while options.clock() < opened_at:
            time.sleep(0.01)
        if options.busy:
            options.busy -= 1
            raise LibraryBusy("the library is busy", hint="wait a moment")
        times = {name: getattr(options, name) for name in ("load", "reload", "idle", "release", "clock")}
        backend = TimedBackend(**times, device=options.device)
        backend._is_gone, self._has_opened = self._has_opened, True
        backend.on_change = lambda: [repaint() for repaint in self.subscribers]
        return backend

    def facets(self) -> Facets:
        return Facets(cameras=(("NIKON Z 6", 900),), folders=((self._options.folder, 120),))

    def first_note(self) -> str:
        return self._options.note

    def default_folder(self) -> str:
        return self._options.folder


def main() -> int:
    options = _options()
    terminal_query.TIMEOUT_SECONDS, prompt.CPR_SECONDS = options.answer_timeout, options.cursor_timeout
    console = Console(highlight=False)
    previews = Previews(console, PaintedThumbnailer)
    host = TimedHost(options)
    return Repl(host, console=console, previews=previews, cwd=Path("/photos"), history_path=options.history).run()


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
