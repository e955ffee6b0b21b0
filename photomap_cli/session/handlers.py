"""Owns the meaning of a request: which session method to call, which record to return.  Knows no socket.

A request is `{"version", "op", ...}`; the result is the JSON of a record (see `records/`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from photomap_cli.errors import PhotomapError, ProtocolMismatch
from photomap_cli.records import BadRecord, Record, SearchRequest
from photomap_cli.records.maps import GroupRequest, MapRequest
from photomap_cli.records.residency import LONGEST_TIMEOUT_SECONDS
from photomap_cli.session.json_lines import TWO_VERSIONS
from photomap_cli.session.socket_dir import PROTOCOL_VERSION

if TYPE_CHECKING:
    from photomap_cli.session.session import Session

Request = TypeVar("Request", bound=Record)


class RequestHandlers:
    """A session as its clients see it.  Any thread may call it.

    Args:
        session: answers the requests.
        on_stop: called when a client asks the session to end; None refuses that.
    """

    def __init__(self, session: Session, on_stop: Callable[[], None] | None) -> None:
        self._session, self._on_stop = session, on_stop

    def answer(self, message: dict[str, Any], checkpoint: Callable[[], None]) -> dict[str, Any]:
        """Run one request and return the JSON of its result.

        Args:
            message: the request.
            checkpoint: see `Session.search`; what it raises passes through.

        Raises:
            ProtocolMismatch: the request has another version, or isn't understood.
            PhotomapError: whatever the session raises.
        """
        _require_version(message.get("version"))
        session = self._session
        match message:
            case {"op": "search", "request": dict(request)}:
                result = session.search(_search_request(request), checkpoint)
                return result.served(f"session {os.getpid()}").to_json()
            case {"op": "map", "request": dict(request)}:
                return session.map(_map_request(request), checkpoint).to_json()
            case {"op": "group", "request": dict(request)}:
                result = session.group(_group_request(request), checkpoint)
                return result.served(f"session {os.getpid()}").to_json()
            case {"op": "details", "path": str(path)}:
                return session.details(path).to_json()
            case {"op": "status"}:
                return session.status().to_json()
            case {"op": "offload"}:
                return session.offload().to_json()
            case {"op": "load"}:
                return session.load().to_json()
            case {"op": "prewarm"}:
                session.prewarm()
                return session.status().to_json()
            case {"op": "set_idle_timeout", "seconds": int() | float() as seconds} if (
                0 <= seconds <= LONGEST_TIMEOUT_SECONDS
            ):
                return session.set_idle_timeout(float(seconds)).to_json()
            case {"op": "stop"}:
                return self._stop()
        raise _not_understood(str(message)[:100])

    def _stop(self) -> dict[str, Any]:
        if self._on_stop is None:
            raise PhotomapError("this session belongs to a prompt", hint="quit it there with :quit")
        return self._session.status().to_json()

    def replied(self, message: dict[str, Any]) -> None:
        """Note that the answer was sent; only now may a session that was asked to stop hang up."""
        if message["op"] == "stop" and self._on_stop is not None:
            self._on_stop()


def _require_version(theirs: object) -> None:
    if theirs != PROTOCOL_VERSION or isinstance(theirs, bool):
        raise ProtocolMismatch(
            f"the session, process {os.getpid()}, speaks protocol version {PROTOCOL_VERSION}, not {theirs!r:.20}",
            hint="two versions of photomap are in use: restart that process, or search with --local",
        )


def _not_understood(what: str) -> ProtocolMismatch:
    return ProtocolMismatch(f"the session does not understand {what}", hint=TWO_VERSIONS)


def _search_request(record: dict[str, Any]) -> SearchRequest:
    request = _read(SearchRequest, record)
    if request.sort not in ("score", "date") or (request.limit is not None and request.limit < 1):
        raise _not_understood(f"the search {str(record)[:100]}")
    return request


def _map_request(record: dict[str, Any]) -> MapRequest:
    return _checked(_read(MapRequest, record))


def _group_request(record: dict[str, Any]) -> GroupRequest:
    request = _read(GroupRequest, record)
    _checked(request.map)
    if request.cluster.id < 1:
        raise _not_understood(f"the group {str(record)[:100]}")
    return request


def _checked(request: MapRequest) -> MapRequest:
    if request.clusters is not None and request.clusters < 1:
        raise _not_understood(f"a map of {request.clusters} groups")
    return request


def _read(kind: type[Request], record: dict[str, Any]) -> Request:
    try:
        return kind.from_json(record)
    except BadRecord as error:
        raise _not_understood(f"the request: {error}") from error
