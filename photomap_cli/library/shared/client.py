"""Owns talking to a Milvus server: the one module that imports pymilvus, and only when a library is asked for.

No call is without a limit in time.  What goes wrong is told in words of photomap's; the server's own go to the log, one
line each.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from photomap_cli.errors import BadSetting, LibraryUnreachable, LibraryUnusable, PhotomapError
from photomap_cli.library.shared import responses, server_errors
from photomap_cli.library.shared.schema import VECTOR

if TYPE_CHECKING:
    from photomap_cli.library.shared.address import Address
    from photomap_cli.library.shared.credentials import Credentials
    from photomap_cli.library.shared.responses import Description, Hit, Record
    from photomap_cli.library.shared.retry import Retry
    from photomap_cli.library.shared.schema import Field, Index


class Limits(NamedTuple):
    """How many seconds a server has to be reached, to find or read something, to write, to make an index."""

    connect: float = 5.0
    search: float = 10.0
    write: float = 30.0
    build: float = 3600.0


limits = Limits()
"""Those of every call from now on."""

MOST_AT_ONCE = 16_384
"""So many photos a search or a page holds at most: Milvus's own limit."""

_RECONNECT_MILLISECONDS = 2000  # by itself gRPC waits ever longer, minutes, before it tries a server again
_LOADING_PAUSE_SECONDS = 0.2
_SETTLED_SECONDS = 5.0  # Milvus's own limit for what is seen late
_NO_DOTENV = "PYTHON_DOTENV_DISABLED"
_LOGGERS = ("pymilvus", "pymilvus.milvus_client", "pymilvus.bulk_writer")


class Abilities(NamedTuple):
    """What a server can do that another cannot.

    Attributes:
        has_infix: match in the middle of texts.
        has_half: keep vectors in half precision.
        has_sorted: find texts and numbers without looking at all.
    """

    version: str = ""
    has_infix: bool = False
    has_half: bool = False
    has_sorted: bool = True

    @classmethod
    def of(cls, version: str) -> Abilities:
        """Return what a server of this version can do; the stand-in in Python calls itself `milvus_lite-3.2.2`."""
        if version.startswith("milvus_lite"):
            return cls(version, has_infix=True, has_sorted=False)
        numbers = re.match(r"v?(\d+)\.(\d+)", version)
        is_new = numbers is not None and (int(numbers[1]), int(numbers[2])) >= (2, 4)
        return cls(version, is_new, is_new)


class Client:
    """A connection to one server, made when it is first needed and again after it was lost.  Any thread may use it.

    With `retry`, requests are repeated while the server is unreachable.  Clients that share `deleted` see what each of
    them deletes.

    Every method raises LibraryUnreachable while the server does not answer, and LibraryUnusable for what it refuses.
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
        """Return the collection of this name or alias; None where there is none."""
        description: Description | None = self.call(
            "describe_collection", name, absent=None, read=responses.description
        )
        return description

    def query(
        self, name: str, condition: str, fields: Sequence[str], *, limit: int = MOST_AT_ONCE, is_strong: bool = False
    ) -> list[Record]:
        """Return some fields of what meets a condition, in no order that is promised.

        What is asked for strongly has everything that anybody has written; else everything this process has.
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
        """Return how many entities meet a condition; all of them for an empty one."""
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
        """Return the scores and some fields of the vectors nearest to one, among what meets a condition."""
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
        """Write entities, each in the place of the one with its key; no key may come twice."""
        if records:
            self.call("upsert", name, list(records), seconds=limits.write)

    def delete(self, name: str, keys: Sequence[int]) -> None:
        """Take entities out by their keys."""
        if keys:
            self.call("delete", name, ids=list(keys), seconds=limits.write)
            self._deleted[name] = self._clock()

    def create(self, name: str, fields: Sequence[Field], index: Index, properties: Mapping[str, str]) -> None:
        """Make a collection that is ready to be searched; one that is there as it should be stays."""
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
        """Remove a collection, if it is there."""
        self.call("drop_collection", name, seconds=limits.write, absent=None)

    def point(self, alias: str, name: str) -> None:
        """Have an alias mean a collection from now on, whatever it meant before."""
        if not self.name_first(alias, name):
            self.call("alter_alias", name, alias, seconds=limits.write)

    def name_first(self, alias: str, name: str) -> bool:
        """Have a new alias mean a collection; return false where it means one already."""
        try:
            self.call("create_alias", name, alias, seconds=limits.write)
        except LibraryUnreachable:
            raise
        except LibraryUnusable:
            if self.describe(alias) is not None:
                return False
            self.call("alter_alias", name, alias, seconds=limits.write)  # what it meant was removed by somebody
        return True

    def unname(self, alias: str) -> None:
        """Take an alias away."""
        self.call("drop_alias", alias, seconds=limits.write, absent=None)

    def index(self, name: str) -> Mapping[str, Any]:
        """Return the index of the vectors, as the server describes it; nothing where there is none."""
        names = self.call("list_indexes", name, field_name=VECTOR)
        return dict(self.call("describe_index", name, names[0])) if names else {}

    def make_index(self, name: str, index: Index, sorted_fields: Sequence[str] = ()) -> None:
        """Have vectors searched by another index, and some fields by one each; nobody can search until they are made.

        Where this is interrupted, whoever searches next has the server load the library.
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
        """Write some of a collection's properties; the others stay.  One cannot be taken away, only made empty."""
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
        """Call a method of pymilvus's client and return what `read` makes of its answer.

        Waits a while for a collection that is being loaded.  Where there is none, returns `absent` if that is given.
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
        """Connect, so that the first search need not wait for it."""
        self._connected()

    def close(self) -> None:
        """Let go of the server; safe to call twice."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _level(self, name: str, *, is_strong: bool = False) -> str:
        """Return how much of what was written has to be seen: all of it, or what this process has written.

        Of what this process has deleted the latter is not true in Milvus 2.3.
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
        """Return once a collection can be searched; have it loaded if nobody has."""
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
    """Return a client of pymilvus that has reached the server, as who the credentials say."""
    return _milvus_client()(
        address.uri,
        token=credentials.token,
        timeout=limits.connect,
        grpc_options={"grpc.max_reconnect_backoff_ms": _RECONNECT_MILLISECONDS},
        dedicated=True,  # pymilvus would share one with whoever else has this host, port and token, encrypted or not
        **({"server_pem_path": credentials.ca_file} if credentials.ca_file else {}),
    )


def _data_types() -> Any:
    from pymilvus import DataType

    return DataType


def _milvus_client() -> Any:
    """Import pymilvus, which would read a `.env` of its own finding and write to the terminal; 0.8 s of CPU."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # gRPC would start its threads again in every fork, and abort one that closes what is open before it runs a program.
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
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # a traceback an error: one line of ours does
    return MilvusClient
