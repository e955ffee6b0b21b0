"""What a search says beside its results: where it looked, and how much of a long text counts."""

import json
import re

import pytest

from photomap_cli.indexing.index_options import IndexOptions
from photomap_cli.records import SearchRequest, SearchResult
from photomap_cli.records.maps import MapRequest
from photomap_cli.session import socket_dir
from photomap_cli.session.client import SessionClient
from photomap_cli.session.server import SessionServer, claim
from photomap_cli.session.transport import Transport

WORDS = "one two three four five six seven eight"


def notices(session, text="dog", **more):
    return session.search(SearchRequest(text, **{"cwd": "/", **more})).notices


@pytest.fixture
def cut(encoder):
    encoder.context_letters = len("one two three")


def told(text, read):
    return f'only the first {read} of "{text[:30]}…" count; the encoder stops reading at "…one two three"'


def test_a_text_that_is_too_long_is_told_each_time_and_each_term(session, cut):
    assert notices(session, "one two") == ()
    assert notices(session, WORDS) == (told(WORDS, "3 of 8 words"),)
    assert notices(session, WORDS) == (told(WORDS, "3 of 8 words"),)
    both = f"one two + {WORDS} - {WORDS} nine + {WORDS}"
    assert notices(session, both) == (told(WORDS, "3 of 8 words"), told(f"{WORDS} nine", "3 of 9 words"))


def test_letters_are_counted_where_there_is_but_one_word(session, encoder):
    encoder.context_letters = 40
    (notice,) = notices(session, "海" * 50)
    assert "40 of 50 letters" in notice


def test_an_encoder_gets_no_more_than_it_could_read(session, encoder):
    (notice,) = notices(session, "a" * 60_000)
    assert "1,000 of 60,000 letters" in notice


def test_what_is_around_the_words_counts_as_well(make_session, photos, session, encoder):
    folder = session.catalog.folder
    session.close()
    with make_session(folder, text_template="a photo of {}, very good") as templated:
        encoder.closed = False
        encoder.context_letters = len("a photo of one two three")
        assert notices(templated, "one two three") == ()
        assert notices(templated, WORDS) == (told(WORDS, "3 of 8 words"),)


def test_both_notices_come_over_the_socket_and_in_json(session, cut, tmp_path):
    with SessionServer(session, claim(session.catalog.folder)):
        line = Transport(socket_dir.socket_path(session.catalog.folder))
        with SessionClient(line) as client:
            result = client.search(SearchRequest(WORDS, cwd=str(tmp_path / "elsewhere")))
    assert result.searched_elsewhere
    assert result.notices[0] == f"{tmp_path}/elsewhere is not indexed; searching the whole library (4 photos)"
    assert result.notices[1] == told(WORDS, "3 of 8 words")
    record = json.loads(json.dumps(result.to_json()))
    assert record["searched_elsewhere"] is True
    assert SearchResult.from_json(record) == result


def test_where_the_whole_library_is_searched_from_a_folder_that_is_no_part_of_it_that_is_said(
    session, photos, tmp_path, monkeypatch
):
    elsewhere, home = tmp_path / "home" / "Downloads", tmp_path / "home"
    elsewhere.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    whole = "is not indexed; searching the whole library (4 photos)"
    assert notices(session, cwd=str(elsewhere)) == (f"~/Downloads {whole}",)
    assert notices(session, cwd=str(home)) == (f"~ {whole}",)
    assert notices(session, "dog min:1", cwd=str(elsewhere)) == (f"~/Downloads {whole}",)
    assert notices(session, "dog -in:/x", cwd=str(elsewhere)) == (f"~/Downloads {whole}",)
    inside = f"{photos}/red"
    for cwd in (inside, str(photos), str(tmp_path), "/"):
        assert notices(session, cwd=cwd) == ()
    for more in ({"folder": "*"}, {"folder": inside}, {"text": "dog in:*"}, {"text": f"dog in:{inside}"}):
        assert notices(session, cwd=str(elsewhere), **more) == ()


def test_a_map_says_so_too(session, photos, tmp_path, monkeypatch):
    from photomap_cli.map import builder

    monkeypatch.setattr(builder, "FEWEST", 1)
    elsewhere = MapRequest(cwd=str(tmp_path / "elsewhere"))
    assert session.map(elsewhere).notices == (
        f"{tmp_path}/elsewhere is not indexed; drawing the whole library (4 photos)",
    )
    assert session.map(MapRequest(cwd=str(photos))).notices == ()


def test_where_nothing_scores_high_enough_the_best_score_is_told_and_how_to_see_it(session, photos):
    session.settings.__dict__["min_score"] = 0.9999  # frozen for everybody else
    result = session.search(SearchRequest("dog", cwd=str(photos)))
    assert result.hits == ()
    told = re.fullmatch(
        r"the best match scores (-?0\.\d\d), below the lowest score shown, 0\.9999; (min:\S+) shows it",
        result.notices[0],
    )
    assert session.search(SearchRequest(f"dog {told[2]}", cwd=str(photos))).hits
    assert notices(session, "dog min:1", cwd=str(photos)) == ()


def test_where_nothing_is_found_a_value_that_lost_its_quotes_is_pointed_out(session, photos):
    hidden = photos / "red" / "black cat.png"
    (photos / "red" / "red.png").rename(hidden)
    for _ in session.indexer(IndexOptions()).run([photos]):
        pass
    cwd = str(photos)
    told = notices(session, "name:black cat.png dog", cwd=cwd)
    assert told[0] == """did you mean name:"black cat.png"? In a shell, write 'name:"black cat.png"'"""
    assert not [each for each in notices(session, "name:black dog cat.png", cwd=cwd) if "did you mean" in each]
    assert notices(session, 'name:"black cat.png" dog', cwd=cwd) == ()
