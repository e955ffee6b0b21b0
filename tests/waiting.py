"""How long a test waits for what is about to happen: never a moment when it does, and long enough for any machine."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

LONG_SECONDS = 300
"""Only a test that fails waits so long: what stalls meanwhile, a thread, a process or the machine, is no failure."""

MOMENT_SECONDS = 0.2
"""How long a session that a test has stopped is silent before anybody looks whether it is stopped."""

PATIENCE = f"""
import os
from photomap_cli import job_control
from photomap_cli.session import attach, daemon, transport
transport.TIMEOUTS = transport.Timeouts(float(os.environ.get("FIRST_SECONDS", {LONG_SECONDS})), {LONG_SECONDS})
transport.CONNECT_SECONDS = attach.TIMEOUT_SECONDS = daemon._TIMEOUT_SECONDS = {LONG_SECONDS}
job_control.TIMEOUT_SECONDS = {LONG_SECONDS}
"""
"""Has a process give nobody up for being slow, nor say so; FIRST_SECONDS: when it looks whether one is stopped."""

PHOTOMAP = [sys.executable, "-c", f"{PATIENCE}\nfrom photomap_cli.cli import main\nmain()"]
"""`photomap`, patient: for tests in which it talks to a session of another process."""


def wait_until(holds, what="it"):
    """Wait until something that another thread or process is about to do is so; return what `holds` returned."""
    give_up_at, moment = time.monotonic() + LONG_SECONDS, threading.Event()
    while not (found := holds()):
        if time.monotonic() > give_up_at:
            pytest.fail(f"{what} never came to be")
        moment.wait(0.005)
    return found


def in_thread(work):
    """Start some work beside the test; return its thread."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def is_running(pid):
    """Return whether a process is there and has not ended; one that nobody has waited for yet has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
