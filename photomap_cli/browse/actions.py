"""Owns what can be done with the chosen photos: open, copy, export, download.  Knows nothing of keys."""

from __future__ import annotations

import base64
import io
import os
import shlex
import shutil
import sys
import threading
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from photomap_cli import directories
from photomap_cli.browse.events import Action, Relocated, Told
from photomap_cli.errors import BadImage, PhotomapError, UsageError
from photomap_cli.export.exporter import export
from photomap_cli.records.export import ExportMode
from photomap_cli.repl.commands import clipboard, desktop
from photomap_cli.repl.commands.arguments import path_meant
from photomap_cli.views import export_report
from photomap_cli.views.errors import error_line
from photomap_cli.views.formatting import photos
from photomap_cli.views.output import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from photomap_cli.browse.events import Event
    from photomap_cli.records.export import ExportReport
    from photomap_cli.views.previews import Thumbnailer

COPIED_LONG_SIDE_PX = 4096
"""Limit for a picture on the clipboard: programs expect PNG, and a full-size photo would be tens of megabytes."""

_CLIPBOARD_SECONDS = 5.0
_WAYS = {
    "copy": ExportMode.COPY,
    "link": ExportMode.LINK,
    "hard link": ExportMode.HARDLINK,
    "reflink": ExportMode.REFLINK,
    "move": ExportMode.MOVE,
    "zip": ExportMode.ZIP,
}


@dataclass(frozen=True, slots=True)
class ActionContext:
    """What actions need to know and to reach.

    Attributes:
        post: receives the outcome of an action; called on the action's thread.
        write: sends the terminal a sequence between two frames.
        open_thumbnailer: where pictures come from.
        library: its folder.
        cwd: absolute folder that relative paths start from.
        takes_files: whose protocol downloads files, "kitty" or "iterm2"; empty for none.
        environment, platform: of this process.
    """

    post: Callable[[Event], None]
    write: Callable[[str], None]
    open_thumbnailer: Callable[[], Thumbnailer]
    library: Path
    cwd: Path
    takes_files: str = ""
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    platform: str = sys.platform


class ActionRunner:
    """Carries out one action at a time, on its own thread."""

    def __init__(self, context: ActionContext) -> None:
        self._context = context
        self._cancelled = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, action: Action) -> None:
        """Start an action; a `Told` with `is_done` always reports its end."""
        self._cancelled = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(action, self._cancelled), name=f"photomap-{action.name}"
        )
        self._thread.daemon = True
        self._thread.start()

    def stop(self) -> None:
        """Ask the running action to end at a point where nothing is left half done."""
        self._cancelled.set()

    def close(self) -> None:
        """Stop and wait: an export must not be cut off in the middle."""
        self.stop()
        if self._thread is not None:
            self._thread.join()

    def _run(self, action: Action, cancelled: threading.Event) -> None:
        try:
            self._context.post(Told(_ACTIONS[action.name](self._context, action, cancelled)))
        except PhotomapError as error:
            self._context.post(Told(error_line(error), is_error=True))
        except Exception as error:  # a bug must not leave the gallery waiting
            self._context.post(Told(error_line(error), is_error=True))


def _open(context: ActionContext, action: Action, cancelled: threading.Event) -> str:
    reason = desktop.why_no_desktop(context.platform, context.environment)
    if reason:
        raise UsageError(f"{reason}: {action.paths[0]}", hint="y copies the paths, d downloads the photos")
    for path in action.paths:
        if cancelled.is_set():
            break
        desktop.require_there(path)
        desktop.open_photo(path)
    return f"opened {_named(action.paths)}"


def _copy_paths(context: ActionContext, action: Action, cancelled: threading.Event) -> str:
    written = io.StringIO()
    way = clipboard.copy("\n".join(action.paths), written, platform=context.platform, environment=context.environment)
    context.write(written.getvalue())
    return f"copied {_named(action.paths)} (via {way})"


def _copy_picture(context: ActionContext, action: Action, cancelled: threading.Event) -> str:
    """Put a picture on the clipboard of this desktop, as PNG."""
    path = action.paths[0]
    programs = list(_picture_programs(context))
    if not programs:
        raise UsageError("no program here can copy a picture to the clipboard", hint="install wl-clipboard or xclip")
    from photomap_cli.images.png import as_png

    with context.open_thumbnailer() as thumbnailer:
        thumbnail = thumbnailer.picture(path, long_side_px=COPIED_LONG_SIDE_PX)
    if thumbnail.fault:
        raise BadImage(f"{path}: {thumbnail.fault}", hint="`photomap index` updates the library")
    data = as_png(thumbnail.webp)
    for command in programs:
        if desktop.pipes_into(command, data, seconds=_CLIPBOARD_SECONDS):
            more = f"; of {photos(len(action.paths))} the first one" if len(action.paths) > 1 else ""
            return f"copied the picture by {command[0]}: {printable(path)}{more}"
    raise UsageError(f"{programs[0][0]} couldn't copy the picture", hint="y copies its path")


def _picture_programs(context: ActionContext) -> list[list[str]]:
    """Return the programs that copy a picture from standard input; none over ssh, where there is no desktop."""
    if "SSH_CONNECTION" in context.environment:
        return []
    programs = []
    if context.environment.get("WAYLAND_DISPLAY"):
        programs.append(["wl-copy", "--type", "image/png"])
    if context.environment.get("DISPLAY"):
        programs.append(["xclip", "-selection", "clipboard", "-t", "image/png"])
    if context.platform == "darwin":
        script = 'set the clipboard to (read (POSIX file "/dev/stdin") as «class PNGf»)'
        programs.append(["osascript", "-e", script])
    return [command for command in programs if shutil.which(command[0])]


def _export(context: ActionContext, action: Action, cancelled: threading.Event) -> str:
    way = _WAYS[action.way]
    target = directories.absolute(context.cwd / directories.expanded(Path(path_meant(action.target.strip()))))

    def on_progress(done: int, total: int) -> None:
        if total > 1:
            context.post(Told(f"{action.way}: {done:,} of {total:,}  Ctrl-C stops", is_done=False))

    take = partial(export, action.paths, how=way, on_progress=on_progress, cancelled=cancelled.is_set)
    if way is not ExportMode.MOVE:
        return "; ".join(export_report.lines(take(folder=target)))
    return "; ".join(_moved(context, target, take))


def _moved(context: ActionContext, target: Path, take: Callable[..., ExportReport]) -> list[str]:
    """Move photos and record their new paths in the library, so that they keep their vectors."""
    from photomap_cli.indexing.relocation import NOT_NOTED, Relocation
    from photomap_cli.session.libraries import open_library

    with open_library(context.library) as library, Relocation(library) as relocation:
        folder, is_new = relocation.adopt(str(target))
        report = take(folder=Path(folder), on_done=relocation.note)
    context.post(Relocated(tuple((each.source, each.target) for each in report.done)))
    adopted = f"{folder} belongs to the library now; `photomap index` there adds what else is in it"
    return [
        *export_report.lines(report),
        *([adopted] if is_new else []),
        *([NOT_NOTED] if relocation.has_failed else []),
    ]


def _album(context: ActionContext, action: Action, cancelled: threading.Event) -> str:
    from photomap_cli.library import albums, user_data
    from photomap_cli.session.libraries import open_library

    name = action.target.strip()
    with open_library(context.library) as opened:
        members = albums.as_members(opened.facts, action.paths)
    added = user_data.add(context.library, name, members)
    there = f"; {len(action.paths) - added:,} in it already" if added < len(action.paths) else ""
    return f"{photos(added)} added to {printable(name)}{there}"


# -- over ssh ----------------------------------------------------------------------------------------------------------


def download_command(action: Action, context: ActionContext) -> list[str]:
    """Return the command that downloads photos to the user's own computer through kitty; empty if there is none.

    It talks to the terminal itself, so it needs the screen.
    """
    if context.takes_files != "kitty" or _is_here(context) or not shutil.which("kitten"):
        return []
    return ["kitten", "transfer", "--", *action.paths, "Downloads/"]


def _download(context: ActionContext, action: Action, cancelled: threading.Event) -> str:
    """Send photos through iTerm2, which puts them into its downloads folder."""
    if _is_here(context):
        raise UsageError("the photos are on this computer already", hint="e exports them")
    if context.takes_files == "kitty":
        raise UsageError("downloading in kitty needs its program kitten here", hint=_by_scp(action.paths))
    if context.takes_files != "iterm2":
        raise UsageError("this terminal can't receive files; kitty and iTerm2 can", hint=_by_scp(action.paths))
    for number, path in enumerate(action.paths, 1):
        if cancelled.is_set():
            return f"stopped: {number - 1:,} of {photos(len(action.paths))} downloaded"
        context.post(Told(f"download: {number:,} of {len(action.paths):,}  Ctrl-C stops", is_done=False))
        try:
            context.write(iterm2_file(path, Path(path).read_bytes()))
        except OSError as error:
            raise UsageError(
                f"{path}: {(error.strerror or str(error)).lower()}", hint="the others were not sent"
            ) from error
    return f"sent to the terminal: {_named(action.paths)}"


def iterm2_file(path: str, data: bytes) -> str:
    """Return the sequence by which iTerm2 downloads a file."""
    name = base64.b64encode(os.fsencode(os.path.basename(path))).decode()  # noqa: PTH119  a name need not be UTF-8
    return f"\x1b]1337;File=name={name};size={len(data)};inline=0:{base64.b64encode(data).decode()}\x07"


def _is_here(context: ActionContext) -> bool:
    return not any(context.environment.get(name) for name in ("SSH_CONNECTION", "SSH_TTY"))


def _by_scp(paths: Sequence[str]) -> str:
    return f"from your own computer: scp HOST:{shlex.quote(shlex.quote(paths[0]))} ."


def _named(paths: Sequence[str]) -> str:
    return printable(paths[0]) if len(paths) == 1 else photos(len(paths))


_ACTIONS: dict[str, Callable[[ActionContext, Action, threading.Event], str]] = {
    "open": _open,
    "copy_paths": _copy_paths,
    "copy_picture": _copy_picture,
    "export": _export,
    "album": _album,
    "download": _download,
}
