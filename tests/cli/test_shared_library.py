"""An address in the place of a folder, on each command line; the server is the stand-in."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from cases import cases
from command_line import run_here
from library_fakes import INFO
from PIL import Image
from waiting import LONG_SECONDS

import photomap_cli.encoder
from photomap_cli import directories, settings
from photomap_cli.cli import index_offer
from photomap_cli.errors import LibraryUnreachable
from photomap_cli.indexing import shared_reindex
from photomap_cli.library import user_data
from photomap_cli.library.location import library_directory
from photomap_cli.library.shared.facts import SharedFacts
from photomap_cli.library.shared.store import SharedLibrary
from photomap_cli.session import attach, libraries

pytestmark = pytest.mark.usefixtures("one_encoder_process")

PHOTOS = 3
NOBODY = "milvus://127.0.0.1:9/photos"  # nobody listens on the port that discards
_numbers = itertools.count()


class Computer:
    """One of several: its settings, caches and folders are its own.  `archive` is where it has the shared folder."""

    def __init__(self, home: Path, archive: Path, address: str) -> None:
        self.home, self.archive, self.address = home, archive, address
        self.environment = {**os.environ, "HOME": str(home), "PHOTOMAP_CONFIG": str(home / "config.toml")}
        for name in ("DATA", "CACHE", "STATE"):
            self.environment[f"XDG_{name}_HOME"] = str(home / name.lower())
        home.mkdir()
        (home / "config.toml").write_text(f"[roots]\narchive = {json.dumps(str(archive))}\n")

    def run(self, *words, library=None):
        """Run a command over the library: its exit status, output and errors."""
        done = run_here(f"--library={library or self.address}", *words, cwd=self.home, environment=self.environment)
        return done.returncode, done.stdout, done.stderr

    def json(self, *words, **more):
        status, out, err = self.run(*words, "--json", **more)
        assert status in (0, 1), err
        return json.loads(out)

    def paths(self, *words):
        return sorted(hit["path"] for hit in self.json("search", "--limit", "1000", *words)["hits"])


def pictures(folder, first, count=PHOTOS):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        noise = np.random.default_rng(number).integers(0, 256, (6, 8, 3), np.uint8)
        Image.fromarray(noise).resize((64, 48)).save(folder / f"{number}.png")


@pytest.fixture
def address(milvus_lite):
    return f"milvus://{milvus_lite}/cli_{next(_numbers)}"


@pytest.fixture
def computer(tmp_path, address):
    """Return a computer that has indexed three photos."""
    pictures(tmp_path / "archive/one", 0)
    one = Computer(tmp_path / "home", tmp_path / "archive", address)
    assert one.run("index", str(one.archive), "--encoder", "tiny", "-q") == (0, "", "")
    return one


@pytest.fixture
def other(tmp_path, computer):
    """Return another computer, which has the same folder elsewhere, and a further one in it."""
    there = tmp_path / "mnt/nas"
    shutil.copytree(computer.archive, there)
    pictures(there / "two", 10)
    return Computer(tmp_path / "other home", there, computer.address)


def test_two_computers_find_each_others_photos_where_they_have_them(computer, other):
    assert other.run("index", str(other.archive / "two"), "-q")[0] == 0
    found = computer.paths("dog", "--min-score", "-1")
    assert found == sorted(str(computer.archive / name) for name in ("one/0.png", "one/1.png", "one/2.png")) + sorted(
        str(computer.archive / f"two/{number}.png") for number in (10, 11, 12)
    )
    assert [path.replace(str(other.archive), str(computer.archive)) for path in other.paths("name:*")] == found
    assert other.paths("name:*", "--in", str(other.archive / "two")) == other.paths("name:1?.png")
    assert other.json("index", str(other.archive))["unchanged"] == 2 * PHOTOS


def test_a_photo_that_one_computer_has_not_is_no_photo_that_moved(computer, other):
    (other.archive / "one/0.png").rename(other.archive / "two/moved.png")
    report = other.json("index", str(other.archive))
    assert (report["moved"], report["added"], report["removed"]) == (1, PHOTOS, 0)
    elsewhere = Computer(computer.home.with_name("third"), computer.home.with_name("no archive"), computer.address)
    pictures(computer.home.with_name("no archive"), 10, 1)
    (elsewhere.home / "config.toml").write_text(f"[roots]\nphones = '{elsewhere.archive}'\n")
    report = elsewhere.json("index", str(elsewhere.archive))
    assert (report["moved"], report["added"], report["removed"]) == (0, 1, 0)
    assert len(computer.paths("name:*")) == 2 * PHOTOS + 1


def test_status_and_sessions_name_the_address_and_no_secret(computer):
    computer.environment["PHOTOMAP_LIBRARY_TOKEN"] = "user:secret"
    status, out, _ = computer.run("status")
    assert status == 0
    assert f"{computer.address} · {PHOTOS} photos · tiny" in out
    document = computer.json("status")
    assert (document["library"]["path"], document["library"]["roots"]) == (computer.address, [str(computer.archive)])
    assert "secret" not in out + json.dumps(document) + computer.run("config")[1] + computer.run("doctor")[1]


def test_a_watched_status_goes_on_while_the_server_does_not_answer(computer, monkeypatch):
    for name, value in computer.environment.items():
        monkeypatch.setenv(name, value)
    read = SharedFacts.status

    def away(_facts):
        raise LibraryUnreachable("the library does not answer", hint="wait")

    with libraries.status_reader(library_directory(computer.address)) as read_facts:
        first = read_facts()
        monkeypatch.setattr(SharedFacts, "status", away)
        error = {"code": "library_unreachable", "message": "the library does not answer", "hint": "wait"}
        assert read_facts() == {**first, "error": error}
        monkeypatch.setattr(SharedFacts, "status", read)
        assert read_facts() == first
    monkeypatch.setattr(SharedFacts, "status", away)
    assert computer.run("status")[0] == 2


def test_what_the_user_keeps_and_what_is_cached_lies_in_a_folder_of_the_address(computer, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", computer.environment["XDG_DATA_HOME"])
    folder = library_directory(computer.address)
    user_data.add(folder, "Best", [user_data.Member(str(computer.archive / "one/1.png"))])
    assert computer.json("albums")["albums"][0]["name"] == "Best"
    assert computer.paths("album:best") == [str(computer.archive / "one/1.png")]
    assert computer.paths("album:best", "dog", "--min-score", "-1") == [str(computer.archive / "one/1.png")]
    assert {"albums.sqlite", "queries.sqlite", "thumbnails.sqlite"} <= {each.name for each in folder.iterdir()}
    assert folder.is_relative_to(computer.home)


def test_maps_duplicates_encoders_and_doctor_take_an_address(computer):
    shutil.copy(computer.archive / "one/0.png", computer.archive / "copy.png")
    pictures(computer.archive, 20, 3)
    assert computer.json("index", str(computer.archive))["added"] == 4
    (group,) = computer.json("duplicates", "--identical")["groups"]
    assert len(group["photos"]) == 2
    assert computer.json("map")["count"] == 7
    assert "this library's" in computer.run("encoders")[1].splitlines()[0]
    checks = {each["subject"]: each["state"] for each in computer.json("doctor")["checks"]}
    wanted = {"server": "ok", "library": "ok", "vectors": "ok", "search": "ok"}
    assert {subject: checks.get(subject) for subject in wanted} == wanted
    assert checks[f"photos in {computer.archive}"] == "ok"


def test_a_part_and_a_dry_run_are_as_in_a_folder(computer):
    pictures(computer.archive / "more", 30, 8)
    plan = computer.json("index", "--dry-run", str(computer.archive))
    assert (plan["added"], len(computer.paths("name:*"))) == (8, PHOTOS)
    parts = [computer.json("index", "--part", f"{number}/2", str(computer.archive))["added"] for number in (1, 2)]
    assert sum(parts) == 8
    assert len(computer.paths("name:*")) == PHOTOS + 8


def test_a_copy_goes_there_and_back(computer, tmp_path):
    copy = tmp_path / "copy"
    assert computer.json("copy", computer.address, str(copy))["photos"] == PHOTOS
    assert computer.json("copy", computer.address, str(copy))["was_there"] is True
    back = f"{computer.address}_back"
    assert computer.json("copy", str(copy), back)["photos"] == PHOTOS
    hits = [
        computer.json("search", "dog", "--min-score", "-1", library=each)["hits"]
        for each in (computer.address, copy, back)
    ]
    assert [[hit["path"] for hit in each] for each in hits[1:]] == [[hit["path"] for hit in hits[0]]] * 2
    scores = [[hit["score"] for hit in each] for each in hits]
    np.testing.assert_allclose(scores[1:], scores[:1] * 2, atol=1e-3)


def test_a_move_in_a_library_with_photos_elsewhere_is_recorded(computer, other, monkeypatch):
    (other.home / "config.toml").write_text(f"[roots]\nphones = {json.dumps(str(other.archive / 'two'))}\n")
    assert other.json("index", str(other.archive / "two"))["added"] == PHOTOS
    (computer.home / "config.toml").write_text(
        f"[roots]\narchive = {json.dumps(str(computer.archive))}\nlater = {json.dumps(str(computer.home / 'later'))}\n"
    )
    done = run_here(
        f"--library={computer.address}",
        cwd=computer.home,
        environment=computer.environment,
        stdin=f"name:0.png\n:mv! 1 {computer.home / 'later'}\nname:0.png\n",
    )
    assert done.returncode == 0, done.stderr
    assert str(computer.home / "later/0.png") in done.stdout
    assert computer.json("status")["library"]["roots"] == [
        str(computer.archive),
        str(computer.home / "later"),
        "phones:",
    ]


# Encoded again ------------------------------------------------------------------------------------------------------


@pytest.fixture
def encoder(tmp_path):
    """The embedded encoder under another name."""
    folder = tmp_path / "encoder"
    shutil.copytree(Path(photomap_cli.encoder.__file__).parent / "tiny", folder)
    return f"local-dir:{folder}"


def test_a_library_is_encoded_again_beside_itself(computer, encoder):
    status, _, told = computer.run("index", "--rebuild", "--encoder", encoder)
    assert (status, "old vectors" in told) == (0, False)
    assert computer.json("status")["library"]["encoder"] == encoder
    assert len(computer.paths("dog", "--min-score", "-1")) == PHOTOS
    assert computer.json("index", str(computer.archive))["unchanged"] == PHOTOS
    assert len(list((computer.home / "data/photomap/shared").iterdir())) == 1


def test_every_computer_encodes_what_it_has_and_the_last_one_puts_it_in_place(computer, other, encoder):
    (other.home / "config.toml").write_text(f"[roots]\nphones = {json.dumps(str(other.archive / 'two'))}\n")
    assert other.json("index", str(other.archive / "two"))["added"] == PHOTOS
    status, _, told = computer.run("index", "--rebuild", "--encoder", encoder)
    assert status == 0
    assert "searches still use the old vectors: phones: has to be encoded again where it is, too" in told
    assert computer.json("status")["library"]["encoder"] == "tiny"
    assert len(computer.paths("name:*")) == 2 * PHOTOS
    status, _, told = computer.run("index", str(computer.archive))
    assert (status, f"re-encoding with {encoder} is not finished" in told) == (0, True)
    assert computer.json("status")["library"]["roots"] == [str(computer.archive), "phones:"]
    status, _, told = computer.run("index", "--rebuild", "--encoder", "tiny")
    assert (status, f"is being encoded again with {encoder}" in told) == (2, True)
    status, _, told = other.run("index", "--rebuild", "--encoder", encoder)
    assert (status, "old vectors" in told) == (0, False)
    assert other.json("status")["library"]["encoder"] == encoder
    assert len(computer.paths("dog", "--min-score", "-1")) == 2 * PHOTOS


def test_a_rebuild_that_has_just_begun_elsewhere_is_left_alone(computer, encoder, monkeypatch):
    for name, value in computer.environment.items():
        monkeypatch.setenv(name, value)
    draft = shared_reindex.draft_of(library_directory(computer.address))
    with libraries.open_shared(draft, create=True) as begun:
        begun.begin(INFO)
        begun.writes.runs.begin([str(computer.archive)], datetime.now(UTC))
        status, _, told = computer.run("index", "--rebuild", "--encoder", encoder)
        assert (status, f"is being encoded again with {INFO.spec}" in told) == (2, True)
        begun.writes.runs.end([str(computer.archive)], [], lambda path: True)
        assert begun.facts.encoder.spec == INFO.spec
    assert computer.run("index", "--rebuild", "--encoder", encoder)[0] == 0
    assert computer.json("status")["library"]["encoder"] == encoder


def test_a_missing_disk_does_not_have_a_rebuild_lose_photos(computer, encoder):
    pictures(computer.archive / "two", 40)
    assert computer.json("index", str(computer.archive))["added"] == PHOTOS
    away = computer.archive.with_name("away")
    (computer.archive / "one").rename(away)
    computer.archive.joinpath("one").symlink_to(away.with_name("nothing"))
    status, _, told = computer.run("index", "--rebuild", "--encoder", encoder)
    assert (status, "the library is unchanged" in told) == (2, True)
    assert computer.json("status")["library"]["encoder"] == "tiny"
    assert len(computer.paths("name:*")) == 2 * PHOTOS


@pytest.mark.parametrize("is_shared", [True, False])
def test_a_session_indexes_by_itself_only_what_nobody_shares(computer, tmp_path, monkeypatch, is_shared):
    for name, value in {**computer.environment, "PHOTOMAP_WATCH": "on"}.items():
        monkeypatch.setenv(name, value)
    watched = []
    monkeypatch.setattr(attach, "_watch", watched.append)
    folder = library_directory(computer.address) if is_shared else tmp_path / "own"
    with attach.host(folder, settings.load(directories.config_file()).values, kind="serve", create=True) as session:
        assert watched == ([] if is_shared else [session])
        assert session.status().library == (computer.address if is_shared else str(folder))


# What does not work -------------------------------------------------------------------------------------------------


@cases(
    "words",
    [
        ("search", "dog"),
        ("search", "name:*"),
        ("status",),
        ("index", "."),
        ("index", "--rebuild"),
        ("index", "--dry-run", "."),
        ("duplicates",),
        ("map",),
        ("encoders",),
        ("copy", NOBODY, "folder"),
        ("serve",),
    ],
)
def test_a_server_that_is_away_is_one_line_and_a_hint(words, tmp_path):
    shutil.rmtree(tmp_path / "home", ignore_errors=True)
    status, out, err = Computer(tmp_path / "home", tmp_path, NOBODY).run(*words)
    assert (status, out) == (2, "")
    assert err.splitlines() == [
        f"photomap: the library {NOBODY} does not answer",
        "hint: is the server up? `photomap doctor` looks",
    ]


def test_status_for_programs_waits_for_a_server_once(tmp_path, monkeypatch):
    tried = []

    def away(*_given, **_more):
        tried.append(1)
        raise LibraryUnreachable("does not answer", hint="wait")

    monkeypatch.setattr(SharedLibrary, "open", away)
    status, out, _ = Computer(tmp_path / "home", tmp_path, NOBODY).run("status", "--json")
    assert (status, json.loads(out)["error"]["code"], len(tried)) == (2, "library_unreachable", 1)


@cases(
    ("library", "told"),
    [
        ("milvus://me:secret@host/photos", "holds a user name or password"),
        ("milvus://photos.example/photos", "isn't encrypted"),
        ("milvus://host", "is letters"),
        ("postgres://host/photos", "isn't a library's scheme"),
    ],
)
def test_an_address_that_cannot_be_used_is_told_without_a_secret(library, told, tmp_path):
    shutil.rmtree(tmp_path / "home", ignore_errors=True)
    computer = Computer(tmp_path / "home", tmp_path, library)
    for words in (("search", "dog"), ("index", "."), ("status", "--json")):
        status, out, err = computer.run(*words)
        assert (status, told in out + err, "secret" in out + err) == (2, True, False), words


def test_a_folder_of_no_root_is_refused_before_anything_is_encoded(computer, tmp_path):
    pictures(tmp_path / "elsewhere", 50)
    for library, words in itertools.product((None, f"{computer.address}_new"), ((), ("--dry-run",))):
        status, _, err = computer.run("index", str(tmp_path / "elsewhere"), *words, library=library)
        assert status == 2
        assert "is below none of the shared library's roots on this computer" in err
    assert len(computer.paths("name:*")) == PHOTOS


def test_a_search_elsewhere_offers_no_folder_that_the_library_cannot_have(computer, tmp_path, monkeypatch):
    pictures(tmp_path / "elsewhere", 60)
    for name, value in computer.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(index_offer, "is_possible", lambda: True)
    asked = []
    for folder in (tmp_path / "elsewhere", computer.archive / "one"):
        monkeypatch.chdir(folder)
        assert not index_offer.accepted(library_directory(computer.address), lambda text: asked.append(text) or "n")
    assert len(asked) == 1
    assert "one" in asked[0]


def test_a_local_command_never_imports_the_client(tmp_path):
    program = (
        "import sys; from photomap_cli.cli import run\n"
        "lines = 'status --json', 'search dog', 'search a:x', 'index . --encoder tiny', 'doctor', 'map'\n"
        "for line in lines: run([f'--library={sys.argv[1]}', *line.split()])\n"
        "client = {name for name in sys.modules if name.split('.')[0] in ('pymilvus', 'grpc')}\n"
        "client |= {name for name in sys.modules if name.startswith('photomap_cli.library.shared.')}\n"
        "assert not client, client"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "library")]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=LONG_SECONDS, capture_output=True)


def test_the_demo_of_whoever_shares_a_library_has_one_of_its_own(tmp_path):
    computer = Computer(tmp_path / "home", tmp_path, NOBODY)
    computer.environment["PHOTOMAP_LIBRARY"] = NOBODY
    done = run_here("demo", cwd=tmp_path, environment=computer.environment)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "home/data/photomap" / directories.address_folder(NOBODY).parent.name).exists()
