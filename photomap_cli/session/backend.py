"""Owns the interface of a session: what `Session` (this process) and `SessionClient` (over the socket) both offer."""

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
        """Lay photos out in two dimensions; needs the encoder once in a library's life, for the names of groups."""

    def progress(self) -> str:
        """Say what goes on with the map that is being drawn, where that is known here; never waits."""

    def details(self, path: str) -> PhotoDetails:
        """Say all that the library knows of the photo at an absolute path.  Raises BadPath if it has none there."""

    def group(self, request: GroupRequest) -> SearchResult:
        """Return the photos of one group of a map, the most typical first."""

    def status(self) -> SessionStatus:
        """Say where the encoder is.  Never waits for a search or a transfer, never wakes the encoder."""

    def offload(self) -> SessionStatus:
        """Take the encoder out of VRAM now, after a query in flight has ended."""

    def load(self) -> SessionStatus:
        """Bring the encoder to where queries run (VRAM, or RAM without a GPU) and return when it is there."""

    def prewarm(self) -> None:
        """Start bringing the encoder there in the background; returns at once and does not count as a query."""

    def set_idle_timeout(self, seconds: float) -> SessionStatus:
        """Change the idle timeout for as long as the session lives; 0 = never."""

    def pause(self) -> None:
        """This process is about to be stopped: offload, and leave the library to others."""

    def resume(self) -> bool:
        """It goes on; returns False when another session has the library by now, and this one should be closed."""

    def close(self) -> None:
        """End the session, or hang up; safe to call twice."""


class Listener(Protocol):
    """Where other processes come in."""

    def open(self) -> bool:
        """Let them in; returns False when another session lets them in already."""

    def close(self) -> None:
        """Let nobody in any more, and hang up on those who are; safe to call twice."""
