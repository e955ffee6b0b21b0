"""Owns the PromptSession: keys, colours, history, and terminals that don't answer queries.  Knows no backend."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.cursor_shapes import ModalCursorShapeConfig
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.filters import Condition
from prompt_toolkit.input.typeahead import store_typeahead
from prompt_toolkit.input.vt100 import Vt100Input
from prompt_toolkit.input.vt100_parser import Vt100Parser
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.output.color_depth import ColorDepth
from prompt_toolkit.renderer import CPR_Support
from prompt_toolkit.search import stop_search
from prompt_toolkit.styles import Style

from photomap_cli.repl.completion.completer import is_worth_a_menu
from photomap_cli.repl.history import HistoryArrows
from photomap_cli.repl.invisible_characters import UnseenAsEscapes
from photomap_cli.repl.menu import add_up, keep_tabs
from photomap_cli.repl.reply_filter import ReplyFilter
from photomap_cli.views.palette import ACCENT, NOTE

if TYPE_CHECKING:
    from prompt_toolkit.completion import Completer
    from prompt_toolkit.key_binding.key_processor import KeyPress, KeyPressEvent

    from photomap_cli.repl.history import PrivateHistory
    from photomap_cli.repl.toolbar import Toolbar

REFRESH_SECONDS = 0.5  # without it the countdown stands still; an idle prompt costs under 1 % of a core
CPR_SECONDS = 1  # how long the terminal may take to report the cursor's position
MENU_LINES = 6

_STYLE = Style.from_dict(
    {
        "prompt": f"bold {ACCENT}",
        "prompt.state": NOTE,
        "bottom-toolbar": "noreverse bg:#262626 #d0d0d0",
    }
)
_STYLE_WITHOUT_COLOUR = Style.from_dict({"prompt": "bold", "bottom-toolbar": "noreverse"})


def make_prompt(
    *,
    toolbar: Toolbar,
    completer: Completer,
    history: PrivateHistory,
    has_colour: bool,
    on_text: Callable[[str], None],
    on_suspend: Callable[[], object] = lambda: None,
) -> PromptSession[str]:
    """Return the session; `on_text` is called with every change of the line, `on_suspend` for Ctrl-Z."""
    prompt: PromptSession[str] = PromptSession(
        history=history,
        auto_suggest=AutoSuggestFromHistory(),
        completer=completer,
        complete_in_thread=True,
        bottom_toolbar=toolbar,
        refresh_interval=REFRESH_SECONDS,
        style=_STYLE if has_colour else _STYLE_WITHOUT_COLOUR,
        color_depth=_color_depth() if has_colour else ColorDepth.DEPTH_1_BIT,
        search_ignore_case=True,
        reserve_space_for_menu=MENU_LINES,
        key_bindings=_signals(on_suspend),
        input_processors=[UnseenAsEscapes()],
    )
    offers_menu = Condition(lambda: is_worth_a_menu(prompt.default_buffer.document.text_before_cursor))
    prompt.complete_while_typing = offers_menu
    # prompt_toolkit's own prefix search turns that off, and a line it brings back becomes the next prefix.
    arrows = HistoryArrows(prompt.default_buffer, history)
    prompt.default_buffer.history_backward = arrows.older  # type: ignore[method-assign]
    prompt.default_buffer.history_forward = arrows.newer  # type: ignore[method-assign]
    keep_tabs(prompt.default_buffer)
    prompt.app.on_reset += lambda app: arrows.fill()
    prompt.default_buffer.on_text_changed += lambda buffer: on_text(buffer.text)
    prompt.app.renderer.CPR_TIMEOUT = CPR_SECONDS
    prompt.app.renderer.cpr_not_supported_callback = None  # the prompt has its own message for it
    return prompt


def _signals(on_suspend: Callable[[], object]) -> KeyBindings:
    """Return bindings for Ctrl-Z, and for Ctrl-C as in prompt_toolkit except in two cases.

    It is ignored once the line has ended, where it would print a traceback.  And it ends a Ctrl-R search too: the
    next prompt's keys would still go there.
    """
    bindings = KeyBindings()

    @bindings.add("c-c")
    @bindings.add("<sigint>")
    def _(event: KeyPressEvent) -> None:
        stop_search()
        ending = event.app.future
        if ending is not None and not ending.done():
            event.app.exit(exception=KeyboardInterrupt(), style="class:aborting")

    @bindings.add("c-z")
    def _(event: KeyPressEvent) -> None:
        on_suspend()

    add_up(bindings)
    return bindings


def forget_keys_under_way(prompt: PromptSession[str]) -> None:
    """Stop waiting for the rest of an escape sequence: its event loop may have ended, and the next key would fail."""
    prompt.app.key_processor._flush_wait_task = None


def drop_late_answers(prompt: PromptSession[str]) -> None:
    """Keep the terminal's late answers to queries out of the line."""
    if isinstance(prompt.input, Vt100Input):
        prompt.input.vt100_parser = cast("Vt100Parser", ReplyFilter(prompt.input.vt100_parser))


def type_ahead(prompt: PromptSession[str], keys: bytes) -> None:
    """Start the next prompt with keys that were read elsewhere."""
    presses: list[KeyPress] = []
    parser = Vt100Parser(presses.append)
    parser.feed(keys.decode("utf-8", "surrogateescape"))
    parser.flush()
    store_typeahead(prompt.input, presses)


def use_keys(prompt: PromptSession[str], keys: str) -> None:
    """Use "emacs" or "vi" keys; with vi the cursor's shape shows the mode."""
    is_vi = keys == "vi"
    prompt.editing_mode = EditingMode.VI if is_vi else EditingMode.EMACS
    prompt.cursor = ModalCursorShapeConfig() if is_vi else None


def _color_depth() -> ColorDepth | None:
    return ColorDepth.DEPTH_24_BIT if os.environ.get("COLORTERM") in ("truecolor", "24bit") else None


def has_bar(prompt: PromptSession[str]) -> bool:
    """Return whether the bar is or may still be drawn: not if the terminal failed to report the cursor's position."""
    renderer = prompt.app.renderer
    return renderer.height_is_known or renderer.cpr_support is not CPR_Support.NOT_SUPPORTED
