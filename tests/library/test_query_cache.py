"""The cache of past queries: exact, bounded, private, and never in the way."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing

import numpy as np
import pytest

from photomap_cli.library.query_cache import FILE_NAME, QueryCache, key


def vector(seed):
    drawn = np.random.default_rng(seed).normal(size=512).astype(np.float32)
    return drawn / np.linalg.norm(drawn)


def keys(count):
    return [key("an encoder", "text", str(number).encode()) for number in range(count)]


@pytest.fixture
def open_cache(tmp_path):
    opened = []

    def make(most=100):
        opened.append(QueryCache(tmp_path, most=most))
        return opened[-1]

    yield make
    for cache in opened:
        cache.close()


def test_a_vector_comes_back_to_the_bit_also_to_another_process(open_cache):
    one, other = keys(2)
    open_cache().put({one: vector(1), other: vector(2)})
    found = open_cache().get([other, one])
    assert found[one].tobytes() == vector(1).tobytes()
    assert found[other].tobytes() == vector(2).tobytes()
    assert found[one].dtype == np.float32


def test_looking_for_what_is_not_there_makes_no_file(open_cache, tmp_path):
    cache = open_cache()
    assert cache.get(keys(1)) == {}
    assert cache.encoder_key("anything") is None
    assert list(tmp_path.iterdir()) == []


def test_everything_a_vector_depends_on_is_in_its_key():
    asked = [("a", "text", b"bc"), ("ab", "text", b"c"), ("a", "image", b"bc"), ("a", "text", b"BC")]
    assert len({key(*each) for each in asked}) == len(asked)


def test_the_least_recently_used_go_first(open_cache):
    cache = open_cache(most=3)
    first, second, third, fourth = keys(4)
    for number, each in enumerate((first, second, third)):
        cache.put({each: vector(number)})
    cache.get([first])
    cache.put({fourth: vector(4)})
    assert set(cache.get(keys(4))) == {first, third, fourth}


def test_thousands_of_queries_leave_as_many_as_were_allowed(open_cache, tmp_path):
    cache = open_cache(most=50)
    every = keys(3000)
    for start in range(0, 3000, 100):
        cache.put({each: vector(start) for each in every[start : start + 100]})
    assert set(cache.get(every)) == set(every[-50:])
    cache.close()
    assert (tmp_path / FILE_NAME).stat().st_size < 200 * 4096


def test_none_allowed_keeps_none_and_forgets_what_was_kept(open_cache, tmp_path):
    open_cache().put({keys(1)[0]: vector(1)})
    none = open_cache(most=0)
    none.put({keys(1)[0]: vector(1)})
    assert none.get(keys(1)) == {}
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(FILE_NAME)] == []


def test_the_file_tells_nobody_what_was_looked_for(open_cache, tmp_path):
    cache = open_cache()
    cache.put({key("an encoder", "text", b"my secret query"): vector(1)})
    cache.set_encoder_key("a settings_key", "a encoder_key")
    cache.close()
    assert b"secret" not in (tmp_path / FILE_NAME).read_bytes()


@pytest.mark.parametrize("content", [b"no database at all" * 400, b"", b"SQLite format 3\0" + bytes(5000)])
def test_a_damaged_file_is_made_anew(open_cache, tmp_path, content):
    (tmp_path / FILE_NAME).write_bytes(content)
    cache = open_cache()
    assert cache.get(keys(1)) == {}
    cache.put({keys(1)[0]: vector(1)})
    assert list(cache.get(keys(1))) == keys(1)


def test_a_torn_vector_is_none(open_cache, tmp_path):
    cache = open_cache()
    one, other = keys(2)
    cache.put({one: vector(1), other: vector(2)})
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as file, file:
        theirs = file.execute("SELECT sealed FROM vectors WHERE key = ?", (other,)).fetchone()[0]
        file.execute("UPDATE vectors SET sealed = ? WHERE key = ?", (theirs, one))
    assert list(cache.get([one, other])) == [other]


def test_a_file_that_another_process_holds_costs_neither_answer_nor_error(open_cache, tmp_path):
    one, other = keys(2)
    open_cache().put({one: vector(1)})
    cache = open_cache()
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        assert list(cache.get([one])) == [one]  # only that it was used is not noted
        cache.put({other: vector(2)})
        assert cache.get([other]) == {}
        holder.execute("COMMIT")
    cache.put({other: vector(2)})
    assert list(cache.get([other])) == [other]


def test_a_place_that_cannot_be_written_is_an_empty_cache(open_cache, tmp_path):
    (tmp_path / FILE_NAME).mkdir()
    cache = open_cache()
    cache.put({keys(1)[0]: vector(1)})
    cache.set_encoder_key("a settings_key", "a encoder_key")
    assert cache.get(keys(1)) == {}
    assert (tmp_path / FILE_NAME).is_dir()


def test_many_writers_at_once_mix_nothing_up(open_cache):
    every = keys(120)

    def write(mine):
        cache = open_cache()
        for each in mine:
            cache.put({each: vector(every.index(each))})
            cache.get(every)
        cache.close()

    threads = [threading.Thread(target=write, args=(every[number::4],)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = open_cache().get(every)
    assert found
    assert all(kept.tobytes() == vector(every.index(each)).tobytes() for each, kept in found.items())
