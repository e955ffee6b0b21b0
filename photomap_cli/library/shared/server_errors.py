"""Owns translating a Milvus server's errors for users; the server's own messages go to the log, one line each."""

from __future__ import annotations

import logging
import re
from typing import Any

from photomap_cli.errors import LibraryLoading, LibraryReplaced, LibraryUnreachable, LibraryUnusable

NO_COLLECTION, NOT_LOADED = 100, frozenset({101, 103})
"""Milvus's error codes: collection not found; collection not loaded."""

_NO_CONNECTION = 2
_TRIED_IN_VAIN = "Retry timeout"
_AWAY = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "ABORTED"})
_NOT_ENCRYPTED = re.compile(r"ssl|tls|handshake|certificate", re.IGNORECASE)
_NONSENSE = (ValueError, LookupError, TypeError, AttributeError, OverflowError)
_LOGGED_LETTERS = 300

log = logging.getLogger(__name__)


def translated(error: Exception, address: str) -> LibraryUnusable:
    """Translate an error that pymilvus or gRPC raised, and log it."""
    number, status = code(error), _status(error)
    words = " ".join(str(error).split())
    log.info("%s: %s %s %s", address, type(error).__name__, status, words[:_LOGGED_LETTERS])
    shown = f"the library {address}"
    if status == "UNAUTHENTICATED":
        return LibraryUnusable(
            f"{shown}: the server doesn't accept the user name or password",
            hint="set PHOTOMAP_LIBRARY_TOKEN to USER:PASSWORD, or library_token_file to a file with it",
        )
    if status == "PERMISSION_DENIED":
        return LibraryUnusable(f"{shown}: the server doesn't allow that", hint="ask its owner for another role")
    if number in NOT_LOADED:
        return loading(address)
    if number == NO_COLLECTION:
        return LibraryReplaced(f"{shown} has been replaced or removed", hint="try again")
    if status in _AWAY or number == _NO_CONNECTION or _TRIED_IN_VAIN in words:
        return LibraryUnreachable(f"{shown} does not answer", hint=_reach(error))
    if isinstance(error, _NONSENSE):
        return LibraryUnusable(f"{shown}: the server's answer makes no sense", hint="`photomap doctor` looks further")
    return LibraryUnusable(
        f"{shown}: the server failed (code {number or status or 'unknown'})",
        hint="`photomap --verbose` and the server's own log say more",
    )


def loading(address: str) -> LibraryLoading:
    """Return the error for a library that its server is still loading into memory."""
    return LibraryLoading(f"the library {address} is being loaded by its server", hint="try again in a minute or two")


def code(error: Exception) -> int | None:
    """Return Milvus's error code, if the error has one."""
    number = getattr(error, "code", None)
    return int(number) if isinstance(number, int) else None


def _reach(error: Exception) -> str:
    rpc = _rpc(error)
    if rpc and _NOT_ENCRYPTED.search(str(rpc.details())):
        return "is it encrypted? milvus+tls:// is, milvus:// isn't, and library_ca_file names its certificate"
    return "is the server up? `photomap doctor` looks"


def _rpc(error: Exception) -> Any:
    """Return gRPC's error: this one, or its direct cause; further causes may form a cycle."""
    return next((each for each in (error, error.__cause__) if callable(getattr(each, "code", None))), None)


def _status(error: Exception) -> str:
    """Return the name of gRPC's status code; empty if the error is Milvus's own."""
    rpc = _rpc(error)
    return str(rpc.code().name if rpc else getattr(getattr(error, "code", None), "name", ""))
