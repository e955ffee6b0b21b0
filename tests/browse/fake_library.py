"""A library for the gallery's tests: a few hundred made-up photos, listed in pages and found by words, at once."""

from __future__ import annotations

import threading
from dataclasses import replace

from terminal_fakes import CPU, FakeBackend, make_hit

from photomap_cli.errors import BadQuery
from photomap_cli.records import SearchResult, TermPart, Timings


class FakeLibrary(FakeBackend):
    """The query decides: `nothing` finds nothing, `bad` is refused at that word, `slow` waits for `answers`.

    Any other text finds as many photos as `found` says, those that a list has last first.
    """

    def __init__(self, *, photos=500, found=40, paths=()):
        super().__init__(status=CPU, photos=photos)
        self.found, self.paths = found, paths
        self.answers = threading.Event()

    def hit(self, number):
        return make_hit(number, self.paths[(number - 1) % len(self.paths)] if self.paths else None)

    def search(self, request):
        self.requests.append(request)
        if "bad" in request.text:
            raise BadQuery("there is no filter bad", hint="filters are in:", position=request.text.index("bad"))
        if "slow" in request.text:
            self.answers.wait()
        return self._ranked(request) if request.text else self._listed(request)

    def _listed(self, request):
        start = int(request.cursor or 0)
        stop = min(self.photos, start + request.limit)
        hits = tuple(
            replace(self.hit(number + 1), rank=number - start + 1, score=None) for number in range(start, stop)
        )
        cursor = str(stop) if stop < self.photos else None
        return _result(request, hits, encoded_by=None, cursor=cursor)

    def _ranked(self, request):
        count = 0 if "nothing" in request.text else min(self.found, request.limit)
        hits = [replace(self.hit(self.photos - rank), rank=rank + 1, score=0.4 - rank / 1000) for rank in range(count)]
        if request.explain:
            hits = [replace(hit, terms=(TermPart(request.text, 1.0, hit.score, hit.score),)) for hit in hits]
        return _result(request, tuple(hits))


def _result(request, hits, **values):
    return SearchResult(request.text, "tiny", 4.0, "local", Timings(), hits, **values)
