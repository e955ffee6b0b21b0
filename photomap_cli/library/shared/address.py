"""Owns the addresses of shared libraries: `milvus://HOST:PORT/NAME`, or `milvus+tls://` with encryption.  Pure."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from photomap_cli.errors import BadSetting

PORT = 19530
"""Milvus's default port."""

_PLAIN, _TLS = "milvus", "milvus+tls"
_HINT = "an address is milvus://HOST:PORT/NAME, or milvus+tls:// with encryption"
_LONGEST_NAME = 200
_NAME = re.compile(rf"[A-Za-z_][A-Za-z0-9_]{{0,{_LONGEST_NAME - 1}}}", re.ASCII)
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?|[0-9a-f:.]+(?:%[a-z0-9._-]+)?", re.ASCII)
_LONGEST = 20  # characters of a scheme that a message quotes


@dataclass(frozen=True, slots=True)
class Address:
    """Where a shared library is: a host and port, and the name of the library there."""

    host: str
    port: int
    name: str
    is_encrypted: bool = False

    def __str__(self) -> str:
        scheme = _TLS if self.is_encrypted else _PLAIN
        return f"{scheme}://{self._server}/{self.name}"

    @property
    def uri(self) -> str:
        """The server's address as pymilvus takes it."""
        return f"{'https' if self.is_encrypted else 'http'}://{self._server}"

    @property
    def rebuild(self) -> Address:
        """The address of the library's draft during a rebuild."""
        return replace(self, name=f"_rebuild_{self.name}"[:_LONGEST_NAME])

    @property
    def is_on_this_machine(self) -> bool:
        """Whether the host is this machine, so that nothing sent there crosses a network."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def _server(self) -> str:
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def is_address(text: str) -> bool:
    """Whether a library's name is an address, valid or not, rather than a folder; `./milvus:x` is a folder."""
    scheme, separator, _ = text.partition("://")
    is_any = bool(separator) and re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme) is not None
    return is_any or text.lower().startswith((f"{_PLAIN}:", f"{_TLS}:"))


def parse(text: str) -> Address:
    """Parse an address.

    Raises BadSetting if it isn't valid, or if it contains a user name or password: addresses are shown, logged and kept
    in shell histories.  The message doesn't quote an invalid address, which may contain a password too.
    """
    if "@" in text or "%40" in text:
        raise BadSetting(
            "the library's address holds a user name or password",
            hint="put USER:PASSWORD into PHOTOMAP_LIBRARY_TOKEN, or into the file that library_token_file names",
        )
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", PORT if parts.port is None else parts.port
    except ValueError as error:
        raise _refused("its host or port isn't valid") from error
    if parts.scheme not in (_PLAIN, _TLS):
        raise _refused(f"{parts.scheme[:_LONGEST]}:// isn't a library's scheme")
    if not _HOST.fullmatch(host) or not port:
        raise _refused("its host or port is missing or isn't valid")
    name = parts.path.removeprefix("/").removesuffix("/")
    if parts.query or parts.fragment or not _NAME.fullmatch(name):
        raise _refused("the name behind the host is letters, digits and _, and begins with a letter")
    return Address(host, port, name, parts.scheme == _TLS)


def _refused(reason: str) -> BadSetting:
    return BadSetting(f"the library's address isn't valid: {reason}", hint=_HINT)
