"""Owns the history: its private file, and which lines the arrow keys bring back."""

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
    """Past lines, in a file that only its owner can read; only in memory if the file can't be used."""

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
        """Read the file once; `HistoryArrows.fill` passes it to later prompts."""
        if not self._loaded:
            self._loaded_strings, self._loaded = list(self.load_history_strings()), True
            for line in self.recallable():
                yield line

    def recallable(self) -> list[str]:
        """Return the distinct lines that the prompt can bring back, newest first."""
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
    """What the arrow keys bring into a buffer: earlier lines that start with what was typed.

    A line that history put there, by an arrow or Ctrl-R, isn't a prefix.  Once changed, it is a new line
    if any other starts with it; else the arrows continue from its place.  Downwards they end at what was typed.
    """

    def __init__(self, buffer: Buffer, history: PrivateHistory) -> None:
        self._buffer, self._history = buffer, history

    def fill(self) -> None:
        """Provide earlier lines for keys that were typed ahead; the file is read after the first paint."""
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
        """Go forward, towards what was typed."""
        for _ in range(count):
            if not self._go(range(self._buffer.working_index + 1, self._typed_index + 1)):
                return
            self._buffer.cursor_position = len(self._buffer.text.partition("\n")[0])  # the next lines are being loaded

    @property
    def _typed_index(self) -> int:
        return len(self._buffer._working_lines) - 1

    @property
    def _is_under_way(self) -> bool:
        """Return whether the line shown came from history and matches the prefix."""
        prefix = self._buffer.history_search_text
        return prefix is not None and self._buffer.text.startswith(prefix)

    def _go(self, indices: range) -> bool:
        """Go to the first of these lines that differs and matches the prefix; return whether there is one."""
        lines, shown = self._buffer._working_lines, self._buffer.text
        prefix = self._buffer.history_search_text or "" if self._is_under_way else ""
        for index in indices:
            if index == self._typed_index or (lines[index].startswith(prefix) and lines[index] != shown):
                self._buffer.go_to_history(index)
                return True
        return False

    def _choose_prefix(self) -> None:
        """Set the prefix that lines must start with; prompt_toolkit forgets it with every change of the line."""
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
        """Make a changed history line the typed line, and leave history as it was."""
        if steps:
            buffer, changed = self._buffer, self._buffer.document
            buffer._working_lines[buffer.working_index] = earlier[steps - 1]
            buffer.working_index = self._typed_index
            buffer.document = changed
