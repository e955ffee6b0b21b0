"""Runs a command and measures time, CPU and memory of all its processes, from outside.  Linux only."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SAMPLE_SECONDS = 0.1


@dataclass(frozen=True)
class Sample:
    """How many decode processes there were at a moment, and how many were computing or waiting for the disk."""

    at: float
    there: int
    at_work: int


@dataclass(frozen=True)
class Run:
    """One run of a command: wall-clock and CPU seconds, peak memory of all its processes in bytes, and its output."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    output: str
    decoders: tuple[Sample, ...] = ()

    def decoders_wait(self, seconds: float) -> float:
        """Return the share of the last `seconds` with decode processes in which these were idle."""
        samples = [each for each in self.decoders if each.there]
        late = [each for each in samples if each.at >= samples[-1].at - seconds]
        return 1 - sum(each.at_work for each in late) / max(1, sum(each.there for each in late))


def measured(words: list[str], folder: Path, *, python_path: bool = True) -> Run:
    """Run a command in a folder to its end; `python_path=False` for a program with a Python environment of its own."""
    environment = {name: value for name, value in os.environ.items() if python_path or name != "PYTHONPATH"}
    start = time.perf_counter()
    with (
        tempfile.TemporaryFile() as output,
        subprocess.Popen(words, cwd=folder, env=environment, stdout=output, stderr=subprocess.DEVNULL) as process,
        Watch(process.pid) as watch,
    ):
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode()
    if process.returncode:
        raise SystemExit(f"{' '.join(words)}: exit status {process.returncode}\n{text}")
    return Run(seconds, used.ru_utime + used.ru_stime, watch.peak_bytes, text, tuple(watch.decoders))


class Watch(threading.Thread):
    """Samples a process and its descendants ten times a second: decoders, and PSS, which counts shared pages once."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak_bytes, self._pid, self._over = 0, pid, threading.Event()
        self.decoders: list[Sample] = []

    def run(self) -> None:
        """Sample until stopped."""
        while not self._over.wait(SAMPLE_SECONDS):
            processes = list(family(self._pid))
            self.peak_bytes = max(self.peak_bytes, sum(map(pss, processes)))
            states = [state(each) for each in processes if is_decoder(each)]
            self.decoders.append(Sample(time.perf_counter(), len(states), sum(each in "RD" for each in states)))

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._over.set()
        self.join()


def family(pid: int) -> Iterator[int]:
    """Yield a process and its descendants, as far as they still exist."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            below = children.read_text().split()
        except OSError:
            continue
        for child in below:
            yield from family(int(child))


def is_decoder(pid: int) -> bool:
    """Whether a process is one of photomap's decode processes."""
    try:
        return b"images.decode_worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def state(pid: int) -> str:
    """Return a process's state from /proc: R is running, D waits for the disk, S sleeps."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "gone"


def pss(pid: int) -> int:
    """Return a process's memory (PSS) in bytes; 0 if it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
