"""Owns rebuilding a shared library: in a draft next to it, which takes over its address in one step when complete.

Each computer encodes the library's folders that it has; the last one to finish puts the draft in place.  No computer
removes what another one may still be working on.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from photomap_cli import directories
from photomap_cli.errors import BadPath, EncoderMismatch
from photomap_cli.indexing.reindex import Unfinished, require_in_sight, require_photos
from photomap_cli.library.shared import address as addresses

if TYPE_CHECKING:
    from photomap_cli.library.shared.facts import SharedFacts
    from photomap_cli.library.shared.store import SharedLibrary


def draft_of(folder: Path) -> Path:
    """Return the folder of a shared library's draft."""
    address = addresses.parse(directories.library_name(folder))
    return directories.address_folder(str(address.rebuild))


def unfinished(folder: Path, open_at: Callable[[Path], SharedLibrary]) -> Unfinished | None:
    """Return the unfinished rebuild of a shared library, whichever computer began it; None if there is none."""
    with open_at(draft_of(folder)) as draft:
        made_with, photos, library_id = draft.facts.encoder, draft.facts.photo_count, draft.facts.library_id
    if made_with and photos and not _is_at(folder, library_id, open_at):
        return Unfinished(made_with.spec, photos)
    shutil.rmtree(draft_of(folder), ignore_errors=True)  # opening it created the folder
    return None


def _is_at(folder: Path, library_id: str, open_at: Callable[[Path], SharedLibrary]) -> bool:
    with open_at(folder) as library:
        return library.facts.library_id == library_id


class SharedReindex:
    """A rebuild of a shared library, with the methods of `Reindex`; a context manager.

    Args:
        folder: the library's.
        open_at: opens a shared library by its folder; it needn't exist yet.
    """

    has_other_format = False

    def __init__(self, folder: Path, open_at: Callable[[Path], SharedLibrary]) -> None:
        self._folder, self._open_at = folder, open_at
        self._address, self.draft = addresses.parse(directories.library_name(folder)), draft_of(folder)
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        self._library = self._opened.enter_context(self._open_at(self._folder))
        return self

    def __exit__(self, *_exc: object) -> None:
        self._opened.close()

    @property
    def spec(self) -> str | None:
        """The spec of the encoder that made the library's vectors; None if there are none."""
        made_with = self._library.facts.encoder
        return made_with.spec if made_with else None

    def roots(self, more: Sequence[Path] = ()) -> list[Path]:
        """Return what to encode here: the library's roots that this computer has, and `more`.

        Raises BadPath if the library has roots, but none that this computer has.
        """
        roots = self._library.facts.roots()
        there = [*(Path(root) for root in _here(roots) if os.path.lexists(root)), *more]
        if not there and roots:
            hint = f"[roots] in {directories.config_file()} says where they are"
            raise BadPath(f"not on this computer: {', '.join(roots)}", hint=hint)
        return there

    def goes_on(self, spec: str) -> bool:
        """Return whether there is an unfinished draft by this encoder."""
        with self._open_at(self.draft) as draft:
            made_with = draft.facts.encoder
            return made_with is not None and made_with.spec == spec and not self._is_in_place(draft)

    def begin(self, spec: str) -> None:
        """Remove a draft of another encoder, if it is empty and nobody is filling it.

        Raises EncoderMismatch if it isn't.
        """
        with self._open_at(self.draft) as draft:
            if self._is_in_place(draft):
                draft.unname()
            made_with = draft.facts.encoder
            if made_with is None or made_with.spec == spec:
                return
            if not draft.facts.photo_count and not draft.writes.runs.unfinished():
                draft.start_over()
            else:
                raise EncoderMismatch(
                    f"{self._address} is being encoded again with {made_with.spec}, maybe by another computer",
                    hint=f"`photomap index --rebuild --encoder {made_with.spec}` goes on with that",
                )

    def finish(self, *, prune: bool = False) -> str:
        """Move the draft to the library's address in one step, or return what other computers have to do first.

        With `prune`, missing photos are dropped, including those that other computers haven't encoded.

        Raises:
            BadPath: photos seem to be on an unmounted disk, or are in a folder that can't be read.
            EmptyLibrary: no photo could be encoded.
        """
        with self._open_at(self.draft) as draft:
            require_photos(draft.facts)
            if not prune:
                roots = self._library.facts.roots()
                require_in_sight(_here(roots), self._gone(draft.facts))
                if left := _left_to_others(roots, draft):
                    names = ", ".join(left)
                    return f"searches still use the old vectors: {names} has to be encoded again where it is, too"
            draft.take_place_of(self._address)
        shutil.rmtree(self.draft, ignore_errors=True)
        return ""

    def _is_in_place(self, draft: SharedLibrary) -> bool:
        """Whether a draft is the library by now, as a run was interrupted when it had put it in place."""
        return draft.facts.encoder is not None and draft.facts.library_id == self._library.facts.library_id

    def _gone(self, draft: SharedFacts) -> list[str]:
        """Return the paths of photos below this computer's roots that aren't in the draft."""
        gone = []
        for piece in self._library.facts.files_in_pieces():
            paths = _here(piece)
            encoded = draft.contents.at(paths)
            gone += [path for path in paths if path not in encoded]
        return gone


def _here(paths: Iterable[str]) -> list[str]:
    """Return the paths that are this computer's; others are stored paths."""
    return [path for path in paths if os.path.isabs(path)]  # noqa: PTH117 - paths are text here


def _left_to_others(roots: Sequence[str], draft: SharedLibrary) -> list[str]:
    """Return the roots that no computer has finished encoding."""
    unfinished, done = draft.writes.runs.unfinished(), draft.facts.roots()
    elsewhere = set(roots).difference(_here(roots), done)
    return sorted({*elsewhere, *unfinished})
