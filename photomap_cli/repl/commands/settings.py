"""Owns `:set`: every setting with its value, and those that can change until the prompt ends."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from photomap_cli.errors import UsageError
from photomap_cli.views.output import printable
from photomap_cli.views.palette import ACCENT

if TYPE_CHECKING:
    from photomap_cli.repl.state import SearchState
    from photomap_cli.settings import LoadedSettings

HERE = "this prompt"
_ABOUT_MIN_WIDTH = 72
_FORM = ":set NAME VALUE"


@dataclass(frozen=True, slots=True)
class _Live:
    """A setting that the prompt applies at once; `read` returns None if only the stored setting is known."""

    read: Callable[[SearchState], Any]
    write: Callable[[SearchState, Any], object]


def _of_state(name: str) -> _Live:
    return _Live(lambda state: getattr(state, name), lambda state, value: setattr(state, name, value))


def _previews(state: SearchState) -> str | None:
    return state.front.previews.setting if state.front.previews else None


def _set_previews(state: SearchState, value: str) -> None:
    if state.front.previews is None:
        raise UsageError("there is no terminal to show pictures on")
    state.front.previews.setting = value


_LIVE = {
    "encoder_idle_timeout_seconds": _Live(
        lambda state: state.request(lambda backend: backend.status()).idle_timeout_seconds,
        lambda state, value: state.request(lambda backend: backend.set_idle_timeout(value)),
    ),
    "prewarm": _of_state("prewarm"),
    "results": _of_state("limit"),
    "min_score": _of_state("min_score"),
    "collapse": _of_state("collapse"),
    "keys": _of_state("keys"),
    "previews": _Live(_previews, _set_previews),
}
NAMES = tuple(_LIVE)


def choose(state: SearchState, rest: str) -> None:
    """Show all settings, or one, or change one: `:set`, `:set NAME`, `:set NAME VALUE` (or `NAME=VALUE`)."""
    name, _, text = re.sub(r"\s*=\s*|\s+", " ", rest, count=1).partition(" ")
    loaded = _loaded()
    if not name:
        _show(state, loaded, list(loaded.origins))
        return
    name = _full(name, list(loaded.origins))
    if text.strip():
        _change(state, name, text.strip())
    _show(state, loaded, [name])


def values_of(name: str) -> Sequence[str]:
    """Return the values of a setting for completion, if they can be listed."""
    from photomap_cli.settings import choices

    return choices(name)


def _loaded() -> LoadedSettings:
    from photomap_cli import directories, settings  # pydantic costs 0.15 s, so not at the first prompt

    return settings.load(directories.config_file())


def _full(typed: str, names: list[str]) -> str:
    """Return the one setting that a text means: its name, the beginning, or a part of it."""
    typed = typed.lower()
    begun = [name for name in names if name.startswith(typed)]
    meant = [typed] if typed in names else begun or [name for name in names if typed in name]
    if len(meant) == 1:
        return meant[0]
    near = meant or difflib.get_close_matches(typed, names, 3, 0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else ":set lists the settings"
    raise UsageError(f"there is no setting {printable(typed)!r}", hint=hint)


def _change(state: SearchState, name: str, text: str) -> None:
    from photomap_cli.settings import parsed_value

    value = parsed_value(name, text)
    if name not in _LIVE:
        hint = f"`photomap config set {name} {printable(text)}`, then restart photomap"
        raise UsageError(f"{name} can't change while photomap is running", hint=hint)
    _LIVE[name].write(state, value)


def _show(state: SearchState, loaded: LoadedSettings, names: Sequence[str]) -> None:
    from photomap_cli.settings import Settings, shown

    table = Table.grid(padding=(0, 2))
    is_wide = state.console.width >= _ABOUT_MIN_WIDTH
    for width in (max(map(len, names)) + 2 if is_wide else None, None, None, None):  # a name is typed as it is shown
        table.add_column(overflow="fold", min_width=width)
    for name in names:
        there = getattr(loaded.values, name)
        chosen = _LIVE[name].read(state) if name in _LIVE else None
        here = there if chosen is None else chosen
        origin = loaded.origins[name] if here == there else HERE
        about = (Settings.model_fields[name].description or "") if is_wide or len(names) == 1 else ""
        style = ACCENT if name in _LIVE else ""
        table.add_row(Text(f"  {name}", style), Text(printable(shown(here))), Text(origin, "dim"), Text(about, "dim"))
    state.console.print(table)
    if len(names) > 1:
        state.front.tell(f"{_FORM} changes for now: {', '.join(NAMES)}; `photomap config set` all, for good")
