"""Owns past lines: the private file that keeps them, and which of them the arrows bring back."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_toolkit.history import FileHistory

from photomap_cli import files

if TYPE_CHECKING:
    from prompt_toolkit.buffer import Buffer


class PrivateHistory(FileHistory):
    """Past lines in a file that only its owner can read; kept in memory alone where the file cannot be used."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._is_kept = False
        with suppress(OSError):
            _make_private(path)
            self._is_kept = True

    def load_history_strings(self) -> Iterable[str]:
        """Return the lines in the file, newest first."""
        try:
            return list(super().load_history_strings()) if self._is_kept else []
        except OSError:
            return []

    @property
    def is_loaded(self) -> bool:
        """Whether the file has been read."""
        return self._loaded

    async def load(self) -> AsyncGenerator[str, None]:
        """Read the file, once; what was read gets to later prompts by `HistoryArrows.fill`."""
        if not self._loaded:
            self._loaded_strings, self._loaded = list(self.load_history_strings()), True
            for line in self.recallable():
                yield line

    def recallable(self) -> list[str]:
        """Return the lines that the prompt can bring back, newest first, each once."""
        return list(dict.fromkeys(self._loaded_strings))

    def store_string(self, string: str) -> None:
        """Append a line to the file."""
        with suppress(OSError, UnicodeError):
            if self._is_kept:
                super().store_string(string)


def _make_private(path: Path) -> None:
    files.make_folder(path.parent)
    os.close(files.descriptor(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, through_link=True))
    path.chmod(files.PRIVATE)


class HistoryArrows:
    """What the arrows bring into a buffer: earlier lines that begin with what the person typed.

    A line that history put there, by an arrow or by Ctrl-R, filters nothing.  One that was changed since is a new line
    if any other begins so; else the way goes on from where it stood.  Downwards it ends at what was typed.
    """

    def __init__(self, buffer: Buffer, history: PrivateHistory) -> None:
        self._buffer, self._history = buffer, history

    def fill(self) -> None:
        """Have earlier lines at hand for keys that were typed ahead; the file is read after the first paint."""
        buffer = self._buffer
        if self._history.is_loaded and len(buffer._working_lines) == 1:
            buffer._working_lines.extendleft(self._history.recallable())
            buffer.go_to_history(self._typed_index)

    def older(self, count: int = 1) -> None:
        """Bring back an earlier line."""
        self._choose_prefix()
        for _ in range(count):
            if not self._go(range(self._buffer.working_index - 1, -1, -1)):
                return

    def newer(self, count: int = 1) -> None:
        """Go back towards what was typed."""
        for _ in range(count):
            if not self._go(range(self._buffer.working_index + 1, self._typed_index + 1)):
                return
            self._buffer.cursor_position = len(self._buffer.text.partition("\n")[0])  # the next rows are on the way

    @property
    def _typed_index(self) -> int:
        return len(self._buffer._working_lines) - 1

    @property
    def _is_under_way(self) -> bool:
        """Whether the line shown is one that the prefix has let through."""
        prefix = self._buffer.history_search_text
        return prefix is not None and self._buffer.text.startswith(prefix)

    def _go(self, indices: range) -> bool:
        """Go to the first of these lines that is another one and is let through; return whether there is any."""
        lines, shown = self._buffer._working_lines, self._buffer.text
        prefix = self._buffer.history_search_text or "" if self._is_under_way else ""
        for index in indices:
            if index == self._typed_index or (lines[index].startswith(prefix) and lines[index] != shown):
                self._buffer.go_to_history(index)
                return True
        return False

    def _choose_prefix(self) -> None:
        """Set what the lines have to begin with; prompt_toolkit forgets it with every change of the line."""
        buffer, prefix = self._buffer, self._buffer.document.text_before_cursor
        steps = self._typed_index - buffer.working_index
        if steps and self._is_under_way:
            return
        earlier = self._history.recallable()
        is_recalled = steps > 0 and earlier[steps - 1] == buffer.text
        if not is_recalled and any(line.startswith(prefix) and line != buffer.text for line in earlier):
            self._make_new(steps, earlier)
            buffer.history_search_text = prefix
        else:
            buffer.history_search_text = "" if steps else prefix

    def _make_new(self, steps: int, earlier: list[str]) -> None:
        """Have a changed earlier line be the one that is typed, and history as it was."""
        if steps:
            buffer, changed = self._buffer, self._buffer.document
            buffer._working_lines[buffer.working_index] = earlier[steps - 1]
            buffer.working_index = self._typed_index
            buffer.document = changed
