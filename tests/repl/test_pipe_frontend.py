import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cases import cases
from terminal_fakes import CPU, FakeBackend, PaintedThumbnailer, make_result

from photomap_cli.errors import BadQuery
from photomap_cli.repl.pipe_frontend import has_screen, run_lines
from photomap_cli.search.query import parse
from photomap_cli.views.machine_output import ResultStyle


class Terminal(io.StringIO):
    def isatty(self):
        return True


def answer(request):
    if "bad" in request.text:
        raise BadQuery("a quote is not closed", hint="close it", position=0)
    if "boom" in request.text:
        raise ValueError("a defect\nof two lines")
    return make_result(
        0 if "nothing" in request.text else 2,
        query=request.text,
        notices=("a notice",) if "note" in request.text else (),
    )


def run(text, *, backend=None, stdin=None, **settings):
    out, err = io.StringIO(), io.StringIO()
    backend = backend or FakeBackend(answer=answer)
    status = run_lines(
        lambda: backend,
        open_thumbnailer=PaintedThumbnailer,
        cwd=Path("/photos"),
        limit=2,
        stdin=stdin or io.StringIO(text),
        stdout=out,
        stderr=err,
        **settings,
    )
    return status, out.getvalue(), err.getvalue()


ROWS = "1\t0.3990\t/photos/photo-001.jpg\n2\t0.3980\t/photos/photo-002.jpg\n"


@cases(
    ("text", "status", "out", "err"),
    [
        ("dog\n", 0, ROWS, ""),
        ("dog", 0, ROWS, ""),
        ("\ufeffdog\r\n\r\n", 0, ROWS, ""),
        ("nothing\ndog\n", 0, ROWS, ""),
        ("nothing\n", 1, "", ""),
        ("\n\ndog\nbad\n", 2, ROWS, "line 4: a quote is not closed  hint: close it\n"),
        ("boom\ndog\n", 2, ROWS, "line 1: ValueError: a defect of two lines\n"),
        (":ofload\n", 2, "", "line 1: there is no command :ofload  hint: did you mean :offload or :load?\n"),
        ("dog\n:quit\nbad\n", 0, ROWS, ""),
        ("dog\n:paths\n", 0, ROWS + "/photos/photo-001.jpg\n/photos/photo-002.jpg\n", ""),
        (":k 5\n", 0, "", "5 results per search\n"),
        ("note\n", 0, ROWS, "a notice\n"),
        ("", 0, "", ""),
    ],
)
def test_lines_in_results_out(text, status, out, err):
    assert run(text) == (status, out, err)


def test_the_limit_is_asked_for_exactly_and_the_backend_closed():
    backend = FakeBackend()
    run("dog\nlike 1\n", backend=backend)
    assert [request.limit for request in backend.requests] == [2, 2]
    assert backend.requests[1].references == ("/photos/photo-001.jpg", "/photos/photo-002.jpg")
    assert backend.calls == ["close"]


def test_status_is_one_line_without_colours():
    status, out, _ = run(":status\n", backend=FakeBackend(status=CPU))
    assert status == 0
    assert (
        out
        == "● RAM 12 MB cpu · 12 MB RAM · nothing to offload: CPU; released in 10 min · 12,034 photos · cpu · tiny\n"
    )


def test_another_style():
    assert run("dog\n", style=ResultStyle.PATHS)[1] == "/photos/photo-001.jpg\n/photos/photo-002.jpg\n"


def test_a_backend_that_cannot_be_opened_fails_the_line():
    def refuse():
        raise BadQuery("no library")

    err = io.StringIO()
    streams = {"stdin": io.StringIO("a\nb\n"), "stdout": io.StringIO(), "stderr": err}
    assert run_lines(refuse, open_thumbnailer=PaintedThumbnailer, cwd=Path("/"), limit=1, **streams) == 2
    assert err.getvalue() == "line 1: no library\nline 2: no library\n"


def test_bytes_that_are_no_text_reach_the_query():
    backend = FakeBackend()
    run("", backend=backend, stdin=io.TextIOWrapper(io.BytesIO(b"./\xff.jpg\n"), encoding="utf-8"))
    assert os.fsencode(backend.requests[0].text) == b"./\xff.jpg"


def test_what_a_dumb_terminal_says_is_a_conversation_and_ctrl_c_drops_one_query():
    def interrupted(request):
        raise KeyboardInterrupt

    backend, out, err = FakeBackend(answer=interrupted), Terminal(), Terminal()
    lines = Terminal("dog\nbad\n:quit\n")
    settings = {
        "open_thumbnailer": PaintedThumbnailer,
        "cwd": Path("/"),
        "limit": 1,
        "stdin": lines,
        "stdout": out,
        "stderr": err,
    }
    assert run_lines(lambda: backend, **settings) == 0
    assert err.getvalue().count("cancelled") == 2
    with pytest.raises(KeyboardInterrupt):
        run("dog\n", backend=backend)


def test_a_dumb_terminal_gets_a_prompt_with_the_state():
    status, out, err = run("", stdin=Terminal("dog\n"))
    assert (status, err) == (0, "[RAM] photomap> [RAM] photomap> \n")  # the shell's prompt has a line of its own
    assert out == ROWS


@pytest.mark.parametrize("stdin", [Terminal(":help\n"), io.StringIO(":help\n")])
def test_without_a_screen_help_promises_no_keys_that_are_not_there(stdin):
    _, out, _ = run("", stdin=stdin)
    assert ":collapse" in out
    assert not any(key in out for key in ("Tab", "↑", "Ctrl-R"))
    assert ("Ctrl-D leaves" in out) == stdin.isatty()


@pytest.mark.parametrize(
    ("stdin", "stdout", "term", "is_screen"),
    [
        (Terminal(), Terminal(), "xterm", True),
        (io.StringIO(), Terminal(), "xterm", False),
        (Terminal(), io.StringIO(), "xterm", False),
        (Terminal(), Terminal(), "dumb", False),
    ],
)
def test_where_a_screen_is(stdin, stdout, term, is_screen):
    assert has_screen(stdin, stdout, {"TERM": term}) is is_screen


CLOSED_PIPE = """
import sys
sys.path[:0] = {paths!r}
from pathlib import Path
from terminal_fakes import FakeBackend
from photomap_cli.repl.pipe_frontend import run_lines
loaded = [name for name in sys.modules if name.startswith("prompt_toolkit")]
assert not loaded, loaded
sys.exit(run_lines(lambda: FakeBackend(), open_thumbnailer=None, cwd=Path("/"), limit=1000))
"""


def test_a_closed_pipe_is_silent_and_prompt_toolkit_stays_out():
    here = Path(__file__).parents[1]
    program = CLOSED_PIPE.format(paths=[str(here), str(here.parent)])
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-c", program], input=b"dog\n" * 50, stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (done.stderr, done.returncode) == (b"", 0)


def test_a_line_that_is_the_name_of_a_file_asks_for_that_file(tmp_path):
    names = ["Beach - 2020.jpg", ":open 3.jpg", "exit.jpg", "blank at the end.jpg "]
    for name in names:
        (tmp_path / name).write_bytes(b"\xff\xd8\xff\xe0")
    backend, out = FakeBackend(answer=answer), io.StringIO()
    lines = [f"{tmp_path}/{name}" for name in names] + names
    run_lines(
        lambda: backend,
        open_thumbnailer=PaintedThumbnailer,
        cwd=tmp_path,
        limit=1,
        stdin=io.StringIO("\n".join(lines)),
        stdout=out,
        stderr=out,
    )
    asked = [term.value for request in backend.requests for term in parse(request.text, cwd=str(tmp_path)).terms]
    assert asked == 2 * [f"{tmp_path}/{name}" for name in names]


def test_what_needs_a_yes_is_refused_with_the_line_that_does_without():
    status, out, err = run("dog\n:mv /nowhere/at/all\n")
    assert (status, out) == (2, ROWS)
    assert "line 2: can't ask for confirmation here: move 2 photos to /nowhere/at/all?" in err
    assert ":mv! /nowhere/at/all does it without asking" in err


class FullDisk(io.StringIO):
    """Takes nothing, as /dev/full."""

    def write(self, text):
        super().write(text)
        raise OSError(errno.ENOSPC, "No space left on device")

    def flush(self):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_an_output_that_takes_no_more_is_no_fault_of_a_line():
    err = io.StringIO()
    with pytest.raises(OSError, match="No space left"):
        run_lines(
            lambda: FakeBackend(answer=answer),
            open_thumbnailer=PaintedThumbnailer,
            cwd=Path("/photos"),
            limit=2,
            stdin=io.StringIO("dog\ndog\n"),
            stdout=FullDisk(),
            stderr=err,
        )
    assert err.getvalue() == ""
