"""Measures the gallery in a pseudo-terminal of 120x40: latency of keys, paging, memory, and start-up.

It fills a library with copies of the demo's photos in a temporary home, with the encoder `tiny`; nothing of yours is
read or changed.  A bare full-screen prompt_toolkit line is measured in the same run, so the ratios hold on a busy
machine too.

    python scripts/bench_browse.py [--photos N] [--quick] [--json]
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import platform
import pty
import re
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench_process import family, pss

COLUMNS, ROWS = 120, 40
TIMEOUT_SECONDS = 60.0
LEAVING_SECONDS = 5.0
QUIET_BYTES = 1000
BARE = """
from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.layout import BufferControl, HSplit, Layout, Window
keys = KeyBindings()
keys.add("c-c")(lambda event: event.app.exit())
line = Window(BufferControl(Buffer(multiline=False)), height=1)
Application(Layout(HSplit([line, Window()]), line), key_bindings=keys, full_screen=True).run()
"""
AIMS = {
    "echo_ratio": ("key to echoed key with a search running, x the bare echo", 1.5),
    "painted_ms": ("key to painted results beyond the debounce, ms", 120.0),
    "page_ms": ("next page from cached thumbnails, ms", 60.0),
    "grown_mb": ("memory grown from page 50 to 10,000 photos paged through, MB", 20.0),
    "browse_ms": (":browse at the prompt to its first page, ms", 400.0),
}


def main() -> int:
    """Measure, and print a table or JSON; returns the exit status."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        _live_in(Path(folder))
        make_library(Path(folder), options.photos)
        results = measured(quick=options.quick)
        results |= {"photos": options.photos, "cores": os.cpu_count() or 1, "load": os.getloadavg()[0]}
        # Flushed, as deleting a large library takes long.
        print(json.dumps(results) if options.json else table(results), flush=True)
    return 0


def table(results: dict[str, float]) -> str:
    """Return a table of the figures and their targets."""
    where = f"{platform.machine()}, {results['cores']} cores, load {results['load']:.1f}"
    lines = [f"{where}; {results['photos']:,} photos, half blocks, {COLUMNS}x{ROWS}", ""]
    lines += ["| what | measured | aim |", "|---|---:|---:|"]
    lines += [f"| {what} | {results[name]:.1f} | <= {aim:g} |" for name, (what, aim) in AIMS.items()]
    lines += ["", f"bare echo {results['bare_echo_ms']:.1f} ms, the gallery's {results['echo_ms']:.1f} ms (medians)"]
    beside = f"{results['start_ms']:.0f} ms to its first page"
    return "\n".join([*lines, f"`photomap browse` in a new process, beside a live session: {beside}"])


def measured(*, quick: bool) -> dict[str, float]:
    """Measure everything, on the library named in the environment."""
    rounds = 10 if quick else 40
    photomap = [sys.executable, "-m", "photomap_cli"]
    with Screen([sys.executable, "-c", BARE]) as bare:
        bare.settle()
        bare_ms = statistics.median(_echo(bare) for _ in range(rounds))
    with subprocess.Popen([*photomap, "--quiet", "serve"], stdin=subprocess.DEVNULL) as server:
        try:
            _until_served(photomap)
            return {"bare_echo_ms": bare_ms, **_gallery(photomap, rounds, bare_ms, pages=60 if quick else 500)}
        finally:
            server.terminate()


def _gallery(photomap: list[str], rounds: int, bare_ms: float, *, pages: int) -> dict[str, float]:
    starts = []
    for _ in range(3):
        with Screen([*photomap, "browse"]) as screen:
            starts.append(screen.until(screen.painted(), since=screen.started))
    from_prompt = []
    with Screen(photomap) as screen:
        screen.until(lambda seen: b"photomap>" in seen)
        screen.settle()
        for _ in range(3):
            from_prompt.append(screen.milliseconds(":browse\r", screen.painted()))
            screen.settle()
            screen.send("\x1b")  # leave the query line; sent together with the next key it would be Alt
            screen.settle(0.3)
            screen.send("q")
            screen.settle()
    with Screen([*photomap, "browse"]) as screen:
        screen.until(screen.painted())
        screen.settle()
        turned = [_page(screen) for _ in range(rounds // 4)]
        at_first = at_last = 0.0
        for number in range(pages):
            screen.milliseconds("\x1b[6~", screen.painted())
            if number == 49:
                at_first = screen.memory_mb()
        at_last = screen.memory_mb()
        screen.send("\x1b[H")
        screen.settle()
        echoes, painted = _typed(screen, rounds)
    echo_ms = statistics.median(echoes)
    return {
        "echo_ms": echo_ms,
        "echo_ratio": echo_ms / bare_ms,
        "painted_ms": statistics.median(painted) - 120,
        "page_ms": statistics.median(turned),
        "grown_mb": at_last - at_first,
        "start_ms": statistics.median(starts),
        "browse_ms": statistics.median(from_prompt),
    }


def _page(screen: Screen) -> float:
    took = screen.milliseconds("\x1b[6~", screen.painted())
    screen.settle()
    return took


def _typed(screen: Screen, rounds: int) -> tuple[list[float], list[float]]:
    """Return milliseconds from keys to their echo while a search runs, and from keys to painted results."""
    screen.send("\x1b[D/")  # an arrow moves to the photos, / back to the query line
    screen.settle()
    echoes = [_echo(screen) for _ in range(rounds)]
    painted = []
    for word in itertools.islice(itertools.cycle(("cat", "snow", "boat", "city", "dog")), rounds // 4):
        screen.send("\x15")
        screen.send(word[:-1])
        screen.settle(0.5)
        painted.append(screen.milliseconds(word[-1], screen.painted()))
        screen.settle(0.3)
    return echoes, painted


def _echo(screen: Screen) -> float:
    """Return the milliseconds from a key to its echo, while a search runs; the bare line is typed at the same pace."""
    screen.send("Q")
    time.sleep(0.13)  # the search has just begun
    screen.drain()
    took = screen.milliseconds("Q", lambda seen: b"Q" in seen)
    screen.settle(0.3)
    return took


class Screen:
    """A program on a pseudo-terminal; answers its terminal queries."""

    def __init__(self, words: list[str]) -> None:
        self.started = time.perf_counter()
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.environ |= {"TERM": "xterm-256color", "PHOTOMAP_PREVIEWS": "blocks", "COLORTERM": "truecolor"}
            os.execv(words[0], words)
        size = struct.pack("HHHH", ROWS, COLUMNS, 0, 0)
        import fcntl
        import termios

        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, size)

    def __enter__(self) -> Screen:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            os.write(self._terminal, b"\x03\x04")  # Ctrl-C leaves the gallery, Ctrl-D the prompt
            give_up_at = time.perf_counter() + LEAVING_SECONDS
            while time.perf_counter() < give_up_at and self._read(2.0):
                pass
        os.close(self._terminal)
        os.waitpid(self.pid, 0)

    def _read(self, seconds: float) -> bytes:
        if not select.select([self._terminal], [], [], seconds)[0]:
            return b""
        data = os.read(self._terminal, 1 << 16)
        for question, answer in ((b"\x1b[6n", b"\x1b[1;1R"), (b"\x1b[c", b"\x1b[?62;c")):
            if question in data:
                os.write(self._terminal, answer)
        return data

    def send(self, keys: str) -> None:
        """Type keys."""
        os.write(self._terminal, keys.encode())

    def drain(self) -> None:
        """Read what has been written so far."""
        while self._read(0):
            pass

    def settle(self, seconds: float = 0.7) -> None:
        """Wait until next to nothing is written for some seconds; the bar's countdown goes on."""
        for _ in range(20):
            end, written = time.perf_counter() + seconds, 0
            while (left := end - time.perf_counter()) > 0:
                written += len(self._read(left))
            if written < QUIET_BYTES:
                return

    def milliseconds(self, keys: str, is_seen: Callable[[bytes], object]) -> float:
        """Type keys, and return the milliseconds until `is_seen` accepts what was written since."""
        start = time.perf_counter()
        self.send(keys)
        return self.until(is_seen, since=start)

    def until(self, is_seen: Callable[[bytes], object], *, since: float | None = None) -> float:
        """Read until `is_seen` accepts the output; return the milliseconds since a `perf_counter` reading."""
        since = time.perf_counter() if since is None else since
        seen = b""
        while not is_seen(seen):
            data = self._read(TIMEOUT_SECONDS)
            if not data:
                raise TimeoutError(f"not seen: {seen[-300:]!r}")
            seen += data
        return 1e3 * (time.perf_counter() - since)

    @staticmethod
    def painted() -> Callable[[bytes], object]:
        """Return a predicate that tells whether every photo of a screen has been drawn."""
        from photomap_cli.browse.grid import Size, geometry
        from photomap_cli.graphics.renderer import Grid

        shape = geometry(Size(COLUMNS, ROWS), Grid(1, 2))
        boxes = [shape.box(place) for place in range(shape.count)]
        ends = [f"\x1b[{box.y + box.rows};{box.x + 1}H".encode() for box in boxes]
        return lambda seen: all(end in seen for end in ends)

    def memory_mb(self) -> float:
        """Return the program's memory (PSS) in MB, without decode processes and session."""
        return pss(next(iter(family(self.pid)))) / 1e6


def make_library(folder: Path, count: int) -> None:
    """Fill a library with links to the demo's photos, with slightly different vectors, and their thumbnails."""
    import numpy as np

    import photomap_cli
    from photomap_cli.images.thumbnail_cache import ThumbnailCache
    from photomap_cli.library.catalog import Catalog
    from photomap_cli.library.entities import FoundFile, NewPhoto

    demo = Path(photomap_cli.__file__).parent / "demo_photos"
    library = Path(os.environ["PHOTOMAP_LIBRARY"])
    command = [sys.executable, "-m", "photomap_cli", "--quiet", "index", str(demo), "--encoder", "tiny"]
    subprocess.run(command, check=True)
    random = np.random.default_rng(7)
    with contextlib.closing(Catalog.open(library)) as catalog, ThumbnailCache(library, max_bytes=1 << 30) as cache:
        paths = sorted(path for path in demo.rglob("*.jpg"))
        known = [catalog.photo_at(str(path)) for path in paths]
        vectors = catalog.vectors([photo.row for photo in known if photo])
        webps = [cache.get(photo.path, photo.mtime_ns) for photo in known if photo]
        catalog.change_roots([*catalog.roots(), str(folder / "photos")])
        for batch in _batches(folder / "photos", paths, count):
            added = []
            for number, path in batch:
                photo = known[number % len(known)]
                vector = vectors[photo.row] + random.standard_normal(len(vectors[photo.row])).astype(np.float32) * 0.01
                day = f"{2024 - number // 5000:04d}-{12 - number // 417 % 12:02d}-{28 - number % 28:02d}T12:00:00"
                file = FoundFile.of(str(path), path.stat())
                added.append(
                    NewPhoto.of(
                        file,
                        vector / np.linalg.norm(vector),
                        taken_at=day,
                        width=photo.width,
                        height=photo.height,
                        camera=photo.camera,
                        content_hash=number.to_bytes(16, "big"),
                    )
                )
            catalog.commit_batch(added)
            cache.put((photo.path, photo.mtime_ns, webps[at % len(webps)]) for at, photo in enumerate(added))


def _batches(folder: Path, paths: list[Path], count: int) -> Iterator[list[tuple[int, Path]]]:
    """Yield numbered links to the photos, a folder of a thousand at a time."""
    for start in range(0, count, 1000):
        place = folder / f"{start:06d}"
        place.mkdir(parents=True)
        batch = []
        for number in range(start, min(count, start + 1000)):
            link = place / f"photo-{number:06d}.jpg"
            link.symlink_to(paths[number % len(paths)])
            batch.append((number, link))
        yield batch


def _live_in(folder: Path) -> None:
    """Make this process and its children keep all of photomap's files below a folder."""
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
        os.environ[name] = str(folder / "home")
    (folder / "home").mkdir(mode=0o700)
    os.environ["PHOTOMAP_LIBRARY"] = str(folder / "library")


def _until_served(photomap: list[str]) -> None:
    give_up_at = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < give_up_at:
        done = subprocess.run([*photomap, "search", "warm up", "--json"], capture_output=True, text=True, check=False)
        if re.search('"served_by": *"session', done.stdout):
            return
        time.sleep(0.2)
    raise TimeoutError("no session")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photos", type=int, default=100_000)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and 60 pages")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
