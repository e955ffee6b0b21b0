"""Measures what a search costs from outside: whole processes by wall clock, the prompt, many clients at once.

It draws its own photos and lives in a temporary home; nothing of yours is read or changed.  `python -c pass`, the floor
that every process pays, takes turns with each command, so that the ratio survives a busy machine.  Where there is rclip
it searches the same photos with the same random weights of the shape ViT-B-32-256, once it has indexed them; giving it
those takes `pip install onnx onnxscript`.

    python scripts/bench_search.py [--rclip COMMAND] [--quick] [--json]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drawing.library import write_demo_library

from photomap_cli.library.queries import QueryCache
from photomap_cli.records import SearchRequest
from photomap_cli.session import address, wire
from photomap_cli.session.client import SessionClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCRIPT = Path(sys.executable).with_name("photomap")
PHOTOMAP = [str(SCRIPT)] if SCRIPT.exists() else [sys.executable, "-m", "photomap_cli"]
FLOOR = [sys.executable, "-c", "pass"]
QUERIES = ("cat", "snowy mountains", "red car", "sunset over the sea -boat", "pizza", "a boat on a lake + snow")
CLIENTS = (1, 4, 16)
SHAPE = "ViT-B-32-256"
PATIENCE_SECONDS = 120.0
ANSWERS = ((b"\x1b[c", b"\x1b[?62;22c"), (b"\x1b[6n", b"\x1b[1;1R"))
"""What every terminal answers at once: what it is, and where its cursor is."""


@dataclass(frozen=True)
class Row:
    """One line of the table: milliseconds of `runs` runs, and how many times the floor the median is."""

    name: str
    runs: int
    median_ms: float
    p95_ms: float
    floors: float | None = None
    note: str = ""


def main() -> int:
    """Run everything and print the table, or JSON."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="photomap-bench-") as home:
        bench = Bench(Path(home), options)
        bench.prepare()
        rows, notes = bench.run()
    if options.json:
        print(json.dumps({"machine": machine(), "rows": [asdict(row) for row in rows], "notes": notes}, indent=2))
    else:
        print_table(rows, notes)
    return 0


class Bench:
    """The photos, the library and the processes that are measured; `quick` takes fewer of each."""

    def __init__(self, home: Path, options: argparse.Namespace) -> None:
        quick = options.quick
        self.photos, self.library = home / "photos", home / "library"
        self.with_rclip: list[str] = options.rclip.split() if options.rclip else []
        self.runs, self.slow_runs = (7, 2) if quick else (25, 7)
        self.queries_each = 10 if quick else 50
        self._size = {"photos": 24, "long_side": 240} if quick else {"photos": 120, "long_side": 480}
        self._home = home

    def prepare(self) -> None:
        """Draw, index, and turn this process's environment to the temporary home."""
        for name in [name for name in os.environ if name.startswith(("PHOTOMAP_", "XDG_", "RCLIP_", "HF_"))]:
            del os.environ[name]
        for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
            folder = self._home / name.lower()
            folder.mkdir(mode=0o700)
            os.environ[name] = str(folder)
        os.environ |= {"HOME": str(self._home), "PHOTOMAP_LIBRARY": str(self.library)}
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed photomap has its bytecode
        say(f"drawing and indexing {self._size['photos']} photos ...")
        write_demo_library(self.photos, **self._size)
        words = [*PHOTOMAP, "--quiet", "index", str(self.photos), "--encoder", "tiny"]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)

    def run(self) -> tuple[list[Row], list[str]]:
        """Measure; returns the rows and what could not be measured."""
        notes: list[str] = []
        rows = [
            self.command("python -c pass", FLOOR, self.runs),
            self.photomap("--version"),
            self.photomap("--help"),
            self.photomap("status --json", note="no session"),
            self.photomap("search --json cat", self.slow_runs, note="cold: no session", before=self.forget),
            self.photomap("search --json cat", note="no session, asked before"),
        ]
        rows += self.with_session()
        rows += self.with_a_session_that_rests(notes)
        rows += self.prompt(notes)
        rows += self.rclip(notes)
        return rows, notes

    # -- rows ------------------------------------------------------------------------------------------------------

    def photomap(self, words: str, runs: int | None = None, *, note: str = "", before: Before | None = None) -> Row:
        """Measure one of our command lines."""
        return self.command(f"photomap {words}", [*PHOTOMAP, *words.split()], runs or self.runs, note, before)

    def forget(self) -> None:
        """Have no query remembered."""
        QueryCache(self.library, most=0).get([])

    def with_session(self) -> Iterator[Row]:
        """Measure with the encoder resident, and no query remembered."""
        with session(PHOTOMAP_QUERY_CACHE="0") as live:
            live.load()
            yield self.photomap("status --json", note="a live session")
            yield self.photomap("search --json cat", note="live session, encoder resident")
            for clients in CLIENTS:
                yield self.crowd(clients)

    def with_a_session_that_rests(self, notes: list[str]) -> Iterator[Row]:
        """Measure with the encoder offloaded (with a GPU) and released."""
        with session(PHOTOMAP_QUERY_CACHE="0") as live:
            if live.load().device.startswith("cuda"):
                yield self.photomap(
                    "search --json cat", self.slow_runs, note="live session, offloaded", before=live.offload
                )
            else:
                notes.append("no GPU: there is nothing to offload; only a released encoder is measured")
        with session(
            PHOTOMAP_ENCODER_IDLE_TIMEOUT_SECONDS="0.2",
            PHOTOMAP_ENCODER_RELEASE_TIMEOUT_SECONDS="0.4",
            PHOTOMAP_QUERY_CACHE="0",
        ) as live:
            note = "live session, encoder released"
            yield self.photomap(
                "search --json cat",
                self.slow_runs,
                note=note,
                before=lambda: until(lambda: live.status().state == "OFF"),
            )

    def crowd(self, clients: int) -> Row:
        """Measure many clients at once, and compare each answer with the one a single client gets."""
        with SessionClient.find(self.library) as one:
            expected = {query: paths(one, query) for query in QUERIES}
        took, wrong = [], []
        threads = [threading.Thread(target=self._ask, args=(expected, took, wrong)) for _ in range(clients)]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds, asked = time.perf_counter() - start, clients * self.queries_each
        right = f"{len(took) - len(wrong)} of {asked} right, {len(took) / seconds:.0f} queries/s"
        return self.row(f"{clients} client{'s' if clients > 1 else ''} x {self.queries_each} queries", took, right)

    def _ask(self, expected: dict[str, list[str]], took: list[float], wrong: list[str]) -> None:
        with SessionClient.find(self.library) as client:
            for number in range(self.queries_each):
                query = QUERIES[number % len(QUERIES)]
                start = time.perf_counter()
                found = paths(client, query)
                took.append((time.perf_counter() - start) * 1000)
                if found != expected[query]:
                    wrong.append(query)

    def prompt(self, notes: list[str]) -> Iterator[Row]:
        """Measure from start to the echo of a typed key, in a pseudo-terminal."""
        try:
            import pty  # noqa: F401  not on Windows
        except ImportError:
            notes.append("no pseudo-terminal here: the prompt is not measured")
            return
        pairs = [(timed(FLOOR), seconds_to_echo(PHOTOMAP) * 1000) for _ in range(self.runs)]
        floors, took = map(list, zip(*pairs, strict=True))
        yield self.row("photomap", took, "prompt painted, a typed key echoed", floors=floors)

    def rclip(self, notes: list[str]) -> Iterator[Row]:
        """Measure rclip and photomap over the same photos with the same weights, where there is rclip."""
        if not self.with_rclip:
            notes.append("rclip is not there: nothing to compare with")
            return
        from bench_rclip import NO_WEIGHTS, give_to_rclip
        from bench_residency import save

        folder = self._home / "encoder"
        folder.mkdir()
        spec = save(SHAPE, folder)
        theirs = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        theirs |= {"RCLIP_DATADIR": str(self._home / "rclip"), "HF_HUB_OFFLINE": "1"}
        if not give_to_rclip(spec, self._home / "rclip"):
            notes.append(NO_WEIGHTS)
            return
        say("indexing with both ...")
        self.library = self._home / "same weights"
        os.environ["PHOTOMAP_LIBRARY"] = str(self.library)
        silent: dict[str, Any] = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([*PHOTOMAP, "--quiet", "index", str(self.photos), "--encoder", spec], **silent)
        subprocess.run([*self.with_rclip, "cat"], cwd=self.photos, env=theirs, **silent)
        note = f"{SHAPE}, random weights"
        words = [*self.with_rclip, "--no-indexing", "--filepath-only", "cat"]
        yield self.command("rclip --no-indexing cat", words, self.slow_runs, note, environment=theirs)
        search = "search --json cat"
        yield self.photomap(search, self.slow_runs, note=f"{note}, no session", before=self.forget)
        yield self.photomap(search, note=f"{note}, asked before")
        with session(PHOTOMAP_QUERY_CACHE="0") as live:
            live.load()
            yield self.photomap(search, note=f"{note}, live session")

    # -- measuring -------------------------------------------------------------------------------------------------

    def command(
        self,
        name: str,
        words: list[str],
        runs: int,
        note: str = "",
        before: Before | None = None,
        environment: dict[str, str] | None = None,
    ) -> Row:
        """Run a command some times, after one run that does not count."""
        say(f"{name} {f'({note})' if note else ''} ...")
        took, floors = [], []
        for _ in range(runs + 1):
            floors.append(timed(FLOOR))
            if before is not None:
                before()
            took.append(timed(words, cwd=self.photos, env=environment, stdout=subprocess.DEVNULL))
        return self.row(name, took[1:], note, floors=floors[1:])

    def row(self, name: str, took: list[float], note: str = "", *, floors: list[float] | None = None) -> Row:
        """Sum up milliseconds; `floors` are those of the floor, measured in between."""
        median = statistics.median(took)
        p95 = sorted(took)[max(0, -(-95 * len(took) // 100) - 1)]
        ratio = round(median / statistics.median(floors), 1) if floors else None
        return Row(name, len(took), round(median, 1), round(p95, 1), ratio, note)


if TYPE_CHECKING:
    Before = Callable[[], object]


def timed(words: list[str], **how: object) -> float:
    """Run a command and return its wall time in milliseconds."""
    start = time.perf_counter()
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL, **how)
    return (time.perf_counter() - start) * 1000


def paths(client: SessionClient, query: str) -> list[str]:
    """Return the paths a query finds."""
    return [hit.path for hit in client.search(SearchRequest(query, cwd="/", folder="*")).hits]


@contextlib.contextmanager
def session(**settings: str) -> Iterator[SessionClient]:
    """Keep a session in a process of its own, and give a client of it."""
    library = Path(os.environ["PHOTOMAP_LIBRARY"])
    words = [*PHOTOMAP, "--quiet", "serve"]
    with subprocess.Popen(words, env={**os.environ, **settings}, stdin=subprocess.DEVNULL) as process:
        try:
            until(lambda: process.poll() is not None or wire.find(library) is not None)
            with SessionClient.find(library) as client:
                yield client
        finally:
            process.terminate()
    until(lambda: not address.socket_path(library).exists())


def until(condition: Callable[[], bool]) -> None:
    """Wait for something outside this process."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > give_up_at:
            raise TimeoutError("waited in vain")
        time.sleep(0.02)


def seconds_to_echo(words: list[str]) -> float:
    """Start a prompt in a pseudo-terminal, type a key once the prompt is there, and return when it is echoed."""
    import pty
    import select

    start = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execv(words[0], words)
    seen, typed_at = b"", 0
    try:
        while not typed_at or b"Q" not in seen[typed_at:]:
            if not select.select([terminal], [], [], PATIENCE_SECONDS)[0]:
                raise TimeoutError("no prompt")
            data = os.read(terminal, 65536)
            seen += data
            for question, answer in ANSWERS:
                if question in data:
                    os.write(terminal, answer)
            if not typed_at and b"photomap>" in seen:
                typed_at = len(seen)
                os.write(terminal, b"Q")
        took = time.perf_counter() - start
        os.write(terminal, b"\x03\x04")
        with contextlib.suppress(OSError):
            while os.read(terminal, 65536):
                pass
        return took
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)


def machine() -> str:
    """Return the machine in words."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def print_table(rows: list[Row], notes: list[str]) -> None:
    """Print the rows as a Markdown table."""
    print(f"{machine()}; milliseconds\n")
    print(f"| {'what':32} | {'':44} | runs | median |    p95 | floors |")
    print(f"|{'-' * 34}|{'-' * 46}|{'-' * 5}:|{'-' * 7}:|{'-' * 7}:|{'-' * 7}:|")
    for row in rows:
        figures = f"{row.runs:4} | {row.median_ms:6.0f} | {row.p95_ms:6.0f} | {row.floors or '':>6}"
        print(f"| {row.name:32} | {row.note:44} | {figures} |")
    for note in notes:
        print(f"\n{note}")


def say(words: str) -> None:
    """Tell what goes on, on standard error."""
    print(words, file=sys.stderr)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rclip", default=shutil.which("rclip"), metavar="COMMAND", help="rclip 3.3  [that on PATH]")
    parser.add_argument("--quick", action="store_true", help="fewer photos and runs: about a minute")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
