"""Owns talking to a Milvus server: the one module that imports pymilvus, and only when a library is asked for.

Every call has a timeout.  Errors are translated into photomap's; the server's own go to the log, one line each.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from photomap_cli.errors import BadSetting, LibraryUnreachable, LibraryUnusable, PhotomapError
from photomap_cli.library.shared import responses, server_errors
from photomap_cli.library.shared.abilities import Abilities
from photomap_cli.library.shared.schema import VECTOR

if TYPE_CHECKING:
    from photomap_cli.library.shared.address import Address
    from photomap_cli.library.shared.credentials import Credentials
    from photomap_cli.library.shared.responses import Description, Hit, Record
    from photomap_cli.library.shared.retry import Retry
    from photomap_cli.library.shared.schema import Field, Index


class Limits(NamedTuple):
    """Timeouts in seconds: to connect, to search or read, to write, to build an index."""

    connect: float = 5.0
    search: float = 10.0
    write: float = 30.0
    build: float = 3600.0


limits = Limits()
"""The timeouts of every call from now on."""

MOST_AT_ONCE = 16_384
"""Most entities in the result of one search or query: Milvus's own limit."""

_CHANNEL_OPTIONS = {
    "grpc.max_reconnect_backoff_ms": 2000,  # left alone, gRPC backs off for up to two minutes
    "grpc.keepalive_permit_without_calls": 0,  # not every server lets idle clients ping: "Too many pings"
}
_LOADING_PAUSE_SECONDS = 0.2
_SETTLED_SECONDS = 5.0  # Milvus's own bound on staleness
_NO_DOTENV = "PYTHON_DOTENV_DISABLED"
_LOGGERS = ("pymilvus", "pymilvus.milvus_client", "pymilvus.bulk_writer")


class Client:
    """A connection to one server, opened when it is first needed.  Any thread may use it.

    Every method raises LibraryUnreachable while the server doesn't answer, LibraryReplaced if the collection is gone,
    and LibraryUnusable for other errors.

    Args:
        address: of the library; its name is the caller's business.
        credentials: what to log in with.
        retry: repeats requests while the server is unreachable; None to fail at once.
        deleted: when entities were last deleted from each collection; clients that share it see each other's deletions.
        connect, pause, clock: for tests.
    """

    def __init__(
        self,
        address: Address,
        credentials: Credentials,
        *,
        retry: Retry | None = None,
        deleted: dict[str, float] | None = None,
        connect: Callable[..., Any] | None = None,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.address, self._credentials = address, credentials
        self._connect = connect or connected
        self._retry = retry
        self._deleted = {} if deleted is None else deleted
        self._pause, self._clock = pause, clock
        self._lock = threading.Lock()
        self._client: Any = None
        self._abilities: Abilities | None = None

    @property
    def abilities(self) -> Abilities:
        """What the server can do."""
        if self._abilities is None:
            self._abilities = Abilities.of(str(self.call("get_server_version", seconds=limits.connect)))
        return self._abilities

    def describe(self, name: str) -> Description | None:
        """Describe the collection with this name or alias; None if there is none."""
        description: Description | None = self.call(
            "describe_collection", name, absent=None, read=responses.description
        )
        return description

    def query(
        self, name: str, condition: str, fields: Sequence[str], *, limit: int = MOST_AT_ONCE, is_strong: bool = False
    ) -> list[Record]:
        """Return some fields of up to `limit` entities that meet a condition, in no particular order.

        The result includes everything this process has written; with `is_strong`, everything that anyone has.
        """
        level = self._level(name, is_strong=is_strong)
        records: list[Record] = self.call(
            "query",
            name,
            filter=condition,
            output_fields=list(fields),
            limit=limit,
            consistency_level=level,
            read=lambda found: responses.records(found, fields),
        )
        return records

    def count(self, name: str, condition: str, *, is_strong: bool = False) -> int:
        """Return how many entities meet a condition; an empty condition counts them all."""
        level = self._level(name, is_strong=is_strong)
        count: int = self.call(
            "query",
            name,
            filter=condition,
            output_fields=[responses.COUNT],
            consistency_level=level,
            read=responses.count,
        )
        return count

    def search(
        self, name: str, vector: Any, condition: str, fields: Sequence[str], *, limit: int, params: Mapping[str, int]
    ) -> list[Hit]:
        """Return the hits with the largest inner products with a vector, (dim,), best first.

        Only entities that meet the condition are searched.  `params` are those of the index (see `schema.Index.asked`).
        """
        hits: list[Hit] = self.call(
            "search",
            name,
            data=[vector],
            filter=condition,
            limit=limit,
            output_fields=list(fields),
            search_params={"metric_type": "IP", "params": dict(params)},
            consistency_level=self._level(name),
            read=lambda found: responses.hits(found, fields),
        )
        return hits

    def upsert(self, name: str, records: Sequence[Mapping[str, Any]]) -> None:
        """Insert entities, or replace those with the same key; all keys must differ."""
        if records:
            self.call("upsert", name, list(records), seconds=limits.write)

    def delete(self, name: str, keys: Sequence[int]) -> None:
        """Delete entities by their keys."""
        if keys:
            self.call("delete", name, ids=list(keys), seconds=limits.write)
            self._deleted[name] = self._clock()

    def create(self, name: str, fields: Sequence[Field], index: Index, properties: Mapping[str, str]) -> None:
        """Create a collection that can be searched at once; one with the same schema may exist already."""
        client = self._connected()
        schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
        kinds = _data_types()
        for at, each in enumerate(fields):
            length = {} if not each.length else {"dim" if each.name == VECTOR else "max_length": each.length}
            schema.add_field(each.name, kinds[each.kind.value], is_primary=not at, **length)
        self.call(
            "create_collection",
            name,
            schema=schema,
            index_params=self._index_of(index),
            properties=dict(properties),
            consistency_level="Session",
            seconds=limits.write,
        )

    def drop(self, name: str) -> None:
        """Drop a collection, if it exists."""
        self.call("drop_collection", name, seconds=limits.write, absent=None)

    def point(self, alias: str, name: str) -> None:
        """Point an alias at a collection, whether or not the alias exists."""
        if not self.name_first(alias, name):
            self.call("alter_alias", name, alias, seconds=limits.write)

    def name_first(self, alias: str, name: str) -> bool:
        """Point a new alias at a collection; return False if it already points at another one."""
        try:
            self.call("create_alias", name, alias, seconds=limits.write)
        except LibraryUnreachable:
            raise
        except LibraryUnusable:
            if (found := self.describe(alias)) is not None:
                return found.name == name  # by an earlier call whose answer was lost
            self.call("alter_alias", name, alias, seconds=limits.write)  # its collection was dropped by someone else
        return True

    def collections(self) -> list[str]:
        """Return the names of all collections the user may see."""
        return list(map(str, self.call("list_collections")))

    def aliases(self, name: str) -> list[str]:
        """Return the aliases of a collection."""
        aliases: list[str] = self.call("list_aliases", name, absent=[], read=responses.aliases)
        return aliases

    def unname(self, alias: str) -> None:
        """Drop an alias."""
        self.call("drop_alias", alias, seconds=limits.write, absent=None)

    def index(self, name: str) -> Mapping[str, Any]:
        """Describe the index of the vectors; empty if there is none."""
        names = self.call("list_indexes", name, field_name=VECTOR)
        return dict(self.call("describe_index", name, names[0])) if names else {}

    def make_index(self, name: str, index: Index, sorted_fields: Sequence[str] = ()) -> None:
        """Replace the index of the vectors, and index some scalar fields.

        Nobody can search until this is done.  If it is interrupted, the next search has the server load the collection.
        """
        self.call("release_collection", name, seconds=limits.write)
        for each in self.call("list_indexes", name, field_name=VECTOR):
            self.call("drop_index", name, each, seconds=limits.write)
        self.call("create_index", name, self._index_of(index), seconds=limits.build)
        for field in sorted_fields if self.abilities.has_sorted else ():
            wanted = self._connected().prepare_index_params()
            wanted.add_index(field)
            self.call("create_index", name, wanted, seconds=limits.build)
        self.call("load_collection", name, seconds=limits.build)

    def _index_of(self, index: Index) -> Any:
        wanted = self._connected().prepare_index_params()
        wanted.add_index(VECTOR, index_type=index.kind, metric_type="IP", params=index.parameters)
        return wanted

    def set_properties(self, name: str, properties: Mapping[str, str]) -> None:
        """Set some of a collection's properties; the others stay.  A property can't be deleted, only emptied."""
        if properties:
            self.call("alter_collection_properties", name, dict(properties), seconds=limits.write)

    def call(
        self,
        method: str,
        *values: Any,
        seconds: float | None = None,
        absent: Any = ...,
        read: Callable[[Any], Any] = lambda found: found,
        **named: Any,
    ) -> Any:
        """Call a method of pymilvus's client and parse its response.

        Waits for a collection that isn't loaded yet, within the timeout.

        Args:
            method: its name.
            values, named: its arguments; the first is the name of the collection.
            seconds: timeout, if not that of a search.
            absent: returned if the collection doesn't exist, instead of raising LibraryReplaced.
            read: parses the response.
        """
        allowed = limits.search if seconds is None else seconds

        def ask(client: Any) -> Any:
            return read(getattr(client, method)(*values, timeout=allowed, **named))

        def work() -> Any:
            return self._asked(ask, values, seconds=allowed, absent=absent)

        return self._retry(work) if self._retry else work()

    def _asked(self, ask: Callable[[Any], Any], values: Sequence[Any], *, seconds: float, absent: Any) -> Any:
        client = self._connected()
        try:
            return ask(client)
        except Exception as error:  # pymilvus raises its own, gRPC's and Python's
            if absent is not ... and server_errors.code(error) == server_errors.NO_COLLECTION:
                return absent
            if server_errors.code(error) not in server_errors.NOT_LOADED or not values:
                raise self._translated(error) from error
        self._wait_until_loaded(client, values[0], seconds)
        try:
            return ask(client)
        except Exception as error:
            raise self._translated(error) from error

    def warm_up(self) -> None:
        """Connect, so that the first search needn't."""
        self._connected()

    def close(self) -> None:
        """Close the connection; safe to call twice."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _level(self, name: str, *, is_strong: bool = False) -> str:
        """Return the consistency level: "Session" for what this process wrote, "Strong" for all writes.

        Milvus 2.3 may still show what this process just deleted at level "Session".
        """
        is_settled = self._clock() - self._deleted.get(name, -_SETTLED_SECONDS) >= _SETTLED_SECONDS
        return "Session" if is_settled and not is_strong else "Strong"

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                try:
                    self._client = self._connect(self.address, self._credentials)
                except PhotomapError:
                    raise
                except Exception as error:
                    raise self._translated(error) from error
            return self._client

    def _wait_until_loaded(self, client: Any, name: str, seconds: float) -> None:
        """Wait until a collection is loaded, and load it if nobody has asked for that.  Raises LibraryLoading."""
        ends = self._clock() + seconds
        while True:
            try:
                state = client.get_load_state(name, timeout=limits.search)["state"].name
                if state == "Loaded":
                    return
                if state == "NotLoad":
                    client.load_collection(name, timeout=max(1.0, ends - self._clock()))
                    return
            except Exception as error:
                translated = self._translated(error)
                if not isinstance(translated, LibraryUnreachable):
                    raise translated from error
            if self._clock() >= ends:
                raise server_errors.loading(str(self.address))
            self._pause(_LOADING_PAUSE_SECONDS)

    def _translated(self, error: Exception) -> PhotomapError:
        return server_errors.translated(error, str(self.address))


def connected(address: Address, credentials: Credentials) -> Any:
    """Return a client of pymilvus that has connected and logged in."""
    return _milvus_client()(
        address.uri,
        token=credentials.token,
        timeout=limits.connect,
        grpc_options=_CHANNEL_OPTIONS,
        dedicated=True,  # else pymilvus shares a connection by host, port and token, encrypted or not
        **({"server_pem_path": credentials.ca_file} if credentials.ca_file else {}),
    )


def _data_types() -> Any:
    from pymilvus import DataType

    return DataType


def _milvus_client() -> Any:
    """Import pymilvus (0.8 s of CPU), without its search for a `.env` file and its output to the terminal."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # gRPC would restart its threads in every fork, and abort a fork that closes its files before running a program.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    has_said = _NO_DOTENV in os.environ
    os.environ.setdefault(_NO_DOTENV, "1")
    try:
        from pymilvus import MilvusClient
    except ImportError as error:
        raise BadSetting(
            "a shared library needs pymilvus, which isn't installed", hint="pip install 'photomap-cli[shared]'"
        ) from error
    finally:
        if not has_said:
            del os.environ[_NO_DOTENV]
    for name in _LOGGERS:
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # it logs a traceback for each error; we log a line
    return MilvusClient
