import numpy as np
import pytest
from cases import cases
from library_fakes import DIM, new_photo, unit_vectors

from photomap_cli.vectors import vector_file
from photomap_cli.vectors.file_header import PAGE, Header, row_bytes
from photomap_cli.vectors.vector_file import VectorFile

ID = "0123456789abcdef" * 2


def test_a_header_reads_back():
    header = Header(ID, 512, 1_000_000, 7)
    assert Header.unpack(header.pack().ljust(PAGE, b"\0")) == header


@cases("at", range(60))
def test_any_damaged_byte_of_a_header_is_noticed(at):
    packed = bytearray(Header(ID, 512, 7, 0).pack())
    packed[at] ^= 1
    assert Header.unpack(bytes(packed)) is None


@pytest.mark.parametrize("page", [b"", b"photomap", bytes(PAGE)])
def test_what_is_no_header_is_none(page):
    assert Header.unpack(page) is None


def test_appending_leaves_the_rows_before_alone(folder, catalog):
    file = VectorFile(folder)
    catalog.commit_batch([new_photo(f"/p/{number}.jpg", vector) for number, vector in enumerate(unit_vectors(3))])
    file.repair(catalog.snapshot, catalog.vectors_from)
    before, inode = file.path.read_bytes(), file.path.stat().st_ino
    catalog.commit_batch([new_photo("/p/3.jpg")], [0])
    snapshot, mapped = file.repair(catalog.snapshot, catalog.vectors_from)
    after = file.path.read_bytes()
    assert (snapshot.next_row, file.path.stat().st_ino) == (4, inode)
    assert after[PAGE : len(before)] == before[PAGE:]
    assert len(mapped.memory) == len(after) == PAGE + 4 * row_bytes(DIM)


def test_rows_that_are_gone_before_they_are_appended_are_zeros(folder, catalog):
    catalog.commit_batch([new_photo("/p/a.jpg")])
    VectorFile(folder).repair(catalog.snapshot, catalog.vectors_from)
    catalog.commit_batch([new_photo(f"/p/{number}.jpg") for number in range(5)])
    catalog.commit_batch([], [1, 3, 5])
    _, mapped = VectorFile(folder).repair(catalog.snapshot, catalog.vectors_from)
    rows = np.frombuffer(mapped.memory, np.float16, offset=PAGE).reshape(-1, DIM)
    assert list(rows.any(axis=1)) == [True, False, True, False, True, False]


def test_many_rows_are_written_in_pieces(folder, catalog, monkeypatch):
    monkeypatch.setattr("photomap_cli.vectors.vector_file._ROWS_AT_ONCE", 4)
    vectors = unit_vectors(11)
    catalog.commit_batch([new_photo(f"/p/{number}.jpg", vector) for number, vector in enumerate(vectors)])
    _, mapped = VectorFile(folder).repair(catalog.snapshot, catalog.vectors_from)
    rows = np.frombuffer(mapped.memory, np.float16, offset=PAGE).reshape(-1, DIM)
    np.testing.assert_array_equal(rows, vectors.astype(np.float16))


def test_a_full_disk_leaves_no_half_file_behind(folder, catalog, monkeypatch):
    catalog.commit_batch([new_photo("/p/a.jpg")])

    def full(_descriptor):
        raise OSError("no space left")

    monkeypatch.setattr(vector_file, "sync", full)
    with pytest.raises(OSError, match="no space left"):
        VectorFile(folder).repair(catalog.snapshot, catalog.vectors_from)
    assert list(folder.glob("vectors.*[!k]")) == []


def test_what_is_written_into_a_mapping_never_reaches_the_file(folder, catalog):
    catalog.commit_batch([new_photo("/p/a.jpg")])
    file = VectorFile(folder)
    _, mapped = file.repair(catalog.snapshot, catalog.vectors_from)
    before = file.path.read_bytes()
    mapped.memory[:PAGE] = bytes(PAGE)
    assert file.path.read_bytes() == before


def test_the_count_grows_only_after_the_rows_are_on_the_disk(folder, catalog, monkeypatch):
    catalog.commit_batch([new_photo("/p/a.jpg")])
    file = VectorFile(folder)
    file.repair(catalog.snapshot, catalog.vectors_from)
    catalog.commit_batch([new_photo("/p/b.jpg")])

    def power_cut(_descriptor):
        raise OSError("power cut")

    monkeypatch.setattr("photomap_cli.vectors.vector_file.sync", power_cut)
    with pytest.raises(OSError, match="power cut"):
        file.repair(catalog.snapshot, catalog.vectors_from)
    header = Header.unpack(file.path.read_bytes())
    assert header is not None
    assert header.next_row == 1
