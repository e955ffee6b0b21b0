"""Owns looking over a library that many share: server, vectors, search, folders.  Changes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from photomap_cli.errors import LibraryUnreachable, PhotomapError
from photomap_cli.library.paths import shown
from photomap_cli.records import Check, CheckState
from photomap_cli.session.libraries import open_shared

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photomap_cli.library.shared.leftovers import Leftover
    from photomap_cli.library.shared.schema import IndexState
    from photomap_cli.library.shared.store import SharedLibrary
    from photomap_cli.library.store import Searches
    from photomap_cli.settings import Settings

TRIED = ("v2.3.5", "2.3.5", "milvus_lite")
"""The servers that photomap's own tests run against."""

READ_BACK, SEARCHED, HITS = 1000, 64, 10
LENGTH_ERROR = 0.01
GOOD_RECALL = 0.99


def checks(folder: Path, settings: Settings) -> Iterator[Check]:
    """Say how a shared library is; `folder` is this user's own of it.  Reads a thousand vectors, and searches a bit."""
    try:
        with open_shared(folder, settings, create=True) as library:
            yield from _checks(library, settings.shared_probe)
    except PhotomapError as error:
        is_away = isinstance(error, LibraryUnreachable)
        yield Check("library", CheckState.FAULT, error.message, "start its server" if is_away else error.hint)


def _checks(library: SharedLibrary, share: float) -> Iterator[Check]:
    yield _server(library.version, library.user)
    yield from _content(library, share)
    yield from map(_leftover, library.leftovers())


def _content(library: SharedLibrary, share: float) -> Iterator[Check]:
    status = library.facts.status()
    if status.encoder is None:
        yield Check("library", CheckState.ADVICE, f"{status.path} has no photos yet", "photomap index FOLDER")
        return
    yield Check("library", CheckState.OK, f"{status.path}: {status.photos:,} photos, {status.encoder}")
    yield _index(library.index(), share)
    sample = library.searches.sample(READ_BACK)
    yield _vectors(sample, min(READ_BACK, status.photos))
    if len(sample):
        yield _search(library.searches, sample, share)
    for root in sorted({*status.roots, *status.unfinished}):
        yield _root(library, root, is_unfinished=root in status.unfinished)


def _server(version: str, user: str) -> Check:
    who = f"as {user}" if user else "without a password"
    if version.startswith(TRIED):
        return Check("server", CheckState.OK, f"answers, {who}; Milvus {version}")
    told = f"answers, {who}; photomap has not been tried with Milvus {version}"
    return Check("server", CheckState.ADVICE, told, "keep a copy: `photomap copy ADDRESS FOLDER`")


def _index(state: IndexState, share: float) -> Check:
    searched = "all of them searched" if share == 1 else f"{100 * share:g} % of them searched (shared_probe)"
    cells = f"compressed vectors in {state.index.lists:,} cells, {searched}"
    told = cells if state.index.lists else "every vector is compared"
    if not state.waiting:
        return Check("index", CheckState.OK, told)
    hint = "wait for the server to build it; searches are slower until then"
    return Check("index", CheckState.ADVICE, f"{told}; {state.waiting:,} photos are not in it yet", hint)


def _vectors(sample: NDArray[np.float32], wanted: int) -> Check:
    """Say whether stored vectors are still there and what an encoder makes: a server has been seen to lose them."""
    lengths = np.linalg.norm(sample, axis=1)
    good = int(np.count_nonzero(np.abs(lengths - 1) < LENGTH_ERROR))
    if good == wanted:
        return Check("vectors", CheckState.OK, f"{good:,} read back, intact")
    told = f"of {wanted:,} vectors {wanted - good:,} are missing or damaged"
    return Check("vectors", CheckState.FAULT, told, "photomap index --rebuild")


def _search(searches: Searches, sample: NDArray[np.float32], share: float) -> Check:
    """Compare what searches find with what the most thorough ones find, for photos and for what is like no photo."""
    made_up = np.random.default_rng(0).standard_normal((SEARCHED, sample.shape[1])).astype(np.float32)
    queries = np.concatenate([sample[:SEARCHED], made_up / np.linalg.norm(made_up, axis=1, keepdims=True)])
    found = missed = 0
    for query in queries:
        best = set(searches.search(query, HITS, exact=True)[0].tolist())
        missed += len(best - set(searches.search(query, HITS)[0].tolist()))
        found += len(best)
    recall = 1 - missed / max(1, found)
    told = f"{100 * recall:.1f} % of the best photos are found"
    if recall >= GOOD_RECALL:
        return Check("search", CheckState.OK, told)
    hint = "--exact compares more of them" if share == 1 else "photomap config set shared_probe 1"
    return Check("search", CheckState.ADVICE, told, hint)


def _leftover(found: Leftover) -> Check:
    """Say what a collection that no alias means was for; one that is being made right now looks the same."""
    if found.mark:
        told = f"the collection {found.name} was left by an interrupted run"
        return Check("leftovers", CheckState.ADVICE, told, "the next `photomap index` of its owner drops it")
    told = f"the collection {found.name} is a library that no address means"
    return Check("leftovers", CheckState.ADVICE, told, "have its owner name it by an alias, or drop it")


def _root(library: SharedLibrary, root: str, *, is_unfinished: bool) -> Check:
    """Say how many photos a root has, and whether it is here; its files are other computers' to look at, too."""
    subject, told = f"photos in {shown(root)}", f"{library.writes.count_below(root):,} photos"
    if is_unfinished:
        hint = f"photomap index '{root}'"
        return Check(subject, CheckState.ADVICE, f"{told}, the last index run there didn't finish", hint)
    if not os.path.isabs(root):  # noqa: PTH117 - roots are text here
        return Check(subject, CheckState.OK, f"{told}, not on this computer")
    if not os.path.lexists(root):
        return Check(subject, CheckState.ADVICE, f"{told}, and the folder is not there", "mount its disk")
    return Check(subject, CheckState.OK, told)
