"""Owns the bottom bar for prompt_toolkit: turns a status into fragments, cached, and never fails."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.text import Text

from photomap_cli.errors import SessionGone
from photomap_cli.views.console import make_console
from photomap_cli.views.errors import error_line
from photomap_cli.views.status_line import bar, short_state

if TYPE_CHECKING:
    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from rich.style import Style

    from photomap_cli.records import SessionStatus
    from photomap_cli.repl.connection import Connection
    from photomap_cli.views.status_line import Scope

OPENING = "◌ opening the library…"
LOST = "○ session ended │ the next search opens a new one"


class Toolbar:
    """Reads only the backend's status; called on every repaint, on the prompt's thread."""

    def __init__(
        self,
        connection: Connection,
        *,
        width: Callable[[], int],
        scope: Callable[[], Scope | None] = lambda: None,
        extras: Callable[[], Sequence[str]] = tuple,
        has_colour: bool = True,
    ) -> None:
        self._connection, self._width = connection, width
        self._scope, self._extras = scope, extras
        self._has_colour, self._console = has_colour, make_console(file=io.StringIO(), width=1)
        self._key: object = None
        self._fragments: StyleAndTextTuples = []

    def __call__(self) -> StyleAndTextTuples:
        """Return the bar; an error becomes its text."""
        try:
            return self._drawn()
        except SessionGone:
            return self._plain(LOST, "ansiyellow" if self._has_colour else "")
        except Exception as error:
            return self._plain(f"✗ {error_line(error)}")

    def _plain(self, words: str, style: str = "") -> StyleAndTextTuples:
        return [(style, _cut(f" {words}", self._width()))]

    def short(self) -> str:
        """Return the state in one word, for a terminal without a bar."""
        try:
            backend = self._connection.current
            return short_state(backend.status()) if backend is not None else "OPENING"
        except SessionGone:
            return "LOST"
        except Exception:
            return "?"

    def _drawn(self) -> StyleAndTextTuples:
        width, backend = self._width(), self._connection.current
        status = _by_the_second(backend.status()) if backend is not None else None
        scope, extras = self._scope(), tuple(self._extras())
        key = (status, width, scope, extras, self._connection.trouble)
        if key != self._key:
            text = bar(status, width=width, scope=scope, extras=extras) if status else self._without_backend(width)
            self._key, self._fragments = key, self._converted(text)
        return self._fragments

    def _without_backend(self, width: int) -> Text:
        trouble = self._connection.trouble
        text = Text(f" ✗ {error_line(trouble)}", "red") if trouble else Text(f" {OPENING}", "yellow")
        text.truncate(max(1, width - 1), overflow="ellipsis")
        return text

    def _converted(self, text: Text) -> StyleAndTextTuples:
        return [(self._style(each.style), each.text) for each in text.render(self._console)]

    def _style(self, style: Style | None) -> str:
        """Return one of Rich's styles as prompt_toolkit writes it."""
        if style is None:
            return ""
        name = style.color.name.replace("_", "") if style.color and self._has_colour else ""
        colour = "ansigray" if name == "white" else name and f"ansi{name}"
        return f"{colour} {'bold' if style.bold else ''}".strip()


def _cut(text: str, width: int) -> str:
    return text if len(text) < width else f"{text[: max(0, width - 2)]}…"


def _by_the_second(status: SessionStatus) -> SessionStatus:
    """Return the status with whole seconds, so that it changes, and is redrawn, at most once a second."""
    return replace(
        status,
        idle_seconds=None,
        offload_in_seconds=_whole(status.offload_in_seconds),
        release_in_seconds=_whole(status.release_in_seconds),
    )


def _whole(seconds: float | None) -> float | None:
    return None if seconds is None else float(math.ceil(seconds))
