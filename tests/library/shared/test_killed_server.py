"""A server that is killed while it is written to, and writers that race: nothing acknowledged is lost."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from library_fakes import new_photo, unit_vectors
from library_places import SHARED, place_of
from torture import kills
from waiting import LONG_SECONDS, in_thread, wait_until

from photomap_cli.errors import LibraryUnreachable
from photomap_cli.library.shared.retry import ANSWERS, WAITING

BATCH = 64


def photo(number):
    """Return a photo whose vector only it has."""
    return new_photo(f"/p/{number // BATCH:05}/{number:07}.jpg", unit_vectors(1, seed=number)[0], mtime_ns=number)


class Writer:
    """Commits batches one after the other, and takes the first photo of every other one out again."""

    def __init__(self, library):
        self._library, self.acknowledged, self.notices = library, 0, []
        self._is_ended = threading.Event()

    def run(self):
        while not self._is_ended.is_set():
            photos = [photo(number) for number in self.numbers(self.acknowledged)]
            self._library.writes.commit_batch(photos)
            if self.acknowledged % 2:
                row = self._library.writes.photo_at(photos[0].path).row
                self._library.writes.commit_batch([], [row])
            self.acknowledged += 1

    def end(self):
        self._is_ended.set()

    def told(self):
        """Return what the user has been told."""
        self.notices += self._library.searches.drain_notices()
        return self.notices

    def has_written(self, batches):
        """Wait for so many batches more."""
        before = self.acknowledged
        wait_until(lambda: self.acknowledged >= before + batches, f"{batches} batches after {before}")

    @staticmethod
    def numbers(batch):
        return range(batch * BATCH, (batch + 1) * BATCH)

    def expected(self):
        """Return the photos that have to be there."""
        taken_out = {self.numbers(batch)[0] for batch in range(1, self.acknowledged, 2)}
        return [photo(number) for number in range(self.acknowledged * BATCH) if number not in taken_out]


@pytest.mark.milvus
def test_what_was_acknowledged_outlives_kills_of_the_server(milvus, request, tmp_path):
    place = place_of("milvus", request, tmp_path / "library")
    with place.begun() as library, place.opened() as searching:
        writer = Writer(library)
        thread = in_thread(writer.run)
        for kill in range(kills(1, 5)):
            writer.has_written(10)
            searching.searches.search(photo(7).vector, 1)
            milvus.kill()
            with pytest.raises(LibraryUnreachable, match="does not answer"):
                searching.searches.search(photo(7).vector, 1)
            wait_until(lambda kill=kill: writer.told().count(WAITING) > kill, "what the writer is told")
            milvus.start()
            writer.has_written(3)
            assert writer.told() == [WAITING, ANSWERS] * (kill + 1)
            rows, _ = searching.searches.search(photo(7).vector, 1)  # in the session that was open all the time
            assert searching.facts.photos(rows)[0].path == photo(7).path
        writer.end()
        thread.join(LONG_SECONDS)
        assert not thread.is_alive()
        assert_there(library, writer.expected())


def assert_there(library, photos):
    """The library has these photos, each once and with its own vector, and no others."""
    rows, by_path = [], {}
    for piece in library.facts.files_in_pieces():
        rows += [file.row for file in piece.values()]
        by_path |= piece
    assert len(rows) == len(set(rows)) == len(by_path) == library.facts.count()
    assert by_path.keys() == {each.path for each in photos}
    vectors = library.facts.vectors(rows)
    wrong = [each.path for each in photos if not np.allclose(vectors[by_path[each.path].row], each.vector, atol=1e-3)]
    assert wrong == []


@pytest.mark.parametrize("kind", SHARED)
def test_of_writers_that_race_the_last_one_stays_whole(kind, request, tmp_path):
    place = place_of(kind, request, tmp_path / "library")
    with place.begun() as library:
        threads = [in_thread(lambda writer=writer: race(place, writer)) for writer in range(4)]
        for thread in threads:
            thread.join(LONG_SECONDS)
        photos = library.facts.photos(library.facts.rows())
        assert sorted(each.path for each in photos) == [f"/p/{number:03}.jpg" for number in range(128)]
        assert {each.camera.partition(" ")[2] for each in photos} == {str(ROUNDS - 1)}
        vectors = library.facts.vectors([each.row for each in photos])
        for each in photos:
            np.testing.assert_allclose(vectors[each.row], raced(*map(int, each.camera.split())), atol=1e-3)


ROUNDS = 8


def race(place, writer):
    """Write the same photos again and again, each time as nobody else does."""
    with place.opened() as library:
        for number in range(ROUNDS):
            vector = raced(writer, number)
            library.writes.commit_batch(
                [new_photo(f"/p/{each:03}.jpg", vector, camera=f"{writer} {number}") for each in range(128)]
            )


def raced(writer, number):
    return unit_vectors(1, seed=1000 * writer + number)[0]
