"""Measures the cost of a search from outside: time and CPU of whole processes, the prompt, many clients, memory.

It draws its own photos and works in a temporary home; nothing of yours is read or changed.  `python -c pass`, the floor
for every process, takes turns with each command, so the ratio holds on a busy machine too.  rclip, if installed,
searches the same photos with the same random weights (ViT-B-32-256); that takes `pip install onnx onnxscript`.

    python scripts/bench_search.py [--rclip COMMAND] [--quick] [--json]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drawing.library import write_demo_library

from photomap_cli.encoder import gpu
from photomap_cli.library.query_cache import QueryCache
from photomap_cli.records import SearchRequest
from photomap_cli.session import socket_dir, transport
from photomap_cli.session.client import SessionClient

SCRIPT = Path(sys.executable).with_name("photomap")
PHOTOMAP = [str(SCRIPT)] if SCRIPT.exists() else [sys.executable, "-m", "photomap_cli"]
FLOOR = [sys.executable, "-c", "pass"]
QUERIES = ("cat", "snowy mountains", "red car", "sunset over the sea -boat", "pizza", "a boat on a lake + snow")
CLIENTS = (1, 4, 16)
SHAPE = "ViT-B-32-256"
TIMEOUT_SECONDS = 120.0
ANSWERED = re.compile(rb"photos? (found )?in |nothing found|\d photos\b.* ms")
"""The end of a query's output at the prompt."""

ANSWERS = ((b"\x1b[c", b"\x1b[?62;22c"), (b"\x1b[6n", b"\x1b[1;1R"))
"""Answers of a terminal to queries: device attributes and cursor position."""


@dataclass(frozen=True)
class Row:
    """One row of the table: milliseconds of `runs` runs, and the ratio of their median to the floor.

    `cpu_ms` is the median CPU time of the process and the children it waited for.
    """

    name: str
    runs: int
    median_ms: float
    p95_ms: float
    floors: float | None = None
    note: str = ""
    cpu_ms: float | None = None


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
    """The photos, the library and the processes to measure; with `quick`, fewer of each."""

    def __init__(self, home: Path, options: argparse.Namespace) -> None:
        quick = options.quick
        self.photos, self.library = home / "photos", home / "library"
        self.with_rclip: list[str] = options.rclip.split() if options.rclip else []
        self.runs, self.slow_runs = (7, 2) if quick else (25, 7)
        self.queries_each = 10 if quick else 50
        self._size = {"photos": 24, "long_side": 240} if quick else {"photos": 120, "long_side": 480}
        self._home = home

    def prepare(self) -> None:
        """Draw photos, index them, and point this process's environment to the temporary home."""
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
        """Measure; returns the rows, and notes on what couldn't be measured."""
        notes: list[str] = []
        rows = [
            self.command("python -c pass", FLOOR, self.runs),
            self.photomap("--version"),
            self.photomap("--help"),
            self.photomap("status --json", note="no session"),
            self.photomap("search --json cat", note="cold: no session", before=self.forget),
            self.with_pytorch("cold: no session, text_encoder = torch"),
            self.photomap("search --json cat", note="no session, asked before"),
        ]
        rows += self.with_session()
        rows += self.with_a_session_that_rests(notes)
        rows += self.prompt(notes)
        rows += self.rclip(notes)
        return rows, notes

    # -- rows ------------------------------------------------------------------------------------------------------

    def photomap(self, words: str, runs: int | None = None, *, note: str = "", before: Before | None = None) -> Row:
        """Measure a command line of photomap's."""
        return self.command(f"photomap {words}", [*PHOTOMAP, *words.split()], runs or self.runs, note, before)

    def with_pytorch(self, note: str) -> Row:
        """Measure a new search whose words PyTorch has to encode."""
        words, environment = [*PHOTOMAP, "search", "--json", "cat"], os.environ | {"PHOTOMAP_TEXT_ENCODER": "torch"}
        return self.command("photomap search --json cat", words, self.slow_runs, note, self.forget, environment)

    def forget(self) -> None:
        """Empty the cache of queries."""
        QueryCache(self.library, most=0).get([])

    def with_session(self) -> Iterator[Row]:
        """Measure with the encoder resident, and an empty query cache."""
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
        """Measure many clients at once, and compare their results with a single client's."""
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
        """Measure the time from start to the echo of a typed key, on a pseudo-terminal."""
        try:
            import pty  # noqa: F401  not on Windows
        except ImportError:
            notes.append("no pseudo-terminal here: the prompt is not measured")
            return
        floors, took, answered = [], [], []
        for _ in range(self.runs):
            floors.append(timed(FLOOR)[0])
            took.append(seconds_to_echo(PHOTOMAP) * 1000)
            self.forget()
            answered.append(seconds_to_echo(PHOTOMAP, b"zebra crossing\r", ANSWERED) * 1000)
        yield self.row("photomap", took, "prompt painted, a typed key echoed", floors=floors)
        yield self.row("photomap", answered, "and a new query, typed at once, answered", floors=floors)

    def rclip(self, notes: list[str]) -> Iterator[Row]:
        """Measure rclip, if installed, and photomap on the same photos with the same weights."""
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
        yield self.photomap(search, note=f"{note}, no session", before=self.forget)
        yield self.with_pytorch(f"{note}, no session, text_encoder = torch")
        yield self.photomap(search, note=f"{note}, asked before")
        for chosen in ("auto", "torch"):
            with session(PHOTOMAP_QUERY_CACHE="0", PHOTOMAP_TEXT_ENCODER=chosen) as live:
                live.load()
                if chosen == "auto":
                    yield self.photomap(search, note=f"{note}, live session")
                for number in range(100):
                    live.search(SearchRequest(f"a photo of number {number}", cwd="/", folder="*"))
                notes.append(f"a session of {SHAPE}, text_encoder = {chosen}, after 100 new queries: {memory(live)}")

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
        """Run a command several times, after one run of warm-up."""
        say(f"{name} {f'({note})' if note else ''} ...")
        took, floors = [], []
        for _ in range(runs + 1):
            floors.append(timed(FLOOR)[0])
            if before is not None:
                before()
            took.append(timed(words, cwd=self.photos, env=environment, stdout=subprocess.DEVNULL))
        row = self.row(name, [wall for wall, _ in took[1:]], note, floors=floors[1:])
        return replace(row, cpu_ms=round(statistics.median(cpu for _, cpu in took[1:]), 1))

    def row(self, name: str, took: list[float], note: str = "", *, floors: list[float] | None = None) -> Row:
        """Summarise milliseconds; `floors` are those of `python -c pass`, measured in between."""
        median = statistics.median(took)
        p95 = sorted(took)[max(0, -(-95 * len(took) // 100) - 1)]
        ratio = round(median / statistics.median(floors), 1) if floors else None
        return Row(name, len(took), round(median, 1), round(p95, 1), ratio, note)


if TYPE_CHECKING:
    Before = Callable[[], object]


def timed(words: list[str], *, statuses: tuple[int, ...] = (0,), **how: object) -> tuple[float, float]:
    """Run a command; return its wall-clock milliseconds, and those of CPU with the children it waited for."""
    start, before = time.perf_counter(), os.times()
    status = subprocess.run(words, check=False, stdin=subprocess.DEVNULL, **how).returncode
    wall, after = time.perf_counter() - start, os.times()
    if status not in statuses:
        raise subprocess.CalledProcessError(status, words)
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return 1000 * wall, 1000 * cpu


def memory(live: SessionClient) -> str:
    """Describe the memory (PSS) of a session and its processes."""
    rolled_up = [Path(f"/proc/{pid}/smaps_rollup") for pid in _family(live.status().pid)]
    if not all(path.is_file() for path in rolled_up):
        return "not known here"
    kilobytes = [int(re.search(r"^Pss: +(\d+)", path.read_text(), re.MULTILINE)[1]) for path in rolled_up]
    return f"{sum(kilobytes) / 1000:.0f} MB (PSS) in {len(kilobytes)} process(es)"


def _family(pid: int) -> list[int]:
    """Return a process and its children."""
    listed = [Path(f"/proc/{pid}/task/{pid}/children")]
    listed += [each for each in Path(f"/proc/{pid}/task").glob("*/children") if each not in listed]
    return [pid, *(int(word) for each in listed if each.is_file() for word in each.read_text().split())]


def paths(client: SessionClient, query: str) -> list[str]:
    """Return the paths a query finds."""
    return [hit.path for hit in client.search(SearchRequest(query, cwd="/", folder="*")).hits]


@contextlib.contextmanager
def session(**settings: str) -> Iterator[SessionClient]:
    """Run a session in its own process, and yield a client."""
    library = Path(os.environ["PHOTOMAP_LIBRARY"])
    words = [*PHOTOMAP, "--quiet", "serve"]
    with subprocess.Popen(words, env={**os.environ, **settings}, stdin=subprocess.DEVNULL) as process:
        try:
            until(lambda: process.poll() is not None or transport.find(library) is not None)
            with SessionClient.find(library) as client:
                yield client
        finally:
            process.terminate()
    until(lambda: not socket_dir.socket_path(library).exists())


def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition outside this process holds."""
    give_up_at = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        if time.monotonic() > give_up_at:
            raise TimeoutError("waited in vain")
        time.sleep(0.02)


def seconds_to_echo(words: list[str], typed: bytes = b"Q", awaited: re.Pattern[bytes] = re.compile(b"Q")) -> float:
    """Start a prompt on a pseudo-terminal, type once it appears, and return the seconds until a text appears.

    For an answer to a query the seconds count from typing, else from the start.
    """
    import pty
    import select

    start = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ |= {"TERM": "xterm-256color", "PHOTOMAP_PREVIEWS": "off"}
        os.execv(words[0], words)
    seen, typed_at = b"", 0
    try:
        while not typed_at or not awaited.search(seen[typed_at:]):
            if not select.select([terminal], [], [], TIMEOUT_SECONDS)[0]:
                raise TimeoutError("no prompt")
            data = os.read(terminal, 65536)
            seen += data
            for question, answer in ANSWERS:
                if question in data:
                    os.write(terminal, answer)
            if not typed_at and b"photomap>" in seen:
                typed_at = len(seen)
                start = start if typed == b"Q" else time.perf_counter()
                os.write(terminal, typed)
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
    """Describe the machine."""
    cards = gpu.device_count()
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return f"{system}, {cards} CUDA device{'s'[: cards != 1]}" if cards else system


def print_table(rows: list[Row], notes: list[str]) -> None:
    """Print the rows as a Markdown table."""
    print(f"{machine()}; milliseconds\n")
    print(f"| {'what':32} | {'':56} | runs | median |    p95 |    CPU | floors |")
    print(f"|{'-' * 34}|{'-' * 58}|{'-' * 5}:|{'-' * 7}:|{'-' * 7}:|{'-' * 7}:|{'-' * 7}:|")
    for row in rows:
        cpu = "" if row.cpu_ms is None else f"{row.cpu_ms:.0f}"
        figures = f"{row.runs:4} | {row.median_ms:6.0f} | {row.p95_ms:6.0f} | {cpu:>6} | {row.floors or '':>6}"
        print(f"| {row.name:32} | {row.note:56} | {figures} |")
    for note in notes:
        print(f"\n{note}")


def say(words: str) -> None:
    """Print progress on standard error."""
    print(words, file=sys.stderr)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--rclip", default=shutil.which("rclip"), metavar="COMMAND", help="rclip 3.3 or 4  [that on PATH]"
    )
    parser.add_argument("--quick", action="store_true", help="fewer photos and runs: about a minute")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
