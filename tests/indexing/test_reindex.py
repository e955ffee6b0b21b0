"""Encoding anew: the old vectors answer until the new ones are whole, and nothing begun or missing is lost."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from library_fakes import FakeEncoder, InProcessDecoder, picture, stored_vector
from waiting import LONG_SECONDS

from photomap_cli.errors import BadPath, EmptyLibrary, EncoderFailed, LibraryBusy, LibraryFormat, LibraryUnusable
from photomap_cli.indexing.index_options import IndexOptions
from photomap_cli.indexing.indexer import Indexer
from photomap_cli.indexing.reindex import Reindex, unfinished
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entities import STORED
from photomap_cli.vectors import pq_training
from photomap_cli.vectors.local_library import LocalLibrary
from photomap_cli.vectors.pq_file import PqFile
from photomap_cli.vectors.store import VectorStore


class Other(FakeEncoder):
    """Another encoder: its vectors point the other way."""

    info = replace(FakeEncoder.info, spec="other/tag")

    def encode_images(self, pixels):
        return -super().encode_images(pixels)


def index(folder, roots, encoder=FakeEncoder, **options):
    """Yield the progress of an index run over the library in a folder."""
    with Catalog.open(folder, create=True) as catalog, VectorStore(folder, catalog) as store:
        yield from Indexer(
            LocalLibrary(catalog, store),
            encoder,
            IndexOptions(jobs=2, batch_size=2, **options),
            open_pool=InProcessDecoder,
        ).run(roots)


@pytest.fixture
def library(folder, photos):
    """A library of six photos, made by the usual encoder."""
    for number in range(6):
        picture(photos / f"{number}.png", number)
    list(index(folder, [photos]))
    return folder


def encode_anew(folder, photos, spec="other/tag", encoder=Other, *, batches=None, prune=False):
    """Encode a library anew; after some batches, if given, as many as an interruption left time for."""
    with Reindex(folder) as anew:
        anew.begin(spec)
        with closing(index(anew.draft, [photos], encoder, rebuild=True)) as events:
            for number, _ in enumerate(events):
                if number == batches:
                    return
        anew.finish(prune=prune)


def seen(folder):
    """Return a library's encoder, and its vectors by path, as a search sees them."""
    with Catalog.open(folder) as catalog, VectorStore(folder, catalog) as store:
        photos = catalog.photos(catalog.rows())
        found = store.search(stored_vector(catalog, photos[0].row), 100)[0]
        assert sorted(found.tolist()) == [photo.row for photo in photos]
        return catalog.encoder.spec, {photo.path: stored_vector(catalog, photo.row).tobytes() for photo in photos}


def turned(vectors):
    return {path: (-np.frombuffer(one, np.float32)).tobytes() for path, one in vectors.items()}


def test_the_draft_takes_the_librarys_place_at_once(library, photos):
    spec, old = seen(library)
    encode_anew(library, photos)
    assert (spec, *seen(library)) == ("fake", "other/tag", turned(old))
    assert unfinished(library) is None
    assert not (library / "rebuild").exists()
    list(index(library, [photos], lambda: pytest.fail("the encoder was opened")))  # nothing is left to do


def test_an_interruption_leaves_the_old_vectors_and_is_gone_on_with(library, photos):
    before = seen(library)
    encode_anew(library, photos, batches=2)
    assert seen(library) == before
    begun = unfinished(library)
    assert begun.spec == "other/tag"
    assert 0 < begun.photos < 6

    class Counting(Other):
        pictures = 0

        def encode_images(self, pixels):
            Counting.pictures += len(pixels)
            return super().encode_images(pixels)

    encode_anew(library, photos, encoder=Counting)
    assert Counting.pictures == 6 - begun.photos
    assert seen(library) == ("other/tag", turned(before[1]))


def test_another_encoder_begins_at_the_beginning(library, photos):
    encode_anew(library, photos, batches=2)
    before = seen(library)
    encode_anew(library, photos, spec="fake", encoder=FakeEncoder)
    assert seen(library) == before


class Trained(Other):
    """That encoder after it was trained on."""

    info = replace(Other.info, fingerprint="trained on")

    def encode_images(self, pixels):
        return -super().encode_images(pixels)


class Untrained(Other):
    info = replace(Other.info, fingerprint="fresh")


@pytest.mark.parametrize("batches", [2, None])
def test_what_other_weights_of_the_same_encoder_began_is_not_gone_on_with(library, photos, tmp_path, batches):
    _, old = seen(library)
    (tmp_path / "disk").mkdir()
    list(index(library, [picture(tmp_path / "disk" / "far.png", 99).parent]))
    (tmp_path / "disk").rename(tmp_path / "unplugged")
    with nullcontext() if batches else pytest.raises(BadPath):  # either there is a part, or all but the swap
        encode_anew(library, photos, encoder=Untrained, batches=batches)
    assert unfinished(library).photos > 0
    encode_anew(library, photos, encoder=Trained, prune=True)
    assert seen(library) == ("other/tag", old)
    with Catalog.open(library) as catalog:
        assert catalog.encoder.fingerprint == "trained on"


def test_what_the_same_weights_began_is_gone_on_with(library, photos):
    encode_anew(library, photos, encoder=Untrained, batches=2)
    begun = unfinished(library).photos
    with Catalog.open(library / "rebuild") as draft:
        rows = draft.library_id, draft.next_row
    encode_anew(library, photos, encoder=Untrained)
    with Catalog.open(library) as catalog:
        assert (catalog.library_id, catalog.next_row) == (rows[0], 6)
    assert 0 < begun == rows[1] < 6


def test_an_encoder_that_fails_changes_nothing(library, photos):
    before = seen(library)

    def fail():
        raise EncoderFailed("no weights")

    with pytest.raises(EncoderFailed):
        encode_anew(library, photos, encoder=fail)
    assert seen(library) == before


def test_death_after_the_swap_and_before_the_draft_is_gone_is_noticed(library, photos, monkeypatch):
    _, old = seen(library)
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", lambda _: pytest.fail("killed"))
        with pytest.raises(pytest.fail.Exception):
            encode_anew(library, photos)
    assert seen(library) == ("other/tag", turned(old))
    assert unfinished(library) is None
    picture(photos / "new.png", 77)
    encode_anew(library, photos)  # not from the leftovers, which would be taken for a draft under way
    assert len(seen(library)[1]) == 7


def test_a_draft_that_never_became_a_library_is_none(library, photos):
    draft = library / "rebuild"
    draft.mkdir()
    (draft / "catalog.sqlite.a1b2.new").touch()  # all that a killed process has left
    assert unfinished(library) is None
    encode_anew(library, photos)
    assert seen(library)[0] == "other/tag"


def test_a_swap_that_fails_halfway_did_not_happen(library, photos, monkeypatch):
    before = seen(library)
    with Reindex(library) as anew:
        anew.begin("other/tag")
        list(index(anew.draft, [photos], Other))
        with Catalog.open(anew.draft) as draft, draft._database.writing() as connection:
            connection.execute("DROP TABLE meta")  # the last one copied
        with Catalog.open(library) as catalog, pytest.raises(Exception, match="meta"):
            catalog.replace_by(anew.draft)
    assert seen(library) == before


def test_photos_whose_disk_is_missing_are_not_given_up_unless_asked_to(library, photos, tmp_path):
    disk = tmp_path / "disk"
    picture(disk / "far.png", 99)
    list(index(library, [disk]))
    before = seen(library)
    disk.rename(tmp_path / "unplugged")
    with pytest.raises(BadPath, match="not there") as caught:
        encode_anew(library, photos)
    assert "mount the disk" in caught.value.hint
    assert seen(library) == before
    assert unfinished(library).photos == 6
    encode_anew(library, photos, prune=True)
    assert len(seen(library)[1]) == 6


def test_photos_in_a_locked_folder_are_not_given_up_unless_asked_to(library, photos, monkeypatch):
    picture(photos / "locked/far.png", 99)
    list(index(library, [photos]))
    before, scandir = seen(library), os.scandir

    def refuse(path):
        if path == str(photos / "locked"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(BadPath, match="locked: permission denied"):
        encode_anew(library, photos)
    assert seen(library) == before
    encode_anew(library, photos, prune=True)
    assert len(seen(library)[1]) == 6


def test_photos_that_were_deleted_go(library, photos):
    (photos / "3.png").unlink()
    encode_anew(library, photos)
    assert len(seen(library)[1]) == 5


def test_a_library_is_never_replaced_by_nothing(library, photos):
    before = seen(library)
    for path in photos.iterdir():
        path.write_bytes(b"no picture any more")
    with pytest.raises(EmptyLibrary, match="no photo could be encoded"):
        encode_anew(library, photos)
    assert seen(library) == before


def test_nobody_else_writes_meanwhile(library, photos):
    with Reindex(library), pytest.raises(LibraryBusy):
        list(index(library, [photos]))
    with pytest.raises(EmptyLibrary), Reindex(photos):
        pass


def test_a_store_that_is_open_sees_the_new_rows_and_their_compressed_ones(library, photos, monkeypatch):
    monkeypatch.setattr(pq_training, "ROWS", 64)
    for number in range(100, 170):
        picture(photos / f"{number}.png", number)
    list(index(library, [photos]))
    with Catalog.open(library) as catalog, VectorStore(library, catalog) as store:
        old = stored_vector(catalog, 0)
        assert store.search(old, 1)[1][0] == pytest.approx(1, abs=1e-2)
        encode_anew(library, photos)
        store.refresh()
        assert store.search(-old, 1)[1][0] == pytest.approx(1, abs=1e-2)
        assert PqFile(library).read().header.library_id == catalog.library_id
        assert store.drain_notices() == []
        assert np.frombuffer(next(catalog.vectors_from(0))[1], STORED).shape == old.shape


OF_ANOTHER_VERSION = """PRAGMA user_version = 8; DROP TABLE unfinished; ALTER TABLE photos RENAME COLUMN lens TO glass;
    CREATE TABLE "odd "" name" (a); CREATE VIEW seen AS SELECT path FROM photos"""


def make_other(library, statements=OF_ANOTHER_VERSION):
    """Have a library be as another version of photomap makes it."""
    with closing(sqlite3.connect(library / "catalog.sqlite")) as connection:
        connection.executescript(statements)


def test_a_library_of_another_version_is_encoded_anew_from_its_roots(library, photos):
    before = seen(library)
    make_other(library)
    with pytest.raises(LibraryFormat):
        seen(library)
    with Reindex(library) as anew:
        assert (anew.roots(), anew.spec, anew.has_other_format) == ([photos], "fake", True)
    encode_anew(library, photos, "fake", FakeEncoder, batches=2)
    assert 0 < unfinished(library).photos < 6
    with pytest.raises(LibraryFormat):
        seen(library)
    encode_anew(library, photos, "fake", FakeEncoder)
    assert seen(library) == before
    assert unfinished(library) is None
    with Catalog.open(library) as catalog:
        assert catalog.roots() == (str(photos),)
    list(index(library, [photos], lambda: pytest.fail("the encoder was opened")))


def test_a_draft_of_another_version_is_begun_anew(library, photos):
    encode_anew(library, photos, batches=2)
    make_other(library / "rebuild")
    assert unfinished(library) is None
    encode_anew(library, photos)
    assert seen(library)[0] == "other/tag"


@pytest.mark.parametrize("statement", ["DROP TABLE photos", "UPDATE roots SET path = path"])
def test_a_missing_disk_of_a_library_of_another_version_is_not_given_up(library, photos, tmp_path, statement):
    picture(tmp_path / "disk/far.png", 99)
    list(index(library, [tmp_path / "disk"]))
    make_other(library, f"PRAGMA user_version = 8; {statement}")
    (tmp_path / "disk").rename(tmp_path / "unplugged")
    with Reindex(library) as anew:
        assert anew.roots() == [photos]
    with pytest.raises(BadPath, match="disk: not there"):
        encode_anew(library, photos, "fake", FakeEncoder)
    with pytest.raises(LibraryFormat):
        seen(library)
    encode_anew(library, photos, "fake", FakeEncoder, prune=True)
    assert len(seen(library)[1]) == 6


def test_no_other_folder_is_taken_for_roots_that_are_all_gone(library, photos, tmp_path):
    photos.rename(tmp_path / "unplugged")
    with Reindex(library) as anew, pytest.raises(BadPath, match=f"not there: {photos}"):
        anew.roots()


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE roots SET path = '/dev/null/nowhere'", "not there: /dev/null/nowhere"),
        ("DROP TABLE roots", "the library does not say what was indexed"),
        ("UPDATE roots SET path = x'2fff'", "the library does not say what was indexed"),
        ("UPDATE roots SET path = 'relative'", "the library does not say what was indexed"),
    ],
)
def test_no_other_folder_is_taken_for_the_roots_of_a_library_of_another_version(library, photos, statement, told):
    make_other(library, f"PRAGMA user_version = 8; {statement}")
    with Reindex(library) as anew:
        with pytest.raises(BadPath) as caught:
            anew.roots()
        assert (caught.value.message, "--rebuild FOLDER" in caught.value.hint) == (told, True)
        assert anew.roots([photos]) == [photos]


def test_somebody_elses_database_is_never_replaced(tmp_path, photos):
    with closing(sqlite3.connect(tmp_path / "catalog.sqlite")) as connection:
        connection.executescript("CREATE TABLE recipes (name); CREATE TABLE meta (key, value); PRAGMA user_version = 8")
    before = (tmp_path / "catalog.sqlite").read_bytes()
    with pytest.raises(LibraryUnusable, match="isn't photomap's"):
        encode_anew(tmp_path, photos)
    assert (tmp_path / "catalog.sqlite").read_bytes() == before


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 here")
@pytest.mark.parametrize(
    "statement", ["DROP table", "CREATE INDEX photos_by_date", "other.vectors", "COMMIT", "DETACH"]
)
def test_a_kill_leaves_a_library_of_another_version_or_the_new_one(library, photos, statement):
    before = seen(library)
    make_other(library)
    script = Path(__file__).with_name("killed_swap.py")
    killed = subprocess.run([sys.executable, script, library, photos, statement], timeout=LONG_SECONDS)
    assert killed.returncode == -signal.SIGKILL
    with nullcontext() if statement == "DETACH" else pytest.raises(LibraryFormat):
        seen(library)
    encode_anew(library, photos, "fake", FakeEncoder)
    assert seen(library) == before


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 here")
@pytest.mark.parametrize(
    "statement",
    ["ATTACH", "BEGIN IMMEDIATE", "other.photos", "DELETE FROM main.vectors", "other.meta", "COMMIT", "DETACH"],
)
def test_a_kill_amid_the_swap_leaves_the_old_library_or_the_new_one(library, photos, statement):
    with Catalog.open(library) as catalog:
        old_id = catalog.library_id
    before = seen(library)
    script = Path(__file__).with_name("killed_swap.py")
    killed = subprocess.run([sys.executable, script, library, photos, statement], timeout=LONG_SECONDS)
    assert killed.returncode == -signal.SIGKILL
    with Catalog.open(library) as catalog:
        assert (catalog.library_id != old_id) == (statement == "DETACH")
    assert seen(library) == before
    again = subprocess.run([sys.executable, script, library, photos, "never said"], timeout=LONG_SECONDS)
    assert again.returncode == 0
    assert seen(library) == before
    assert unfinished(library) is None
