"""Owns what Tab and the up arrow do where completions are looked for or shown, otherwise than prompt_toolkit."""

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
    """A buffer's looking for completions, in which a Tab counts that comes while it is under way.

    prompt_toolkit drops it: whoever types `./My pho` Tab without a pause would get a menu, and nothing completed.
    """

    def __init__(self, buffer: Buffer) -> None:
        self._buffer, self._look = buffer, buffer._async_completer
        self._is_looking = False
        self._waiting: Document | None = None

    async def __call__(self, **wanted: bool) -> None:
        """Look for completions; Tab's call wants the part that they have in common."""
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
    """Have a Tab count that comes while completions are looked for."""
    look: Callable[..., Coroutine[Any, Any, None]] = TabsKept(buffer).__call__
    buffer._async_completer = look


def add_up(bindings: KeyBindings) -> None:
    """Have the up arrow go to earlier lines past a menu that nobody has entered by Tab or the down arrow."""

    @bindings.add("up", filter=Condition(_has_menu_unentered))
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.cancel_completion()
        event.current_buffer.auto_up(count=event.arg)


def _has_menu_unentered() -> bool:
    state = get_app().current_buffer.complete_state
    return state is not None and state.complete_index is None
