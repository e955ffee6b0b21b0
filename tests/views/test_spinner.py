"""Ctrl-C ends the wait at once, and the work where it looks whether anybody waits."""

import io
import os
import signal
import threading

import pytest
from rich.console import Console
from waiting import LONG_SECONDS

from photomap_cli import cancellation
from photomap_cli.views.spinner import wait_for


def test_ctrl_c_ends_the_wait_and_the_work():
    ended, never = threading.Event(), threading.Event()

    def work():
        os.kill(os.getpid(), signal.SIGINT)
        try:
            while not never.wait(0.01):
                cancellation.check()
        except cancellation.Cancelled:
            ended.set()
            raise

    with pytest.raises(KeyboardInterrupt):
        wait_for(work, console=Console(file=io.StringIO()), words=str)
    assert ended.wait(LONG_SECONDS)


def test_work_that_nobody_gave_up_is_wanted():
    cancellation.check()
    wait_for(cancellation.check, console=Console(file=io.StringIO()), words=str)


def test_work_that_is_waited_for_to_its_end_says_what_it_has_done():
    def work():
        os.kill(os.getpid(), signal.SIGINT)
        never = threading.Event()
        while cancellation.is_wanted():
            never.wait(0.01)
        return "half of it"

    assert wait_for(work, console=Console(file=io.StringIO()), words=str, until_it_ends=True) == "half of it"
