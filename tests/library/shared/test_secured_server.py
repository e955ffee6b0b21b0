"""A server that asks for a password and encrypts: who comes in, and what the others are told."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import closing

import milvus_server
import pytest
from cases import cases

from photomap_cli.errors import LibraryUnreachable, LibraryUnusable
from photomap_cli.library.shared import address
from photomap_cli.library.shared.client import Client
from photomap_cli.library.shared.credentials import Credentials

pytestmark = pytest.mark.milvus
OWNER = "root:Milvus"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Return the files of a key and of a certificate that nobody's system knows."""
    if not shutil.which("openssl"):
        pytest.skip("no certificate for a server: apt-get install openssl")
    key, pem = (tmp_path_factory.mktemp("tls") / name for name in ("server.key", "server.pem"))
    what = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", pem, *what]
    subprocess.run(command, check=True, capture_output=True)
    return key, pem


@pytest.fixture(scope="module")
def secured(certificate, tmp_path_factory):
    """Return the address, host and port, of the server."""
    if reason := milvus_server.missing():
        pytest.skip(reason)
    key, pem = certificate
    settings = ("authorization_enabled=true", "tls_mode=1")
    settings += (f"server_pem_path={pem}", f"server_key_path={key}", f"ca_pem_path={pem}")
    with milvus_server.MilvusServer(tmp_path_factory.mktemp("secured"), *settings) as server:
        yield server.address


def client(secured, token=OWNER, *, ca_file="", scheme="milvus+tls"):
    return closing(Client(address.parse(f"{scheme}://{secured}/photos"), Credentials(token, str(ca_file))))


def test_who_has_the_password_and_the_certificate_comes_in(secured, certificate):
    with client(secured, ca_file=certificate[1]) as opened:
        assert opened.call("list_collections") == []


@cases("token", ["root:wrong", "nobody:Milvus", "", "root"])
def test_a_wrong_password_is_called_so(token, secured, certificate):
    with client(secured, token, ca_file=certificate[1]) as opened, pytest.raises(LibraryUnusable) as error:
        opened.call("list_collections")
    assert not isinstance(error.value, LibraryUnreachable)
    assert "doesn't accept the user name or password" in error.value.message
    assert "wrong" not in str(error.value)


@cases("scheme", ["milvus", "milvus+tls"])
def test_a_server_that_is_not_known_or_wants_encryption_is_not_talked_to(scheme, secured):
    with client(secured, scheme=scheme) as opened, pytest.raises(LibraryUnreachable) as error:
        opened.call("list_collections")
    assert "does not answer" in error.value.message
