"""Measures everyday commands beside rclip, in turns: starts, searches, looking for new photos, small photos, sizes.

It draws its own photos and lives in a temporary home; nothing of yours is read or changed.  Both programs get the same
ViT-B-32-256 with random weights, which cost what trained ones cost; giving rclip its copy takes `pip install onnx
onnxscript`.  Libraries of many photos are made up (`made_vectors.py`), the same vectors for both.  Each figure is a
whole process, its start included.  The two take turns, and the ratios are medians over pairs of runs: they survive a
busy machine, the milliseconds do not.

    python scripts/bench_peers.py [--rclip COMMAND] [--only GROUP] [--sizes N ...] [--rounds N] [--encoder SPEC]

rclip always looks for new photos before it searches, unless told not to; photomap has a command for that.  So `index,
then search` stands for both of ours, as one figure.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench_process import measured
from bench_rclip import NO_WEIGHTS, give_to_rclip
from bench_residency import save
from bench_search import PHOTOMAP, SHAPE, machine, say, session, timed
from bench_tools import forget
from drawing.library import write_demo_library
from peer_libraries import fill, noisy_picture, write_pictures

GROUPS = ("start", "search", "cold", "pictures", "reindex", "first", "disk")
SIZES = (10, 1_000, 50_000, 200_000)
FEW = 10
FORMATS = {"1 MP JPEG": ("jpg", 1152), "300 px JPEG": ("jpg", 300), "64 px JPEG": ("jpg", 64)}
FORMATS |= {"1 MP PNG": ("png", 1152), "1 MP WebP": ("webp", 1152), "1 MP HEIC": ("heic", 1152)}
COUNTS = (1, 8, 64)
NOTHING_FOUND = 1
"""The exit status where random weights find nothing that is like the words."""


@dataclass(frozen=True)
class Command:
    """One or more command lines that are measured as one, in a folder, after something that isn't."""

    lines: tuple[list[str], ...]
    cwd: Path
    before: Callable[[], object] = lambda: None

    def milliseconds(self) -> tuple[float, float]:
        """Run it: by the clock, and of CPU."""
        self.before()
        how: dict[str, Any] = {"cwd": self.cwd, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        took = [timed(line, statuses=(0, NOTHING_FOUND), **how) for line in self.lines]
        return sum(wall for wall, _ in took), sum(cpu for _, cpu in took)

    def peak(self) -> float:
        """Return the most memory of its processes, in MB."""
        self.before()
        return max(measured(line, self.cwd).peak_bytes for line in self.lines) / 1e6


@dataclass(frozen=True)
class Row:
    """One line of the table: medians in milliseconds, ratios as medians over pairs, peaks in MB."""

    group: str
    name: str
    rounds: int
    ours: tuple[float, float]
    theirs: tuple[float, float] | None
    ratios: tuple[float, float] | None
    peaks: tuple[float, ...] = ()


def main() -> int:
    """Run everything and print the table, or JSON."""
    options = _options()
    home = contextlib.nullcontext(options.home) if options.home else tempfile.TemporaryDirectory(prefix="photomap-")
    with home as folder:
        bench = Bench(Path(folder), options)
        rows = [row for group in options.only or GROUPS for row in getattr(bench, group)()]
    if options.json:
        print(json.dumps({"machine": machine(), "rows": [asdict(row) for row in rows]}, indent=2))
    else:
        print_table(rows)
    for note in bench.notes:
        print(f"\n{note}")
    return 0


class Bench:
    """The photos, the libraries and the commands that are measured."""

    def __init__(self, home: Path, options: argparse.Namespace) -> None:
        strange = ("PHOTOMAP_", "XDG_", "RCLIP_", "HF_", "OPENBLAS_", "OMP_", "PYTHONDONTWRITEBYTECODE")
        for name in [name for name in os.environ if name.startswith(strange)]:
            del os.environ[name]
        self.home, self.rounds, self.with_memory = home, options.rounds, options.memory
        self.sizes, self.counts = options.sizes, options.counts
        self.notes: list[str] = []
        home.mkdir(exist_ok=True)
        self.encoder = options.encoder or self._random_encoder()
        self.rclip: list[str] = options.rclip.split() if options.rclip else []
        weights = home / "rclip weights"
        if self.rclip and not weights.exists() and not give_to_rclip(self.encoder, weights):
            self.notes.append(NO_WEIGHTS)
            self.rclip = []
        os.environ.pop("PYTHONPATH", None)  # it had what gives rclip its weights
        os.environ |= {"HOME": str(home), "HF_HUB_OFFLINE": "1", "XDG_RUNTIME_DIR": str(home)}
        self.photos = home / "photos"
        if not self.photos.exists():
            write_demo_library(self.photos, photos=24, long_side=640)

    def _random_encoder(self) -> str:
        folder = self.home / "encoder"
        folder.mkdir(exist_ok=True)
        return save(SHAPE, folder)

    # -- what is measured ------------------------------------------------------------------------------------------

    def start(self) -> Iterator[Row]:
        """Measure what needs no photo."""
        for words in ("--version", "--help"):
            yield self.compare("start", words, Command(([*PHOTOMAP, words],), self.home), self.theirs(words))

    def search(self) -> Iterator[Row]:
        """Measure searches in libraries of every size, by words, by pictures, and both."""
        for size in self.sizes:
            folder = self.library_of(size)
            known = next(self.photos.rglob("*.jpg"))
            (other := self.home / "other.png").write_bytes(noisy_picture(7, 480))
            queries = {
                "new words": (["a cat"], ["a cat"]),
                "words, a picture that isn't in the library": (["a cat", "+", str(other)], ["a cat", "-a", str(other)]),
                "a picture that isn't in the library": ([str(other)], [str(other)]),
                "a picture of the library": ([str(known)], [str(known)]),
                "words, minus words": (["a cat", "-", "a dog"], ["a cat", "-s", "a dog"]),
            }
            for name, (ours, theirs) in queries.items():
                forget_query = partial(self._forget, folder)
                yield self.compare(f"search {size:,}", name, *self._search(folder, ours, theirs, forget_query))
            again = self._search(folder, ["a cat"], ["a cat"])
            yield self.compare(f"search {size:,}", "the same words again", *again)
            with self.session_of(folder):
                yield self.compare(f"search {size:,}", "a session", *again)

    def cold(self) -> Iterator[Row]:
        """Measure a search whose files are not in the page cache: all that it opens, and all that it maps."""
        size = max(self.sizes)
        folder = self.library_of(size)
        ours, theirs = self._search(folder, ["a cat"], ["a cat"], partial(self._forget, folder))
        cold = [self._with_cold_files(each) if each else None for each in (ours, theirs)]
        if cold[0] is not None:
            yield self.compare(f"search {size:,}", "files not in the page cache", cold[0], cold[1])

    def pictures(self) -> Iterator[Row]:
        """Measure results that are shown as pictures, in kitty's way: ten photos."""
        folder = self.library_of(min(self.sizes), under=self.photos)
        os.environ |= {"PHOTOMAP_GRAPHICS": "kitty", "TERM": "xterm-kitty", "COLUMNS": "120", "LINES": "40"}
        ours, theirs = self._search(folder, ["--preview", "a cat"], ["--force-preview", "a cat"], plain=False)
        yield self.compare("pictures", "ten results drawn, the same words again", ours, theirs)

    def reindex(self) -> Iterator[Row]:
        """Measure what a search with changed files costs, index run included."""
        for size in (each for each in self.sizes if each > FEW):
            folder, under = self.library_of(size), self.home / f"made {size}"
            extra, moved = under / "000/new.jpg", (under / "001", under / "renamed")
            number = iter(range(10**6))

            def add(extra: Path = extra, number: Iterator[int] = number) -> None:
                extra.write_bytes(noisy_picture(next(number), 640, "jpg"))

            def delete(extra: Path = extra, folder: Path = folder) -> None:
                if not extra.exists():
                    add()
                    for command in self._index_and_search(folder):
                        if command:
                            command.milliseconds()
                extra.unlink()

            def rename(moved: tuple[Path, Path] = moved) -> None:
                source, target = moved if moved[0].exists() else moved[::-1]
                source.rename(target)

            for name, change in {
                "nothing": lambda: None,
                "one photo new": add,
                "one photo deleted": delete,
                "a folder renamed": rename,
            }.items():
                commands = self._index_and_search(folder, change)
                yield self.compare(f"index {size:,}, then search", name, *commands)

    def first(self) -> Iterator[Row]:
        """Measure a new library over small photos, from nothing to a search's answer."""
        for kind, (extension, side) in FORMATS.items():
            for count in self.counts:
                photos = self.home / f"{kind}, {count}"
                if not photos.exists() and not write_pictures(photos, count, extension, side):
                    self.notes.append(f"{kind} can't be written here: not measured")
                    break
                yield self.compare("first index, then search", f"{count} of {kind}", *self._first(photos))

    def disk(self) -> Iterator[Row]:
        """Note what libraries take, a photo; nothing is timed."""
        for size in self.sizes:
            folder = self.library_of(size)
            ours = sum(each.stat().st_size for each in (folder / "photomap").iterdir() if "thumb" not in each.name)
            theirs = (folder / "rclip/db.sqlite3").stat().st_size if self.rclip else 0
            self.notes.append(f"{size:,} photos: {ours / size:,.0f} bytes a photo, rclip {theirs / size:,.0f}")
        yield from ()

    # -- commands --------------------------------------------------------------------------------------------------

    def theirs(self, *words: str) -> Command | None:
        """Return rclip's command line, if there is rclip."""
        return Command(([*self.rclip, *words],), self.home) if self.rclip else None

    def _search(
        self,
        folder: Path,
        ours: Sequence[str],
        theirs: Sequence[str],
        before: Callable[[], object] = lambda: None,
        *,
        plain: bool = True,
    ) -> tuple[Command, Command | None]:
        words = [*PHOTOMAP, "--library", str(folder / "photomap"), "search", *(["--paths"] if plain else []), *ours]
        root = Path((folder / "root").read_text())
        other = [*self.rclip, "--no-indexing", *(["--filepath-only"] if plain else []), *theirs]
        return Command((words,), root, before), Command((other,), root, self._rclip_in(folder)) if self.rclip else None

    def _index_and_search(
        self, folder: Path, change: Callable[[], object] = lambda: None
    ) -> tuple[Command, Command | None]:
        search, _ = self._search(folder, ["a cat"], [])
        index = [*PHOTOMAP, "--library", str(folder / "photomap"), "--quiet", "index", str(search.cwd)]
        ours = Command((index, *search.lines), search.cwd, change)
        if not self.rclip:
            return ours, None
        use = self._rclip_in(folder)
        return ours, Command(([*self.rclip, "--filepath-only", "a cat"],), search.cwd, use)

    def _first(self, photos: Path) -> tuple[Command, Command | None]:
        library, rclip = self.home / "first", self.home / "first rclip"
        words = [*PHOTOMAP, "--library", str(library), "--quiet"]
        lines = [*words, "index", str(photos), "--encoder", self.encoder], [*words, "search", "--paths", "a cat"]
        ours = Command(lines, photos, lambda: shutil.rmtree(library, ignore_errors=True))
        if not self.rclip:
            return ours, None

        def anew() -> None:
            shutil.rmtree(rclip, ignore_errors=True)
            self._rclip_at(rclip)

        return ours, Command(([*self.rclip, "--filepath-only", "a cat"],), photos, anew)

    def _rclip_in(self, folder: Path) -> Callable[[], object]:
        return lambda: self._rclip_at(folder / "rclip")

    def _rclip_at(self, folder: Path) -> None:
        """Have rclip use a folder of its own, with the one copy of the weights."""
        folder.mkdir(exist_ok=True)
        for each in (self.home / "rclip weights").iterdir():
            if not (folder / each.name).exists():
                (folder / each.name).symlink_to(each)
        os.environ["RCLIP_DATADIR"] = str(folder)

    def _forget(self, folder: Path) -> None:
        """Have no query cached."""
        (folder / "photomap/queries.sqlite").unlink(missing_ok=True)

    def _with_cold_files(self, command: Command) -> Command | None:
        """Return a command that is run after every file that it opens has left the page cache."""
        command.before()
        with tempfile.NamedTemporaryFile("r") as log:
            try:
                words = ["strace", "-f", "-qq", "-e", "trace=openat,execve", "-o", log.name, *command.lines[0]]
                subprocess.run(words, cwd=command.cwd, check=True, stdout=subprocess.DEVNULL)
            except FileNotFoundError:
                self.notes.append("there is no strace: nothing is measured with cold files")
                return None
            opened = {line.split('"')[1] for line in log if '"' in line and not line.rstrip().endswith(")")}
        files = [path for each in opened if (path := command.cwd / each).is_file() and not path.is_relative_to("/proc")]

        def cold() -> None:
            command.before()
            for file in filter(Path.exists, files):
                forget(file)

        return Command(command.lines, command.cwd, cold)

    # -- libraries -------------------------------------------------------------------------------------------------

    def library_of(self, size: int, under: Path | None = None) -> Path:
        """Return a folder with a library of ours and one of rclip's, of the same made-up photos or of real ones."""
        folder = self.home / (f"library {size}" if under is None else f"library of {under.name}")
        root = under or self.home / f"made {size}"
        if (folder / "root").exists():
            return folder
        say(f"making libraries of {size:,} photos ...")
        folder.mkdir()
        words = [*PHOTOMAP, "--library", str(folder / "photomap"), "--quiet", "index", str(self.photos)]
        subprocess.run([*words, "--encoder", self.encoder], check=True)
        if self.rclip:
            self._rclip_at(folder / "rclip")
            line = [*self.rclip, "--filepath-only", "cat"]
            subprocess.run(line, cwd=self.photos, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if under is None:
            fill(folder / "photomap", folder / "rclip/db.sqlite3" if self.rclip else None, root, size)
            words = [*PHOTOMAP, "--library", str(folder / "photomap"), "--quiet", "index", "--prune", str(root)]
            subprocess.run(words, check=True)
        (folder / "root").write_text(str(root))
        command, _ = self._search(folder, ["a cat"], [])
        command.milliseconds()  # what a library does once, it has done
        return folder

    @contextlib.contextmanager
    def session_of(self, folder: Path) -> Iterator[None]:
        """Keep a session of a library, which has answered once."""
        os.environ["PHOTOMAP_LIBRARY"] = str(folder / "photomap")
        try:
            with session(PHOTOMAP_QUERY_CACHE="0") as live:
                live.load()
                yield
        finally:
            del os.environ["PHOTOMAP_LIBRARY"]

    # -- measuring -------------------------------------------------------------------------------------------------

    def compare(self, group: str, name: str, ours: Command, theirs: Command | None) -> Row:
        """Run both in turns whose order alternates, after a round that doesn't count."""
        say(f"{group}: {name}")
        pairs: list[list[tuple[float, float]]] = []
        for number in range(self.rounds + 1):
            commands = [ours] + ([theirs] if theirs else [])
            took = [each.milliseconds() for each in commands[:: -1 if number % 2 else 1]]
            pairs.append(took[:: -1 if number % 2 else 1])
        medians = [_medians([pair[side] for pair in pairs[1:]]) for side in range(len(pairs[0]))]
        peaks = tuple(each.peak() for each in (ours, theirs) if each and self.with_memory)
        if theirs is None:
            return Row(group, name, self.rounds, medians[0], None, None, peaks)
        ratios = _medians([(a[0] / b[0], a[1] / max(b[1], 1)) for a, b in pairs[1:]])
        say(f"{medians} {ratios} {peaks}")
        return Row(group, name, self.rounds, medians[0], medians[1], ratios, peaks)


def _medians(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def print_table(rows: list[Row]) -> None:
    """Print the rows as a Markdown table."""
    print(f"{machine()}; milliseconds, medians\n")
    print("| what | | photomap | CPU | rclip | CPU | by the clock | by CPU | peak MB |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|")
    for row in rows:
        theirs = f"{row.theirs[0]:.0f} | {row.theirs[1]:.0f}" if row.theirs else " | "
        ratios = f"{row.ratios[0]:.2f} | {row.ratios[1]:.2f}" if row.ratios else " | "
        peaks = ", ".join(f"{each:.0f}" for each in row.peaks)
        print(f"| {row.group} | {row.name} | {row.ours[0]:.0f} | {row.ours[1]:.0f} | {theirs} | {ratios} | {peaks} |")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rclip", default=shutil.which("rclip"), metavar="COMMAND", help="rclip 4  [that on PATH]")
    parser.add_argument("--only", choices=GROUPS, action="append", help="measure this group; can be repeated  [all]")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="N", help="how many photos")
    parser.add_argument(
        "--counts", type=int, nargs="+", default=COUNTS, metavar="N", help="photos of a first index run"
    )
    parser.add_argument("--rounds", type=int, default=5, help="pairs of runs  [5]")
    parser.add_argument("--encoder", metavar="SPEC", help="a ViT-B-32-256 to use  [random weights]")
    parser.add_argument("--memory", action="store_true", help="run each once more, for its peak of memory")
    parser.add_argument("--home", type=Path, metavar="FOLDER", help="keep photos and libraries there")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
