import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from torture import inputs

from photomap_cli import directories
from photomap_cli.encoder import bpe
from photomap_cli.errors import TowerUnfit

open_clip = pytest.importorskip("open_clip")

from open_clip.tokenizer import SimpleTokenizer  # noqa: E402

TEXTS = inputs(500, 20_000)
CLEANERS = ("lower", "whitespace", "canonicalize")
WORDS = (
    *("a photo of", "Tree-house", "don't", "we'LL", "naïve", "東京タワー", "👩\u200d👩\u200d👧"),
    *("&amp;lt;b&gt;", "№ ①", "<end_of_text>"),
)
ODD = (
    *("<start_of_text>", "<START_OF_TEXT>", "'ſ", "ﬁ", "\u202e", "\x1b[31m", "\t", "\u00a0", "ÃÂ©", "1e-5", "___"),
    *("İ", "ß", "\ud800"),
)
texts = st.one_of(
    st.text(max_size=40),
    st.text(st.characters(max_codepoint=127), max_size=60),
    st.lists(st.sampled_from([*WORDS, *ODD, "x" * 50]), max_size=12).map(" ".join),
    st.lists(st.sampled_from([*WORDS, *ODD]), max_size=8).map("".join),
    st.text(st.sampled_from("ab' &-_12é"), max_size=300),
)
common = settings(max_examples=TEXTS, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        return bpe.table(bpe.vocabulary_digest())


@pytest.fixture(scope="module")
def pairs(table):
    return {
        clean: (SimpleTokenizer(clean=clean, context_length=77), bpe.Tokenizer(table, context_length=77, clean=clean))
        for clean in CLEANERS
    }


def theirs(tokenizer, text):
    row = tokenizer(text)[0].tolist()
    return row[: len(row) - row[::-1].index(tokenizer.eot_token_id)]


@common
@given(text=texts, clean=st.sampled_from(CLEANERS))
@example("", "lower")
@example("!" * 100, "lower")
@example("word " * 100, "canonicalize")
@example("<start_of_text> and <end_of_text>", "lower")
@example("<Start_Of_Text>", "whitespace")
def test_every_text_becomes_the_numbers_that_open_clip_gives_it(pairs, text, clean):
    tokenizer, ours = pairs[clean]
    assert ours.ids(text) == theirs(tokenizer, text)


@pytest.mark.parametrize("context_length", [2, 3, 24])
def test_what_is_too_long_is_cut_where_open_clip_cuts_it(table, context_length):
    tokenizer = SimpleTokenizer(context_length=context_length)
    ours = bpe.Tokenizer(table, context_length=context_length, clean="lower")
    for text in ("", "a", "a photo of a dog", "one two three " * 20):
        assert ours.ids(text) == theirs(tokenizer, text)


def merges_file():
    (file,) = directories.cache_directory().iterdir()
    return file


def test_the_table_is_made_once_and_read_afterwards(monkeypatch):
    digest = bpe.vocabulary_digest()
    first = bpe.table(digest).merged(b"photograph")
    monkeypatch.setattr(bpe, "_vocabulary", lambda: pytest.fail("the vocabulary was read again"))
    assert bpe.table(digest).merged(b"photograph") == first


@pytest.mark.parametrize(
    "damage", [lambda whole: whole[:-7], lambda whole: whole[:99] + b"?" + whole[100:], lambda _: b""]
)
def test_a_damaged_table_is_made_anew(damage):
    digest = bpe.vocabulary_digest()
    bpe.table(digest)
    whole = merges_file().read_bytes()
    merges_file().write_bytes(damage(whole))
    bpe.table(digest)
    assert merges_file().read_bytes() == whole


def test_a_cache_that_cannot_be_written_costs_time_only(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert bpe.table(bpe.vocabulary_digest()).merged(b"dog")


def test_another_vocabulary_is_told():
    with pytest.raises(TowerUnfit, match="vocabulary has changed"):
        bpe.table("0" * 32)
