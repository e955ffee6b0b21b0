"""What a shared library keeps its vectors by, what a search asks for, and what a library says of itself."""

from __future__ import annotations

import numpy as np
import pytest
from library_fakes import ENCODER, INFO, new_photo, similar

from photomap_cli.errors import LibraryFormat, LibraryUnusable
from photomap_cli.library.shared import photo_records, schema
from photomap_cli.library.shared.schema import Index, Mark, Own
from photomap_cli.library.shared.store import SharedLibrary
from photomap_cli.records import FilterKind, PhotoFilter
from photomap_cli.settings import Settings

MILLION = 1_000_000


def test_every_vector_is_compared_below_a_million_and_from_there_on_every_list_is_looked_through():
    assert Index.wanted(0) == Index.wanted(MILLION - 1) == ("FLAT", 0)
    assert Index.wanted(MILLION) == Index.wanted(200 * MILLION) == ("SCANN", 4000)
    assert Index("FLAT").asked(10) == Index("FLAT").asked(10, exact=True) == {}
    assert Index("SCANN", 4000).asked(10) == {"nprobe": 4000, "reorder_k": 400}
    assert Index("SCANN", 4000).asked(100) == {"nprobe": 4000, "reorder_k": 1500}
    assert Index("SCANN", 4000).asked(10, exact=True) == {"nprobe": 4000, "reorder_k": 4000}
    assert Index("SCANN", 4000).asked(16_384)["reorder_k"] == 16_384
    assert Index("SCANN", 4000).asked(10, share=0.125)["nprobe"] == 500
    assert Index("SCANN", 4).asked(10, share=0.01)["nprobe"] == 1


@pytest.mark.parametrize("kind", ["IVF_SQ8", "IVF_FLAT", "HNSW", "AUTOINDEX", "DISKANN", "x" * 500, None])
def test_another_index_is_refused(kind):
    with pytest.raises(LibraryUnusable, match="loses photos or vectors") as caught:
        Index.of({"index_type": kind, "nlist": "16"})
    assert len(caught.value.message) < 150


def test_an_index_is_read_as_the_server_writes_it():
    assert Index.of({"index_type": "SCANN", "nlist": "1024"}) == ("SCANN", 1024)
    assert Index.of({"index_type": "FLAT"}) == ("FLAT", 0)


def test_vectors_are_as_precise_as_in_a_local_library_whatever_the_fields_of_a_server_are():
    vector = similar(1)[0]
    half, full = (photo_records.stored_vector(vector, is_half=is_half) for is_half in (True, False))
    assert (half.dtype, full.dtype) == (np.float16, np.float32)
    assert half.astype(np.float32).tolist() == full.tolist()
    assert [schema.fields(8, is_half=is_half)[-1] for is_half in (True, False)] == [
        ("vector", schema.Kind.HALF_VECTOR, 8),
        ("vector", schema.Kind.VECTOR, 8),
    ]


GOOD = schema.new_properties("id", ENCODER)


def test_what_a_collection_says_for_when_no_alias_means_it():
    assert [Mark.of({**GOOD, **mark.properties}) for mark in Mark] == [*Mark]
    assert [Mark.of({**GOOD, "photomap.unnamed": text}) for text in ("", "what a later version says")] == [
        Mark.NONE
    ] * 2
    assert Mark.of(GOOD) is Mark.NONE
    assert Mark.of({"mine": "yes", **Mark.REPLACED.properties}) is None
    assert Own.of({**GOOD, **Mark.BEGUN.properties}) == Own.of(GOOD)


def test_what_a_library_says_of_itself_comes_back():
    assert Own.of(GOOD) == ("id", ENCODER)
    marked = {**GOOD, **schema.root_properties(["a1:", "b1:x"], ["c1:"]), **schema.run_properties(["a1:"])}
    assert schema.roots(marked) == ["a1:", "b1:x"]
    assert schema.unfinished(marked) == ["a1:"]
    assert schema.unfinished({**marked, **schema.run_properties((), ["a1:"])}) == []
    assert schema.last_indexed_at(marked) is None
    assert schema.last_indexed_at({**marked, **schema.indexed_property("2024")}) == "2024"


@pytest.mark.parametrize(
    "damage", [{"photomap.schema": "2"}, {"photomap.dim": "x"}, {"photomap.spec": None}, {"photomap.library_id": None}]
)
def test_what_is_another_version_or_damaged_is_refused(damage):
    properties = {name: value for name, value in {**GOOD, **damage}.items() if value is not None}
    with pytest.raises(LibraryFormat):
        Own.of(properties)


@pytest.mark.milvus
def test_a_large_library_gets_an_index_that_loses_nothing(milvus, tmp_path, monkeypatch):
    vectors = similar(3000)
    settings = Settings(roots={"pp": "/p"})
    address = f"milvus://{milvus.address}/becomes_large"
    with SharedLibrary.open(tmp_path / "own", address, settings, create=True) as library:
        library.begin(INFO)
        library.writes.commit_batch([new_photo(f"/p/{n}.jpg", vector) for n, vector in enumerate(vectors)])
        assert list(library.upkeep()) == []
        asked = similar(20, seed=1)
        before = [library.searches.search(each, 10)[0].tolist() for each in asked]
        monkeypatch.setattr(schema, "FEWEST_COMPRESSED", 1000)
        assert list(library.upkeep()) == [(0, 3000), (3000, 3000)]
        assert library.facts._collection.require().index == ("SCANN", round(4 * 3000**0.5))
        after = [library.searches.search(each, 10)[0].tolist() for each in asked]
        assert np.mean([len({*old} & {*new}) for old, new in zip(before, after, strict=True)]) > 9.9
        assert list(library.upkeep()) == []
        name, client = library.facts._collection.require().name, library.facts._collection.client
        assert {*client.call("list_indexes", name)} == {"vector", *schema.SORTED}
        assert library.facts.photo_at("/p/77.jpg").path == "/p/77.jpg"
        assert library.facts.count([PhotoFilter(FilterKind.IN, "/p")]) == 3000
        rows = library.facts.rows()
        assert len(library.facts.stored_vectors(rows)[0]) == 3000


@pytest.mark.milvus
def test_a_library_whose_index_somebody_was_making_gets_one_from_the_next_run(milvus, tmp_path):
    address = f"milvus://{milvus.address}/without_index"
    with SharedLibrary.open(tmp_path / "own", address, Settings(roots={"pp": "/p"}), create=True) as library:
        library.begin(INFO)
        library.writes.commit_batch([new_photo(f"/p/{n}.jpg", vector) for n, vector in enumerate(similar(50))])
        name, client = library.facts._collection.require().name, library.facts._collection.client
        client.call("release_collection", name)
        client.call("drop_index", name, "vector")
    with pytest.raises(LibraryUnusable, match="have no index"):
        SharedLibrary.open(tmp_path / "own", address, Settings(roots={"pp": "/p"}))
    with SharedLibrary.open(tmp_path / "own", address, Settings(roots={"pp": "/p"}), create=True) as library:
        library.begin(INFO)
        assert library.facts._collection.require().index == ("FLAT", 0)
        assert len(library.searches.search(similar(1)[0], 10)[0]) == 10


@pytest.mark.milvus
def test_a_library_that_was_removed_but_for_its_name_can_be_made_anew(milvus, tmp_path):
    address, settings = f"milvus://{milvus.address}/removed", Settings(roots={"pp": "/p"})
    for _ in range(2):
        with SharedLibrary.open(tmp_path / "own", address, settings, create=True) as library:
            library.begin(INFO)
            library.writes.commit_batch([new_photo("/p/a.jpg")])
            assert library.facts.photo_count == 1
            library.facts._collection.client.drop(library.facts._collection.require().name)
