import numpy as np
import pytest
from fake_encoder import text_vector
from hypothesis import given
from hypothesis import strategies as st

from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entities import LibraryEncoder, NewPhoto
from photomap_cli.search.score_cutoff import FEWEST, ScoreBulk, bulk_of
from photomap_cli.vectors.store import VectorStore


def scores(count=500, seed=0):
    return np.random.default_rng(seed).normal(0.18, 0.02, count).astype(np.float32)


def hits(*values):
    return [(row, value) for row, value in enumerate(values)]


def test_the_bulk_is_measured_below_its_middle_where_no_match_disturbs_it():
    bulk = ScoreBulk.of(np.concatenate([scores(), np.full(100, 0.5, np.float32)]))
    assert bulk.middle == pytest.approx(0.18, abs=0.01)
    assert bulk.spread == pytest.approx(0.02, abs=0.005)


def test_too_few_scores_and_equal_ones_tell_nothing():
    assert ScoreBulk.of(scores(FEWEST - 1)) is None
    assert ScoreBulk.of(np.full(500, 0.2, np.float32)) is None


def test_hits_among_the_bulk_are_left_out_if_the_best_one_stands_out():
    bulk = ScoreBulk(0.18, 0.02)
    assert bulk.outstanding(hits(0.30, 0.24, 0.229, 0.19)) == hits(0.30, 0.24)
    assert bulk.has_outstanding(hits(0.30))


def test_nothing_is_hidden_if_nothing_stands_out():
    bulk = ScoreBulk(0.18, 0.02)
    assert bulk.outstanding(hits(0.25, 0.19, 0.1)) == hits(0.25, 0.19, 0.1)
    assert bulk.outstanding([]) == []
    assert not bulk.has_outstanding(hits(0.25))


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=30), st.integers(1, 30))
def test_a_shorter_list_is_the_beginning_of_a_longer_one_and_the_best_hit_is_never_lost(values, fewer):
    bulk, ranked = ScoreBulk(0.0, 0.1), hits(*sorted(values, reverse=True))
    kept = bulk.outstanding(ranked)
    assert kept == ranked[: len(kept)]
    assert kept
    assert bulk.outstanding(ranked[:fewer]) == kept[: min(fewer, len(ranked))][: len(bulk.outstanding(ranked[:fewer]))]
    assert len(bulk.outstanding(ranked[:fewer])) == min(fewer, len(kept))


def library(folder, query, cosines):
    """Make a library whose photos have these cosines with a query."""
    other = np.roll(query, 1) - (np.roll(query, 1) @ query) * query
    other /= np.linalg.norm(other)
    vectors = [c * query + np.sqrt(1 - c * c) * other for c in cosines]
    catalog = Catalog.open(folder, create=True)
    catalog.set_encoder(LibraryEncoder("fake", len(query), "float32"))
    catalog.commit_batch(
        [NewPhoto(f"/p/{n}.jpg", 1, 0, None, 4, 3, None, v.astype(np.float32)) for n, v in enumerate(vectors)]
    )
    return catalog


def test_the_whole_library_is_looked_at_without_the_rows_of_photos_that_are_gone(tmp_path):
    query = text_vector("dog")
    cosines = scores(3000)
    with library(tmp_path, query, cosines) as catalog, VectorStore(tmp_path, catalog) as store:
        store.refresh()
        assert bulk_of(store, query).middle == pytest.approx(np.median(cosines), abs=0.003)
        catalog.commit_batch([], np.flatnonzero(cosines > np.median(cosines)))
        store.refresh()
        assert bulk_of(store, query).middle == pytest.approx(np.quantile(cosines, 0.25), abs=0.003)


def test_an_empty_library_has_no_bulk(tmp_path):
    with Catalog.open(tmp_path, create=True) as catalog, VectorStore(tmp_path, catalog) as store:
        store.refresh()
        assert bulk_of(store, text_vector("dog")) is None
