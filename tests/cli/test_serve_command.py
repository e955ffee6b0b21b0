"""`serve` in the background, its log, `stop`, and `status --watch` beside it: real processes."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from command_line import run_here
from waiting import LONG_SECONDS, MOMENT_SECONDS, PHOTOMAP, wait_until

from photomap_cli import directories
from photomap_cli.errors import BadPath
from photomap_cli.library.catalog import Catalog
from photomap_cli.session import daemon
from photomap_cli.session.client import SessionClient


@pytest.fixture
def library(library_without_weights):
    return library_without_weights


def photomap(library, *words, stdin=""):
    """Run a command: in a process of its own where that is the session, or leaves one behind; else in this one."""
    words = ("--library", str(library), *words)
    if "serve" not in words:
        return run_here(*words, cwd=Path.cwd(), environment=os.environ, stdin=stdin)
    return subprocess.run([*PHOTOMAP, *words], capture_output=True, text=True, timeout=LONG_SECONDS, check=False)


def wait_for(words, log):
    """Wait until a process that is no child of ours has written this."""
    wait_until(lambda: words in log.read_text(), words)


@pytest.fixture
def detached(library):
    """A session in the background; ended with the test if the test did not."""
    done = photomap(library, "serve", "--detach")
    assert done.returncode == 0, done.stderr
    with SessionClient.find(library) as live:
        pid = live.status().pid
    yield pid, done
    photomap(library, "stop")


def test_detach_returns_when_the_session_answers_and_says_where_its_log_is(detached, library):
    pid, done = detached
    log = directories.log_file(library)
    assert done.stdout == ""
    assert f"(process {pid}), log {log}" in done.stderr
    wait_for(f"serving {library}", log)
    assert log.stat().st_mode & 0o077 == 0


def test_a_session_that_nobody_asks_anything_ends_by_itself(library):
    done = photomap(library, "serve", "--detach", "--for", "0.1")
    assert done.returncode == 0, done.stderr
    wait_for("ended", directories.log_file(library))
    assert SessionClient.find(library) is None


@pytest.mark.parametrize("time", ["-1", "soon"])
def test_a_time_that_makes_no_sense_is_refused(library, time):
    done = photomap(library, "serve", "--for", time)
    assert (done.returncode, "--for" in done.stderr, len(done.stderr.splitlines())) == (2, True, 2)


@pytest.mark.skipif(not hasattr(os, "getsid"), reason="no session ids here")
def test_it_is_apart_from_our_terminal(detached):
    pid, _ = detached
    assert os.getsid(pid) == pid
    if Path("/proc").is_dir():
        assert Path(f"/proc/{pid}/fd/0").resolve() == Path(os.devnull)


@pytest.mark.parametrize("way", ["stop", signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly(detached, library, way):
    pid, _ = detached
    with subprocess.Popen(
        [*PHOTOMAP, "--library", str(library), "status", "--watch", "--json"], stdout=subprocess.PIPE, text=True
    ) as watching:
        assert json.loads(watching.stdout.readline())["sessions"][0]["pid"] == pid
        if way == "stop":
            assert photomap(library, "stop").returncode == 0
        else:
            os.kill(pid, way)
        while json.loads(watching.stdout.readline())["sessions"]:
            pass  # a change on the way to the end
        watching.send_signal(signal.SIGINT)
        assert watching.wait(LONG_SECONDS) == 130
    wait_for("ended", directories.log_file(library))
    assert list(directories.runtime_directory().glob("*.sock")) == []


def test_each_library_has_a_log_of_its_own_and_the_status_names_it(detached, library, tmp_path):
    other = tmp_path / "other" / "library"
    Catalog.open(other, create=True).close()
    assert photomap(other, "serve", "--detach").returncode == 0
    try:
        looks = json.loads(photomap(other, "status", "--json").stdout)["sessions"]
        logs = {look["library"]: look["log"] for look in looks}
        assert logs == {str(each): str(directories.log_file(each)) for each in (library, other)}
        for each, neighbour in ((library, other), (other, library)):
            wait_for(f"serving {each}", directories.log_file(each))
            assert str(neighbour) not in directories.log_file(each).read_text()
        assert f" · log {logs[str(other)]}\n" in photomap(other, "status").stdout
    finally:
        photomap(other, "stop")


def test_a_log_is_named_after_its_library_whatever_that_is_called(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "library")
    names = [directories.log_file(tmp_path / name).name for name in ("library", "a/library", "ü \udcff\n", "x" * 300)]
    assert len(set(names)) == len(names)
    labels = [name.rpartition("-")[0] for name in names]
    assert labels == ["serve-library", "serve-library", "serve-ü_", "serve-" + "x" * 40]
    assert directories.library_key(tmp_path / "link") == directories.library_key(tmp_path / "library")


def test_after_stop_the_next_one_can_start_at_once(detached, library):
    assert photomap(library, "stop").returncode == 0
    assert photomap(library, "serve", "--detach").returncode == 0


def test_one_that_serves_already_is_enough(detached, library):
    done = photomap(library, "serve", "--detach")
    assert (done.returncode, "already serving" in done.stderr) == (0, True)
    assert photomap(library, "-q", "serve", "--detach").stderr == ""


def test_one_that_cannot_start_tells_why_with_its_status(detached, library):
    done = photomap(library, "serve")
    assert done.returncode == 2
    assert done.stderr.startswith("photomap: another session is using this library\nhint: ")


def test_there_is_nothing_to_stop_and_that_is_fine(library):
    done = photomap(library, "stop")
    assert (done.returncode, "nothing to stop" in done.stderr) == (0, True)
    assert photomap(library, "-q", "stop").stderr == ""


def test_without_a_library_it_says_so(tmp_path):
    done = photomap(tmp_path / "none", "serve", "-d", "--log", str(tmp_path / "log"))
    assert (done.returncode, "hint: `photomap index FOLDER`" in done.stderr) == (2, True)
    assert "hint" in (tmp_path / "log").read_text()


def test_a_log_that_cannot_be_written_is_refused(library, tmp_path):
    done = photomap(library, "serve", "-d", "--log", str(tmp_path))
    assert done.returncode == 2
    assert "--log names another file" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it")
def test_a_log_that_finds_no_room_ends_no_session(library):
    started = photomap(library, "serve", "--detach", "--log", "/dev/full")
    assert started.returncode == 0, started.stderr
    assert photomap(library, "status").stdout.count(" serve ") == 1
    assert photomap(library, "stop").returncode == 0


def test_a_log_whose_older_part_finds_no_room_starts_anew(tmp_path, monkeypatch):
    def full(*_given):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(daemon, "LOG_BYTES", 100)
    monkeypatch.setattr(daemon.shutil, "copyfileobj", full)
    log = daemon.LogFile(tmp_path / "serve.log")
    os.write(log.fd, b"a" * 200)
    log.rotate()
    assert log.size() == 0
    log.close()
    assert [path.name for path in tmp_path.iterdir()] == ["serve.log"]


def test_the_log_is_rotated_by_size_and_one_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(daemon, "LOG_BYTES", 100)
    log = daemon.LogFile(tmp_path / "deep" / "serve.log")
    for letter in (b"a", b"b", b"c"):
        os.write(log.fd, letter * 80)
        log.rotate()
        os.write(log.fd, letter * 30)
        log.rotate()
    log.close()
    assert sorted(path.name for path in log.path.parent.iterdir()) == ["serve.log", "serve.log.1"]
    assert log.path.read_bytes() == b""
    assert log.path.with_name("serve.log.1").read_bytes() == b"c" * 110


def test_a_log_in_the_way_of_a_folder_is_a_user_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadPath):
        daemon.LogFile(tmp_path / "file" / "serve.log")


def test_watching_ends_like_other_programs(library):
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        with subprocess.Popen([*PHOTOMAP, "status", "--watch"], stdout=subprocess.PIPE, text=True) as watching:
            assert watching.stdout.readline()
            watching.send_signal(number)
            assert watching.wait(LONG_SECONDS) == status


def test_a_dash_is_standard_output_for_the_log(library):
    refused = photomap(library, "serve", "--detach", "--log", "-")
    assert refused.returncode == 2
    assert "can't log to standard output" in refused.stderr
    words = [*PHOTOMAP, "--library", str(library), "serve", "--log", "-"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as serving:
        assert f"serving {library}" in serving.stdout.readline()
        serving.terminate()
        assert "ended" in serving.stdout.readline()
        assert serving.stderr.read() == ""
    assert not Path("-").exists()


@pytest.fixture
def stopped(detached, monkeypatch):
    pid, _ = detached
    monkeypatch.setenv("FIRST_SECONDS", str(MOMENT_SECONDS))
    os.kill(pid, signal.SIGSTOP)
    yield pid
    os.kill(pid, signal.SIGCONT)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no SIGSTOP here")
def test_a_stopped_session_is_told_as_such_by_whoever_asks(stopped, library, tmp_path):
    wording = f"session {stopped} does not answer; if it is suspended, fg continues it"
    other = tmp_path / "other" / "library"
    Catalog.open(other, create=True).close()
    assert photomap(other, "serve", "--detach").returncode == 0
    try:
        status = photomap(library, "status")
        assert status.returncode == 0
        assert wording in status.stdout
        assert f" · library {other} · " in status.stdout, "one that is silent hides the others"
        look = json.loads(photomap(library, "status", "--json").stdout)
        assert [session["library"] for session in look["sessions"]] == [str(other)]
        (silent,) = look["unreachable"]
        assert (silent["pid"], silent["code"], silent["message"]) == (stopped, "session_silent", wording)
    finally:
        photomap(other, "stop")
    for command in ("stop", "offload"):
        done = photomap(library, command)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"photomap: {wording}\n" in done.stderr
    done = photomap(library, "search", "dog")
    assert f"photomap: {wording}; answering without it\n" in done.stderr
    assert "the library has no photos yet" in done.stderr  # so it did look, by itself
    assert json.loads(photomap(library, "search", "dog", "--json").stdout)["error"]["code"] == "empty_library"
    done = photomap(library, stdin="dog\n")
    assert wording in done.stderr


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no SIGSTOP here")
def test_a_session_that_goes_on_answers_again(stopped, library):
    assert "does not answer" in photomap(library, "status").stdout
    os.kill(stopped, signal.SIGCONT)
    assert photomap(library, "status").stdout.startswith(f"{stopped} serve")
