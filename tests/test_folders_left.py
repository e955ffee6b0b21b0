"""Processes that live long keep no folder of the user's: it can be removed or unmounted; relative paths still work."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import LONG_SECONDS, PHOTOMAP, wait_until

from photomap_cli import directories, subprocesses
from photomap_cli.encoder.process import EncoderProcess
from photomap_cli.errors import BadPath
from photomap_cli.library.catalog import Catalog

PROGRAM = [sys.executable, "-P", *PHOTOMAP[1:]]
SHOW = "import json, os; print(json.dumps([os.getcwd(), dict(os.environ)]))"

linux = pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="no /proc here")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder of the user's that the test is in."""
    folder = tmp_path / "usb"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def photomap(*words, cwd=None, **how):
    return subprocess.run(
        [*PROGRAM, *words], capture_output=True, text=True, timeout=LONG_SECONDS, check=False, cwd=cwd, **how
    )


def folder_of(pid):
    return str(Path(f"/proc/{pid}/cwd").readlink())


def test_a_child_starts_in_a_folder_that_stays_and_knows_what_relative_paths_meant(here, monkeypatch):
    monkeypatch.setenv("HF_HOME", "models")
    monkeypatch.setenv("XDG_CACHE_HOME", "~/cache")
    monkeypatch.setenv("PYTHONPATH", f"lib{os.pathsep}/opt/lib")
    child = subprocesses.start([sys.executable, "-c", SHOW], stderr=subprocess.DEVNULL)
    out, _ = child.communicate()
    folder, variables = json.loads(out)
    assert folder == str(directories.LASTING)
    assert variables["HF_HOME"] == str(here / "models")
    assert variables["XDG_CACHE_HOME"] == "~/cache"
    assert variables["PYTHONPATH"].split(os.pathsep) == [str(here / "lib"), "/opt/lib"]


def test_who_has_left_still_means_the_folder_it_was_started_in(here, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    monkeypatch.setenv("PHOTOMAP_CONFIG", "my.toml")
    directories.release_working_directory()
    directories.release_working_directory()
    assert Path.cwd() == directories.LASTING
    assert directories.working_directory() == here
    assert directories.absolute(Path("a/../b")) == here / "b"
    assert directories.history_file() == here / "state" / "photomap" / "history"
    assert directories.config_file() == here / "my.toml"


def test_who_was_started_in_a_folder_that_is_gone_can_leave_and_refuses_what_is_relative(here):
    here.rmdir()
    directories.release_working_directory()
    assert directories.absolute(Path("/a")) == Path("/a")
    with pytest.raises(BadPath, match="no longer exists"):
        directories.absolute(Path("a"))


@linux
def test_the_encoder_keeps_no_folder_busy_and_loads_where_the_folder_is_gone(here):
    process = EncoderProcess("tiny", device="cpu")
    here.rmdir()
    process.load()
    assert folder_of(process.pid) == str(directories.LASTING)
    process.close()


@linux
@pytest.mark.parametrize("words", [(), ("--detach",)])
def test_a_session_keeps_no_folder_busy_and_its_relative_paths_are_the_users(here, monkeypatch, words):
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, name.lower())
        (here / name.lower()).mkdir(mode=0o700)
    monkeypatch.setenv("PHOTOMAP_LIBRARY", "library")
    monkeypatch.setenv("PHOTOMAP_ENCODER", "local-dir:model")
    (here / "model").mkdir()
    (here / "model" / "open_clip_config.json").write_text("{}")
    Catalog.open(here / "library", create=True).close()
    with subprocess.Popen([*PROGRAM, "serve", *words, "--log", "log"]) as serving:
        line = wait_until(lambda: (here / "log").exists() and "serving" in (here / "log").read_text())
        pid = int((here / "log").read_text().partition("[")[2].partition("]")[0])
        assert line
        assert folder_of(pid) == str(directories.LASTING)
        status = photomap("status")
        assert f"{pid} serve" in status.stdout
        assert str(here / "library") in status.stdout
        os.kill(pid, signal.SIGTERM)
        serving.wait(LONG_SECONDS)
    wait_until(lambda: "ended" in (here / "log").read_text())


@linux
def test_a_conversation_keeps_no_folder_busy_and_its_relative_paths_are_the_users(here, monkeypatch):
    monkeypatch.setenv("PHOTOMAP_ENCODER", "tiny")
    Catalog.open(here / "library", create=True).close()
    (here / "italy").mkdir()
    words = [*PROGRAM, "--library", "library"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, text=True, **pipes) as talking:
        talking.stdin.write(":in italy\n")
        talking.stdin.flush()
        assert talking.stderr.readline() == f"searching {here / 'italy'}\n"
        assert folder_of(talking.pid) == str(directories.LASTING)
        talking.communicate(":quit\n", timeout=LONG_SECONDS)
    assert talking.returncode == 0
