"""Ctrl-Z: first others are given what they may need, then the process stops."""

import io
import os
import signal
import subprocess
import threading
from contextlib import suppress

import pytest
from terminal_fakes import FakeBackend
from waiting import LONG_SECONDS, PHOTOMAP, wait_until

from photomap_cli import job_control, subprocesses
from photomap_cli.job_control import Suspension
from photomap_cli.repl.pipe_frontend import run_lines
from photomap_cli.session.client import SessionClient

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGTSTP"), reason="no SIGTSTP here")


@pytest.fixture
def done(monkeypatch):
    """What has been done; the stop itself is only noted."""
    noted = []
    monkeypatch.setattr(job_control.os, "kill", lambda pid, number: noted.append(("stop", pid)))
    monkeypatch.setattr(job_control, "TIMEOUT_SECONDS", LONG_SECONDS)
    return noted


def noting(done, **more):
    names = ("pause", "resume", "release_tty", "reclaim_tty")
    return Suspension(**{name: (lambda name=name: done.append(name)) for name in names} | more)


def test_what_is_given_is_given_before_the_stop_and_taken_after_it(done):
    with noting(done):
        signal.raise_signal(signal.SIGTSTP)
    assert done == ["pause", "release_tty", ("stop", os.getpid()), "reclaim_tty", "resume"]
    assert signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL


def test_the_whole_pipeline_stops_where_the_terminal_would_stop_it(done):
    with noting(done) as suspended:
        suspended.stop(whole_group=True)
    assert ("stop", 0) in done


def test_a_better_moment_is_waited_for(done):
    with noting(done, defer=lambda: not done.append("later")) as suspended:
        signal.raise_signal(signal.SIGTSTP)
        assert done == ["later"]
        suspended.stop()
    assert done[-1] == "resume"


def test_a_stop_is_postponed_while_there_is_nothing_to_give_yet(done):
    with noting(done) as suspended:
        with suspended.postponed():
            signal.raise_signal(signal.SIGTSTP)
            done.append("opened")
        with suspended.postponed():
            done.append("nothing came")
    assert done == ["opened", "pause", "release_tty", ("stop", os.getpid()), "reclaim_tty", "resume", "nothing came"]


def test_a_postponed_stop_is_made_also_where_that_fails_and_a_better_moment_is_waited_for(done):
    with noting(done) as suspended:
        with suppress(OSError), suspended.postponed():
            signal.raise_signal(signal.SIGTSTP)
            raise OSError
        assert done[0] == "pause"
        done.clear()
        with suspended.deferring(lambda: not done.append("later")), suspended.postponed(), suspended.postponed():
            signal.raise_signal(signal.SIGTSTP)
            done.append("inside")
    assert done == ["inside", "later"]


class Stopped(FakeBackend):
    """A backend in whose opening and closing Ctrl-Z is pressed."""

    def __init__(self, done):
        super().__init__()
        signal.raise_signal(signal.SIGTSTP)
        done.append("opened")
        self.pause, self.resume = lambda: done.append("pause"), lambda: not done.append("resume")
        self.close = lambda: (signal.raise_signal(signal.SIGTSTP), done.append("closed"))


def test_a_library_that_is_just_being_opened_or_closed_is_handed_over_before_the_stop(done):
    streams = {"stdin": io.StringIO(":status\n"), "stdout": io.StringIO(), "stderr": io.StringIO()}
    run_lines(lambda: Stopped(done), open_thumbnailer=None, cwd=None, limit=1, **streams)
    stop = ("stop", os.getpid())
    assert done == ["opened", "pause", stop, "resume", "closed", stop]


def test_a_pause_that_takes_long_holds_nobody_up_and_the_resuming_comes_after_it(done, monkeypatch):
    monkeypatch.setattr(job_control, "TIMEOUT_SECONDS", 0.01)
    go = threading.Event()

    def pause():
        assert go.wait(LONG_SECONDS)
        done.append("pause")

    with noting(done, pause=pause):
        signal.raise_signal(signal.SIGTSTP)
        assert done == ["release_tty", ("stop", os.getpid()), "reclaim_tty"]
        go.set()
        wait_until(lambda: done[-1] == "resume")
    assert done[-2:] == ["pause", "resume"]


def test_a_second_one_meanwhile_is_none(done):
    with noting(done, release_tty=lambda: signal.raise_signal(signal.SIGTSTP)):
        signal.raise_signal(signal.SIGTSTP)
    assert done.count(("stop", os.getpid())) == 1


def test_a_signal_that_is_ignored_stays_ignored(done):
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    try:
        with noting(done) as suspended:
            signal.raise_signal(signal.SIGTSTP)
            suspended.stop()
        assert done == []
        assert signal.getsignal(signal.SIGTSTP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)


# Real processes ---------------------------------------------------------------------------------------------------


@pytest.fixture
def library(library_without_weights):
    return library_without_weights


@pytest.fixture(params=["serve", "piped"])
def session(request, library):
    """A session in a process group of its own, as a shell makes one: only such a one can be stopped by Ctrl-Z."""
    words = [*PHOTOMAP, "--library", str(library), *(["serve"] if request.param == "serve" else [])]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, process_group=0, text=True, **pipes) as started:
        if request.param == "piped":
            started.stdin.write(":status\n")
            started.stdin.flush()
        wait_until(lambda: pid_of(library) == started.pid, "the session")
        yield started
        started.kill()
        started.communicate()


def pid_of(library):
    found = SessionClient.find(library)
    if found is None:
        return None
    with found:
        return found.status().pid


def test_a_session_that_is_stopped_by_ctrl_z_leaves_the_library_to_others_and_comes_back(session, library):
    session.send_signal(signal.SIGTSTP)
    wait_until(lambda: subprocesses.is_stopped(session.pid), "the stop")
    assert pid_of(library) is None
    session.send_signal(signal.SIGCONT)
    wait_until(lambda: pid_of(library) == session.pid, "its return")


def test_a_session_whose_library_was_taken_over_meanwhile_leaves_it_there(session, library):
    session.send_signal(signal.SIGTSTP)
    wait_until(lambda: subprocesses.is_stopped(session.pid), "the stop")
    with subprocess.Popen([*PHOTOMAP, "--library", str(library), "serve"], stderr=subprocess.PIPE) as other:
        wait_until(lambda: pid_of(library) == other.pid, "the other session")
        session.send_signal(signal.SIGCONT)
        if session.args[-1] == "serve":
            assert "another session took over the library" in session.communicate()[1]
            assert session.returncode == 0
        else:
            out, err = session.communicate(":status\n:quit\n")
            assert "another session took over the library" in err + out
        assert pid_of(library) == other.pid
        other.terminate()
        other.communicate()
