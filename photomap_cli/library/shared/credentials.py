"""Owns the credentials for a shared library's server, and whether they may be sent there.  Shows no secret."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from photomap_cli import directories, files
from photomap_cli.errors import BadSetting

if TYPE_CHECKING:
    from photomap_cli.library.shared.address import Address
    from photomap_cli.settings import Settings

TOKEN = "PHOTOMAP_LIBRARY_TOKEN"
"""Environment variable with the token; not a setting, as those are shown and stored."""

_LONGEST_TOKEN_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class Credentials:
    """What to log in with.

    Attributes:
        token: `USER:PASSWORD`, or a token that the server has issued.
        ca_file: certificate of the CA that has signed the server's; empty for the system's CAs.
    """

    token: str = field(default="", repr=False)
    ca_file: str = ""

    @property
    def user(self) -> str:
        """The user's name, for messages; empty if there is no token."""
        user, separator, _ = self.token.partition(":")
        return user if separator else "the owner of a token" if user else ""


def credentials(address: Address, settings: Settings) -> Credentials:
    """Return the credentials for a library's server.

    Raises BadSetting if others could read the token, on the network or in its file, or if a file can't be read.
    """
    if not (address.is_encrypted or address.is_on_this_machine or settings.library_insecure):
        raise BadSetting(
            f"{address} isn't encrypted: others on the network could read passwords and photos' names",
            hint="use milvus+tls://; where the network is trusted, `photomap config set library_insecure true`",
        )
    ca_file = str(_absolute(settings.library_ca_file)) if settings.library_ca_file else ""
    if ca_file and not os.access(ca_file, os.R_OK):
        raise BadSetting(f"library_ca_file: {ca_file} can't be read", hint="name the file with the CA's certificate")
    return Credentials(_token(settings), ca_file)


def _token(settings: Settings) -> str:
    if token := os.environ.get(TOKEN):
        return _checked(token, TOKEN)
    if not settings.library_token_file:
        return ""
    return _checked(_read(_absolute(settings.library_token_file)), "library_token_file")


def _read(path: Path) -> str:
    """Return the content of a file that only its owner may read."""
    try:
        with files.reading(path) as file:
            info = os.fstat(file.fileno())
            if os.name == "posix" and stat.S_IMODE(info.st_mode) & 0o077:
                raise BadSetting(f"library_token_file: others can read {path}", hint=f"chmod 600 {path}")
            return file.read(_LONGEST_TOKEN_BYTES).decode()
    except OSError as error:
        reason = (error.strerror or "not a regular file").lower()
        raise BadSetting(f"library_token_file: {path}: {reason}", hint="name the file with the token") from error
    except UnicodeDecodeError as error:
        raise BadSetting(f"library_token_file: {path} isn't text", hint="name the file with the token") from error


def _checked(token: str, source: str) -> str:
    if not token.strip().isprintable():
        raise BadSetting(f"{source} holds what isn't a token", hint="write USER:PASSWORD in one line")
    return token.strip()


def _absolute(path: str) -> Path:
    return directories.absolute(Path(path))
