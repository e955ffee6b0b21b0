"""Queries asked before: answered without the encoder, and never otherwise than with it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fake_encoder import CPU, GPU, FakeEncoder
from PIL import Image

from photomap_cli.library.query_cache import FILE_NAME
from photomap_cli.records import SearchRequest, SearchResult
from photomap_cli.session.session import Session
from photomap_cli.settings import Settings
from photomap_cli.vectors.local_library import LocalLibrary


@pytest.fixture
def library(session):
    """The folder of an indexed library, whose session is still open."""
    return session.catalog.folder


@pytest.fixture
def restarted(library):
    """Return a function that opens the library as another process would: nothing loaded."""
    opened = []

    def make(info=GPU, **settings):
        encoder = FakeEncoder(info)
        values = Settings(**{"min_score": -1.0, **settings})
        opened.append(Session(LocalLibrary.open(library), encoder, spec="fake", settings=values))
        return opened[-1], encoder

    yield make
    for session in opened:
        session.close()


def ask(session, text, cwd="/"):
    return session.search(SearchRequest(text, cwd=str(cwd)))


@pytest.mark.parametrize("text", ["dog", "2:dog + cat -bird", "dog in:/ name:*e*"])
def test_a_repeated_query_needs_no_encoder_and_scores_are_the_same_to_the_bit(restarted, text):
    first = ask(restarted()[0], text)
    session, encoder = restarted()
    again = ask(session, text)
    uncached = ask(restarted(query_cache=0)[0], text)
    assert encoder.calls == []
    assert again.hits == first.hits == uncached.hits
    assert first.timings_ms.cache is None
    assert first.timings_ms.encode > 0
    assert again.timings_ms.cache >= 0
    assert again.timings_ms.encode == again.timings_ms.load == 0
    assert SearchResult.from_json(again.to_json()).timings_ms.cache is not None


def test_nothing_is_kept_of_a_query_that_is_still_being_typed(restarted, tmp_path):
    picture = tmp_path / "elsewhere.png"
    Image.new("RGB", (40, 30), "red").save(picture)
    session, encoder = restarted()
    for prefix in ("d", "do", f"dog {picture}"):
        session.search(SearchRequest(prefix, cwd="/", is_draft=True))
    encoder.calls.clear()
    assert ask(session, "do").timings_ms.cache is None
    assert encoder.calls.count("encode") == 1
    ask(session, f"dog {picture}")
    assert encoder.calls.count("encode") == 3


def test_known_words_are_known_in_other_queries_too(restarted):
    ask(restarted()[0], "dog + cat")
    session, encoder = restarted()
    ask(session, "cat -dog")
    assert encoder.calls == []
    partly = ask(session, "cat + bird")
    assert encoder.calls.count("encode") == 1
    assert partly.timings_ms.cache is not None
    assert partly.timings_ms.encode > 0


def test_a_live_session_reloads_nothing_for_it_but_counts_it_as_a_query(session, encoder):
    ask(session, "dog")
    session.offload()
    encoder.calls.clear()
    before = session.residency.snapshot().last_used
    ask(session, "dog")
    assert encoder.calls == []
    assert session.residency.snapshot().last_used > before


def test_a_picture_is_known_by_its_bytes_whatever_its_name(restarted, tmp_path):
    Image.new("RGB", (30, 20), "orange").save(tmp_path / "mine.png")
    first = ask(restarted()[0], "./mine.png", tmp_path)
    (tmp_path / "mine.png").rename(tmp_path / "yours.png")
    session, encoder = restarted()
    assert ask(session, "./yours.png", tmp_path).hits == first.hits
    assert encoder.calls == []
    Image.new("RGB", (30, 20), "purple").save(tmp_path / "yours.png")
    assert ask(session, "./yours.png", tmp_path).hits != first.hits
    assert "encode" in encoder.calls


@pytest.mark.parametrize(
    ("info", "settings"),
    [
        (replace(GPU, dtype="float32"), {"precision": "float32"}),
        (CPU, {"device": "cpu"}),
        (replace(GPU, device_name="Another GPU"), {}),
    ],
)
def test_another_precision_or_other_hardware_gets_vectors_of_its_own(restarted, info, settings):
    ask(restarted()[0], "dog")
    session, encoder = restarted(info, **settings)
    session.load()  # from now on the session knows what it runs on
    ask(session, "dog")
    assert "encode" in encoder.calls
    again, rested = restarted(info, **settings)
    ask(again, "dog")
    assert rested.calls == []


def test_other_settings_are_not_taken_for_the_same_before_they_were_tried(restarted):
    ask(restarted()[0], "dog")
    session, encoder = restarted(CPU, device="cpu")
    ask(session, "dog")
    assert "encode" in encoder.calls


def test_what_a_full_card_had_the_cpu_compute_is_not_kept(restarted):
    session, encoder = restarted()
    encoder.full = True
    assert ask(session, "dog").notices
    later, rested = restarted()
    ask(later, "dog")
    assert "encode" in rested.calls


def test_a_library_encoded_anew_by_the_same_weights_still_knows_its_queries(restarted, session, photos):
    from photomap_cli.indexing.index_options import IndexOptions

    first = ask(restarted()[0], "dog")
    session.catalog.clear()
    for _ in session.indexer(IndexOptions()).run([photos]):
        pass
    later, rested = restarted()
    assert ask(later, "dog").hits == first.hits
    assert "encode" not in rested.calls


def test_a_broken_cache_costs_no_answer(restarted, library):
    first = ask(restarted()[0], "dog")
    (library / FILE_NAME).unlink()
    (library / FILE_NAME).mkdir()
    session, encoder = restarted()
    assert ask(session, "dog").hits == first.hits
    assert "encode" in encoder.calls
