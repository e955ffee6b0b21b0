"""Owns what Tab and the up arrow do while completions load or are shown, where prompt_toolkit does otherwise."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from prompt_toolkit.application.current import get_app
from prompt_toolkit.filters import Condition

if TYPE_CHECKING:
    from prompt_toolkit.buffer import Buffer
    from prompt_toolkit.document import Document
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent


class TabsKept:
    """A buffer's search for completions that doesn't lose a Tab pressed meanwhile.

    prompt_toolkit drops it: typing `./My pho` Tab without a pause would show a menu and complete nothing.
    """

    def __init__(self, buffer: Buffer) -> None:
        self._buffer, self._look = buffer, buffer._async_completer
        self._is_looking = False
        self._waiting: Document | None = None

    async def __call__(self, **wanted: bool) -> None:
        """Look for completions; for Tab, insert the part they have in common."""
        if self._is_looking:
            self._waiting = self._buffer.document if wanted.get("insert_common_part") else self._waiting
            return
        self._is_looking = True
        try:
            await self._look(**wanted)
            while self._waiting is not None and self._waiting == self._buffer.document:
                self._waiting = self._buffer.complete_state = None
                await self._look(insert_common_part=True)
        finally:
            self._is_looking, self._waiting = False, None


def keep_tabs(buffer: Buffer) -> None:
    """Make a Tab count that comes while completions are looked for."""
    look: Callable[..., Coroutine[Any, Any, None]] = TabsKept(buffer).__call__
    buffer._async_completer = look


def add_up(bindings: KeyBindings) -> None:
    """Let the up arrow reach earlier lines despite a menu that wasn't entered by Tab or the down arrow."""

    @bindings.add("up", filter=Condition(_has_menu_unentered))
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.cancel_completion()
        event.current_buffer.auto_up(count=event.arg)


def _has_menu_unentered() -> bool:
    state = get_app().current_buffer.complete_state
    return state is not None and state.complete_index is None
