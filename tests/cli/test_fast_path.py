"""The way past Typer says what the full command line says, byte for byte, and leaves to it what is not plain."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import re
import subprocess
import sys
from dataclasses import replace

import pytest
from cases import cases
from waiting import LONG_SECONDS

from photomap_cli import directories
from photomap_cli.cli import dispatch, fast_path, run
from photomap_cli.cli.option_table import OPTIONS
from photomap_cli.errors import BadQuery
from photomap_cli.records import Hit, ResidencyState, SearchRequest, SearchResult, SessionStatus, Timings
from photomap_cli.session.handlers import RequestHandlers
from photomap_cli.session.server import SessionServer, claim

HITS = tuple(
    Hit(rank, path, 0.7312345678 / rank, "2023-06-15T10:22:00", 4032, 3024)
    for rank, path in enumerate(("/photos/a b.jpg", "/photos/b\tc\n.jpg", "/photos/\udcff.jpg", "/photos/ö.jpg"), 1)
)
TOLD = ("~/Downloads is not indexed", "the card was full")
RESULT = SearchResult("", "tiny", 41.23456, "local", Timings(encode=12.0567), (), TOLD, searched_elsewhere=True)
STATUS = SessionStatus(
    *(4242, "serve", "/l", "2026-01-01T00:00:00+00:00", "tiny", "cpu", "CPU", "float32", False),
    *(ResidencyState.RAM, False, 0, None, 1000, False, 1.2345, 30.0, None, 600.0, 599.98765),
    *(None, None, 0, 0, 0, None, 4, (1, 2)),
)


class StandIn:
    """A session that answers what it was asked for, always in the same time."""

    def __init__(self, folder):
        self.catalog = type("Catalog", (), {"folder": folder})
        self.asked = []

    def search(self, request, checkpoint=None):
        self.asked.append(request)
        if request.text == "bad":
            raise BadQuery("that is no query", hint="ask for something else", position=1)
        hits = () if request.text == "nothing" else HITS[: request.limit]
        return replace(RESULT, query=request.text, hits=hits)

    def status(self):
        return STATUS


@pytest.fixture
def session(tmp_path):
    folder = tmp_path / "library"
    stand_in = StandIn(folder)
    with SessionServer(stand_in, claim(folder)):
        yield stand_in


@pytest.fixture
def library(session):
    return f"--library={session.catalog.folder}"


PLAIN = [
    ["search", "cat"],
    ["search", "cat", "--json"],
    ["search", "--json", "black", "cat", "-people", "-", "fruit"],
    ["search", "cat", "-red ball", "--jsonl"],
    ["search", "cat", "--paths", "-k", "2"],
    ["search", "cat", "-0", "--limit", "3", "-q"],
    ["search", "nothing", "--json"],
    ["search", "ünïcode \udcff", "--json"],
    ["search", "cat", "--in", "/photos/../photos", "--json"],
    ["search", "cat", "--in=*", "--paths"],
    ["search", "cat", "--in", "~", "-k", "3", "-k", "2"],
    ["search", "cat", "--min-score", "-0.25", "--sort", "date", "--jsonl"],
    ["search", "cat", "--min-score=1", "--sort=score", "--limit=4"],
    ["search", "cat", "--exact", "--collapse", "--no-collapse", "--explain", "--json"],
    ["status", "--json"],
    ["status", "-q", "--json"],
]


@pytest.mark.parametrize("words", PLAIN, ids=" ".join)
def test_both_ways_write_the_same_bytes_and_ask_the_same(words, library, session, capfdbinary):
    told = []
    for way in (fast_path.answer, dispatch.run):
        status = way([*words, library])
        sys.stdout.flush()
        told.append((status, capfdbinary.readouterr()))
    assert told[0] == told[1]
    assert told[0][0] == (1 if "nothing" in words else 0)
    assert told[0][1].out or "nothing" in words
    assert session.asked[:1] == session.asked[1:]


@pytest.mark.parametrize(
    "words",
    [
        ["Beach - 2020.jpg"],
        ["./two  blanks.jpg", "at night"],
        [" +1", "dog", "--json"],
        ["dog", "-in:x.jpg", "--paths"],
        ["./Beach - 2020.jpg\n./two  blanks.jpg"],
        ["dog", "in:My Photos"],
    ],
    ids=" ".join,
)
def test_both_ways_take_a_word_that_names_a_file_for_it(words, library, session, capfdbinary, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("Beach - 2020.jpg", "two  blanks.jpg", " +1", "in:x.jpg"):
        (tmp_path / name).write_bytes(b"\xff\xd8\xff\xe0")
    (tmp_path / "My Photos").mkdir()
    test_both_ways_write_the_same_bytes_and_ask_the_same(["search", *words], library, session, capfdbinary)
    assert '"' in session.asked[0].text


@cases(
    "words",
    [
        ["status"],
        ["status", "--jason"],
        ["status", "--json", "--watch"],
        ["search"],
        ["search", "--json"],
        ["search", "cat", "--local", "--json"],
        ["search", "cat", "--html", "x.html"],
        ["search", "cat", "--preview"],
        ["search", "cat", "--in"],
        ["search", "cat", "--in", ""],
        ["search", "cat", "--min-score", "2"],
        ["search", "cat", "--min-score", "nan"],
        ["search", "cat", "--min-score", "1e-1"],
        ["search", "cat", "--sort", "name"],
        ["search", "cat", "--json=yes"],
        ["search", "cat", "--exact=1"],
        ["search", "cat", "--explain", "--paths"],
        ["search", "cat", "--json", "--paths"],
        ["search", "cat", "-k", "0"],
        ["search", "cat", "-k", "1_0"],
        ["search", "cat", "-k"],
        ["search", "cat", "-k3"],
        ["search", "--", "cat"],
        ["search", "cat", "--help"],
        ["search", "cat", "--verbose"],
        ["search", "bad", "--json"],
        ["--version", "x"],
    ],
)
def test_everything_else_is_left_to_the_full_way_untouched(words, library, capfd):
    assert fast_path.answer([*words, library]) is None
    assert capfd.readouterr() == ("", "")


def test_every_option_of_a_search_is_served_or_left_alone_on_purpose():
    served = {option.parameter for option in OPTIONS["search"].values()} - fast_path._PLAIN
    assert served == {"preview", "html", "force", "help"}
    fields = fast_path._PLAIN - {"local", *fast_path._STYLES}
    assert fields <= {field.name for field in dataclasses.fields(SearchRequest)}


@pytest.mark.parametrize("words", [["cat"], ["cat", "-k", "2"], ["nothing"], ["cat", "--explain"]], ids=" ".join)
def test_a_table_for_a_terminal_is_the_same_either_way(words, library, session, monkeypatch, capfd):
    monkeypatch.setenv("COLUMNS", "100")
    told = []
    for way in (fast_path.answer, dispatch.run):
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        status = way(["search", *words, library])
        sys.stdout.flush()
        out, err = capfd.readouterr()
        told.append((status, re.sub(r"\bid=\d+;", "", out), err))  # Rich numbers its links
    assert told[0] == told[1]
    assert told[0][0] == (1 if "nothing" in words else 0)


def test_an_answer_of_another_version_is_left_to_the_full_way(library, monkeypatch, capfd):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(RequestHandlers, "answer", lambda *_: {**RESULT.to_json(), "colour": "red"})
    assert fast_path.answer(["search", "cat", library]) is None
    assert capfd.readouterr() == ("", "")


def test_a_wait_at_a_terminal_says_where_the_encoder_is(library, monkeypatch, capfd):
    asked = []
    monkeypatch.setattr(
        fast_path, "_in_words", lambda line, request: asked.append(1) or fast_path._in_silence(line, request)
    )
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    assert fast_path.answer(["search", "cat", library]) == 0
    assert fast_path.answer(["search", "cat", library, "-q"]) == 0
    assert asked == [1]


def test_pictures_on_a_terminal_are_left_to_the_full_way(library, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("PHOTOMAP_PREVIEWS", "on")
    assert fast_path.answer(["search", "cat", library]) is None
    assert fast_path.answer(["search", "cat", library, "--paths"]) == 0


def test_a_shell_that_asks_for_completions_is_left_to_the_full_way(library, monkeypatch):
    monkeypatch.setenv("_PHOTOMAP_COMPLETE", "complete_bash")
    assert fast_path.answer([]) is None
    assert fast_path.answer(["status", "--json", library]) is None


def test_photomap_alone_is_the_same_conversation_either_way(library, monkeypatch, capfdbinary):
    told = []
    for way in (fast_path.answer, dispatch.run):
        monkeypatch.setattr(sys, "stdin", io.StringIO("cat\nbad\n"))
        told.append((way([library]), capfdbinary.readouterr()))
    assert told[0] == told[1]
    assert (told[0][0], len(told[0][1].out.splitlines())) == (2, 4)


def test_a_refused_setting_is_told_alike_either_way(library, monkeypatch, capsys):
    monkeypatch.setenv("PHOTOMAP_RESULTS", "many")
    assert fast_path.answer([library]) == dispatch.run([library]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == lines[2:]
    assert "results (environment)" in lines[0]


def test_without_a_session_a_search_is_left_to_the_full_way(tmp_path):
    assert fast_path.answer(["search", "cat", "--json", "--library", str(tmp_path)]) is None


def test_without_library_and_session_the_status_is_the_contracts(tmp_path, capsys):
    words = ["status", "--json", "--library", str(tmp_path / "none")]
    for way in (fast_path.answer, dispatch.run):
        assert way(words) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == second
    assert list(directories.runtime_directory().parent.iterdir()) == []


def test_sessions_are_shown_also_where_the_library_cannot_be_read(session, tmp_path, capsys):
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "catalog.sqlite").write_text("this is no catalogue at all, and has never been one" * 99)
    assert dispatch.run(["status", f"--library={damaged}"]) == 2
    told = capsys.readouterr()
    assert told.out.startswith("4242 serve · ")
    assert told.err.startswith(f"photomap: the library file {damaged}")
    assert "\nhint: " in told.err


HEAVY = "typer click rich pydantic pydantic_settings prompt_toolkit dataclasses inspect logging asyncio numpy"


@pytest.mark.parametrize(
    ("words", "more"),
    [
        (["--version"], "json pathlib socket typing photomap_cli.errors"),
        (["search", "cat", "--json"], "sqlite3 photomap_cli.records"),
        (["search", "cat"], "sqlite3 photomap_cli.records"),
        (["status", "--json"], "photomap_cli.records"),
    ],
    ids=str,
)
def test_the_fast_way_imports_next_to_nothing(words, more, library):
    program = (
        "import sys; from photomap_cli.cli import run; status = run(sys.argv[2:]);"
        "heavy = set(sys.argv[1].split()) & set(sys.modules); assert not heavy, heavy; sys.exit(status)"
    )
    options = [] if words == ["--version"] else [library]
    command = [sys.executable, "-c", program, f"{HEAVY} {more}", *words, *options]
    done = subprocess.run(command, timeout=LONG_SECONDS, capture_output=True, check=False)
    assert (
        done.returncode,
        b"".join(line for line in done.stderr.splitlines() if line.removeprefix(b"photomap: ").decode() not in TOLD),
    ) == (0, b"")


def test_a_reader_that_leaves_is_no_error(library):
    with contextlib.ExitStack() as opened:
        words = [sys.executable, "-m", "photomap_cli", "search", "cat", "--json", library]
        process = opened.enter_context(subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(LONG_SECONDS) == 0


def test_a_defect_here_is_told_as_json_and_never_as_nothing_found(library, monkeypatch, capsys):
    def fails(*_):
        raise ValueError("oops")

    monkeypatch.setattr(fast_path, "_result", fails)
    assert run([library, "search", "red", "--json"]) == 3
    told = capsys.readouterr()
    assert json.loads(told.out)["error"]["message"] == "ValueError: oops"
    assert "ValueError" in told.err


def test_a_command_line_that_cannot_even_begin_fails_as_such():
    program = "import sys; sys.modules['photomap_cli.cli.fast_path'] = None; from photomap_cli.cli import main; main()"
    ended = subprocess.run([sys.executable, "-c", program, "search", "red"], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert "this is a bug in photomap" in ended.stderr
