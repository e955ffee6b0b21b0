"""Owns the gallery's prompt_toolkit layout: the lines, and what has the focus.  Decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_toolkit.filters import Condition, Filter, has_completions
from prompt_toolkit.formatted_text import fragment_list_width
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import ConditionalContainer, Float, FloatContainer, HSplit, Layout, VSplit, Window
from prompt_toolkit.layout.controls import BufferControl, FormattedTextControl
from prompt_toolkit.layout.menus import CompletionsMenu
from prompt_toolkit.styles import Style

from photomap_cli.browse import events, view
from photomap_cli.browse.body import Body
from photomap_cli.browse.state import Focus
from photomap_cli.repl.invisible_characters import UnseenAsEscapes
from photomap_cli.views.palette import ACCENT, NOTE

if TYPE_CHECKING:
    from collections.abc import Callable

    from prompt_toolkit.buffer import Buffer
    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.key_binding.key_processor import KeyPressEvent

    from photomap_cli.browse.events import Event
    from photomap_cli.browse.state import State
    from photomap_cli.repl.toolbar import Toolbar

    Feed = Callable[[Event], None]

MENU_LINES = 6

# There must be a background: prompt_toolkit takes cells without one for the empty end of a line and erases them.
_PICTURE = "bg:ansidefault"
STYLE = Style.from_dict(
    {
        "picture": _PICTURE,
        "cursor": f"bold reverse {ACCENT}",
        "cursor.away": "reverse",
        "range": "underline",
        "marked": f"bold {ACCENT}",
        "note": NOTE,
        "error": "ansired",
        "chip": f"reverse {ACCENT}",
        "chip.less": f"reverse {NOTE}",
        "fact": "bold",
        "month": ACCENT,
        "info": NOTE,
        "bar": "noreverse bg:#262626 #d0d0d0",
        "bar.marks": f"bold {ACCENT}",
    }
)
STYLE_WITHOUT_COLOUR = Style.from_dict(
    {
        "picture": _PICTURE,
        "cursor": "bold reverse",
        "cursor.away": "reverse",
        "range": "underline",
        "marked": "bold",
        "chip": "reverse",
        "chip.less": "underline",
        "fact": "bold",
    }
)

_SPECIAL = {
    "up": "up",
    "down": "down",
    "left": "left",
    "right": "right",
    "home": "home",
    "end": "end",
    "pageup": "pageup",
    "pagedown": "pagedown",
    "enter": "enter",
    "tab": "tab",
    " ": "space",
    "c-b": "c-b",
    "c-f": "c-f",
}
"""Keys that mean something to the photos, as prompt_toolkit calls them, and as `Pressed` does."""

_ALWAYS = ("c-c", "c-l", "c-z")


class Screen:
    """The layout and the keys over one state.

    Args:
        state: returns the current state.
        feed: takes events.
        query, answer: the lines that are typed.
        toolbar: the state of the encoder, as the prompt has it; None for none.
    """

    def __init__(
        self, state: Callable[[], State], feed: Feed, *, query: Buffer, answer: Buffer, toolbar: Toolbar | None
    ) -> None:
        self._state, self._feed, self._toolbar = state, feed, toolbar
        self._query = Window(
            BufferControl(query, input_processors=[UnseenAsEscapes()]), height=1, width=lambda: self._widths()[0]
        )
        self._answer = Window(BufferControl(answer, input_processors=[UnseenAsEscapes()]), height=1)
        self._body = Body(state, feed, lambda: self.has_menu)
        self.complete = self._body.complete
        self.layout = Layout(self._container(), focused_element=self._query)

    def _container(self) -> FloatContainer:
        asks = Condition(lambda: self._state().focus is Focus.QUESTION)
        top = VSplit(
            [Window(width=1), self._query, _line(self._info, is_wide=False, width=lambda: self._widths()[1])], height=1
        )
        asked = VSplit([_line(self._asked, is_wide=False), self._answer], height=1)
        below = HSplit(
            [
                ConditionalContainer(asked, asks),
                ConditionalContainer(_line(lambda: [*view.notice(self._state())]), ~asks),
            ]
        )
        menu = Float(xcursor=True, ycursor=True, content=CompletionsMenu(max_height=MENU_LINES, scroll_offset=1))
        return FloatContainer(HSplit([top, below, self._body, _line(self._bar, style="class:bar")]), [menu])

    def follow(self) -> None:
        """Move the focus to where the state says."""
        windows = {Focus.QUERY: self._query, Focus.QUESTION: self._answer}
        self.layout.focus(windows.get(self._state().focus, self._body))

    def _info(self) -> StyleAndTextTuples:
        return [("class:info", f" {view.info(self._state())}")]

    def _widths(self) -> tuple[int | None, int | None]:
        """Return the widths of the query and of what is beside it, which prompt_toolkit would search for cell by cell.

        Where there isn't room for both, it has to.
        """
        size, beside = self._state().size, fragment_list_width(self._info())
        return (size.columns - 1 - beside, beside) if size.is_enough and beside < size.columns // 2 else (None, None)

    def _asked(self) -> StyleAndTextTuples:
        question = self._state().question
        return [("class:note", f" {question.words}" if question else "")]

    def _bar(self) -> StyleAndTextTuples:
        state = self._state()
        status = self._toolbar() if self._toolbar is not None else []
        marks, keys = view.bar(state, fragment_list_width(status))
        return [*status, ("class:bar.marks", marks), ("", keys)]

    # -- keys ----------------------------------------------------------------------------------------------------------

    def keys(self) -> KeyBindings:
        """Return the key bindings: keys become events for the state, except those that edit a line."""
        bindings = KeyBindings()
        in_query = Condition(lambda: self._state().focus is Focus.QUERY)
        in_answer = Condition(lambda: self._state().focus is Focus.QUESTION)
        in_photos = ~in_query & ~in_answer
        self._add_photo_keys(bindings, in_photos)
        self._add_query_keys(bindings, in_query)
        self._add_answer_keys(bindings, in_answer)
        for key in _ALWAYS:
            bindings.add(key, eager=True)(lambda event, key=key: self._feed(events.Pressed(key)))
        bindings.add("<sigint>")(lambda event: self._feed(events.Pressed("c-c")))
        return bindings

    def _add_photo_keys(self, bindings: KeyBindings, in_photos: Filter) -> None:
        for key, name in _SPECIAL.items():
            bindings.add(key, filter=in_photos)(lambda event, name=name: self._feed(events.Pressed(name)))
        bindings.add("escape", filter=in_photos, eager=True)(lambda event: self._feed(events.Pressed("escape")))

        @bindings.add(Keys.Any, filter=in_photos)
        def _(event: KeyPressEvent) -> None:
            if len(event.data) == 1 and event.data.isprintable():
                self._feed(events.Pressed(event.data))

    def _add_query_keys(self, bindings: KeyBindings, in_query: Condition) -> None:
        @bindings.add("enter", filter=in_query)
        def _(event: KeyPressEvent) -> None:
            event.current_buffer.cancel_completion()
            self._feed(events.Submitted(event.current_buffer.text))

        @bindings.add("escape", filter=in_query)
        def _(event: KeyPressEvent) -> None:
            if event.current_buffer.complete_state:
                event.current_buffer.cancel_completion()
            else:
                self._feed(events.Pressed("escape"))

        @bindings.add("down", filter=in_query & ~has_completions)
        def _(event: KeyPressEvent) -> None:
            before = event.current_buffer.text
            event.current_buffer.history_forward()
            if event.current_buffer.text == before:
                self._feed(events.Pressed("down"))

        for key in ("pageup", "pagedown"):
            bindings.add(key, filter=in_query)(lambda event, key=key: self._feed(events.Pressed(key)))
        is_empty = Condition(lambda: not self._state().query)
        bindings.add("tab", filter=in_query & is_empty)(lambda event: self._feed(events.Pressed("tab")))
        bindings.add("c-d", filter=in_query & is_empty)(lambda event: self._feed(events.Pressed("escape")))

    def _add_answer_keys(self, bindings: KeyBindings, in_answer: Condition) -> None:
        @bindings.add("enter", filter=in_answer)
        def _(event: KeyPressEvent) -> None:
            text = event.current_buffer.text
            event.current_buffer.reset()
            self._feed(events.AnswerGiven(text))

        @bindings.add("escape", filter=in_answer)
        def _(event: KeyPressEvent) -> None:
            event.current_buffer.reset()
            self._feed(events.Pressed("escape"))

    # -- the pictures' cells -------------------------------------------------------------------------------------------

    @property
    def has_menu(self) -> bool:
        """Whether completions lie on the photos."""
        return self.layout.current_buffer is not None and self.layout.current_buffer.complete_state is not None


def _line(
    text: Callable[[], StyleAndTextTuples],
    *,
    style: str = "",
    is_wide: bool = True,
    width: Callable[[], int | None] | None = None,
) -> Window:
    return Window(FormattedTextControl(text), height=1, width=width, style=style, dont_extend_width=not is_wide)
