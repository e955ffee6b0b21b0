"""Owns showing a SessionStatus on one line: the bottom bar and the plain line.  Knows no prompt_toolkit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from photomap_cli.errors import EncoderOutOfMemory
from photomap_cli.records import ResidencyState
from photomap_cli.views.formatting import clock, duration, human_bytes, photos
from photomap_cli.views.output import printable

if TYPE_CHECKING:
    from photomap_cli.records import SessionStatus

GRAPH_CELLS = 10
GRAPH_MIN_WIDTH = 90  # below this the ten cells of the graph cost the photo count
DEVICE_NAME_MIN_WIDTH = 110
WORDS_MIN_WIDTH = 60
ERROR_CELLS, ERROR_MIN_CELLS = 44, 10
_URGENT_SECONDS = 5
_SEPARATOR = " │ "


@dataclass(frozen=True, slots=True)
class Place:
    """Where the encoder is, as it is drawn: shape, words and colour, each of which is enough.

    Attributes:
        symbol: one cell.
        words: what the bar says where there is room.
        style: a colour, as Rich names it.
        shorter: the same in fewer and fewer words, for a narrow bar.
    """

    symbol: str
    words: str
    style: str
    shorter: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.symbol} {self.words}"


_MOVING = {
    ResidencyState.LOADING: Place("◌", "loading…", "yellow"),
    ResidencyState.RELOADING: Place("◑", "RAM → VRAM…", "yellow"),
    ResidencyState.OFFLOADING: Place("◑", "VRAM → RAM…", "yellow"),
    ResidencyState.RELEASING: Place("◌", "RAM → OFF…", "yellow"),
}


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a search looks.

    Attributes:
        words: as the bar shows it: `in: Norway`.
        photos: how many photos are there; None while that isn't known.
    """

    words: str
    photos: int | None = None


def place(status: SessionStatus) -> Place:
    """Return where the encoder is."""
    if status.state is ResidencyState.LOADING and status.download:
        return Place("◌", f"downloading {_of_total(status.download)}", "yellow", (_percent(status.download),))
    if status.text_state is ResidencyState.RAM and status.image_state is not ResidencyState.RAM:
        return _place_of_two(status)
    if status.state in _MOVING:
        return _MOVING[status.state]
    if status.state is ResidencyState.VRAM:
        return Place("●", f"VRAM {human_bytes(status.vram_weight_bytes)}", "green")
    if status.state is ResidencyState.OFF:
        return Place("✗", "OFF", "red") if status.last_error else Place("○", "OFF", "white")
    if status.can_offload:
        return Place("◐", f"RAM {human_bytes(status.vram_weight_bytes)} VRAM", "cyan")
    return Place("●", f"RAM {human_bytes(status.ram_bytes)} {printable(status.device)}", "green")


def _place_of_two(status: SessionStatus) -> Place:
    """Return where the two towers are while words are encoded from mapped weights and pictures can't be yet."""
    words = f"text RAM {human_bytes(status.ram_bytes)}, image"
    if moving := _MOVING.get(status.image_state or ResidencyState.OFF):
        return Place(moving.symbol, f"{words} {moving.words}", moving.style, (f"image {moving.words}", "text RAM"))
    image = (status.image_state or ResidencyState.OFF).value
    return Place("●", f"{words} {image}", "green", (f"text RAM, image {image}", "text RAM"))


def _of_total(download: tuple[int, int]) -> str:
    done, total = download
    return f"{human_bytes(done)} of {human_bytes(total)}" if total > 0 else human_bytes(done)


def _percent(download: tuple[int, int]) -> str:
    done, total = download
    return f"downloading {done * 100 // total} %" if total > 0 else "downloading"


def short_state(status: SessionStatus) -> str:
    """Return a word for a prompt without a bar: `VRAM`, `RAM`, `OFF`, `LOADING`..."""
    return status.state.value


def next_step(status: SessionStatus) -> str:
    """Return what happens to the encoder next, in the user's words."""
    match status.state:
        case ResidencyState.LOADING:
            return f"downloading {_of_total(status.download)}" if status.download else "loading"
        case ResidencyState.RELOADING:
            return "on its way into VRAM"
        case ResidencyState.OFFLOADING:
            return "offloading now"
        case ResidencyState.RELEASING:
            return "releasing now"
        case ResidencyState.OFF:
            return "loads with the next search"
        case ResidencyState.VRAM:
            return _next_in_vram(status)
        case ResidencyState.RAM:
            return _next_in_ram(status)


def _next_in_vram(status: SessionStatus) -> str:
    if status.idle_timeout_seconds <= 0:
        return "never offloads"
    if status.offload_in_seconds is None:
        return f"in use; offloads {duration(status.idle_timeout_seconds)} after the last search"
    return f"offloads in {duration(status.offload_in_seconds)}"


def _next_in_ram(status: SessionStatus) -> str:
    now = _offloaded(status) if status.can_offload else nothing_to_offload(status)
    if status.release_timeout_seconds <= 0:
        return f"{now}; never released" if status.can_offload else now
    if status.release_in_seconds is None:
        return now
    return f"{now}; released in {duration(status.release_in_seconds)}"


def _offloaded(status: SessionStatus) -> str:
    ago = status.offloaded_seconds_ago
    return "not in VRAM" if ago is None else f"offloaded {duration(ago)} ago"


def nothing_to_offload(status: SessionStatus) -> str:
    """Return why there is nothing to offload, if the device has no memory of its own."""
    return f"nothing to offload: {'CPU' if status.device == 'cpu' else 'unified memory'}"


def memory(status: SessionStatus) -> str:
    """Return what the encoder holds: `352 MB VRAM + 352 MB RAM`; with the context if the driver tells it."""
    ram = f"{human_bytes(status.ram_bytes)} RAM{' (pinned)' if status.pinned else ''}"
    if not status.can_offload:
        return ram
    process = status.vram_process_bytes
    context = f" ({human_bytes(process)} with context)" if process is not None else ""
    return f"{human_bytes(status.vram_weight_bytes)} VRAM{context} + {ram}"


def moves(status: SessionStatus) -> str:
    """Return the moves so far and how long the last took, or an empty string."""
    parts = (
        _moved("reloads", status.reloads, status.last_reload_ms),
        _moved("offloads", status.offloads, status.last_offload_ms),
        f"answers on the CPU: {status.cpu_fallbacks}" if status.cpu_fallbacks else "",
        f"tensors moved one by one: {status.loose_tensors}" if status.loose_tensors else "",
    )
    return ", ".join(part for part in parts if part)


def _moved(what: str, times: int, last_ms: float | None) -> str:
    last = "" if last_ms is None else f" (last {last_ms:.1f} ms)"
    return f"{what}: {times}{last}" if times else ""


def error_in_short(status: SessionStatus) -> str:
    """Return the last error in a few words, or an empty string."""
    if not status.last_error:
        return ""
    if status.last_error.code == EncoderOutOfMemory.code:
        return "card full: answered from RAM"
    first = printable(status.last_error.message.strip().splitlines()[0])
    return first if len(first) <= ERROR_CELLS else f"{first[: ERROR_CELLS - 1]}…"


def plain_line(status: SessionStatus) -> str:
    """Return the whole status as one line without colours, for `:status` and terminals without a bar."""
    parts = (
        str(place(status)),
        "busy" if status.busy else "",
        memory(status),
        next_step(status),
        moves(status),
        error_in_short(status),
        photos(status.photos),
        new(status) if status.new_photos else "",
        device(status, with_name=True),
        printable(status.encoder),
    )
    return " · ".join(part for part in parts if part)


def new(status: SessionStatus) -> str:
    """Return how many photos have been found since the last query."""
    return f"+{status.new_photos:,} new"


def device(status: SessionStatus, *, with_name: bool) -> str:
    """Return where the encoder computes: `cuda:0`, or `cuda:0 NVIDIA A100`."""
    name = status.device_name if with_name and status.device_name != status.device else ""
    return printable(f"{status.device} {name}".strip())


def bar(status: SessionStatus, *, width: int, scope: Scope | None = None, extras: Sequence[str] = ()) -> Text:
    """Return the bottom bar, at most `width` - 1 cells: pieces that do not fit go from the right, the state never.

    `scope` is where a search looks; None for the whole library, of which nothing has to be said.
    """
    look = place(status)
    line = Text(end="", no_wrap=True, overflow="ellipsis")
    line.append(f" {look.symbol} ", f"{look.style} bold")
    room = width - 1 - line.cell_len
    line.append(
        next((words for words in (look.words, *look.shorter) if cell_len(words) <= room), look.words), look.style
    )
    for piece in _pieces(status, width, scope, extras, room=width - 1 - line.cell_len - len(_SEPARATOR)):
        if line.cell_len + len(_SEPARATOR) + piece.cell_len > width - 1:
            break
        line.append(_SEPARATOR, "bright_black").append_text(piece)
    line.truncate(max(1, width - 1), overflow="ellipsis")
    return line


def _pieces(
    status: SessionStatus, width: int, scope: Scope | None, extras: Sequence[str], *, room: int
) -> Iterator[Text]:
    if error := error_in_short(status):  # in front of all that is as usual, and cut rather than left out
        text = Text(f"! {error}", "red")
        text.truncate(max(room, ERROR_MIN_CELLS), overflow="ellipsis")
        yield text
    if status.busy:
        yield Text("busy", "yellow")
    yield from _countdown(status, width)
    if status.new_photos:
        yield Text(new(status), "green")
    if scope:
        yield Text(scope.words)
    count = status.photos if scope is None else scope.photos
    if count is not None:
        yield Text(photos(count))
    if computes_on := _device_piece(status, width):
        yield Text(computes_on)
    for extra in extras:
        yield Text(extra)


def _device_piece(status: SessionStatus, width: int) -> str:
    if status.state is ResidencyState.RAM and not status.can_offload:
        return ""  # the place says it already, and what the processor is called is nobody's question
    return device(status, with_name=width >= DEVICE_NAME_MIN_WIDTH)


def _countdown(status: SessionStatus, width: int) -> Iterator[Text]:
    if status.state is ResidencyState.LOADING and status.download:
        yield from _download_graph(status.download, width)
    elif status.state is ResidencyState.VRAM and status.offload_in_seconds is not None:
        what = "frees GPU memory" if width >= WORDS_MIN_WIDTH else "frees GPU"
        yield _remaining(what, status.offload_in_seconds, status.idle_timeout_seconds, width)
    elif status.state is ResidencyState.VRAM and status.idle_timeout_seconds <= 0:
        yield Text("keeps GPU memory")
    elif status.state is ResidencyState.RAM and status.release_in_seconds is not None:
        yield _remaining("leaves RAM", status.release_in_seconds, status.release_timeout_seconds, width)


def _remaining(verb: str, left: float, timeout: float, width: int) -> Text:
    urgent = left <= _URGENT_SECONDS
    text = Text(f"{verb} in {clock(left)}", "bold" if urgent else "")
    if width >= GRAPH_MIN_WIDTH and timeout > 0:
        text.append(" ").append_text(_graph(left / timeout, "red" if urgent else "green"))
    return text


def _download_graph(download: tuple[int, int], width: int) -> Iterator[Text]:
    done, total = download
    if total > 0:
        text = Text(f"{done * 100 // total} %")
        yield text.append(" ").append_text(_graph(done / total, "green")) if width >= GRAPH_MIN_WIDTH else text


def _graph(fraction: float, style: str) -> Text:
    full = round(min(1.0, max(0.0, fraction)) * GRAPH_CELLS)
    return Text("━" * full, style).append("─" * (GRAPH_CELLS - full), "bright_black")
