"""Owns the collections without an alias that interrupted runs have left on a shared library's server.

A collection gets its alias once it is complete, and loses it before it is dropped.  A run that is killed in between
leaves it without one, and marked.  One without a mark may have someone's photos: `doctor` names it, nothing drops it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from photomap_cli.errors import LibraryUnreachable, LibraryUnusable
from photomap_cli.library.shared.schema import Mark

if TYPE_CHECKING:
    from photomap_cli.library.shared.client import Client

_COLLECTION = re.compile(r"(.+)_[0-9a-f]{8}", re.ASCII)

log = logging.getLogger(__name__)


class Leftover(NamedTuple):
    """A collection without an alias, and its mark."""

    name: str
    mark: Mark

    def is_for(self, alias: str) -> bool:
        """Whether a run at this alias may drop it; what a rebuild has just begun is left to the rebuild."""
        return self.mark is Mark.REPLACED or (self.mark is Mark.BEGUN and _alias_of(self.name) == alias)


def found(client: Client) -> list[Leftover]:
    """Return the leftovers of the client's library and its rebuilds; empty if the user may not list collections.

    A collection that another machine is creating right now is among them.
    """
    try:
        return list(_found(client))
    except LibraryUnreachable:
        raise
    except LibraryUnusable as error:
        log.info("leftovers: %s", error.message)
        return []


def drop(client: Client) -> Iterator[str]:
    """Drop the marked ones, and yield their names.  Call it once the alias exists.

    A machine that was creating one of them at that moment uses the library instead.
    """
    for each in found(client):
        if not each.is_for(client.address.name):
            continue
        try:
            client.drop(each.name)
        except LibraryUnreachable:
            raise
        except LibraryUnusable as error:
            log.info("leftovers: %s", error.message)
            return
        yield each.name


def _found(client: Client) -> Iterator[Leftover]:
    aliases = {client.address.name, client.address.rebuild.name}
    for name in client.collections():
        if _alias_of(name) in aliases and not client.aliases(name):
            description = client.describe(name)
            if description and (mark := Mark.of(description.properties)) is not None:
                yield Leftover(name, mark)


def _alias_of(name: str) -> str | None:
    """Return the alias that a collection was created for, from its name; None if it isn't a library's."""
    match = _COLLECTION.fullmatch(name)
    return match[1] if match else None
