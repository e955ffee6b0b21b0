"""What a search says about its scores: which hits stand out, and what each term adds to them."""

import numpy as np
import pytest
from fake_encoder import text_vector
from library_fakes import stored_vector

from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entities import LibraryEncoder, NewPhoto
from photomap_cli.records import SearchRequest, SearchResult
from photomap_cli.search import score_cutoff


@pytest.fixture
def large(make_session, tmp_path):
    """Return a session over 200 photos, three of which look like `dog`."""
    dog = text_vector("dog")
    noise = np.random.default_rng(3).normal(size=(200, 8))
    noise -= np.outer(noise @ dog, dog)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    cosines = np.random.default_rng(4).normal(0.1, 0.03, 200)
    cosines[:3] = 0.9, 0.8, 0.7
    vectors = cosines[:, None] * dog + np.sqrt(1 - cosines[:, None] ** 2) * noise
    with Catalog.open(tmp_path / "library", create=True) as catalog:
        catalog.set_encoder(LibraryEncoder("fake", 8, "float32"))
        catalog.commit_batch(
            [
                NewPhoto(f"/{'a' if n < 100 else 'b'}/{n}.jpg", 1, n, None, 4, 3, None, vector.astype(np.float32))
                for n, vector in enumerate(vectors)
            ]
        )
    return make_session(tmp_path / "library", min_score="auto")


def ask(session, text, **more):
    return session.search(SearchRequest(text, cwd="/", **more))


def test_no_score_is_above_one(make_session, tmp_path):
    """Rows of 16 bits are a little longer than one, some of them."""
    words = [f"word {number}" for number in range(40)]
    with Catalog.open(tmp_path / "library", create=True) as catalog:
        catalog.set_encoder(LibraryEncoder("fake", 8, "float32"))
        catalog.commit_batch(
            [NewPhoto(f"/{word}.jpg", 1, 1, None, 4, 3, None, text_vector(word).astype(np.float32)) for word in words]
        )
    session = make_session(tmp_path / "library")
    scores = [ask(session, word, limit=1).hits[0].score for word in words]
    assert 0.999 < min(scores) <= max(scores) == 1.0


def test_without_a_floor_only_what_stands_out_is_shown(large):
    result = ask(large, "dog", limit=50)
    assert [hit.path for hit in result.hits[:3]] == ["/a/0.jpg", "/a/1.jpg", "/a/2.jpg"]
    assert len(result.hits) < 10
    assert result.notices == ()
    assert len(ask(large, "dog", limit=2).hits) == 2


def test_where_nothing_stands_out_the_nearest_are_shown_and_it_is_said(large):
    result = ask(large, "dog in:/b", limit=50)
    assert len(result.hits) == 50
    assert result.notices == (score_cutoff.NOTHING_STANDS_OUT,)


def test_a_lowest_score_of_the_users_own_counts_instead(large):
    assert len(ask(large, "dog min:-1", limit=150).hits) == 150
    assert len(ask(large, "dog min:0.75", limit=50).hits) == 2
    result = ask(large, "dog in:/b", limit=50, min_score=-1.0)
    assert (len(result.hits), result.notices) == (50, ())


def test_an_encoder_with_a_measured_floor_keeps_it(large, monkeypatch):
    monkeypatch.setattr("photomap_cli.encoder.models.score_floor", lambda spec: 0.75)
    assert len(ask(large, "dog", limit=50).hits) == 2


@pytest.mark.parametrize("text", ["dog", "2:dog - 0.5:cat", "dog + ./red/red.png - 3:#1 + 4:snow", "#2 #3"])
def test_the_parts_of_the_terms_add_up_to_the_score(session, photos, text):
    references = tuple(str(photos / name / f"{name}.png") for name in ("green", "blue", "grey"))
    request = SearchRequest(text, cwd=str(photos), references=references, explain=True)
    result = SearchResult.from_json(session.search(request).to_json())
    assert result.hits
    for hit in result.hits:
        assert sum(each.part for each in hit.terms) == pytest.approx(hit.score, abs=2e-5)
        photo = stored_vector(session.catalog, session.catalog.photo_at(hit.path).row)
        for each in hit.terms:
            if each.term in ("dog", "cat", "snow"):
                assert each.cosine == pytest.approx(float(text_vector(each.term) @ photo), abs=1e-5)
    written = [(each.weight, each.term) for each in result.hits[0].terms]
    assert (
        written
        == {
            "dog": [(1, "dog")],
            "2:dog - 0.5:cat": [(2, "dog"), (-0.5, "cat")],
            "dog + ./red/red.png - 3:#1 + 4:snow": [(1, "dog"), (1, "./red/red.png"), (-3, "#1"), (4, "snow")],
            "#2 #3": [(1, "#2"), (1, "#3")],
        }[text]
    )


def test_of_a_panorama_what_was_found_is_explained(make_session, tmp_path):
    dog, cat = text_vector("dog"), text_vector("cat")
    with Catalog.open(tmp_path / "library", create=True) as catalog:
        catalog.set_encoder(LibraryEncoder("fake", 8, "float32"))
        catalog.commit_batch([NewPhoto("/wide.jpg", 1, 1, None, 9, 3, None, cat, sides=np.stack([dog, -cat]))])
    (hit,) = make_session(tmp_path / "library").search(SearchRequest("dog", cwd="/", explain=True)).hits
    assert (hit.score, hit.terms[0].part) == (pytest.approx(1, abs=2e-3), pytest.approx(1, abs=2e-3))


def test_unasked_nothing_is_explained(session, photos):
    assert "terms" not in session.search(SearchRequest("dog", cwd="/")).to_json()["hits"][0]


def test_a_template_is_put_around_the_words_of_a_query_and_nothing_else(session, make_session, photos):
    session.close()
    templated = make_session(session.catalog.folder, text_template="a {}!")
    for words, encoded in (("dog", "a dog!"), ('"{}"', "a {}!")):
        result = templated.search(SearchRequest(words, cwd=str(photos), explain=True))
        photo = stored_vector(templated.catalog, templated.catalog.photo_at(result.hits[0].path).row)
        assert result.hits[0].score == pytest.approx(float(text_vector(encoded) @ photo), abs=1e-3)
        assert result.hits[0].terms[0].term == words
