"""Owns the client end of a session's socket: the methods of `Session`, for another process.  Light to import."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Self

from photomap_cli.errors import PhotomapError, SessionGone, SessionSilent
from photomap_cli.records import PhotoDetails, SearchRequest, SearchResult, SessionStatus
from photomap_cli.records.maps import GroupRequest, MapRequest, PhotoMap
from photomap_cli.search.query import MOST_LETTERS
from photomap_cli.session import transport
from photomap_cli.session.transport import read

_WATCH_SECONDS = 0.5
_REFERENCE = re.compile(r"#(\d{1,6})")


class SessionClient:
    """A `Backend` that asks a live session over its socket.  A context manager.

    Searches and statuses use separate connections, so that a status never waits behind a search.

    Raises (every method): SessionGone when the session ends or hangs up; SessionSilent when it does not answer;
    ProtocolMismatch when it has another version; SessionFull when it has too many clients; any error the session
    itself raised.
    """

    def __init__(self, line: transport.Transport) -> None:
        self._line = line

    @staticmethod
    def find(library: Path, *, tell: Callable[[str], None] = lambda _: None) -> SessionClient | None:
        """Return a client of the library's live session, or None when there is none.

        Args:
            library: its folder.
            tell: called with a notice when the session doesn't answer at once.

        Raises:
            SessionSilent: there is one, but it doesn't answer.
            ProtocolMismatch, SessionFull: there is one, but it won't serve us.
        """
        line = transport.find(library, tell=tell)
        return None if line is None else SessionClient(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def search(self, request: SearchRequest) -> SearchResult:
        """Answer one query with the session's warm encoder."""
        return read(SearchResult, self._line.long_request("search", request=_slim(request).to_json()))

    def map(self, request: MapRequest) -> PhotoMap:
        """Ask the session for a map."""
        return read(PhotoMap, self._line.long_request("map", request=request.to_json()))

    def details(self, path: str) -> PhotoDetails:
        """Say all that the library knows of a photo."""
        return read(PhotoDetails, self._line.request("details", path=path))

    def group(self, request: GroupRequest) -> SearchResult:
        """Ask the session for the photos of a map's group."""
        return read(SearchResult, self._line.long_request("group", request=request.to_json()))

    def progress(self) -> str:
        """Return an empty string: the session's progress with a map isn't known here."""
        return ""

    def status(self) -> SessionStatus:
        """Return where the session's encoder is; gives up after some seconds."""
        return read(SessionStatus, self._line.request("status"))

    def offload(self) -> SessionStatus:
        """Take the session's encoder out of VRAM."""
        return read(SessionStatus, self._line.long_request("offload"))

    def load(self) -> SessionStatus:
        """Bring the session's encoder to where queries run."""
        return read(SessionStatus, self._line.long_request("load"))

    def prewarm(self) -> None:
        """Start bringing it there in the background."""
        self._line.request("prewarm")

    def set_idle_timeout(self, seconds: float) -> SessionStatus:
        """Change the session's idle timeout, for all its clients."""
        return read(SessionStatus, self._line.request("set_idle_timeout", seconds=seconds))

    def stop(self) -> SessionStatus:
        """Ask a background session to end."""
        return read(SessionStatus, self._line.request("stop"))

    def pause(self) -> None:
        """Do nothing: the session keeps running while this process is stopped."""

    def resume(self) -> bool:
        """Return True; if the session is gone, the next request finds out."""
        return True

    def close(self) -> None:
        """Hang up; the session keeps running."""
        self._line.close()


class WatchingClient(SessionClient):
    """A client whose `status` never waits: a thread asks twice a second, and the last answer is returned.

    Args:
        line: connection to the session.
        first: the status until the first answer.
        on_change: called after every new status.
    """

    def __init__(self, line: transport.Transport, first: SessionStatus, on_change: Callable[[], None]) -> None:
        super().__init__(line)
        self._last: SessionStatus | SessionGone | SessionSilent = first
        self._on_change = on_change
        self._closed = threading.Event()
        threading.Thread(target=self._watch, name="session-watch", daemon=True).start()

    def progress(self) -> str:
        """Return an empty string: the session's progress with a map isn't known here."""
        return ""

    def status(self) -> SessionStatus:
        """Return the last status; raises SessionGone or SessionSilent once the session stops answering."""
        last = self._last
        if isinstance(last, PhotomapError):
            raise type(last)(last.message, hint=last.hint)
        return last

    def close(self) -> None:
        """Stop asking and hang up."""
        self._closed.set()
        super().close()

    def _watch(self) -> None:
        while not self._closed.wait(_WATCH_SECONDS):
            try:
                self._last = super().status()
            except (SessionGone, SessionSilent) as error:
                self._last = error
            except PhotomapError:
                continue  # too many clients: keep the last status until there is room
            self._on_change()


def _slim(request: SearchRequest) -> SearchRequest:
    """Return the request with only the references its text can use, since ten thousand paths are a megabyte.

    A text that is too long is cut but stays too long, so that the reply says what is wrong with the query.
    """
    text = request.text[: MOST_LETTERS + 1]
    named = {int(number) for number in _REFERENCE.findall(text)}
    kept = (path if number in named else "" for number, path in enumerate(request.references, 1))
    return replace(request, text=text, references=tuple(kept) if named else ())


def watch(library: Path, on_change: Callable[[], None]) -> WatchingClient | None:
    """Return a watching client of the library's live session, or None when there is none.  Raises as `find`."""
    line = transport.find(library)
    if line is not None:
        with suppress(SessionGone), ExitStack() as opened:
            opened.callback(line.close)
            watching = WatchingClient(line, read(SessionStatus, line.request("status")), on_change)
            opened.pop_all()
            return watching
    return None
