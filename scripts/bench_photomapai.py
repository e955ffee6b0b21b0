"""Compares photomap with PhotoMapAI: indexing, searching and memory, with the same photos and the same encoder.

PhotoMapAI is a web server, so it gets the requests that its pages send: add an album, index it, search it.  Both use
ViT-B-32-256 with random weights, which PhotoMapAI reads from a file that the album's encoder names.  Neither program is
changed.  Photos are drawn, homes are temporary, and nothing of yours is read.

    python scripts/bench_photomapai.py --photomapai COMMAND [--photos N] [--rounds N] [--json]

COMMAND is its `start_photomap`.  Its server is started and indexes once before anything is measured, so that Python's
bytecode and numba's compiled functions exist, as for anyone who has used it before.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench_index import FEW, few_of
from bench_photos import write_photos
from bench_process import Watch, family, measured, pss
from bench_residency import save
from bench_search import PHOTOMAP, SHAPE, machine, say, session, timed, until

from photomap_cli.records import SearchRequest

if TYPE_CHECKING:
    from photomap_cli.session.client import SessionClient

QUERIES = 20
TICKS = os.sysconf("SC_CLK_TCK")
ONE_SEARCH = (
    "import sys; from photomap.backend.embeddings import Embeddings;"
    "print(Embeddings(embeddings_path=sys.argv[1], encoder_spec=sys.argv[2])"
    ".search_images_by_text_and_image(positive_query='cat', minimum_score=-1.0))"
)
"""What PhotoMapAI's command `search_text` does, with a chosen encoder, for which the command has no option."""


@dataclass(frozen=True)
class Indexing:
    """One program's index runs, medians: wall-clock and CPU seconds, and the peak memory (PSS) of all its processes."""

    tool: str
    few_seconds: float
    seconds: float
    cpu_seconds: float
    more_per_second: float
    more_cpu_ms: float
    peak_bytes: int


@dataclass(frozen=True)
class Searching:
    """One program's searches: milliseconds from request to response, medians, and memory (PSS) afterwards.

    `start` is the start-up of photomap's background session, or of the server; a one-off search needs neither.
    """

    tool: str
    start_ms: float
    first_ms: float
    next_ms: float
    next_cpu_ms: float
    one_off_ms: float
    one_off_cpu_ms: float
    bytes: int


@dataclass(frozen=True)
class Cost:
    """What one run cost."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def main() -> int:
    """Measure everything, and print tables or JSON."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="photomap-bench-") as home:
        bench = Bench(Path(home), options)
        bench.prepare()
        indexing, searching = bench.index(), bench.search()
    if options.json:
        rows = {"indexing": [asdict(row) for row in indexing], "searching": [asdict(row) for row in searching]}
        print(json.dumps({"machine": machine(), **rows}, indent=2))
    else:
        print_tables(options.photos, indexing, searching)
    return 0


class Bench:
    """The photos, the encoder and the two programs."""

    def __init__(self, home: Path, options: argparse.Namespace) -> None:
        self.home, self.count, self.rounds = home, options.photos, options.rounds
        self.photos, self.library = home / "12 MP", home / "library"
        self.start: str = options.photomapai

    def prepare(self) -> None:
        """Draw the photos, create the encoder, point the environment to the temporary home, and warm PhotoMapAI up."""
        for name in [name for name in os.environ if name.startswith(("PHOTOMAP_", "XDG_", "HF_"))]:
            del os.environ[name]
        os.environ |= {"HOME": str(self.home), "HF_HUB_OFFLINE": "1", "PHOTOMAP_LIBRARY": str(self.library)}
        os.environ["XDG_RUNTIME_DIR"] = str(self.home)
        self.home.chmod(0o700)
        say(f"drawing {self.count} photos of 12 megapixels ...")
        write_photos(self.photos, self.count)
        few_of(self.photos).mkdir()
        for path in sorted(self.photos.rglob("*.jpg"))[:FEW]:
            shutil.copy2(path, few_of(self.photos))
        (self.home / "encoder").mkdir()
        self.encoder = save(SHAPE, self.home / "encoder")
        self.their_encoder = f"open-clip:{SHAPE}/{self.home}/encoder/open_clip_model.safetensors"
        say("PhotoMapAI, not measured ...")
        self.index_theirs(few_of(self.photos))

    # -- indexing --------------------------------------------------------------------------------------------------

    def index(self) -> list[Indexing]:
        """Have both index few photos and all, in turns in alternating order."""
        ways = {"photomap": self.index_ours, "PhotoMapAI": self.index_theirs}
        runs: dict[str, list[tuple[Cost, Cost, Cost]]] = {name: [] for name in ways}
        for number in range(self.rounds):
            for name in list(ways)[:: -1 if number % 2 else 1]:
                say(f"indexing, round {number + 1}: {name}")
                few, whole = ways[name](few_of(self.photos)), ways[name](self.photos)
                base = self.index_ours(few_of(self.photos), text_encoder="torch") if name == "photomap" else few
                runs[name].append((few, whole, base))
        return [self.sum_up(name, rounds) for name, rounds in runs.items()]

    def sum_up(self, tool: str, rounds: list[tuple[Cost, Cost, Cost]]) -> Indexing:
        """Summarise the rounds of one program: few photos, all, and few by the encoder that is used for all."""
        more = self.count - FEW
        return Indexing(
            tool,
            statistics.median(few.seconds for few, _, _ in rounds),
            statistics.median(whole.seconds for _, whole, _ in rounds),
            statistics.median(whole.cpu_seconds for _, whole, _ in rounds),
            more / statistics.median(whole.seconds - base.seconds for _, whole, base in rounds),
            1e3 / more * statistics.median(whole.cpu_seconds - base.cpu_seconds for _, whole, base in rounds),
            max(whole.peak_bytes for _, whole, _ in rounds),
        )

    def index_ours(self, photos: Path, text_encoder: str = "auto") -> Cost:
        """Have photomap index a folder into a new library; the command's start-up counts."""
        shutil.rmtree(self.library, ignore_errors=True)
        os.environ["PHOTOMAP_TEXT_ENCODER"] = text_encoder
        run = measured([*PHOTOMAP, "--quiet", "index", str(photos), "--encoder", self.encoder], self.home)
        del os.environ["PHOTOMAP_TEXT_ENCODER"]
        return Cost(run.seconds, run.cpu_seconds, run.peak_bytes)

    def index_theirs(self, photos: Path) -> Cost:
        """Have PhotoMapAI add an album and index it, on a fresh server, whose start-up doesn't count."""
        for path in (self.home / "albums").glob("*"):
            path.unlink()
        with Server(self.start, self.home / "albums") as server, Watch(server.pid) as watch:
            server.add_album(photos, self.their_encoder)
            before, start = cpu_seconds(server.pid), time.perf_counter()
            server.index()
            seconds = time.perf_counter() - start
            return Cost(seconds, cpu_seconds(server.pid) - before, watch.peak_bytes)

    # -- searching --------------------------------------------------------------------------------------------------

    def search(self) -> list[Searching]:
        """Search the libraries that were indexed last; each query goes to both programs in turn."""
        self.index_ours(self.photos)
        self.index_theirs(self.photos)
        say("searching ...")
        one_off = self.one_off()
        start = time.perf_counter()
        with session(PHOTOMAP_QUERY_CACHE="0") as live:
            between = time.perf_counter()
            with Server(self.start, self.home / "albums") as server:
                started = {"photomap": between - start, "PhotoMapAI": time.perf_counter() - between}
                ours = Asked(live.status().pid, lambda query: found_by(live, query))
                theirs = Asked(server.pid, server.search)
                for number in range(QUERIES + 1):
                    ours.ask(f"a photo of number {number}")
                    theirs.ask(f"a photo of number {number}")
                asked = {"photomap": ours, "PhotoMapAI": theirs}
                return [
                    Searching(name, 1e3 * started[name], *each.figures(), *medians(one_off[name]), held(each.pid))
                    for name, each in asked.items()
                ]

    def one_off(self) -> dict[str, list[tuple[float, float]]]:
        """Measure one-off searches, each in a process of its own; the first runs don't count."""
        ours = [*PHOTOMAP, "search", "--json", "--min-score", "-1"]
        theirs = [str(Path(self.start).with_name("python")), "-c", ONE_SEARCH]
        theirs += [str(self.home / "albums/index.npz"), self.their_encoder]
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": self.home}
        runs = [(timed([*ours, f"cat {number}"], **quiet), timed(theirs, **quiet)) for number in range(4)]
        return {"photomap": [run for run, _ in runs[1:]], "PhotoMapAI": [run for _, run in runs[1:]]}


class Asked:
    """Measures searches that a process and its descendants answer."""

    def __init__(self, pid: int, search: Callable[[str], int]) -> None:
        self.pid, self._search = pid, search
        self._taken: list[float] = []
        self._computed: list[float] = []

    def ask(self, query: str) -> None:
        """Search, and record wall-clock and CPU time."""
        before, start = cpu_seconds(self.pid), time.perf_counter()
        found = self._search(query)
        self._taken.append(1e3 * (time.perf_counter() - start))
        self._computed.append(1e3 * (cpu_seconds(self.pid) - before))
        if not found:
            raise SystemExit("a search found nothing")

    def figures(self) -> tuple[float, float, float]:
        """Return the milliseconds of the first search, the median of the next ones, and their mean CPU."""
        return self._taken[0], statistics.median(self._taken[1:]), statistics.mean(self._computed[1:])


class Server:
    """PhotoMapAI's server, from its start to its end, with one album."""

    def __init__(self, start: str, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        folder.mkdir(exist_ok=True)
        self._folder, self._address = folder, f"http://127.0.0.1:{port}"
        self._words = [start, "--no-browser", "--port", str(port), "--config", str(folder / "config.yaml")]

    def __enter__(self) -> Server:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        with (self._folder.with_name("server.log")).open("wb") as log:
            self._process = subprocess.Popen(
                self._words, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        self.pid = self._process.pid
        until(self._answers)
        return self

    def __exit__(self, *_exc: object) -> None:
        os.killpg(self.pid, signal.SIGTERM)  # the whole group, as it restarts a server that ends alone
        self._process.wait()

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(self._address, timeout=60).status == 200
        return False

    def ask(self, path: str, data: dict[str, Any] | None = None) -> Any:
        """Send a request, and return its response."""
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(self._address + path, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=600) as answer:
            return json.load(answer)

    def add_album(self, photos: Path, encoder: str) -> None:
        """Add the album; with random weights, scores are below PhotoMapAI's default cut-off."""
        album: dict[str, Any] = {"key": "a", "name": "a", "image_paths": [str(photos)], "encoder_spec": encoder}
        self.ask("/add_album/", {**album, "index": str(self._folder / "index.npz"), "min_search_score": -1.0})

    def index(self) -> None:
        """Index the album, and wait until that is done."""
        self.ask("/update_index_async/", {"album_key": "a"})
        while (now := self.ask("/index_progress/a"))["status"] not in ("completed", "error"):
            time.sleep(0.05)
        if now["status"] == "error":
            raise SystemExit(f"PhotoMapAI: {now['error_message']}")

    def search(self, query: str) -> int:
        """Search as its page does; return how many photos it found."""
        return len(self.ask("/search_with_text_and_image/a", {"positive_query": query})["results"])


def found_by(live: SessionClient, query: str) -> int:
    """Search over a session's socket; return how many photos it found."""
    return len(live.search(SearchRequest(query, limit=100, cwd="/", folder="*", min_score=-1.0)).hits)


def medians(runs: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the medians of wall-clock and CPU time."""
    return statistics.median(wall for wall, _ in runs), statistics.median(cpu for _, cpu in runs)


def held(pid: int) -> int:
    """Return the memory (PSS) of a process and its descendants, in bytes."""
    return sum(map(pss, family(pid)))


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of a process and its descendants, including those that have ended."""
    fields = [Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split() for one in family(pid)]
    return sum(sum(map(int, each[11:15])) for each in fields) / TICKS


def print_tables(photos: int, indexing: list[Indexing], searching: list[Searching]) -> None:
    """Print two Markdown tables."""
    print(f"{machine()}, load {os.getloadavg()[0]:.1f}\n")
    print(f"| {photos} photos | first {FEW}, s | all, s | CPU s | more/s | CPU ms each | peak MB |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for row in indexing:
        figures = f"{row.few_seconds:.1f} | {row.seconds:.1f} | {row.cpu_seconds:.1f} | {row.more_per_second:.1f}"
        print(f"| {row.tool} | {figures} | {row.more_cpu_ms:.0f} | {row.peak_bytes / 1e6:.0f} |")
    print("\n| searches, ms | start | first | next | CPU of a next | one-off | its CPU | MB |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for each in searching:
        figures = f"{each.start_ms:.0f} | {each.first_ms:.0f} | {each.next_ms:.1f} | {each.next_cpu_ms:.1f}"
        print(
            f"| {each.tool} | {figures} | {each.one_off_ms:.0f} | {each.one_off_cpu_ms:.0f} | {each.bytes / 1e6:.0f} |"
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photomapai", required=True, metavar="COMMAND", help="its start_photomap")
    parser.add_argument("--photos", type=int, default=64, help="how many  [64]")
    parser.add_argument("--rounds", type=int, default=3, help="how often indexing is measured  [3]")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    if options.photos <= FEW:
        parser.error(f"--photos: more than {FEW}")
    return options


if __name__ == "__main__":
    sys.exit(main())
