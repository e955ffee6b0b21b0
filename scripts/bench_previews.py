"""Measures previews: every protocol, a page for a browser, and the command `search --preview`.

For a row of photos it prints the median times to look up thumbnails, compose and encode them, and the bytes sent to the
terminal.  For character graphics it also prints the fidelity of a photo in 30 x 12 cells: the peak signal-to-noise
ratio (PSNR) against the photo at 24 x 48 pixels a cell.  It uses 24 photos of the demo, or a folder of yours, and works
in a temporary home.

    python scripts/bench_previews.py [--photos DIR] [--columns 120] [--runs 15]
"""

from __future__ import annotations

import argparse
import os
import platform
import pty
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from PIL import Image

import photomap_cli
from photomap_cli.graphics import block_glyphs, detection
from photomap_cli.graphics.cells import fit
from photomap_cli.graphics.contact_sheet import compose
from photomap_cli.graphics.layout import row_layout
from photomap_cli.graphics.protocol_choice import GraphicsProtocol, TerminalInfo
from photomap_cli.images.thumbnails import Thumbnailer
from photomap_cli.records import Hit, SearchResult, Timings
from photomap_cli.settings import Settings
from photomap_cli.views.html.contact_sheet import sheet_page

ROWS = 50
DEMO_PHOTOS = Path(photomap_cli.__file__).parent / "demo_photos"
PHOTOS = 24
CELLS = (30, 12)
FINE = (24, 48)  # pixels a cell; a multiple of the blocks of every protocol
GLYPHS = (block_glyphs.HALVES, block_glyphs.QUADRANTS, block_glyphs.SEXTANTS, block_glyphs.OCTANTS)
ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".heic"}
PHOTOMAP = [sys.executable, "-m", "photomap_cli"]
SILENT_ANSWER = b"\x1b[?62;c"


def main() -> int:
    """Run everything and print the tables."""
    options = _options()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory(prefix="photomap-bench-") as home:
        photos = options.photos or DEMO_PHOTOS
        paths = sorted(str(path) for path in photos.rglob("*") if path.suffix.lower() in ENDINGS)[:PHOTOS]
        _measure_likeness(paths)
        library = Path(home) / "library"
        library.mkdir()
        with Thumbnailer(library, Settings) as thumbnailer:
            _measure_ways(thumbnailer, paths, options)
            _measure_page(thumbnailer, paths)
        _measure_command(Path(home), photos, options.runs)
    return 0


def _measure_likeness(paths: list[str]) -> None:
    print(f"{len(paths)} photos in {CELLS[0]} x {CELLS[1]} cells:\n\ncharacters    PSNR (dB)  a photo (ms, median)")
    for glyphs in GLYPHS:
        ratios, times = [], []
        for path in paths:
            with Image.open(path) as opened:
                photo = opened.convert("RGB")
            start = time.perf_counter()
            drawn = _drawn(photo, glyphs)
            times.append(1e3 * (time.perf_counter() - start))
            size = CELLS[0] * FINE[0], CELLS[1] * FINE[1]
            wanted = np.asarray(photo.resize(size, Image.Resampling.LANCZOS), dtype=np.float32)
            seen = drawn.repeat(FINE[1] // glyphs.height, 0).repeat(FINE[0] // glyphs.width, 1)
            ratios.append(10 * np.log10(255**2 / ((seen - wanted) ** 2).mean()))
        print(f"{glyphs.name:<12} {np.mean(ratios):>10.2f} {statistics.median(times):>20.1f}")
    print()


def _drawn(photo: Image.Image, glyphs: block_glyphs.BlockGlyphs) -> np.ndarray:
    """Return the pixels of a photo as drawn by characters."""
    (columns, rows), (across, down) = CELLS, (glyphs.width, glyphs.height)
    small = photo.resize((columns * across, rows * down), Image.Resampling.BICUBIC, reducing_gap=2.0)
    pixels = np.asarray(small, dtype=np.float32).reshape(rows, down, columns, across, 3)
    blocks = pixels.transpose(0, 2, 1, 3, 4).reshape(-1, down * across, 3)
    fitted = fit(blocks, np.ones(blocks.shape[:2], dtype=bool), glyphs)
    has_ink = (fitted.patterns[:, None] >> np.arange(down * across) & 1)[..., None]
    seen = np.where(has_ink, fitted.ink[:, None], fitted.paper[:, None]).reshape(rows, columns, down, across, 3)
    return seen.transpose(0, 2, 1, 3, 4).reshape(rows * down, columns * across, 3)


def _measure_ways(thumbnailer: Thumbnailer, paths: list[str], options: argparse.Namespace) -> None:
    first = _milliseconds(lambda: thumbnailer.thumbnails(paths[:6]))
    print(f"six photos without thumbnails, made in decode processes: {first:.0f} ms\n")
    print("way                    photos   look up    compose     encode         bytes   (ms, medians)")
    for way in GraphicsProtocol:
        painter = detection.painter(way, detection.Display(TerminalInfo({"COLORTERM": "truecolor"})))
        layout = row_layout(options.columns, ROWS, painter.grid)
        row = paths[: layout.count]
        thumbnails = thumbnailer.thumbnails(row)
        sheet = compose(thumbnails, layout, painter.grid)
        text = painter.paint(sheet)
        looked = _median(lambda row=row: thumbnailer.thumbnails(row), options.runs)
        composed = _median(lambda t=thumbnails, y=layout, p=painter: compose(t, y, p.grid), options.runs)
        painted = _median(lambda p=painter, s=sheet: p.paint(s), options.runs)
        sides = f"{looked:9.1f}  {composed:9.1f}  {painted:9.1f}"
        print(f"{way.value:<22} {layout.count:>6} {sides}  {len(text.encode()):>12,}")


def _measure_page(thumbnailer: Thumbnailer, paths: list[str]) -> None:
    hits = tuple(Hit(rank, paths[rank % len(paths)], 0.3, "2023-06-15T10:22:00", 4000, 3000) for rank in range(1, 101))
    result = SearchResult("cat", "tiny", 1.0, "local", Timings(), hits)
    pieces: list[bytes] = []
    taken = _milliseconds(lambda: pieces.extend(sheet_page(result, lambda: thumbnailer, lambda work: work())))
    print(f"\na page of 100 photos: {sum(map(len, pieces)):,} bytes in {taken:.0f} ms\n")


def _measure_command(home: Path, photos: Path, runs: int) -> None:
    own = {name: str(home / name.lower()) for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
    runtime = home / "run"
    runtime.mkdir(mode=0o700)
    environment = {**os.environ, **own, "XDG_RUNTIME_DIR": str(runtime), "TERM": "xterm-256color"}
    subprocess.run([*PHOTOMAP, "index", str(photos), "--encoder", "tiny", "-q"], env=environment, check=True)
    words = ["search", "cat min:-1"]
    with _serving(environment):
        _on_a_terminal([*words, "--preview"], environment)
        for title, more in (("table", []), ("--preview", ["--preview"])):
            taken = _median(lambda more=more: _on_a_terminal([*words, *more], environment), runs)
            print(f"search over a live session, on a terminal, {title}: {taken:.0f} ms")


@contextmanager
def _serving(environment: dict[str, str]) -> Iterator[None]:
    subprocess.run([*PHOTOMAP, "serve", "--detach"], env=environment, check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run([*PHOTOMAP, "stop"], env=environment, check=True, capture_output=True)


def _on_a_terminal(words: list[str], environment: dict[str, str]) -> None:
    """Run a command on a pseudo-terminal that answers queries at once."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(PHOTOMAP[0], [*PHOTOMAP, *words], environment)
    with suppress(OSError):  # the command has ended
        while part := os.read(terminal, 1 << 16):
            if part.endswith(b"\x1b[c"):
                os.write(terminal, SILENT_ANSWER)
    os.waitpid(pid, 0)
    os.close(terminal)


def _median(work: Callable[[], object], runs: int) -> float:
    return statistics.median(_milliseconds(work) for _ in range(runs))


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1e3


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, help="a folder of photos to take instead of drawn ones")
    parser.add_argument("--columns", type=int, default=120)
    parser.add_argument("--runs", type=int, default=15)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
