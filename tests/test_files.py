"""How photomap's own files are opened, made and replaced, whatever lies in their place."""

import os
import stat
import sys

import pytest

from photomap_cli import files, settings
from photomap_cli.errors import BadPath, BadSetting, EmptyLibrary, LibraryUnusable
from photomap_cli.images.thumbnail_cache import ThumbnailCache
from photomap_cli.indexing.ignore_file import read as read_ignored
from photomap_cli.library import database
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.file_lock import FileLock
from photomap_cli.library.query_cache import QueryCache
from photomap_cli.repl.history import PrivateHistory
from photomap_cli.session.daemon import LogFile
from photomap_cli.vectors.pq_file import Header, PqFile, PqRows
from photomap_cli.vectors.vector_file import VectorFile
from photomap_cli.views import export

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes and modes are another matter there")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=["pipe", "folder", "link to nothing"])
def obstacle(request, tmp_path):
    """Return a function that puts something else in a file's place."""

    def put(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if request.param == "pipe":
            os.mkfifo(path)
        elif request.param == "folder":
            path.mkdir()
        else:
            path.symlink_to(tmp_path / "elsewhere")
        return path

    yield put
    assert not (tmp_path / "elsewhere").exists()


@pytest.fixture(params=[0o000, 0o022], ids=["umask 000", "umask 022"])
def open_to_all(request, tmp_path):
    """A folder that others may read, and a mask that would let them read all in it."""
    before = os.umask(request.param)
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o755)
    yield folder
    os.umask(before)


def test_a_library_in_a_folder_open_to_others_is_its_owners_alone(open_to_all):
    with Catalog.open(open_to_all, create=True) as catalog:
        catalog.change_roots(["/photos"])
        with ThumbnailCache(open_to_all, max_bytes=1 << 20) as thumbnails:
            thumbnails.put([("/a", 1, b"webp")])
        queries = QueryCache(open_to_all, most=8)
        queries.set_encoder_key("settings_key", "encoder_key")
        with FileLock(open_to_all / "index.lock"):
            VectorFile(open_to_all).repair(catalog.snapshot, catalog.vectors_from)
            modes = {path.name: oct(mode(path)) for path in open_to_all.iterdir()}
        queries.close()
    assert {"catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm", "thumbnails.sqlite"} < modes.keys()
    assert {"queries.sqlite", "vectors.f16", "vectors.lock", "index.lock"} < modes.keys()
    assert set(modes.values()) == {"0o600"}


def test_settings_history_log_and_the_folders_made_for_them_are_their_owners_alone(open_to_all):
    config, history, log = (open_to_all / "new" / name / "file" for name in ("config", "history", "log"))
    settings.write_value(config, "results", "7")
    PrivateHistory(history).store_string("query")
    LogFile(log).close()
    assert {mode(path) for path in (config, history, log)} == {0o600}
    assert {mode(path.parent) for path in (config, history, log)} | {mode(open_to_all / "new")} == {0o700}


def test_a_file_that_others_may_read_stays_so_when_it_is_replaced(tmp_path):
    with Catalog.open(tmp_path, create=True) as catalog:
        rows = VectorFile(tmp_path)
        rows.repair(catalog.snapshot, catalog.vectors_from)
        rows.path.chmod(0o640)
        rows.repair(catalog.snapshot, catalog.vectors_from, rebuild=True)
    assert mode(rows.path) == 0o640
    config = tmp_path / "config.toml"
    config.write_text("# mine\n")
    config.chmod(0o644)
    settings.write_value(config, "results", "7")
    assert mode(config) == 0o644


def test_what_is_saved_has_the_users_mask(tmp_path):
    before = os.umask(0o027)
    try:
        export.write(tmp_path / "a.txt", [b"a"])
    finally:
        os.umask(before)
    assert mode(tmp_path / "a.txt") == 0o640


def test_saving_touches_nothing_that_is_there_but_the_file_itself(tmp_path):
    theirs = tmp_path / "theirs"
    theirs.write_text("theirs")
    for name in (".cakes.new", ".cakes.html.new", "cakes.new", "cakes.html.new"):
        (tmp_path / name).symlink_to(theirs)
    export.write(tmp_path / "cakes.html", [b"page"])
    assert theirs.read_text() == "theirs"
    assert (tmp_path / "cakes.html").read_bytes() == b"page"
    assert len(list(tmp_path.iterdir())) == 6


def test_saving_that_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("before")

    def pieces():
        yield b"half"
        raise OSError(28, "No space left on device")

    with pytest.raises(BadPath, match="cannot be written"):
        export.write(path, pieces())
    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("place", ["pipe", "device", "link to a device"])
def test_a_pipe_or_a_device_is_never_replaced(tmp_path, place):
    path = tmp_path / "a.html"
    os.mkfifo(path) if place == "pipe" else path.symlink_to(os.devnull)
    with pytest.raises(BadPath, match="is not a regular file"):
        export.require_free(path if place != "device" else type(path)(os.devnull), over=True, hint="")


def test_a_link_at_a_drafts_name_is_not_followed(tmp_path):
    theirs = tmp_path / "theirs"
    theirs.write_text("theirs")
    folder = tmp_path / "library"
    with Catalog.open(folder, create=True) as catalog:
        rows = VectorFile(folder)
        (folder / "vectors.new").symlink_to(theirs)
        (folder / "vectors.pq.new").symlink_to(theirs)
        rows.repair(catalog.snapshot, catalog.vectors_from)
        PqFile(folder).write(PqRows(Header(catalog.library_id, 32, 0, 0, 0, 0)))
    assert theirs.read_text() == "theirs"


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("name", ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-journal"])
def test_what_stands_in_the_catalogues_place_is_named(obstacle, tmp_path, name, create):
    folder = tmp_path / "library"
    if name != "catalog.sqlite":
        Catalog.open(folder, create=True).close()
    obstacle(folder / name)
    with pytest.raises(LibraryUnusable, match=f"{name} is not a regular file"):
        database.connect(folder, create=create)


def test_a_link_to_a_catalogue_is_followed(tmp_path):
    Catalog.open(tmp_path / "real", create=True).close()
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "catalog.sqlite").symlink_to(tmp_path / "real" / "catalog.sqlite")
    Catalog.open(tmp_path / "linked").close()
    with pytest.raises(EmptyLibrary):
        database.connect(tmp_path / "none", create=False)


def test_what_stands_in_a_locks_place_is_no_lock(obstacle, tmp_path):
    lock = FileLock(obstacle(tmp_path / "index.lock"))
    assert lock.holder() is None
    with pytest.raises(OSError, match="regular file"):
        lock.try_acquire()


def test_a_row_file_takes_the_place_of_a_pipe_or_a_link(tmp_path):
    for number, put in enumerate((os.mkfifo, lambda path: path.symlink_to(tmp_path / "elsewhere"))):
        folder = tmp_path / str(number)
        with Catalog.open(folder, create=True) as catalog:
            put(folder / "vectors.f16")
            VectorFile(folder).repair(catalog.snapshot, catalog.vectors_from)
        assert (folder / "vectors.f16").lstat().st_size
        assert not (tmp_path / "elsewhere").exists()


def test_caches_do_without_what_is_no_file(obstacle, tmp_path):
    obstacle(tmp_path / "thumbnails.sqlite")
    obstacle(tmp_path / "queries.sqlite-wal")
    with ThumbnailCache(tmp_path, max_bytes=1 << 20) as thumbnails:
        thumbnails.put([("/a", 1, b"webp")])
        assert thumbnails.get("/a", 1) in (None, b"webp")
    queries = QueryCache(tmp_path, most=8)
    queries.set_encoder_key("settings_key", "encoder_key")
    assert queries.encoder_key("settings_key") in (None, "encoder_key")
    queries.close()


def test_settings_that_are_no_file_are_named(obstacle, tmp_path):
    config = obstacle(tmp_path / "config.toml")
    if config.is_symlink():
        assert settings.read_config(config) == {}
        return
    for use in (settings.read_config, lambda path: settings.write_value(path, "results", "7")):
        with pytest.raises(BadSetting, match="not a regular file"):
            use(config)


def test_where_there_can_be_no_file_there_are_no_settings_and_no_folder_is_made(tmp_path):
    (tmp_path / "home").touch()  # as with HOME=/dev/null
    assert settings.read_config(tmp_path / "home/.config/photomap/config.toml") == {}
    with pytest.raises(NotADirectoryError):
        files.make_folder(tmp_path / "home/.config")


def test_no_settings_and_a_link_to_settings(tmp_path):
    assert settings.read_config(type(tmp_path)(os.devnull)) == {}
    real = tmp_path / "dotfiles" / "photomap.toml"
    real.parent.mkdir()
    real.write_text("# mine\n")
    linked = tmp_path / "config.toml"
    linked.symlink_to(real)
    settings.write_value(linked, "results", "7")
    assert linked.is_symlink()
    assert real.read_text() == "# mine\nresults = 7\n"
    with pytest.raises(BadSetting, match="cannot be written"):
        settings.write_value(type(tmp_path)(os.devnull), "results", "7")


def test_history_and_ignored_patterns_wait_for_no_pipe(tmp_path):
    for name in ("history", ".photomapignore"):
        os.mkfifo(tmp_path / name)
    history = PrivateHistory(tmp_path / "history")
    history.store_string("query")
    assert list(history.load_history_strings()) == []
    with pytest.raises(OSError, match="regular file"):
        read_ignored(str(tmp_path))


def test_a_log_is_no_pipe_but_may_be_a_device(tmp_path):
    os.mkfifo(tmp_path / "log")
    with pytest.raises(BadPath, match="regular file"):
        LogFile(tmp_path / "log")
    log = LogFile(type(tmp_path)(os.devnull))
    log.rotate()
    assert log.output_since(0) == ""
    log.close()


def test_an_old_log_is_written_through_no_link(tmp_path):
    theirs = tmp_path / "theirs"
    theirs.write_text("theirs")
    (tmp_path / "log.1").symlink_to(theirs)
    (tmp_path / "log").write_bytes(b"x" * (2 << 20))
    log = LogFile(tmp_path / "log")
    log.rotate()
    log.close()
    assert theirs.read_text() == "theirs"
    assert (tmp_path / "log.1").stat().st_size == 2 << 20
    assert (tmp_path / "log").stat().st_size == 0


def test_replacing_keeps_the_name_of_its_draft_to_itself(tmp_path):
    path = tmp_path / "a"
    with files.replacing(path) as file:
        (draft,) = tmp_path.iterdir()
        assert mode(draft) == 0o600
        file.write(b"a")
    assert path.read_bytes() == b"a"
    assert list(tmp_path.iterdir()) == [path]
