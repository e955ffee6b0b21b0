"""Other weights under the name of those that made a library's vectors: noticed, and never mixed with them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fake_encoder import GPU, FakeEncoder
from PIL import Image

from photomap_cli.errors import EncoderDied, EncoderMismatch
from photomap_cli.indexing.index_options import IndexOptions
from photomap_cli.records import ResidencyState, SearchRequest
from photomap_cli.records.maps import MapRequest
from photomap_cli.session.session import Session
from photomap_cli.settings import Settings
from photomap_cli.vectors.local_library import LocalLibrary

OLD, NEW = replace(GPU, fingerprint="old"), replace(GPU, fingerprint="new")


@pytest.fixture
def encoder():
    return FakeEncoder(OLD)


@pytest.fixture
def another(session):
    """Return a function that opens the session's library as another process would, with these weights on disk."""
    opened = []

    def make(info):
        library, encoder = LocalLibrary.open(session.catalog.folder), FakeEncoder(info)
        opened.append(Session(library, encoder, spec="fake", settings=Settings(min_score=-1.0)))
        return opened[-1], encoder

    yield make
    for each in opened:
        each.close()


def ask(session, text="dog"):
    return session.search(SearchRequest(text, cwd="/"))


def record(session, fingerprint):
    """Say in the catalogue which weights made its vectors, as encoding it anew does."""
    session.catalog.set_encoder(replace(session.catalog.encoder, fingerprint=fingerprint))


def test_an_index_run_records_the_weights(session):
    assert session.catalog.encoder.fingerprint == "old"


def test_a_search_with_other_weights_is_refused_in_one_line_and_encodes_nothing(another):
    session, encoder = another(NEW)
    with pytest.raises(EncoderMismatch) as caught:
        ask(session)
    assert caught.value.message == "fake has other weights now than those that made the library's vectors"
    assert "photomap index --rebuild" in caught.value.hint
    assert "encode" not in encoder.calls
    assert session.status().busy is False


def test_a_picture_is_not_encoded_by_other_weights_either(another, tmp_path):
    Image.new("RGB", (30, 20), "orange").save(tmp_path / "mine.png")
    session, encoder = another(NEW)
    with pytest.raises(EncoderMismatch):
        ask(session, str(tmp_path / "mine.png"))
    assert "encode" not in encoder.calls


def test_nor_are_the_names_of_a_map(another, session, photos):
    for number in range(20):
        Image.new("RGB", (40, 30), (9 * number, 30, 200)).save(photos / f"{number}.png")
    list(session.indexer(IndexOptions()).run([photos]))
    other, encoder = another(NEW)
    drawn = other.map(MapRequest(cwd="/", clusters=2))
    assert "encode" not in encoder.calls
    assert any("other weights" in notice for notice in drawn.notices)


def test_past_queries_go_on_answering_and_only_they(another):
    first = ask(another(OLD)[0])
    session, encoder = another(NEW)
    assert ask(session).hits == first.hits
    assert encoder.calls == []
    with pytest.raises(EncoderMismatch):
        ask(session, "cat")
    assert ask(session).hits == first.hits  # also now that the other weights are loaded


def test_a_refused_query_leaves_nothing_to_answer_from(another):
    with pytest.raises(EncoderMismatch):
        ask(another(NEW)[0])
    session, encoder = another(OLD)
    ask(session)
    assert "encode" in encoder.calls


def test_a_query_answered_by_old_weights_is_asked_anew_of_new_ones(another, session):
    ask(another(OLD)[0])
    record(session, "new")  # under the same library id: the weights alone make the difference
    later, encoder = another(NEW)
    ask(later)
    assert "encode" in encoder.calls
    again, rested = another(NEW)
    ask(again)
    assert rested.calls == []


@pytest.mark.parametrize("place", ["VRAM", "RAM", "OFF"])
def test_a_session_whose_library_was_encoded_anew_loads_its_new_weights(session, encoder, place):
    ask(session)
    if place != "VRAM":
        session.offload()
    if place == "OFF":
        session.residency.release()
    assert session.status().state is ResidencyState[place]
    record(session, "new")
    encoder.info = NEW
    encoder.calls.clear()
    assert ask(session, "cat").hits
    assert encoder.calls.count("load") == 1
    assert session.residency.snapshot().info == NEW
    encoder.calls.clear()
    ask(session, "bird")
    assert "load" not in encoder.calls


def test_a_session_recovers_when_the_right_weights_are_back(session, encoder):
    ask(session)
    session.residency.release()
    encoder.info = NEW
    with pytest.raises(EncoderMismatch):
        ask(session, "cat")
    encoder.info = OLD
    assert ask(session, "cat").hits


def test_an_encoder_process_that_comes_back_with_other_weights_is_refused(session, encoder):
    ask(session)
    encoder.fail_next["encode"] = EncoderDied("killed")
    encoder.info = NEW
    with pytest.raises(EncoderMismatch):
        ask(session, "cat")


def test_an_index_run_whose_weights_change_stops_there(session, encoder, photos):
    for number in range(9):  # more than the four that a GPU gets at once
        Image.new("RGB", (40, 30), (25 * number, 30, 200)).save(photos / f"{number}.png")
    run = session.indexer(IndexOptions(batch_size=1)).run([photos])
    while session.catalog.photo_count == 4:
        next(run)
    encoder.fail_next["encode"] = EncoderDied("killed")
    encoder.info = NEW
    with pytest.raises(EncoderMismatch):
        list(run)
    assert session.catalog.photo_count < 13
    assert session.catalog.encoder.fingerprint == "old"
