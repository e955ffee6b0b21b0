"""Standard streams that are closed, full, or that nobody reads: no traceback, and the right status."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import LONG_SECONDS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell's redirections")

BAD_QUERY = "search -people --json"


@pytest.fixture
def environment(tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PHOTOMAP_", "XDG_"))}
    return kept | {"PHOTOMAP_LIBRARY": str(tmp_path / "library"), "XDG_CONFIG_HOME": str(tmp_path)}


@pytest.fixture
def shell(environment):
    """Run `photomap` with what a shell script puts behind it; return its exit status and what it printed."""

    def run(words, redirections, before=""):
        line = f"{before}'{sys.executable}' -m photomap_cli {words} {redirections}"
        done = subprocess.run(
            ["sh", "-c", line],
            env=environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=LONG_SECONDS,
        )
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.mark.parametrize("words", ["status", "status --json", "config", "--help", "--version"])
def test_what_nobody_can_get_is_no_failure(shell, words):
    assert shell(words, ">&-") == (0, "", "")


def test_without_standard_error_the_answer_is_the_same(shell):
    status, out, _ = shell(BAD_QUERY, "2>&-")
    assert (status, '"code": "empty_library"' in out) == (2, True)
    assert shell("search dog", "2>&-") == (2, "", "")


def test_a_prompt_without_standard_input_has_no_queries(shell):
    assert shell("", "<&-") == (0, "", "")


def test_no_file_takes_the_number_of_a_closed_stream(shell, tmp_path):
    (tmp_path / "none").mkdir()
    status, _, err = shell(f"index '{tmp_path}/none'", ">&- 2>&-")
    assert (status, err) == (0, "")
    assert (tmp_path / "library" / "catalog.sqlite").read_bytes()[:15] == b"SQLite format 3"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it")
@pytest.mark.parametrize("words", ["status", "status --json", "config", "--version", BAD_QUERY])
def test_output_that_finds_no_room_is_told_in_one_line(shell, words):
    status, _, err = shell(words, ">/dev/full")
    assert status == 2
    assert "Traceback" not in err
    told = "" if words == BAD_QUERY else "photomap: the output cannot be written: no space left on device\n"
    assert err == (told and told + "hint: free some space, or write elsewhere\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it")
def test_lines_whose_answers_find_no_room_end_at_the_first(shell):
    status, _, err = shell("", ">/dev/full", before="printf ':help\\n:help\\n' | ")
    told = (
        "photomap: the output cannot be written: no space left on device\nhint: free some space, or write elsewhere\n"
    )
    assert (status, err) == (2, told)


def test_ctrl_c_ends_with_130_wherever_it_comes(environment, tmp_path):
    """`python -m` remembers one that came amid a text it runs, as those of dataclasses, and would end by the signal."""
    (tmp_path / "interrupted.py").write_text(
        "from photomap_cli.cli import dispatch\n"  # Python forgets when it runs more of such texts
        "from photomap_cli import cli\n"
        "cli.run = lambda _: exec('raise KeyboardInterrupt')\n"
        "cli.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "interrupted"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        timeout=LONG_SECONDS,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it")
def test_complaints_that_find_no_room_leave_the_status(shell):
    assert shell("search dog", "2>/dev/full") == (2, "", "")


@pytest.mark.parametrize(("words", "status"), [(BAD_QUERY, 2), ("status --json", 0), ("config", 0), ("--version", 0)])
def test_a_reader_who_has_left_is_met_with_silence(environment, words, status):
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "photomap_cli", *words.split()]
    done = subprocess.run(command, env=environment, stdout=writer, stderr=subprocess.PIPE, timeout=LONG_SECONDS)
    os.close(writer)
    assert (done.returncode, done.stderr) == (status, b"")


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("search dog --json", 2),
        ("search dog --in x", 2),
        ("index", 2),
        ("index x", 2),
        ("--library x status", 2),
        ("", 2),
        ("status", 0),
        ("config", 0),
    ],
)
def test_a_current_folder_that_somebody_has_removed_is_told_in_one_line(shell, tmp_path, words, status):
    gone = tmp_path / "gone"
    gone.mkdir()
    told, out, err = shell(f"{words} 2>&1", "", before=f"cd '{gone}'; rmdir '{gone}'; ")
    assert (told, "Traceback" in out, err) == (status, False, "")
    assert ("the current folder no longer exists" in out) == (status == 2)


def test_watching_ends_with_its_reader_though_nothing_changes(environment):
    command = [sys.executable, "-m", "photomap_cli", "status", "--watch", "--json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as watching:
        assert watching.stdout.readline()
        watching.stdout.close()
        assert (watching.wait(LONG_SECONDS), watching.stderr.read()) == (0, b"")


def test_ctrl_c_while_modules_are_imported_is_130(environment, tmp_path):
    # Typer is the first heavy module; one of this name that interrupts its own process stands before it.
    (tmp_path / "typer.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    command = [sys.executable, "-m", "photomap_cli", "config"]
    done = subprocess.run(command, env=environment | {"PYTHONPATH": path}, capture_output=True, timeout=LONG_SECONDS)
    assert (done.returncode, done.stdout, done.stderr) == (128 + signal.SIGINT, b"", b"")
