"""The first start: no library yet, and somebody who has read nothing."""

import os
import sys
from itertools import count
from pathlib import Path

import pytest
from drawing.picture import make_picture
from waiting import LONG_SECONDS

from photomap_cli.cli import first_run
from photomap_cli.encoder.process import EncoderProcess
from photomap_cli.errors import EmptyLibrary, PhotomapError
from photomap_cli.indexing import speed_estimate
from photomap_cli.library import stats
from photomap_cli.library.catalog import Catalog
from photomap_cli.records import SearchRequest
from photomap_cli.session import attach
from photomap_cli.session.opener import SessionOpener
from photomap_cli.settings import Settings


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home with pictures in it, and a shell that stands there."""
    for variable in ("XDG_CONFIG_HOME", "XDG_PICTURES_DIR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "Pictures" / "cats").mkdir(parents=True)
    for number in range(5):
        (tmp_path / "Pictures" / "cats" / f"{number}.jpg").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def tried(monkeypatch):
    """How fast a few photos are read; nothing is encoded."""
    monkeypatch.setattr(first_run, "_tried", lambda sample, opener: 2.0)


@pytest.fixture
def encoder_starts(monkeypatch):
    """The encoder processes that have been started."""
    starts, start = [], EncoderProcess._started
    monkeypatch.setattr(EncoderProcess, "_started", lambda self: starts.append("started") or start(self))
    return starts


TINY = Settings(encoder="tiny", text_encoder="torch")


def opener(home, settings=TINY):
    return SessionOpener(home / "library", lambda: settings)


def answers(*given):
    left = list(given)

    def ask(question):
        if not left:
            raise EOFError
        return left.pop(0)

    return ask


def test_photos_are_counted_where_one_stands_or_in_the_pictures_folder(home, monkeypatch):
    (home / "stray.jpg").touch()
    assert first_run._found(TINY) == first_run.Finding(
        home / "Pictures", tuple(str(home / "Pictures" / "cats" / f"{number}.jpg") for number in range(5)), True
    )
    (home / "here").mkdir()
    (home / "here" / "one.png").touch()
    monkeypatch.chdir(home / "here")
    assert first_run._found(TINY).words == f"1 photo in {home}/here"


def test_counting_ends_after_a_moment(home):
    ticks = count(step=first_run.COUNTING_SECONDS / 3)
    found = first_run.find_photos(home, TINY, clock=lambda: next(ticks))
    assert (len(found.paths), found.is_all) == (4, False)
    assert found.words.startswith("more than 4 photos")


def test_no_photos_anywhere_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EmptyLibrary) as caught:
        first_run.offer(opener(tmp_path), TINY, answers("y"))
    assert "photomap index FOLDER" in caught.value.hint


@pytest.mark.parametrize("given", [("n",), ("what?", "no"), ()])
def test_no_changes_nothing(home, tried, capsys, given):
    assert not first_run.offer(opener(home), TINY, answers(*given))
    assert not (home / "library").exists()
    told = capsys.readouterr().out
    assert f"Found 5 photos in {home}/Pictures." in told
    assert "tiny reads 2.0 photos/s here (5 tried): about 3 s for all." in told
    assert "Nothing was indexed." in told


def test_ctrl_c_at_the_question_changes_nothing_and_ends_the_line(home, tried, capsys):
    def interrupted(question):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        first_run.offer(opener(home), TINY, interrupted)
    assert capsys.readouterr().out.endswith("for all.\n\n")
    assert not (home / "library").exists()


def test_ctrl_c_while_some_are_tried_leaves_without_a_question(home, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(speed_estimate, "photos_per_second", stopped)
    with pytest.raises(KeyboardInterrupt):
        first_run.offer(opener(home), TINY, answers())
    assert not (home / "library").exists()


def test_trying_some_and_saying_no_leaves_no_library_unless_another_process_has_filled_it(home, monkeypatch):
    monkeypatch.setattr(speed_estimate, "photos_per_second", lambda sample, encoder, max_megapixels: 2.0)
    assert not first_run.offer(opener(home), TINY, answers("n"))
    assert not (home / "library").exists()

    def filled_meanwhile(question):
        (home / "library" / "mark").touch()
        monkeypatch.setattr(stats, "facts", lambda folder: {"photos": 1})
        return "n"

    assert not first_run.offer(opener(home), TINY, filled_meanwhile)
    assert (home / "library" / "mark").exists()


def test_the_trial_the_index_run_and_the_prompt_share_one_encoder_process(home, encoder_starts, capsys):
    for number, kind in enumerate(("cat", "pizza", "lighthouse")):
        make_picture(kind, seed=1, size=(240, 180)).save(home / "Pictures" / "cats" / f"{number}.jpg")
    opened = opener(home)
    assert first_run.offer(opened, TINY, answers("y"))
    assert "photos/s here (5 tried): about" in capsys.readouterr().out
    begun = opened.begun
    with opened.open() as session:
        assert session is begun
        assert session.status().photos == 3
        assert len(session.search(SearchRequest("cat min:-1", cwd=str(home), limit=5)).hits) == 3
        assert encoder_starts == ["started"]


def test_where_another_process_has_the_session_the_prompt_attaches_to_it(home, monkeypatch):
    with attach.host(home / "library", TINY, kind="serve", create=True) as serving:
        opened = opener(home)
        with opened.begin() as begun:
            assert begun.kind == "local"
        with opened.open() as attached:
            assert attached.status().pid == serving.status().pid
            assert attached is not begun


def test_a_session_that_nobody_takes_over_is_closed(home):
    opened = opener(home)
    session = opened.begin()
    opened.close()
    with pytest.raises(PhotomapError):
        session.load()
    assert attach.host(home / "library", TINY, kind="serve").close() is None


def test_weights_that_have_to_be_fetched_are_named_with_their_size(home, monkeypatch, capsys):
    monkeypatch.setenv("HF_HOME", str(home / "no-weights"))
    settings = Settings(encoder="ViT-B-32-256/datacomp_s34b_b86k")
    first_run.offer(opener(home, settings), settings, answers("n"))
    told = capsys.readouterr().out
    assert "First the encoder is downloaded, once: ViT-B-32-256/datacomp_s34b_b86k, 605 MB." in told
    assert [line for line in told.splitlines() if len(line) > 80 and str(home) not in line] == []  # nothing wraps


@pytest.mark.parametrize(("paths", "tried"), [(3, 3), (16, 16), (1000, 16)])
def test_what_is_tried_is_spread_over_all(paths, tried):
    names = [f"{number:04d}" for number in range(paths)]
    chosen = first_run.spread(names, first_run.TRIED)
    assert len(set(chosen)) == tried
    assert (str(chosen[0]), int(str(chosen[-1])) >= paths * 0.9 - 1) == ("0000", True)


def test_a_folder_of_photos_that_the_library_does_not_cover_is_noted(home):
    library, covered = home / "library", home / "Pictures"
    with Catalog.open(library, create=True) as catalog:
        catalog.change_roots([str(covered)])
    assert first_run.note_on(covered / "cats", library) == ""
    assert first_run.note_on(home, library) == ""
    (home / "stray.JPG").touch()
    assert first_run.note_on(home, library) == first_run.NOT_COVERED
    assert first_run.note_on(home / "gone", library) == ""


@pytest.mark.terminal
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_from_nothing_to_the_first_answer(tmp_path):
    pexpect = pytest.importorskip("pexpect")
    for kind in ("cat", "pizza", "lighthouse"):
        make_picture(kind, seed=1, size=(240, 180)).save(tmp_path / f"{kind}.jpg")
    fresh = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "PHOTOMAP_ENCODER": "tiny", "TERM": "xterm"}
    here = {"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin", "PYTHONIOENCODING": "utf-8"}
    words = ["-m", "photomap_cli"]
    text = {"encoding": "utf-8", "codec_errors": "replace"}
    child = pexpect.spawn(sys.executable, words, env={**fresh, **here}, cwd=str(tmp_path), timeout=LONG_SECONDS, **text)
    child.expect(r"Found 3 photos in [^\r]*\.\r")
    child.expect(r"tiny reads .* photos/s here \(3 tried\): about")
    child.expect(r"Index them now\? \[Y/n\] ")
    os.write(child.child_fd, b"\xff\n")  # no text, so no answer
    child.expect(r"Index them now\? \[Y/n\] ")
    child.send("y\n")
    child.expect("3 photos found: 3 added")
    child.expect("photomap> ")
    child.send("cat\r")
    child.expect(r"cat\.jpg")
    child.close(force=True)


def test_a_folder_of_videos_has_photos_where_they_can_be_read(tmp_path, monkeypatch):
    (tmp_path / "a.mp4").write_bytes(b"a video")
    for is_installed in (False, True):
        monkeypatch.setattr(
            "photomap_cli.library.optional_decoders.is_installed", lambda _, answer=is_installed: answer
        )
        assert first_run.has_photos(tmp_path) == is_installed
