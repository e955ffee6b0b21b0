"""A search from a folder that is not indexed offers, on a terminal alone, to index it; no is the default, and kept."""

import io
import os
import sys
from types import SimpleNamespace

import pytest
from drawing.picture import make_picture
from waiting import LONG_SECONDS

from photomap_cli import directories
from photomap_cli.cli import index_offer, index_run
from photomap_cli.records import IndexReport


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with two photos, in which somebody sits at a terminal."""
    folder = tmp_path / "here"
    folder.mkdir()
    for name in ("a.jpg", "b.PNG", "notes.txt"):
        (folder / name).touch()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(index_offer, "is_possible", lambda: True)
    return folder


@pytest.fixture
def runs(monkeypatch):
    """The index runs that were asked for; each adds two photos."""
    asked = []

    def run(library, settings, encoder, paths, options, *, quiet):
        asked.append(paths)
        return False, IndexReport(roots=tuple(map(str, paths)), added=2)

    monkeypatch.setattr(index_run, "update_library", run)
    return asked


def answering(*answers):
    left, questions = list(answers), []

    def ask(question):
        questions.append(question)
        answer = left.pop(0)
        if isinstance(answer, type):
            raise answer
        return answer

    ask.questions = questions
    return ask


def test_yes_indexes_the_folder_with_the_number_of_photos_in_the_question(here, runs, tmp_path):
    ask = answering(" Y ")
    assert index_offer.accepted(tmp_path / "library", ask)
    assert ask.questions == [f"Index 2 photos in {here} now? [y/N] "]
    assert runs == [[here]]


@pytest.mark.parametrize("answer", ["", "n", "no", "what?"])
def test_anything_else_is_no_and_the_question_does_not_come_again(here, runs, tmp_path, answer, monkeypatch, capsys):
    assert not index_offer.accepted(tmp_path / "library", answering(answer))
    assert "won't be asked about this folder again" in capsys.readouterr().out
    assert not index_offer.accepted(tmp_path / "library", answering())
    assert (runs, directories.declined_file().stat().st_mode & 0o777) == ([], 0o600)
    other = tmp_path / "odd\n\udcff name"
    other.mkdir()
    (other / "c.jpg").touch()
    monkeypatch.chdir(other)
    assert not index_offer.accepted(tmp_path / "library", answering("n"))
    assert not index_offer.accepted(tmp_path / "library", answering())
    monkeypatch.chdir(here)
    assert not index_offer.accepted(tmp_path / "library", answering())


@pytest.mark.parametrize("signal", [EOFError, KeyboardInterrupt])
def test_leaving_the_question_is_no_for_this_time(here, runs, tmp_path, signal):
    assert not index_offer.accepted(tmp_path / "library", answering(signal))
    assert index_offer.accepted(tmp_path / "library", answering("y"))


def test_where_no_can_not_be_kept_the_question_comes_again(here, runs, tmp_path):
    (tmp_path / "state").write_text("a file where the folder should be")
    assert not index_offer.accepted(tmp_path / "library", answering("n"))
    assert index_offer.accepted(tmp_path / "library", answering("y"))


def test_a_folder_without_photos_of_its_own_is_not_asked_about(here, runs, tmp_path, monkeypatch):
    (here / "empty").mkdir()
    monkeypatch.chdir(here / "empty")
    assert not index_offer.accepted(tmp_path / "library", answering())


@pytest.mark.parametrize("piped", ["stdin", "stdout", "stderr"])
def test_nobody_is_asked_who_is_not_there(here, runs, tmp_path, monkeypatch, piped):
    monkeypatch.undo()
    for name in ("stdin", "stdout", "stderr"):
        is_terminal = name != piped
        monkeypatch.setattr(sys, name, SimpleNamespace(isatty=lambda answer=is_terminal: answer))
    assert not index_offer.is_possible()


TERMINAL = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")


@pytest.mark.terminal
@TERMINAL
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("options", [[], ["--preview"]], ids=["the fast way", "the full way"])
def test_at_a_terminal_the_search_is_done_again_over_what_was_added(tmp_path, options):
    import pexpect

    for folder, kind in (("first", "cat"), ("second", "dog")):
        (tmp_path / folder).mkdir()
        make_picture(kind, seed=1, size=(240, 180)).save(tmp_path / folder / f"{kind}.jpg")
    own = {"HOME": str(tmp_path), "PHOTOMAP_LIBRARY": str(tmp_path / "library"), "PHOTOMAP_DEVICE": "cpu"}
    own |= {f"XDG_{name}_HOME": str(tmp_path / name.lower()) for name in ("STATE", "CONFIG", "CACHE", "DATA")}
    environment = {**os.environ, **own, "TERM": "xterm", "PHOTOMAP_ENCODER": "tiny", "PHOTOMAP_PREVIEWS": "off"}
    environment |= {"XDG_RUNTIME_DIR": str(tmp_path)}

    def start(folder, *words):
        log = io.StringIO()
        child = pexpect.spawn(
            *(sys.executable, ["-m", "photomap_cli", *words]),
            cwd=str(tmp_path / folder),
            env=environment,
            encoding="utf-8",
            timeout=LONG_SECONDS,
        )
        child.logfile_read = log
        return child, log

    child, _ = start("first", "search", "min:-1", "a", "cat", *options)
    child.expect_exact("now? [y/N] ")
    child.sendline("y")
    child.expect("cat.jpg")  # there was no library at all
    child.expect(pexpect.EOF)
    child, log = start("second", "search", "min:-1", "a", "cat", *options)
    child.expect_exact("now? [y/N] ")
    assert "is not indexed; searching the whole library (1 photo)" in log.getvalue()
    child.sendline("y")
    child.expect("dog.jpg")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    child, log = start("second", "search", "min:-1", "a", "cat", "--json")
    child.expect(pexpect.EOF)
    assert "[y/N]" not in log.getvalue()
