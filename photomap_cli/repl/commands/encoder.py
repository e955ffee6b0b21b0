"""Owns the commands about the encoder's place: `:status :offload :load :timeout`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from photomap_cli.errors import UsageError
from photomap_cli.views.formatting import duration
from photomap_cli.views.status_line import next_step, nothing_to_offload, place, plain_line

if TYPE_CHECKING:
    from photomap_cli.records import SessionStatus
    from photomap_cli.repl.state import SearchState


def status(state: SearchState, rest: str) -> None:
    """Print where the encoder is, and the rest of the status."""
    state.console.print(Text(plain_line(state.request(lambda backend: backend.status()))))


def offload(state: SearchState, rest: str) -> None:
    """Take the encoder out of VRAM."""
    _tell(state, state.request(lambda backend: backend.offload()))


def load(state: SearchState, rest: str) -> None:
    """Bring the encoder to where queries run."""
    _tell(state, state.request(lambda backend: backend.load()))


def _tell(state: SearchState, status: SessionStatus) -> None:
    state.front.tell(f"{place(status)} · {next_step(status)}")


def timeout(state: SearchState, rest: str) -> None:
    """Change, or print, how long the encoder stays in VRAM."""
    seconds = _seconds(rest) if rest else None
    if seconds is None:
        now = state.request(lambda backend: backend.status())
    else:
        now = state.request(lambda backend: backend.set_idle_timeout(seconds))
    idle = now.idle_timeout_seconds
    words = f"offloads {duration(idle)} after the last search" if idle > 0 else "never offloads"
    state.front.tell(words if now.can_offload else f"{words}; {nothing_to_offload(now)}")


def _seconds(text: str) -> float:
    from photomap_cli.settings import parse_duration  # pydantic costs 0.15 s, so not at the first prompt

    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(str(error)) from error
