"""`:index` over a session of this process, and over one of another."""

import io
from pathlib import Path

import pytest
from fake_conversation import Talk
from PIL import Image
from rich.console import Console

from photomap_cli.cli import index_run
from photomap_cli.cli.interactive import LibraryHost
from photomap_cli.errors import BadPath, LibraryBusy, UsageError
from photomap_cli.library.file_lock import only_writer
from photomap_cli.records import IndexReport
from photomap_cli.session.client import SessionClient
from photomap_cli.session.server import SessionServer, claim


@pytest.fixture
def talk(session, photos):
    host = LibraryHost(session.catalog.folder, is_demo=False, opener=None)
    talk = Talk(session, cwd=photos, limit=20)
    talk.state.index = host.index
    return talk


def new_photo(folder, name, colour):
    folder.mkdir(exist_ok=True)
    Image.new("RGB", (40, 30), colour).save(folder / name)


def found(talk):
    talk.type("a dog in:*")
    return sorted(Path(hit.path).name for hit in talk.state.shown)


def test_new_photos_are_found_by_the_next_search(talk, photos, session):
    assert len(found(talk)) == 4
    new_photo(photos, "pink.png", (250, 100, 180))
    (photos / "red/red.png").unlink()
    talk.type(":index")
    assert "1 added, 1 removed, 3 unchanged" in talk.front.notes[-2]
    assert talk.front.notes[-1] == ":again searches what the library has now"
    assert session.status().photos == 4
    assert found(talk) == ["blue.png", "green.png", "grey.png", "pink.png"]


def test_a_folder_that_was_no_part_of_the_library_is_one_then(talk, tmp_path):
    new_photo(tmp_path / "My Trip", "pink.png", (250, 100, 180))
    talk.type(":index ../My Trip")
    assert "pink.png" in found(talk)
    new_photo(tmp_path / "My Trip", "gold.png", (250, 220, 10))
    talk.type(":index *")
    assert "5 unchanged" in talk.front.notes[-2]
    assert "gold.png" in found(talk)


def test_an_interruption_keeps_what_is_done_and_says_what_is_left(talk, monkeypatch, photos):
    new_photo(photos, "pink.png", (250, 100, 180))

    def interrupted(events, **_):
        next(events)
        raise KeyboardInterrupt

    monkeypatch.setattr("photomap_cli.views.progress.follow", interrupted)
    with pytest.raises(KeyboardInterrupt):
        talk.type(":index")
    assert "run the same command again" in talk.front.notes[-1]
    talk.front.console = Console(file=io.StringIO(), force_terminal=True, width=100)
    talk.type(":index")
    assert talk.front.notes[-2].startswith("stopped")
    assert "run the same command again" in talk.front.notes[-1]
    monkeypatch.undo()
    assert len(found(talk)) == 4


def test_what_cannot_be_indexed_is_said_in_one_line(talk, session):
    assert isinstance(talk.refusal(":index nowhere"), BadPath)
    with only_writer(session.catalog.folder):
        assert isinstance(talk.refusal(":index"), LibraryBusy)
    assert isinstance(Talk().refusal(":index"), UsageError)


def test_over_another_process_session_this_one_indexes_and_says_so(talk, session, photos, monkeypatch, capsys):
    library = session.catalog.folder
    lock = claim(library)
    monkeypatch.setattr(
        index_run, "update_library", lambda *given, **_: (False, IndexReport(tuple(map(str, given[3]))))
    )
    server = SessionServer(session, lock, on_stop=None)
    try:
        with SessionClient.find(library) as other:
            far = Talk(other, cwd=photos)
            far.state.index = LibraryHost(library, is_demo=False, opener=None).index
            far.type(":index")
    finally:
        server.close()
    assert f"session {session.status().pid} keeps answering" in capsys.readouterr().err
    assert "nothing to do" in far.front.notes[-1]


def test_a_folder_that_is_none_is_refused_with_what_the_command_takes(talk):
    assert talk.refusal(":in nowhere").hint == ":in * searches the whole library"
    assert talk.refusal(":index nowhere").hint == ":index * brings the whole library up to date"
