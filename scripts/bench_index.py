"""Measures indexing from outside: photos per second, CPU, memory, and where the time goes; compared with rclip.

It draws its own photos, small ones and 12-megapixel JPEGs of 3 to 5 MB with the grain of a sensor, and works in a
temporary home; nothing of yours is read or changed.  The encoders are `tiny`, and ViT-B-32-256 with random weights,
which cost as much as trained ones.  rclip is given the same random weights in place of its own, and is otherwise
unchanged; exporting them takes `pip install onnx onnxscript`.

    python scripts/bench_index.py [--photos N] [--rounds N] [--rclip COMMAND] [--encoder SPEC] [--start] [--quick]

`first` and `all` are the wall-clock seconds of the whole command over FEW photos and over all.  `CPU s` is the CPU time
of the latter on all cores, which is meaningful on a busy machine too.  `more` is the rate of further photos, and `CPU
ms` the CPU time of one, by PyTorch: the difference between runs over FEW and over all, from which the time for any
library follows.  `waits` is how long, while photos are encoded, the encoder waits for pictures and the decoders wait
for the encoder; the side that waits more comes first.

It also measures the peak memory with many photos, a run over unchanged files, and both on a disk with a latency of 5 ms
(`slow_disk.py`; needs root and /dev/fuse).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from bench_photos import SIZE, write_others, write_photos
from bench_process import measured
from bench_rclip import NO_WEIGHTS, give_to_rclip
from bench_residency import save
from bench_search import PHOTOMAP, SHAPE, machine, say
from drawing.library import write_demo_library
from slow_disk import slow

from photomap_cli.indexing.scan import ScanRules, scan
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entities import LibraryEncoder, NewPhoto

if TYPE_CHECKING:
    from bench_process import Run

DIM = 512
FEW = 8
SLOW_MS = 5.0
KNOWN_FILES = 50_000
LEAST_SHARE = 0.1  # of a run's time; if further photos take less, they are too few to tell their rate


@dataclass(frozen=True)
class Wait:
    """How long one side waited for the other while photos were encoded, and its share of that time.

    Seconds by the clock; of several decode processes the mean.
    """

    seconds: float
    share: float


@dataclass(frozen=True)
class Row:
    """One row of the table: medians over the rounds; `stages` are shares of the time."""

    tool: str
    photos: str
    count: int
    rounds: int
    few_seconds: float
    seconds: float
    cpu_seconds: float
    more_per_second: float | None
    cpu_ms_each: float | None
    cpu_use: float
    peak_bytes: int
    stages: dict[str, float] = field(default_factory=dict)
    waits: dict[str, Wait] = field(default_factory=dict)


def main() -> int:
    """Run everything and print the table, or JSON."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="photomap-bench-") as home:
        rows, notes = Bench(Path(home), options).run()
    show = print_json if options.json else print_table
    show(rows, notes)
    return 0


@dataclass(frozen=True)
class Round:
    """One tool's runs over few photos and over all: as it does by default, and by PyTorch if it has a choice."""

    few: Run
    whole: Run
    by_torch: tuple[Run, Run] | None


class Bench:
    """The photos, encoders and commands to measure."""

    def __init__(self, home: Path, options: argparse.Namespace) -> None:
        self.home, self.photos, self.rounds = home, options.photos, options.rounds
        self.large, self.small = home / "12 MP", home / "0.7 MP"
        self.encoder, self.many, self.only_start = options.encoder, options.many, options.start
        self.drawn: Path | None = options.drawn
        self.rclip: list[str] | None = options.rclip.split() if options.rclip else None
        self.known_files = KNOWN_FILES // 10 if options.quick else KNOWN_FILES
        self.notes: list[str] = []

    def prepare(self) -> None:
        """Draw the photos, create the encoders, and point this process's environment to the temporary home."""
        strange = ("PHOTOMAP_", "XDG_", "RCLIP_", "HF_", "OPENBLAS_", "OMP_", "PYTHONDONTWRITEBYTECODE")
        for name in [name for name in os.environ if name.startswith(strange)]:
            del os.environ[name]
        os.environ |= {"HOME": str(self.home), "RCLIP_DATADIR": str(self.home / "rclip"), "HF_HUB_OFFLINE": "1"}
        say(f"drawing {self.photos} photos of 12 megapixels, and as many small ones ...")
        if self.drawn:
            write_others(sorted(self.drawn.glob("*.jpg")), self.large, range(self.photos))
        else:
            write_photos(self.large, self.photos)
        write_demo_library(self.small, photos=self.photos)
        for photos in (self.large, self.small):
            few_of(photos).mkdir()
            for path in sorted(photos.rglob("*.jpg"))[:FEW]:
                shutil.copy2(path, few_of(photos))
        if not self.encoder:
            say(f"making {SHAPE} with random weights ...")
            (self.home / "encoder").mkdir()
            self.encoder = save(SHAPE, self.home / "encoder")
        if self.rclip is None:
            self.notes.append("rclip is not there: nothing to compare with")
        elif not give_to_rclip(self.encoder, self.home / "rclip"):
            self.notes.append(NO_WEIGHTS)
            self.rclip = None

    def run(self) -> tuple[list[Row], list[str]]:
        """Measure; returns the rows of the table, and notes to print below it."""
        self.prepare()
        tools = {f"photomap, {SHAPE}": self.with_photomap(self.encoder), "photomap, tiny": self.with_photomap("tiny")}
        rows = [*self.compare(tools | ({"rclip": self.with_rclip} if self.rclip else {}), self.large)]
        if self.only_start:
            return rows, self.notes
        rows += self.compare(tools, self.small)
        if self.many:
            self.notes.append(self.memory_of_many())
        self.notes += [self.unchanged(), *self.on_a_slow_disk()]
        return rows, self.notes

    def compare(self, tools: dict[str, Callable[[Path], Run]], photos: Path) -> Iterator[Row]:
        """Have the tools index the same photos in turns, in alternating order."""
        runs: dict[str, list[Round]] = {name: [] for name in tools}
        for number in range(self.rounds):
            for name in list(tools)[:: -1 if number % 2 else 1]:
                say(f"round {number + 1}: {name}, {photos.name}")
                runs[name].append(self.round(tools[name], photos, has_choice=name != "rclip"))
        for name, rounds in runs.items():
            yield self.row(name, photos, rounds)

    def round(self, tool: Callable[[Path], Run], photos: Path, *, has_choice: bool) -> Round:
        """Have one tool index few photos, and all."""
        by_itself = tool(few_of(photos)), tool(photos)
        if self.only_start or not has_choice:
            return Round(*by_itself, None if has_choice else by_itself)
        os.environ["PHOTOMAP_TEXT_ENCODER"] = "torch"
        try:
            return Round(*by_itself, (tool(few_of(photos)), tool(photos)))
        finally:
            del os.environ["PHOTOMAP_TEXT_ENCODER"]

    def row(self, name: str, photos: Path, rounds: list[Round]) -> Row:
        """Summarise the rounds of one tool."""
        wholes, more = [each.whole for each in rounds], self.photos - FEW
        seconds = statistics.median(run.seconds for run in wholes)
        pairs = [each.by_torch for each in rounds if each.by_torch]
        seconds_more = statistics.median([whole.seconds - few.seconds for few, whole in pairs] or [0.0])
        return Row(
            name,
            photos.name,
            self.photos,
            len(rounds),
            statistics.median(each.few.seconds for each in rounds),
            seconds,
            statistics.median(run.cpu_seconds for run in wholes),
            more / seconds_more if seconds_more > LEAST_SHARE * seconds else None,
            1e3 / more * statistics.median(whole.cpu_seconds - few.cpu_seconds for few, whole in pairs)
            if pairs
            else None,
            statistics.median(run.cpu_seconds / run.seconds for run in wholes) / len(os.sched_getaffinity(0)),
            max(run.peak_bytes for run in wholes),
            stages([json.loads(run.output) for run in wholes]) if name != "rclip" else {},
            waits(wholes) if name != "rclip" else {},
        )

    # -- what is measured ------------------------------------------------------------------------------------------

    def with_photomap(self, encoder: str) -> Callable[[Path], Run]:
        """Return a function that has photomap index a folder into a new library."""

        def run(photos: Path) -> Run:
            library = self.home / "library"
            shutil.rmtree(library, ignore_errors=True)
            words = [*PHOTOMAP, "--library", str(library), "index", "--json", str(photos), "--encoder", encoder]
            return measured(words, self.home)

        return run

    def with_rclip(self, photos: Path) -> Run:
        """Have rclip index a folder; it always searches too, which counts as part of its start-up."""
        assert self.rclip is not None
        (self.home / "rclip/db.sqlite3").unlink(missing_ok=True)
        return measured([*self.rclip, "--filepath-only", "--top", "1", "cat"], photos, python_path=False)

    def memory_of_many(self) -> str:
        """Measure the peak memory with few photos and with many; it must not grow with their number."""
        many = self.home / "many"
        write_others(sorted(self.small.rglob("*.jpg")), many, range(self.many))
        say(f"{self.many} photos")
        peaks = [self.with_photomap(self.encoder)(photos).peak_bytes / 1e6 for photos in (self.small, many)]
        return f"peak memory of {self.photos} and of {self.many} small photos: {peaks[0]:.0f} and {peaks[1]:.0f} MB"

    def on_a_slow_disk(self) -> Iterator[str]:
        """Compare a run on a disk with latency with one on the same disk without."""
        few_known = self.home / "known/000"
        for wait in (0.0, SLOW_MS):
            with slow(self.large, self.home / "slow", wait) as is_there:
                if not is_there:
                    yield "a slow disk can't be had here: not measured"
                    return
                say(f"a disk of {wait:.0f} ms")
                run = self.with_photomap("tiny")(self.home / "slow")
            shares = ", ".join(f"{name} {share:.0%}" for name, share in stages([json.loads(run.output)]).items())
            with slow(few_known, self.home / "slow", wait):
                began = time.perf_counter()
                looked_at = sum(1 for _ in scan([str(self.home / "slow")], ScanRules()))
                rate = looked_at / (time.perf_counter() - began)
            yield (
                f"a disk of {wait:.0f} ms a read: {self.photos} photos of 12 MP by tiny in {run.seconds:.1f} s"
                f" ({shares}); {rate:,.0f} files/s looked at"
            )

    def unchanged(self) -> str:
        """Measure a run over files that are in the library already; they are scanned, but not opened."""
        photos, library = self.home / "known", self.home / "known library"
        for number in range(self.known_files):
            path = photos / f"{number // 500:03}" / f"IMG_{number:06}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"not looked at")
        remember(library, photos)
        words = [*PHOTOMAP, "--library", str(library), "index", "--json", str(photos)]
        runs = [measured(words, self.home) for _ in range(self.rounds + 1)]
        reports = [json.loads(run.output) for run in runs]
        assert all(report["unchanged"] == self.known_files for report in reports), reports[0]
        whole = statistics.median(run.seconds for run in runs)
        own = statistics.median(report["elapsed_ms"] for report in reports) / 1e3
        return (
            f"a second run over {self.known_files:,} unchanged photos: {self.known_files / own:,.0f} files/s"
            f" ({own:.2f} s of the command's {whole:.2f} s), peak memory {max(r.peak_bytes for r in runs) / 1e6:.0f} MB"
        )


def few_of(photos: Path) -> Path:
    """Return the folder with few of the photos."""
    return photos.with_name(f"{photos.name}, few")


def remember(library: Path, photos: Path) -> None:
    """Create a library with these files, as if they had been encoded."""
    vector = np.full(DIM, DIM**-0.5, np.float32)
    files = [each for each in scan([str(photos)], ScanRules()) if hasattr(each, "mtime_ns")]
    with Catalog.open(library, create=True) as catalog:
        catalog.set_encoder(LibraryEncoder("tiny", DIM, "float32"))
        catalog.change_roots([str(photos)])
        facts = {"taken_at": None, "width": SIZE[0], "height": SIZE[1], "camera": None}
        known = [NewPhoto.of(file, vector, **facts) for file in files]
        catalog.commit_batch(known)


def stages(reports: list[dict[str, Any]]) -> dict[str, float]:
    """Return each stage's share of the time, from photomap's own reports."""
    sums = {name: sum(report["stages_ms"][name] for report in reports) for name in reports[0]["stages_ms"]}
    return {name: taken / sum(report["elapsed_ms"] for report in reports) for name, taken in sums.items()}


def waits(runs: list[Run]) -> dict[str, Wait]:
    """Return how long the encoder waited for pictures, and the decoders for the encoder: medians."""
    sides: dict[str, list[Wait]] = {"encoder": [], "decoders": []}
    for run in runs:
        taken = {name: ms / 1e3 for name, ms in json.loads(run.output)["stages_ms"].items()}
        encoding = sum(taken[name] for name in ("decode", "encode", "commit"))
        idle = run.decoders_wait(encoding)
        sides["encoder"].append(Wait(taken["decode"], taken["decode"] / encoding))
        sides["decoders"].append(Wait(idle * encoding, idle))
    return {
        side: Wait(*(statistics.median(getattr(wait, name) for wait in each) for name in ("seconds", "share")))
        for side, each in sides.items()
    }


def told(found: dict[str, Wait]) -> str:
    """Return the waits in words, the side that waits more first."""
    sides = sorted(found, key=lambda side: -found[side].share)
    return ", ".join(f"{side} {found[side].share:.0%} ({found[side].seconds:.1f} s)" for side in sides)


def print_json(rows: list[Row], notes: list[str]) -> None:
    """Print everything as one JSON object."""
    print(json.dumps({"machine": machine(), "rows": [asdict(row) for row in rows], "notes": notes}, indent=2))


def print_table(rows: list[Row], notes: list[str]) -> None:
    """Print the rows as a Markdown table."""
    print(f"{machine()}\n")
    print("| photos | tool | runs | first s | all s | CPU s | more/s | CPU ms | use | peak MB | time goes to | waits |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---|---|")
    for row in rows:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in row.stages.items())
        more = f"{row.more_per_second:.1f}" if row.more_per_second else ""
        figures = f"{row.few_seconds:.1f} | {row.seconds:.1f} | {row.cpu_seconds:.1f}"
        each = f"{row.cpu_ms_each:.0f}" if row.cpu_ms_each is not None else ""
        figures += f" | {more} | {each} | {row.cpu_use:.0%}"
        figures += f" | {row.peak_bytes / 1e6:.0f}"
        print(f"| {row.count} of {row.photos} | {row.tool} | {row.rounds} | {figures} | {shares} | {told(row.waits)} |")
    for note in notes:
        print(f"\n{note}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=48, help="how many of each kind  [48]")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured  [3]")
    parser.add_argument("--rclip", default=shutil.which("rclip"), metavar="COMMAND", help="rclip 4  [that on PATH]")
    parser.add_argument("--encoder", metavar="SPEC", help="measure this one, not one with random weights")
    parser.add_argument("--many", type=int, default=2000, help="photos for the peak of memory, 0 for none  [2000]")
    parser.add_argument("--drawn", type=Path, metavar="FOLDER", help="take the large JPEGs from there")
    parser.add_argument("--quick", action="store_true", help="one round, 24 photos, 200 for memory, 5,000 known files")
    parser.add_argument(
        "--start", action="store_true", help="nothing but the whole command over few large photos and all"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    if options.quick:
        options.photos, options.rounds, options.many = 24, 1, 200
    if options.photos <= FEW:
        parser.error(f"--photos: more than {FEW}")
    return options


if __name__ == "__main__":
    sys.exit(main())
