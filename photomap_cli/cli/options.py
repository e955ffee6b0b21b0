"""The options of every command, and the console that they ask for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photomap_cli import directories
from photomap_cli.library.location import library_directory

if TYPE_CHECKING:
    from rich.console import Console

    from photomap_cli.settings import LoadedSettings


@dataclass(frozen=True)
class Globals:
    """The options that every command takes.

    Attributes:
        named: the library, as `--library` names it.
    """

    named: str | None
    quiet: bool
    verbose: bool

    @cached_property
    def library(self) -> Path:
        """The library's folder.  Raises BadPath, BadSetting: only a command that needs one fails."""
        return library_directory(self.named)

    @property
    def library_is_chosen(self) -> bool:
        """Whether somebody has named a library."""
        return self.named is not None or "PHOTOMAP_LIBRARY" in os.environ

    def settings(self, **flags: Any) -> LoadedSettings:
        """Load the settings, with this command's flags on top."""
        from photomap_cli import settings

        return settings.load(directories.config_file(), flags)


def make_console(*, stderr: bool = False) -> Console:
    """Return a console that treats a pipe as a pipe, whatever the environment says."""
    from photomap_cli.views.console import console_on

    return console_on(stderr=stderr)
