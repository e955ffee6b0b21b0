"""A server that asks for a password and encrypts: who comes in, and what the others are told."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import closing

import milvus_server
import pytest
from cases import cases
from library_fakes import INFO, new_photo, unit_vectors

from photomap_cli.errors import LibraryUnreachable, LibraryUnusable
from photomap_cli.library.shared import address
from photomap_cli.library.shared.client import Client
from photomap_cli.library.shared.credentials import Credentials
from photomap_cli.library.shared.store import SharedLibrary
from photomap_cli.settings import Settings

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
    folder = tmp_path_factory.mktemp("secured")
    with milvus_server.MilvusServer(folder, *settings) as server:
        yield server.address
    shutil.rmtree(folder / "data")  # 250 MB


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


READER = [("Collection", each) for each in ("Search", "Query", "GetLoadState", "IndexDetail")]
READER += [("Global", "DescribeCollection")]
INDEXER = [*READER, ("Collection", "Upsert"), ("Collection", "Delete"), ("Global", "CreateCollection")]
"""The privileges of docs/shared.md; in 2.3 the last one is also for what a library says of itself."""


@pytest.fixture(scope="module")
def opened_as(secured, certificate, tmp_path_factory):
    """Return what opens a library of 20 photos as a reader, an indexer or its owner."""
    settings = Settings(roots={"pp": "/p"}, library_ca_file=str(certificate[1]))

    def opened(who, password="Password1"):
        with pytest.MonkeyPatch.context() as variables:
            variables.setenv("PHOTOMAP_LIBRARY_TOKEN", f"{who}:{password}")
            folder = tmp_path_factory.mktemp(who)
            return SharedLibrary.open(folder, f"milvus+tls://{secured}/roles", settings, create=who == "root")

    with opened("root", "Milvus") as library:
        library.begin(INFO)
        library.writes.commit_batch([new_photo(f"/p/{n}.jpg", each) for n, each in enumerate(unit_vectors(20))])
    with client(secured, ca_file=certificate[1]) as owner:
        for role, privileges in (("reader", READER), ("indexer", INDEXER)):
            owner.call("create_role", role)
            owner.call("create_user", role, "Password1")
            owner.call("grant_role", role, role)
            for kind, privilege in privileges:
                owner.call("grant_privilege", role, kind, privilege, "*")
    return opened


def test_a_reader_searches_and_changes_nothing(opened_as):
    with opened_as("reader") as library:
        assert library.facts.status().photos == 20
        assert len(library.searches.search(unit_vectors(1)[0], 5)[0]) == 5
        assert library.facts.facets().extensions == (("jpg", 20),)
        assert library.facts.newest(limit=3)
        library.begin(INFO)
        row = library.facts.photo_at("/p/1.jpg").row
        for change in (
            lambda: library.writes.commit_batch([new_photo("/p/new.jpg")]),
            lambda: library.writes.commit_batch([], [row]),
            lambda: library.writes.change_roots(["/p"]),
            library.start_over,
        ):
            with pytest.raises(LibraryUnusable, match="doesn't allow that") as error:
                change()
            assert not isinstance(error.value, LibraryUnreachable)
        assert library.facts.status().photos == 20


def test_an_indexer_writes_and_removes_no_library(opened_as):
    with opened_as("indexer") as library:
        library.begin(INFO)
        library.writes.runs.begin(["/p"], None)
        library.writes.change_roots(["/p"])
        library.writes.commit_batch([new_photo("/p/new.jpg")])
        library.writes.commit_batch([], [library.facts.photo_at("/p/new.jpg").row])
        library.writes.runs.end(["/p"], [], lambda _path: True)
        assert list(library.upkeep()) == []
        with pytest.raises(LibraryUnusable, match="doesn't allow that"):
            library.start_over()
        assert library.facts.status().photos == 20
