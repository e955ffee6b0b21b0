import pytest
from terminal_fakes import CPU, VRAM, FakeBackend

from photomap_cli.errors import LibraryBusy, SessionGone
from photomap_cli.repl.connection import Connection
from photomap_cli.repl.toolbar import Toolbar


@pytest.fixture
def connection():
    return Connection(lambda: FakeBackend(status=VRAM))


def make_toolbar(connection, *, width=80, **settings):
    return Toolbar(connection, width=lambda: width, **settings)


def text_of(toolbar):
    return "".join(part[1] for part in toolbar())


def test_before_the_backend_is_there_it_says_so(connection):
    toolbar = make_toolbar(connection)
    assert (text_of(toolbar), toolbar.short()) == (" ◌ opening the library…", "OPENING")
    connection.trouble = LibraryBusy("the library is busy")
    assert text_of(toolbar) == " ✗ the library is busy"


def test_it_draws_the_status_in_colour_or_without(connection):
    connection.backend()
    toolbar = make_toolbar(connection, extras=lambda: (":help",))
    assert text_of(toolbar) == " ● VRAM 352 MB │ frees GPU memory in 0:18 │ 12,034 photos │ cuda:0 │ :help"
    assert toolbar()[:3] == [("ansigreen bold", " ● "), ("ansigreen", "VRAM 352 MB"), ("ansibrightblack", " │ ")]
    assert not any("ansi" in part[0] for part in make_toolbar(connection, has_colour=False)())
    assert toolbar.short() == "VRAM"


def test_it_is_drawn_again_only_when_something_visible_changes(connection):
    backend = connection.backend()
    toolbar = make_toolbar(connection)
    first = toolbar()
    assert toolbar() is first
    backend.current = CPU
    assert toolbar() is not first


def failing(connection, error, *, width=20):
    def status():
        raise error

    connection.backend().status = status
    return make_toolbar(connection, width=width)


def test_a_failing_status_becomes_its_text(connection):
    toolbar = failing(connection, LibraryBusy("the library is busy\nreally"))
    assert text_of(toolbar) == " ✗ the library is …"
    assert toolbar.short() == "?"


def test_a_lost_session_says_what_brings_a_new_one(connection):
    toolbar = failing(connection, SessionGone("the session ended"), width=80)
    assert text_of(toolbar) == " ○ session ended │ the next search opens a new one"
    assert toolbar.short() == "LOST"
    assert len(text_of(failing(connection, SessionGone("the session ended"), width=30))) == 29
