import asyncio
import io
import os
import signal
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.console import Console
from terminal_fakes import CPU, VRAM, FakeBackend, FakeHost, PaintedThumbnailer, make_hit, make_result
from waiting import LONG_SECONDS

from photomap_cli import job_control
from photomap_cli.errors import BadQuery, BadSetting, LibraryBusy, SessionGone
from photomap_cli.library.catalog import Catalog
from photomap_cli.records import EncoderFailure
from photomap_cli.repl.repl import HOW_TO_LEAVE, Repl
from photomap_cli.views.previews import Previews

UP, CTRL_A, CTRL_C, CTRL_D, CTRL_K, CTRL_R, ENTER = "\x1b[A", "\x01", "\x03", "\x04", "\x0b", "\x12", "\r"


class Prompt:
    """The real loop over a fake backend, with keys from a pipe."""

    def __init__(self, folder, backend=None, **settings):
        self.backend = backend or FakeBackend()
        self.host = FakeHost(self.backend, **settings)
        self.console = Console(file=io.StringIO(), width=100, highlight=False)
        self.history = folder / "private" / "history"

    def type(self, keys):
        """Type keys, then leave; return what was printed."""
        with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
            pipe.send_text(keys + CTRL_D)
            pipe.close()  # a prompt that does not take Ctrl-D ends here instead of never
            self.status = self.repl().run()
        return self.console.file.getvalue()

    def repl(self):
        previews = Previews(self.console, PaintedThumbnailer)
        return Repl(self.host, console=self.console, cwd=Path("/photos"), history_path=self.history, previews=previews)

    @property
    def queries(self):
        return [request.text for request in self.backend.requests]


@pytest.fixture
def prompt(tmp_path):
    return Prompt(tmp_path)


@pytest.mark.skipif(not hasattr(signal, "SIGTSTP"), reason="no SIGTSTP here")
def test_ctrl_z_while_the_prompt_closes_stops_the_process_once_the_session_is_closed(prompt, monkeypatch):
    done = []
    monkeypatch.setattr(job_control.os, "kill", lambda pid, number: done.append("stopped"))

    def close():
        if signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL:
            done.append("would stop with the session open")
        else:
            signal.raise_signal(signal.SIGTSTP)
        done.append("closed")

    prompt.backend.close = close
    prompt.type("dog" + ENTER)
    assert done == ["closed", "stopped"]
    assert signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL


def test_a_query_prints_a_table_and_ctrl_d_leaves_with_0(prompt):
    printed = prompt.type("dog" + ENTER)
    assert "photo-003.jpg" in printed
    assert "3 photos in 41 ms · :more · :open N · #N for more like it" in printed
    assert prompt.status == 0
    assert prompt.backend.calls.count("close") == 1


def refuse():
    raise BadSetting("results (config.toml): no number")


def test_a_refused_setting_ends_the_prompt_also_between_two_lines(tmp_path):
    prompt = Prompt(tmp_path)
    prompt.host.settings = refuse
    with pytest.raises(BadSetting, match="no number"):
        prompt.type("dog" + ENTER)
    assert prompt.queries == []


def test_a_refused_setting_ends_a_prompt_at_which_nothing_is_typed(tmp_path):
    prompt = Prompt(tmp_path)
    prompt.host.settings = refuse
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        repl = prompt.repl()
        with pytest.raises(BadSetting, match="no number"):
            repl.run()


@pytest.mark.parametrize("word", [":quit", ":q", "exit"])
def test_quit_leaves_with_0(prompt, word):
    prompt.type(word + ENTER + "dog" + ENTER)
    assert prompt.status == 0
    assert prompt.queries == []


ANSWERS = "\x1b_Gi=4211;OK\x1b\\\x1bP>|xterm(379)\x1b\\\x1b]11;rgb:ffff/ffff/ffff\x1b\\\x1b[6;16;8t\x1b[?62;4c"


def test_what_the_terminal_answers_too_late_is_not_typed(prompt):
    prompt.type(ANSWERS + "dog" + ENTER + "c" + ANSWERS + "at" + ENTER)
    assert prompt.queries == ["dog", "cat"]


def test_ctrl_c_drops_the_line_not_the_session(prompt):
    prompt.type("half a que" + CTRL_C + "cat" + ENTER)
    assert prompt.queries == ["cat"]


def test_ctrl_c_while_earlier_lines_are_searched_ends_the_search_with_the_line(prompt):
    prompt.type("dog" + ENTER + CTRL_R + "do" + CTRL_C + "cat" + ENTER)
    assert prompt.queries == ["dog", "cat"]


def test_ctrl_c_twice_on_an_empty_line_says_how_to_leave(prompt):
    assert HOW_TO_LEAVE not in prompt.type(CTRL_C + "dog" + CTRL_C + CTRL_C)
    assert prompt.type(CTRL_C + CTRL_C + CTRL_C).count(HOW_TO_LEAVE) == 1


def test_ctrl_c_when_the_line_has_just_ended_is_nothing(tmp_path):
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        prompt = Prompt(tmp_path)
        repl = prompt.repl()

        async def press():
            repl._prompt.app.key_processor.send_sigint()

        asyncio.run(press())


def test_ctrl_d_on_text_does_not_leave(prompt):
    prompt.type("abc" + CTRL_A + CTRL_D + CTRL_K + "cat" + ENTER)
    assert prompt.queries == ["cat"]


def test_a_number_stands_for_a_result_of_the_last_search(prompt):
    prompt.type("dog" + ENTER + "like 2" + ENTER)
    assert prompt.backend.requests[1].text == "#2"
    assert prompt.backend.requests[1].references[1] == "/photos/photo-002.jpg"


def failing(error):
    def answer(request):
        if "bad" in request.text:
            raise error
        return make_result(1)

    return answer


def test_errors_are_a_line_and_the_prompt_comes_back(tmp_path):
    refusal = BadQuery("a quote is not closed", hint='close it with "', position=4)
    prompt = Prompt(tmp_path, FakeBackend(answer=failing(refusal)))
    lines = prompt.type('dog "bad' + ENTER + ":ofload" + ENTER + "cat" + ENTER).splitlines()
    assert lines[:4] == [
        'a quote is not closed  hint: close it with "',
        '  dog "bad',
        "      ^",
        "there is no command :ofload  hint: did you mean :offload or :load?",
    ]
    assert prompt.queries[-1] == "cat"


def test_a_defect_is_a_line_too(tmp_path):
    prompt = Prompt(tmp_path, FakeBackend(answer=failing(ZeroDivisionError("division\nby zero"))))
    assert prompt.type("bad" + ENTER + "cat" + ENTER).startswith("ZeroDivisionError: division by zero\n")
    assert prompt.queries == ["bad", "cat"]


def test_ctrl_c_stops_the_query_and_its_late_answer_is_dropped(tmp_path):
    release, asked = threading.Event(), []

    def answer(request):
        asked.append(request.text)
        if request.text == "slow":
            os.kill(os.getpid(), signal.SIGINT)
            release.wait(LONG_SECONDS)
            return make_result(3, query="late")
        release.set()
        return make_result(1)

    prompt = Prompt(tmp_path, FakeBackend(answer=answer))
    printed = prompt.type("slow" + ENTER + "cat" + ENTER)
    assert asked == ["slow", "cat"]
    assert printed.splitlines()[0] == "cancelled"
    assert printed.count("photo-001.jpg") == 1


def test_a_session_that_is_gone_is_opened_again_and_answers(tmp_path):
    gone = FakeBackend(answer=failing(SessionGone("gone")))
    opened = [gone, FakeBackend()]
    backends = iter(opened)
    prompt = Prompt(tmp_path)
    prompt.host.open_backend = lambda: next(backends)
    printed = prompt.type("bad" + ENTER)
    assert printed.startswith("the session ended; a new one was opened\n")
    assert "photo-001.jpg" in printed
    assert [request.text for request in opened[1].requests] == ["bad"]


def test_notices_are_printed(tmp_path):
    backend = FakeBackend(answer=lambda request: make_result(1, notices=("the card was full",)))
    assert Prompt(tmp_path, backend).type("dog" + ENTER).startswith("the card was full\n")


def test_history_persists_is_private_and_comes_back_by_prefix(tmp_path):
    first = Prompt(tmp_path)
    first.type("dog on grass" + ENTER + "cat" + ENTER)
    assert stat.S_IMODE(first.history.stat().st_mode) == 0o600
    assert stat.S_IMODE(first.history.parent.stat().st_mode) == 0o700
    second = Prompt(tmp_path)
    second.type("dog" + UP + ENTER + ":history" + ENTER)
    assert second.queries == ["dog on grass"]
    assert "  cat\n" in second.console.file.getvalue()


@pytest.mark.parametrize("obstacle", ["folder", "file"])
def test_a_history_that_cannot_be_written_is_no_obstacle(tmp_path, obstacle):
    prompt = Prompt(tmp_path)
    if obstacle == "folder":
        prompt.history.mkdir(parents=True)
    else:
        prompt.history.parent.write_text("no folder")
    prompt.type("dog" + ENTER + "cat" + ENTER)
    assert prompt.queries == ["dog", "cat"]


def test_bytes_that_are_no_text_do_not_end_the_session(tmp_path):
    prompt = Prompt(tmp_path)
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        pipe.send_bytes(b"caf\xe9\rdog\r\x04")
        prompt.repl().run()
    assert prompt.queries[-1] == "dog"


class Counting(FakeBackend):
    """Knows when something was called, from whatever thread."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.warmed, self.prewarmed = threading.Event(), threading.Semaphore(0)

    def load(self):
        loaded = super().load()
        self.warmed.set()
        return loaded

    def prewarm(self):
        super().prewarm()
        self.prewarmed.release()
        raise ZeroDivisionError

    def search(self, request):
        self.warmed.wait(LONG_SECONDS)
        return super().search(request)


def test_the_encoder_is_warmed_once_behind_the_first_prompt(tmp_path):
    prompt = Prompt(tmp_path, Counting())
    prompt.type("dog" + ENTER + "cat" + ENTER)
    assert prompt.backend.calls == ["load", "close"]


def test_the_first_key_of_each_query_prewarms_once_but_no_command_does(tmp_path):
    prompt = Prompt(tmp_path, Counting(), prewarm=True)
    prompt.type(":load" + ENTER + "dog" + ENTER + ":k 3" + ENTER + "cat" + ENTER)
    assert all(prompt.backend.prewarmed.acquire(timeout=LONG_SECONDS) for _ in ("dog", "cat"))
    assert prompt.backend.calls.count("prewarm") == 2


def test_without_prewarm_nothing_is(prompt):
    prompt.type(":load" + ENTER + "dog" + ENTER)
    assert "prewarm" not in prompt.backend.calls


def test_a_library_that_cannot_be_opened_is_told_by_the_query_and_then_tried_again(tmp_path):
    answers = [LibraryBusy("the library is busy", hint="wait"), LibraryBusy("the library is busy"), FakeBackend()]

    def open_backend():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        prompt.backend = answer
        return answer

    prompt = Prompt(tmp_path)
    prompt.host.open_backend = open_backend
    printed = prompt.type(("dog" + ENTER) * 3)
    assert "the library is busy" in printed
    assert "photo-001.jpg" in printed


def test_the_loop_subscribes_to_changes(prompt):
    prompt.type("dog" + ENTER)
    (repaint,) = prompt.host.subscribers
    repaint()  # after the end: nothing to repaint, nothing to fail


@pytest.mark.parametrize("status", [CPU, VRAM, replace(VRAM, last_error=EncoderFailure("internal", "x"))])
def test_a_status_of_any_kind_is_drawn(tmp_path, status):
    assert "photo-001.jpg" in Prompt(tmp_path, FakeBackend(status=status)).type("dog" + ENTER)


def test_a_status_that_fails_does_not_end_the_session(tmp_path):
    backend = FakeBackend()
    backend.status = lambda: 1 / 0
    prompt = Prompt(tmp_path, backend)
    prompt.type("dog" + ENTER + ":status" + ENTER + "cat" + ENTER)
    assert prompt.queries == ["dog", "cat"]


@pytest.mark.parametrize(
    ("keys", "is_moved"),
    [("y" + ENTER, True), ("Yes" + ENTER, True), (ENTER, False), ("no" + ENTER, False), (CTRL_C, False)],
)
def test_a_move_asks_and_the_answer_is_no_line_of_the_history(tmp_path, keys, is_moved):
    path = tmp_path / "photo.jpg"
    path.touch()
    Catalog.open(tmp_path / "library", create=True).close()
    hits = (make_hit(1, str(path)),)
    status = replace(CPU, library=str(tmp_path / "library"))
    backend = FakeBackend(status=status, answer=lambda request: replace(make_result(), hits=hits))
    prompt = Prompt(tmp_path, backend)
    printed = prompt.type("dog" + ENTER + f":mv {tmp_path}/out" + ENTER + keys + "cat" + ENTER)
    assert (tmp_path / "out" / "photo.jpg").exists() is is_moved
    assert ("nothing was moved" in printed) is not is_moved
    assert prompt.queries == ["dog", "cat"]
    lines = [line[1:] for line in prompt.history.read_text().splitlines() if line.startswith("+")]
    assert lines == ["dog", f":mv {tmp_path}/out", "cat"]
