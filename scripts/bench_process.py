"""Runs a command and measures it from outside: the time, the CPU and the memory of all its processes.  Linux alone."""

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
    """How many decode processes there were at a moment, and how many of them computed or waited for the disk."""

    at: float
    there: int
    at_work: int


@dataclass(frozen=True)
class Run:
    """One run of a command: seconds by wall clock and of CPU, the peak of its processes' memory, what it printed."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    output: str
    decoders: tuple[Sample, ...] = ()

    def decoders_wait(self, seconds: float) -> float:
        """Return which share of the last `seconds` in which there were decoders these had nothing to do."""
        samples = [each for each in self.decoders if each.there]
        late = [each for each in samples if each.at >= samples[-1].at - seconds]
        return 1 - sum(each.at_work for each in late) / max(1, sum(each.there for each in late))


def measured(words: list[str], folder: Path, *, python_path: bool = True) -> Run:
    """Run a command in a folder to its end; without `python_path` as a program that has a Python of its own."""
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
    """Looks at a process and all below it ten times a second: PSS, which counts shared pages once, and the decoders."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak_bytes, self._pid, self._over = 0, pid, threading.Event()
        self.decoders: list[Sample] = []

    def run(self) -> None:
        """Sample until it is over."""
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
    """Yield a process and what it started, as far as they are still there."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            below = children.read_text().split()
        except OSError:
            continue
        for child in below:
            yield from family(int(child))


def is_decoder(pid: int) -> bool:
    """Whether a process is one of photomap's that decode."""
    try:
        return b"images.decode_worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def state(pid: int) -> str:
    """Return a process's state as the system has it: R computes, D waits for the disk, S for anything else."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "gone"


def pss(pid: int) -> int:
    """Return a process's share of memory in bytes; 0 where it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
