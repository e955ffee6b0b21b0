"""Owns a state's text: lines of styled pieces, blank where pictures will be.  Pure; no terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from photomap_cli.browse import key_page, refine
from photomap_cli.browse.captions import Names, caption, fitted
from photomap_cli.browse.facts import fact_lines
from photomap_cli.browse.grid import GAP, LEAST_COLUMNS, LEAST_ROWS, look_layout
from photomap_cli.browse.keys import BINDINGS, NEXT_KEYS
from photomap_cli.browse.state import Focus, Mode
from photomap_cli.browse.update import first_month
from photomap_cli.views.captions import shortened
from photomap_cli.views.formatting import photos
from photomap_cli.views.output import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from photomap_cli.browse.grid import Box
    from photomap_cli.browse.state import State

    Piece = tuple[str, str]
    Line = list[Piece]

PICTURE = "class:picture"
"""The style of cells that belong to pictures; the text leaves them blank."""

_SEPARATOR = " │"
_BAR_LEAST = 24  # cells reserved for the encoder's state before the keys
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class View:
    """Draws states; remembers the names of the last state's photos."""

    def __init__(self) -> None:
        self._names = Names()

    def body(self, state: State) -> list[Line]:
        """Return the lines between the two at the top and the bar."""
        if not state.size.is_enough:
            told = f"needs {LEAST_COLUMNS}x{LEAST_ROWS} cells"
            return [[("", fitted(told, state.size.columns))], *_blank(state, state.size.body_rows - 1)]
        match state.mode:
            case Mode.GRID:
                return self._grid(state)
            case Mode.LOOK:
                return self._look(state)
            case Mode.TIMELINE:
                return _timeline(state)
            case Mode.KEYS:
                return _keys(state)

    def _grid(self, state: State) -> list[Line]:
        shape, visible, names = state.geometry, state.visible, self._names.of(state.hits)
        lines: list[Line] = [] if visible else [[("class:note", fitted(_why_empty(state), state.size.columns))]]
        marks = frozenset(state.marks)
        for start in range(visible.start, visible.stop, shape.columns):
            lines += [_picture_line(state) for _ in range(shape.height)]
            numbers = range(start, min(start + shape.columns, visible.stop))
            lines.append(self._captions(state, numbers, names, marks))
        return lines + _blank(state, state.size.body_rows - len(lines))

    def _captions(self, state: State, numbers: range, names: dict[str, str], marks: frozenset[str]) -> Line:
        width, line = state.geometry.width, []
        for number in numbers:
            hit = state.hits[number]
            told = caption(hit, names[hit.path], width, is_marked=hit.path in marks)
            line += [(_caption_style(state, number, hit.path in marks), told), ("", " " * GAP)]
        return line

    def _look(self, state: State) -> list[Line]:
        layout = look_layout(state.size, state.cell, has_facts=state.has_facts)
        facts = fact_lines(state, layout.facts.columns, layout.facts.rows) if layout.facts else []
        lines = [_beside_facts(state, layout.photo, layout.facts, facts, row) for row in range(layout.photo.rows)]
        lines.append([("class:cursor", fitted(self._line_below(state), state.size.columns))])
        lines += [_picture_line(state) for _ in range(layout.strip[0].rows if layout.strip else 0)]
        return lines + _blank(state, state.size.body_rows - len(lines))

    def _line_below(self, state: State) -> str:
        hit = state.hit
        if hit is None:
            return ""
        mark = "● " if hit.path in state.marks else ""
        score = "" if hit.score is None else f"{hit.score:.3f}  "
        date = printable(hit.taken_at or "")[:16].replace("T", " ")
        told = f" {mark}{state.cursor + 1} of {_count(state)}  {score}"
        room = state.size.columns - cell_len(told) - len(date) - 3
        return f"{told}{shortened(printable(hit.path), max(8, room))}  {date}"


def _count(state: State) -> str:
    return f"{len(state.hits):,}{'' if state.results.is_complete else '+'}"


def info(state: State) -> str:
    """Return the text at the right of the query line: how many photos, and which page."""
    if state.mode is Mode.KEYS and (pages := key_page.page_count(state.size)) > 1:
        return f"keys {state.key_page % pages + 1} of {pages} "
    if not state.hits:
        return "searching… " if state.is_searching else ""
    shape = state.geometry
    rows = -(-len(state.hits) // shape.columns)
    pages, page = -(-rows // shape.rows), -(-state.top // shape.rows) + 1
    more = "" if state.results.is_complete else "+"
    counted = photos(len(state.hits)).replace(" ", f"{more} ", 1)
    turned = (
        f" · page {page} of {max(pages, page)}{more}" if state.size.columns >= 60 and state.mode is Mode.GRID else ""
    )
    return f"{counted}{turned} "


def notice(state: State) -> Line:
    """Return the line below the query: a question or message, else the parts of the query."""
    question, told = state.question, state.notice
    if question and question.choices:
        keys = "  ".join(f"{key} {word}" for key, word in question.choices)
        return [("class:note", f" {printable(question.words)}  {keys}  Esc")]
    if told.text:
        return [("class:error" if told.is_error else "class:note", f" {caret(state)}{printable(told.text)}")]
    if state.anchor is not None:
        return [("class:note", f" {len(state.range)} in the range")]
    return _chips(state)


def caret(state: State) -> str:
    """Return a caret that points at the mistake in the query, right above."""
    position = state.notice.position
    if position is None:
        return ""
    indent = cell_len(printable(state.query[:position]))
    return f"{' ' * indent}^ " if indent < state.size.columns // 2 else "^ "


def _chips(state: State) -> Line:
    """Return the parts of the query if it has several."""
    parts = refine.chips(state.results.query, cwd=state.cwd) if state.results.query else ()
    line: Line = [("", " ")]
    for chip in parts if len(parts) > 1 else ():
        line += [("class:chip.less" if chip.is_negative else "class:chip", f" {printable(chip.text)} "), ("", " ")]
    return line


def hints(state: State, room: int) -> str:
    """Return as many of the keys that work now as fit; the page of keys is always named."""
    last = "" if state.focus is not Focus.PHOTOS or state.mode is Mode.KEYS else " ? keys "
    text = ""
    for label, words in _working(state):
        piece = f" {label} {words} "
        if cell_len(text) + cell_len(piece) + len(last) <= room:
            text += piece
    return text + last if cell_len(text) + len(last) <= room else text


def _working(state: State) -> list[tuple[str, str]]:
    """Return the keys that work now, first those that only this mode has."""
    if state.focus is Focus.QUERY:
        keys = [("⏎", "search"), ("↓", "photos"), ("Tab", "complete")]
        return [*keys, ("Esc", "leave" if state.is_choosing else "photos")]
    if state.focus is not Focus.PHOTOS:
        return [("Esc", "back")]
    chosen = {"q": "choose the marked"} if state.is_choosing and state.marks else {}
    if state.is_choosing and state.mode is Mode.LOOK and not state.marks:
        chosen["⏎"] = "choose this one"
    left_out = {"?", *chosen, *(() if key_page.page_count(state.size) > 1 else (NEXT_KEYS,))}
    here = [each for each in BINDINGS if each.words and state.mode in each.modes and each.label not in left_out]
    if state.mode is not Mode.GRID:
        here.sort(key=lambda binding: (binding.label != "Esc", len(binding.modes)))
    return [*chosen.items(), *((binding.label, binding.words) for binding in here)]


def bar(state: State, status_cells: int) -> tuple[str, str]:
    """Return the rest of the bar after the encoder's state, which takes `status_cells`: the marks, and the keys.

    What doesn't fit is said in fewer words or left out, never cut.
    """
    room = state.size.columns - 1 - status_cells
    count = f" │ ● {len(state.marks):,}" if state.marks else ""
    marks = next((words for words in (f"{count} marked", count) if count and cell_len(words) <= room), "")
    keys = hints(state, max(0, room - cell_len(marks) - len(_SEPARATOR)))
    return marks, f"{_SEPARATOR}{keys}" if keys else ""


def status_room(state: State) -> int:
    """Return how many cells of the bar the encoder's state may take."""
    return min(state.size.columns, max(_BAR_LEAST, state.size.columns * 4 // 10))


def _why_empty(state: State) -> str:
    if state.is_searching:
        return " searching…"
    if state.results.query:
        return " nothing found"
    return " no photos yet" if state.results.generation else ""


def _caption_style(state: State, number: int, is_marked: bool) -> str:
    if number == state.cursor:
        return "class:cursor" if state.focus is not Focus.QUERY else "class:cursor.away"
    if number in state.range:
        return "class:range"
    return "class:marked" if is_marked else "class:caption"


def _picture_line(state: State) -> Line:
    return [(PICTURE, " " * state.size.columns)]


def _blank(state: State, count: int) -> list[Line]:
    return [[("", " " * state.size.columns)] for _ in range(count)]


def _beside_facts(state: State, photo: Box, facts: Box | None, told: Sequence[Piece], row: int) -> Line:
    """Return one row of a photo with a row of facts beside it, or instead of it."""
    if facts is None:
        return _picture_line(state)
    style, text = told[row] if row < len(told) else ("", "")
    piece = (style, fitted(text, facts.columns))
    return [piece] if facts == photo else [(PICTURE, " " * photo.columns), ("", " " * GAP), piece]


def _timeline(state: State) -> list[Line]:
    columns, rows = state.size.columns, state.size.body_rows
    if not state.months:
        return [[("class:note", fitted(" counting…", columns))], *_blank(state, rows - 1)]
    first = first_month(state)
    most = max(month.count for month in state.months)
    lines: list[Line] = []
    for number, month in enumerate(state.months[first : first + rows], first):
        name = f"{_MONTHS[int(month.name[5:7]) - 1]} {month.name[:4]}" if month.name else "no date"
        told = f" {name:<8} {month.count:>7,} "
        length = max(1, round((columns - len(told) - 1) * month.count / most))
        style = "class:cursor" if number == state.month else ""
        lines.append([(style, told), ("class:month", fitted("█" * length, columns - len(told)))])
    return lines + _blank(state, rows - len(lines))


def _keys(state: State) -> list[Line]:
    lines: list[Line] = [
        [("", fitted(line, state.size.columns))] for line in key_page.lines(state.size, state.key_page)
    ]
    return lines + _blank(state, state.size.body_rows - len(lines))
