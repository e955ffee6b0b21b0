"""The options of every command, and the console that they ask for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photomap_cli import directories

if TYPE_CHECKING:
    from rich.console import Console

    from photomap_cli.settings import LoadedSettings


@dataclass(frozen=True)
class Globals:
    """The options that every command takes."""

    library: Path
    library_is_chosen: bool
    quiet: bool
    verbose: bool

    def settings(self, **flags: Any) -> LoadedSettings:
        """Load the settings, with this command's flags on top."""
        from photomap_cli import settings

        return settings.load(directories.config_file(), flags)


def make_console(*, stderr: bool = False) -> Console:
    """Return a console that treats a pipe as a pipe, whatever the environment says."""
    from photomap_cli.views.console import console_on

    return console_on(stderr=stderr)
