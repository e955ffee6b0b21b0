"""Runs command lines in this process: a hundredth of the time, with a folder, environment and streams of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from waiting import LONG_SECONDS

from photomap_cli import directories
from photomap_cli.cli import run
from photomap_cli.session import attach, transport


def run_here(
    *words: str, cwd: Path, environment: Mapping[str, str], stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command line as `subprocess.run` would `photomap`; what is wanted of a process itself needs one."""
    with ExitStack() as opened:
        patch = opened.enter_context(pytest.MonkeyPatch.context())
        for name in os.environ.keys() - environment.keys():
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.chdir(cwd)
        for name, value in (("_started_in", None), ("_has_left", False)):
            patch.setattr(directories, name, value)
        # A machine may stall, which nobody says a word about then.
        first = float(environment.get("FIRST_SECONDS", LONG_SECONDS))
        patch.setattr(transport, "TIMEOUTS", transport.Timeouts(first, LONG_SECONDS))
        patch.setattr(transport, "CONNECT_SECONDS", LONG_SECONDS)
        patch.setattr(attach, "TIMEOUT_SECONDS", LONG_SECONDS)
        streams = []
        for name in ("stdin", "stdout", "stderr"):
            streams.append(opened.enter_context(_stream()))
            patch.setattr(sys, name, streams[-1])
        streams[0].write(stdin)
        streams[0].seek(0)
        status = run(list(words))
        return subprocess.CompletedProcess(words, status, *map(_written, streams[1:]))


def _stream():
    return tempfile.TemporaryFile("w+", encoding="utf-8", errors="surrogateescape", newline="")


def _written(stream) -> str:
    stream.flush()
    stream.seek(0)
    return stream.read()
