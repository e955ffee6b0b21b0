"""Addresses of shared libraries, who photomap is there, and what is never said in the open."""

import os

import pytest
from cases import cases

from photomap_cli.cli import settings_cache
from photomap_cli.errors import BadSetting
from photomap_cli.library.shared import address
from photomap_cli.library.shared.credentials import Credentials, credentials
from photomap_cli.settings import Settings, load, unknown_variables, write_value

HERE = address.parse("milvus://127.0.0.1/photos")
THERE = address.parse("milvus://nas/photos")


@pytest.mark.parametrize(
    ("text", "parts", "shown"),
    [
        ("milvus://host:19531/photos", ("host", 19531, "photos", False), "milvus://host:19531/photos"),
        ("milvus://HOST/photos/", ("host", 19530, "photos", False), "milvus://host:19530/photos"),
        ("MILVUS+TLS://a.b-c.d/_p1", ("a.b-c.d", 19530, "_p1", True), "milvus+tls://a.b-c.d:19530/_p1"),
        ("milvus://[::1]:7/p", ("::1", 7, "p", False), "milvus://[::1]:7/p"),
    ],
)
def test_what_an_address_says(text, parts, shown):
    found = address.parse(text)
    assert (found.host, found.port, found.name, found.is_encrypted) == parts
    assert str(found) == shown
    assert address.parse(shown) == found


@cases(
    "text",
    [
        *("milvus://", "milvus://host", "milvus://host/", "milvus:///photos", "milvus://host:0/p", "milvus://host:x/p"),
        *("milvus://host:99999/p", "milvus://host/a/b", "milvus://host/9p", "milvus://host/p-q", "milvus://host/é"),
        *("milvus://host/p?x=1", "milvus://host/p#x", "http://host/p", "postgres://host/p", "milvus://ho st/p"),
        *("milvus://host/" + "p" * 300, "milvus://[::1/p", "milvus://h\x1b[2J/p", "milvus://" + "x" * 5000, "://"),
    ],
)
def test_what_is_no_address_is_refused_in_one_short_line(text):
    with pytest.raises(BadSetting) as caught:
        address.parse(text)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 250
    assert "milvus://HOST:PORT/NAME" in caught.value.hint


@cases(
    "text",
    [
        *("milvus://me:secret@host/photos", "milvus://secret@host/photos", "milvus+tls://:secret@host:1/p"),
        *("milvus://me:secret@host:port/p", "milvus://me:secret@host:99999/p", "milvus://me:secret@[host/p"),
        *("milvus://me:secret%40host/p", "milvus:/me:secret@host/p", "milvus:me:secret@host/p", "http://me:secret@h/p"),
        *("milvus:///me:secret@host/p", "milvus://host/me:secret@p"),
    ],
)
def test_a_password_in_an_address_is_refused_and_not_repeated(text):
    with pytest.raises(BadSetting, match="user name or password") as caught:
        address.parse(text)
    assert "secret" not in caught.value.message + caught.value.hint
    assert "PHOTOMAP_LIBRARY_TOKEN" in caught.value.hint


@cases(
    "text",
    ["milvus://host:secret/p", "milvus://host:1:secret/p", "milvus://host/p?token=secret", "milvus://h/p#secret"],
)
def test_what_is_no_address_is_not_repeated(text):
    with pytest.raises(BadSetting, match="address isn't valid") as caught:
        address.parse(text)
    assert "secret" not in caught.value.message + caught.value.hint


def test_which_libraries_are_named_by_address():
    assert [
        text for text in ("milvus://h/p", "milvus+tls://x", "foo://", "milvus:/h/p") if not address.is_address(text)
    ] == []
    folders = ("/a/b", "milvus", "C:\\Photos", "a b://c", "", "./milvus://x", "./milvus:x")
    assert [text for text in folders if address.is_address(text)] == []


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("localhost", True),
        ("[::1]", True),
        ("nas", False),
        ("10.0.0.1", False),
    ],
)
def test_which_servers_are_on_this_machine(host, is_here):
    assert address.parse(f"milvus://{host}/p").is_on_this_machine == is_here


def test_nothing_is_sent_in_the_open_unless_a_setting_allows_it():
    with pytest.raises(BadSetting, match="isn't encrypted") as caught:
        credentials(THERE, Settings())
    assert "library_insecure" in caught.value.hint
    assert credentials(THERE, Settings(library_insecure=True)) == Credentials()
    assert credentials(address.parse("milvus+tls://nas/p"), Settings()) == Credentials()
    assert credentials(HERE, Settings()) == Credentials()


def test_a_token_comes_from_a_variable_or_else_from_a_file(tmp_path, monkeypatch):
    file = tmp_path / "token"
    file.write_text("me:from-the-file\n")
    file.chmod(0o600)
    settings = Settings(library_token_file=str(file))
    assert credentials(HERE, settings).token == "me:from-the-file"
    monkeypatch.setenv("PHOTOMAP_LIBRARY_TOKEN", "me:from-the-variable")
    assert credentials(HERE, settings).token == "me:from-the-variable"
    assert "from-the" not in repr(credentials(HERE, settings))


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_token_that_others_can_read_is_refused(mode, tmp_path):
    file = tmp_path / "token"
    file.write_text("me:secret")
    file.chmod(mode)
    with pytest.raises(BadSetting, match="others can read") as caught:
        credentials(HERE, Settings(library_token_file=str(file)))
    assert caught.value.hint == f"chmod 600 {file}"
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    "make",
    [
        lambda path: None,
        lambda path: path.mkdir(),
        lambda path: os.mkfifo(path, 0o600),
        lambda path: (path.write_bytes(b"\xff\xfe"), path.chmod(0o600)),
        lambda path: (path.write_bytes(b"a\x1bb"), path.chmod(0o600)),
    ],
)
def test_a_token_file_that_is_none_is_refused_by_its_setting(make, tmp_path):
    make(tmp_path / "token")
    with pytest.raises(BadSetting, match="library_token_file"):
        credentials(HERE, Settings(library_token_file=str(tmp_path / "token")))


def test_a_ca_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(BadSetting, match="library_ca_file"):
        credentials(HERE, Settings(library_ca_file=str(tmp_path / "none")))


def test_the_token_is_no_setting_and_what_settings_are_kept_by_does_not_depend_on_it(monkeypatch):
    before = settings_cache._sources()
    monkeypatch.setenv("PHOTOMAP_LIBRARY_TOKEN", "me:secret")
    assert unknown_variables(os.environ) == []
    assert settings_cache._sources() == before


def test_roots_are_a_table_in_the_file_and_a_list_elsewhere(tmp_path, monkeypatch):
    config = tmp_path / "config.toml"
    config.write_text('results = 5\n\n[roots]\narchive = "/mnt/nas/archive"  # the old one\n"old.2" = "~/x"\n')
    assert load(config).values.roots == {"archive": "/mnt/nas/archive", "old.2": "~/x"}
    monkeypatch.setenv("PHOTOMAP_ROOTS", "a1=/x, b2 = /y z ")
    assert load(config).values.roots == {"a1": "/x", "b2": "/y z"}
    monkeypatch.delenv("PHOTOMAP_ROOTS")
    write_value(config, "roots", "new=/n")
    assert load(config).values.roots == {"new": "/n"}
    assert load(config).values.results == 5


@cases("text", ["x", "a=/x", "ab=", "ab=x", "ab=../x", "a:b=/x", "a/b=/x", "é1=/x", "ab=/x,cd", "=/x", "ab=/x\n"])
def test_roots_that_are_none_are_refused_by_name(text, tmp_path):
    with pytest.raises(BadSetting, match=r"^roots"):
        load(tmp_path / "config.toml", {"roots": text})
