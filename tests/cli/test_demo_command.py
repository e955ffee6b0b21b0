import shutil
import sys

import pytest
from drawing.picture import make_picture
from PIL import Image
from waiting import LONG_SECONDS

from photomap_cli.cli import interactive, run
from photomap_cli.cli.commands import demo
from photomap_cli.cli.commands.demo import DEMO_PHOTOS, copy_demo_photos
from photomap_cli.cli.first_run import NOT_COVERED
from photomap_cli.encoder.process import EncoderProcess
from photomap_cli.records import SearchRequest


def test_a_demo_that_is_interrupted_while_it_is_copied_is_copied_whole_the_next_time(tmp_path, monkeypatch):
    folder = tmp_path / "photos"

    def stopped(source, target):
        target.mkdir()
        shutil.copy2(next(source.rglob("*.jpg")), target)
        raise KeyboardInterrupt

    monkeypatch.setattr(demo.shutil, "copytree", stopped)
    with pytest.raises(KeyboardInterrupt):
        copy_demo_photos(folder)
    assert not folder.exists()
    monkeypatch.undo()
    copy_demo_photos(folder)
    assert len(list(folder.rglob("*.jpg"))) == len(list(DEMO_PHOTOS.rglob("*.jpg"))) == 120
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_the_shipped_photos_are_small_and_say_when_and_by_what_they_were_taken():
    photos = sorted(DEMO_PHOTOS.rglob("*.jpg"))
    assert sum(photo.stat().st_size for photo in photos) < 4_000_000
    for photo in photos:
        with Image.open(photo) as image:
            assert max(image.size) == 640
            assert image.getexif().get_ifd(0x8769)[0x9003]  # DateTimeOriginal
            assert image.getexif()[0x0110]  # Model


@pytest.mark.parametrize("is_demo", [True, False])
def test_the_demo_says_nothing_of_the_folder_it_is_tried_in(tmp_path, monkeypatch, is_demo):
    make_picture("cat", seed=1, size=(96, 72)).save(tmp_path / "cat.jpg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(interactive, "has_screen", lambda *streams: True)
    monkeypatch.setattr(interactive, "_has_photos", lambda library: True)
    monkeypatch.setattr("photomap_cli.library.stats.facts", lambda library: {"roots": ("/demo",)})
    told = []

    class Prompt:
        def __init__(self, host, **given):
            told.extend((host.first_note(), host.first_scope()))

        def run(self):
            return 0

    monkeypatch.setattr("photomap_cli.repl.repl.Repl", Prompt)
    assert interactive.run_interactive(tmp_path / "library", is_demo=is_demo) == 0
    assert told == (
        ["", "*"] if is_demo else [NOT_COVERED, None]
    )  # what all of the library is searched for needs no note


def test_the_demo_opens_its_prompt_as_a_demo(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(demo, "_index_and_show", lambda *given: 0)
    monkeypatch.setattr("photomap_cli.repl.pipe_frontend.has_screen", lambda *streams: True)
    monkeypatch.setattr(interactive, "run_interactive", lambda library, *, is_demo, opener: opened.append(is_demo) or 0)
    monkeypatch.setattr(demo, "copy_demo_photos", lambda folder: None)
    assert run(["demo", "-q"]) == 0
    assert opened == [True]


def test_the_demo_indexes_searches_and_prompts_with_one_encoder_process(tmp_path, monkeypatch, capsys):
    starts, start = [], EncoderProcess._started
    monkeypatch.setattr(EncoderProcess, "_started", lambda self: starts.append("started") or start(self))
    monkeypatch.setattr(demo, "DEMO_PHOTOS", DEMO_PHOTOS / "City")
    monkeypatch.setattr("photomap_cli.directories.demo_directory", lambda: tmp_path)
    monkeypatch.setattr("photomap_cli.repl.pipe_frontend.has_screen", lambda *streams: True)
    monkeypatch.setenv("PHOTOMAP_TEXT_ENCODER", "torch")
    asked = []

    def prompt(library, *, is_demo, opener):
        with opener.open() as session:
            asked.append(session.search(SearchRequest("lighthouse min:-1", cwd="/", limit=1)).hits)
        return 0

    monkeypatch.setattr(interactive, "run_interactive", prompt)
    assert run(["demo", "-q"]) == 0
    assert len(asked[0]) == 1
    assert starts == ["started"]


@pytest.mark.parametrize(("before", "is_told"), [([], True), (["-q"], False), (["--library", "mine"], False)])
def test_whoever_leaves_the_demo_is_told_how_to_search_it_again(tmp_path, monkeypatch, capsys, before, is_told):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("photomap_cli.directories.demo_directory", lambda: tmp_path / "the demo")
    monkeypatch.setattr(demo, "_index_and_show", lambda *given: 0)
    monkeypatch.setattr("photomap_cli.repl.pipe_frontend.has_screen", lambda *streams: True)
    monkeypatch.setattr(interactive, "run_interactive", lambda library, *, is_demo, opener: 0)
    monkeypatch.setattr(demo, "copy_demo_photos", lambda folder: None)
    assert run([*before, "demo"]) == 0
    told = f"photomap --library '{tmp_path / 'the demo' / 'library'}' red car"
    assert (told in capsys.readouterr().err) is is_told


@pytest.mark.terminal
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_the_demo_ends_with_pictures_above_the_prompt(tmp_path):
    pexpect = pytest.importorskip("pexpect")
    environment = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "TERM": "xterm-256color"}
    here = {"PYTHONPATH": str(DEMO_PHOTOS.parents[1]), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    child = pexpect.spawn(
        sys.executable,
        ["-m", "photomap_cli", "demo"],
        env={**environment, **here},
        dimensions=(40, 120),
        timeout=LONG_SECONDS,
        encoding="utf-8",
    )
    child.expect("120 photos found: 120 added")
    child.expect(r"\$ photomap search sunset over the sea")
    child.expect("\x1b\\[48;5;|\x1b\\[38;5;")
    child.expect("▀")
    child.expect("5 photos in ")
    child.expect("photomap> ")
    child.close(force=True)
