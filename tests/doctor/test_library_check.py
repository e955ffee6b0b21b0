import shutil
from datetime import UTC, datetime

import numpy as np
import pytest
from library_fakes import DIM, FakeEncoder, InProcessDecoder, picture

from photomap_cli.doctor.library import checks
from photomap_cli.indexing.indexer import Indexer
from photomap_cli.library import database
from photomap_cli.library.catalog import Catalog
from photomap_cli.records import CheckState
from photomap_cli.vectors import pq_training, vector_file
from photomap_cli.vectors.file_header import PAGE, row_bytes
from photomap_cli.vectors.local_library import LocalLibrary
from photomap_cli.vectors.pq_file import PqFile
from photomap_cli.vectors.store import VectorStore


@pytest.fixture
def library(folder, photos):
    """Return a library of five photos, one of them gone again."""
    for number in range(5):
        picture(photos / f"{number}.png", number)
    for _ in range(2):
        with Catalog.open(folder, create=True) as catalog, VectorStore(folder, catalog) as vectors:
            list(Indexer(LocalLibrary(catalog, vectors), FakeEncoder, open_pool=InProcessDecoder).run([photos]))
        (photos / "4.png").unlink(missing_ok=True)
    return folder


def found(library):
    """Return what is not as it should be: subject -> message."""
    return {check.subject: check.message for check in checks(library) if check.state is not CheckState.OK}


def changed(library, *statements):
    opened = database.connect(library, create=False)
    with opened.writing() as connection:
        for statement, *values in statements:
            connection.execute(statement, values)
    opened.close()


def test_a_sound_library_has_no_fault(library, photos):
    assert [(check.subject, check.state, check.message, check.hint) for check in checks(library)] == [
        ("library", "ok", "4 photos, intact", ""),
        ("vectors", "ok", "sound", ""),
        ("vector file", "ok", "up to date", ""),
        (f"photos in {photos}", "ok", "4 photos, as indexed", ""),
    ]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("DELETE FROM vectors WHERE row = 1", "photos without a vector: 1"),
        ("DELETE FROM photos WHERE row = 1", "vectors without a photo: 1; rows neither present nor deleted: 1"),
        ("INSERT INTO tombstones VALUES (2)", "photos also marked as deleted: 1"),
        ("INSERT INTO tombstones VALUES (9)", "rows beyond the last: 1"),
    ],
)
def test_a_catalogue_that_contradicts_itself_is_named(library, statement, message):
    changed(library, (statement,))
    assert found(library)["library"] == message


@pytest.mark.parametrize("blob", [b"short", np.full(DIM, np.nan, "<f2").tobytes(), np.zeros(DIM, "<f2").tobytes()])
def test_a_vector_that_is_none_is_counted_and_not_in_the_row_file(library, blob):
    changed(library, ("UPDATE vectors SET vector = ? WHERE row = 1", blob))
    assert found(library) == {
        "vectors": "not of unit length: 1",
        "vector file": "rows that differ from the library: 1",
    }


def test_a_row_file_that_differs_is_named_with_the_way_out_that_works(library):
    file = library / vector_file.FILE_NAME
    with file.open("r+b") as opened:
        opened.seek(PAGE + 2 * row_bytes(DIM))
        opened.write(b"\0\0\0\0")
    (fault,) = [check for check in checks(library) if check.state is CheckState.FAULT]
    assert (fault.subject, fault.message) == ("vector file", "rows that differ from the library: 1")
    assert str(file) in fault.hint
    file.unlink()
    assert found(library) == {}
    with Catalog.open(library) as catalog, VectorStore(library, catalog) as vectors:
        vectors.refresh()
    assert found(library) == {}


def test_compressed_vectors_are_told_of_and_advice_is_given_where_they_are_of_no_use(library, photos, monkeypatch):
    monkeypatch.setattr(pq_training, "ROWS", 64)
    for number in range(70):
        picture(photos / f"{number}.png", number)
    with Catalog.open(library) as catalog, VectorStore(library, catalog) as vectors:
        list(Indexer(LocalLibrary(catalog, vectors), FakeEncoder, open_pool=InProcessDecoder).run([photos]))
    (check,) = [check for check in checks(library) if check.subject == "vectors.pq"]
    assert (check.state, check.message) == ("ok", "64 of 71 vectors compressed")
    with PqFile(library).path.open("ab") as file:
        file.write(b"more")
    assert found(library) == {"vectors.pq": "damaged, or made from other photos"}


def test_a_damaged_file_is_a_fault(library):
    with (library / database.FILE_NAME).open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 30_000)
    (message,) = found(library).values()
    assert "damaged" in message


def test_photos_that_are_gone_or_changed_are_counted_with_what_to_do(library, photos):
    (photos / "0.png").unlink()
    picture(photos / "1.png", 99, size=(50, 50))
    checked = {check.subject: check for check in checks(library)}[f"photos in {photos}"]
    assert (checked.state, checked.message) == ("advice", "4 photos, 1 gone, 1 changed since they were indexed")
    assert checked.hint == f"photomap index '{photos}'"
    shutil.rmtree(photos)
    checked = {check.subject: check for check in checks(library)}[f"photos in {photos}"]
    assert (checked.message, "--prune" in checked.hint) == ("4 photos, 4 gone since they were indexed", True)


def test_new_photos_are_counted_but_not_those_that_could_not_be_read(library, photos):
    picture(photos / "new/1.png", 8)
    picture(photos / "new/2.png", 9)
    (photos / "new/damaged.png").write_bytes(b"none")
    subject = f"photos in {photos}"
    assert found(library)[subject] == "4 photos, 3 new and not in the library yet"
    only = {check.subject: check for check in checks(library, exclude=("new/[12].png",))}[subject]
    assert (only.message, only.hint) == ("4 photos, 1 new and not in the library yet", f"photomap index '{photos}'")
    with Catalog.open(library) as catalog, VectorStore(library, catalog) as vectors:
        list(Indexer(LocalLibrary(catalog, vectors), FakeEncoder, open_pool=InProcessDecoder).run([photos]))
    assert found(library) == {}
    picture(photos / "new/damaged.png", 10)
    assert found(library)[subject] == "6 photos, 1 new and not in the library yet"


def test_a_run_that_was_not_finished_is_told(library, photos, tmp_path):
    other = tmp_path / "other"
    picture(other / "a.png", 7)
    with Catalog.open(library) as catalog:
        catalog.runs.begin([str(photos), str(other)], datetime.now(UTC))
    assert found(library) == {
        f"photos in {photos}": "4 photos, the last index run there didn't finish",
        f"photos in {other}": "0 photos, 1 new and not in the library yet, the last index run there didn't finish",
    }


def test_no_library_is_no_fault(folder):
    (check,) = checks(folder)
    assert (check.state, check.hint) == ("advice", "`photomap index FOLDER` creates one")
