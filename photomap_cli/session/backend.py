"""Owns the interface that `Session` (in this process) and `SessionClient` (over the socket) share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from photomap_cli.records import PhotoDetails, SearchRequest, SearchResult, SessionStatus
    from photomap_cli.records.maps import GroupRequest, MapRequest, PhotoMap


class Backend(Protocol):
    """Something that answers searches.  All methods may be called from any thread; errors are `PhotomapError`s."""

    def search(self, request: SearchRequest) -> SearchResult:
        """Answer one query; loads or reloads the encoder when it has to."""

    def map(self, request: MapRequest) -> PhotoMap:
        """Lay photos out in two dimensions; needs the encoder once per library, for the names of groups."""

    def progress(self) -> str:
        """Return the progress of the map being drawn, if known here; never waits."""

    def details(self, path: str) -> PhotoDetails:
        """Return what the library knows of the photo at an absolute path.  Raises BadPath if it isn't there."""

    def group(self, request: GroupRequest) -> SearchResult:
        """Return the photos of one group of a map, the most typical first."""

    def status(self) -> SessionStatus:
        """Return where the encoder is.  Never waits for a search or a transfer, never wakes the encoder."""

    def offload(self) -> SessionStatus:
        """Take the encoder out of VRAM now, after a query in flight has ended."""

    def load(self) -> SessionStatus:
        """Bring the encoder to where queries run (VRAM, or RAM without a GPU) and return when it is there."""

    def prewarm(self) -> None:
        """Start doing so in the background; returns at once and doesn't count as a query."""

    def set_idle_timeout(self, seconds: float) -> SessionStatus:
        """Change the idle timeout in seconds until the session ends; 0 = never."""

    def pause(self) -> None:
        """Offload, and leave the library to others, because this process is about to be stopped."""

    def resume(self) -> bool:
        """Continue; returns False if another session has the library by now, so that this one should be closed."""

    def close(self) -> None:
        """End the session, or hang up; safe to call twice."""


class Listener(Protocol):
    """The server for other processes."""

    def open(self) -> bool:
        """Accept clients; returns False if another session already does."""

    def close(self) -> None:
        """Accept no more clients, and hang up on all; safe to call twice."""
