"""Owns what a Milvus server's errors mean to a user; the server's own words go to the log, one line each."""

from __future__ import annotations

import logging
import re
from typing import Any

from photomap_cli.errors import LibraryLoading, LibraryReplaced, LibraryUnreachable, LibraryUnusable

NO_COLLECTION, NOT_LOADED = 100, frozenset({101, 103})
"""Milvus's numbers for a collection that is not there, and for one that is not in memory."""

_NO_CONNECTION = 2
_TRIED_IN_VAIN = "Retry timeout"
_AWAY = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "ABORTED"})
_NOT_ENCRYPTED = re.compile(r"ssl|tls|handshake|certificate", re.IGNORECASE)
_NONSENSE = (ValueError, LookupError, TypeError, AttributeError, OverflowError)
_LOGGED_LETTERS = 300

log = logging.getLogger(__name__)


def translated(error: Exception, address: str) -> LibraryUnusable:
    """Return what to tell the user of an error of pymilvus's or gRPC's."""
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
    """Return that a library is not in its server's memory yet."""
    return LibraryLoading(f"the library {address} is being loaded by its server", hint="try again in a minute or two")


def code(error: Exception) -> int | None:
    """Return Milvus's number for what went wrong, if it says one."""
    number = getattr(error, "code", None)
    return int(number) if isinstance(number, int) else None


def _reach(error: Exception) -> str:
    rpc = _rpc(error)
    if rpc and _NOT_ENCRYPTED.search(str(rpc.details())):
        return "is it encrypted? milvus+tls:// is, milvus:// isn't, and library_ca_file names its certificate"
    return "is the server up? `photomap doctor` looks"


def _rpc(error: Exception) -> Any:
    """Return what gRPC raised: the error, or its direct cause; further down causes go in a circle."""
    return next((each for each in (error, error.__cause__) if callable(getattr(each, "code", None))), None)


def _status(error: Exception) -> str:
    """Return gRPC's name for what went wrong; nothing where the server itself said something."""
    rpc = _rpc(error)
    return str(rpc.code().name if rpc else getattr(getattr(error, "code", None), "name", ""))
