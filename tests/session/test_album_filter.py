"""`album:NAME` and `@@NAME` in queries, whoever asks."""

import pytest

from photomap_cli.errors import BadQuery, LibraryUnusable
from photomap_cli.indexing.index_options import IndexOptions
from photomap_cli.library import user_data
from photomap_cli.library.albums import as_members
from photomap_cli.records import SearchRequest
from photomap_cli.search.saved_searches import DEEPEST


@pytest.fixture
def found(session, tmp_path):
    def search(text, **more):
        result = session.search(SearchRequest(text, cwd=str(tmp_path), **more))
        return {hit.path.rpartition("/")[2] for hit in result.hits}

    return search


@pytest.fixture
def best(session, photos):
    paths = [str(photos / name) for name in ("red/red.png", "blue/blue.png")]
    user_data.add(session.catalog.folder, "Best of 2023", as_members(session.catalog, paths))


@pytest.mark.usefixtures("best")
def test_an_album_is_a_filter(found):
    assert found('album:"best of 2023"') == {"red.png", "blue.png"}
    assert found('dog album:"Best of 2023"') == {"red.png", "blue.png"}
    assert found('dog -album:"Best of 2023"') == {"green.png", "grey.png"}
    assert found('album:"Best of 2023" name:red*') == {"red.png"}


@pytest.mark.usefixtures("best")
def test_an_album_changes_under_a_living_session(session, found, photos):
    assert len(found('album:"best of 2023"')) == 2
    user_data.remove(session.catalog.folder, "Best of 2023", [str(photos / "red/red.png")])
    assert found('album:"best of 2023"') == {"blue.png"}
    (photos / "blue/blue.png").rename(photos / "renamed.png")
    list(session.indexer(IndexOptions()).run([photos]))
    assert found('album:"best of 2023"') == {"renamed.png"}


@pytest.mark.usefixtures("best")
def test_an_album_whose_quotes_a_shell_took_is_named(found):
    with pytest.raises(BadQuery, match="there is no album 'Best'") as caught:
        found("album:Best of 2023")
    assert caught.value.hint == """did you mean album:"Best of 2023"? In a shell, write 'album:"Best of 2023"'"""


def test_what_is_not_there_is_said_with_what_is(found, session):
    with pytest.raises(BadQuery, match="there is no album 'Best'"):
        found("dog album:Best")
    with pytest.raises(BadQuery, match="there is no saved search trip") as caught:
        found("dog @@trip")
    assert caught.value.position == len("dog ")
    user_data.save_search(session.catalog.folder, "other", "cat")
    with pytest.raises(BadQuery) as caught:
        found("@@trip")
    assert caught.value.hint == "saved searches: other"


def test_a_saved_search_stands_for_its_text(found, session):
    library = session.catalog.folder
    user_data.save_search(library, "reds", "dog name:red*")
    user_data.save_search(library, "road trip", "@@reds")
    assert found("@@REDS") == {"red.png"}
    assert found('@@"road trip" min:-1') == {"red.png"}
    assert found('"@@reds"') == {"red.png", "green.png", "blue.png", "grey.png"}
    user_data.save_search(library, "wrong", "dog nonsense:x")
    with pytest.raises(BadQuery, match="no filter nonsense:, in dog nonsense:x"):
        found("@@wrong")


def test_searches_that_stand_for_themselves_end(found, session):
    library = session.catalog.folder
    user_data.save_search(library, "a", "@@b")
    user_data.save_search(library, "b", "@@a")
    with pytest.raises(BadQuery, match="refers to itself"):
        found("@@a")
    user_data.save_search(library, "c0", "dog " * 1000)
    for number in range(1, DEEPEST):
        user_data.save_search(library, f"c{number}", f"@@c{number - 1} " * 40)
    with pytest.raises(BadQuery, match="too long a query"):
        found(f"@@c{DEEPEST - 1}")


def test_a_picture_whose_name_begins_with_an_at_sign_is_still_one(session, found, tmp_path, photos):
    (tmp_path / "@red").write_bytes((photos / "red/red.png").read_bytes())
    assert "green.png" in found("@@red")


@pytest.mark.usefixtures("best")
def test_damaged_albums_cost_no_other_search(session, found):
    user_data.path_in(session.catalog.folder).write_bytes(b"not a database" * 99)
    assert len(found("dog")) == 4
    with pytest.raises(LibraryUnusable, match="albums"):
        found("dog album:x")


@pytest.mark.usefixtures("best")
def test_a_rebuilt_library_has_its_albums(session, found, photos):
    session.catalog.clear()
    session.vectors.reset()
    list(session.indexer(IndexOptions()).run([photos]))
    assert found('album:"best of 2023"') == {"red.png", "blue.png"}
