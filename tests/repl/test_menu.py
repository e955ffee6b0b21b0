import asyncio
import threading

import pytest
from prompt_toolkit.application.current import set_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import Completer, Completion, ThreadedCompleter
from prompt_toolkit.input import DummyInput
from prompt_toolkit.output import DummyOutput
from prompt_toolkit.shortcuts import PromptSession
from waiting import LONG_SECONDS

from photomap_cli.repl.menu import keep_tabs


class Slow(Completer):
    """Completes paths once it is let to."""

    def __init__(self, *paths):
        self._paths, self.may_answer = paths, threading.Event()

    def get_completions(self, document, event):
        self.may_answer.wait(LONG_SECONDS)
        yield from (Completion(path, -len(document.text)) for path in self._paths if path.startswith(document.text))


async def typed(completer, text, *, then="", tabs=1):
    """Return the buffer after text and Tab in one go, where completions come later than Tab."""
    buffer = Buffer(completer=ThreadedCompleter(completer), complete_while_typing=True)
    keep_tabs(buffer)
    buffer.insert_text(text)
    await asyncio.sleep(0)
    for _ in range(tabs):
        buffer.start_completion(insert_common_part=True)
        await asyncio.sleep(0)
    buffer.insert_text(then)
    completer.may_answer.set()
    await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()}, timeout=LONG_SECONDS)
    return buffer


@pytest.fixture(autouse=True)
def app():
    with set_app(PromptSession(input=DummyInput(), output=DummyOutput()).app):
        yield


@pytest.mark.parametrize("tabs", [1, 2])
def test_a_tab_counts_that_comes_before_the_completions_for_what_was_typed(tabs):
    buffer = asyncio.run(typed(Slow("./My photos/"), "./My pho", tabs=tabs))
    assert buffer.text == "./My photos/"


def test_of_several_it_completes_what_they_have_in_common():
    buffer = asyncio.run(typed(Slow("./IMG_1.jpg", "./IMG_2.jpg"), "./I"))
    assert buffer.text == "./IMG_"


def test_a_tab_is_forgotten_when_the_line_goes_on():
    buffer = asyncio.run(typed(Slow("./My photos/"), "./My", then=" p"))
    assert buffer.text == "./My p"
    assert [found.text for found in buffer.complete_state.completions] == ["./My photos/"]


def test_without_a_tab_there_is_a_menu_alone():
    buffer = asyncio.run(typed(Slow("./My photos/"), "./My", tabs=0))
    assert buffer.text == "./My"
    assert buffer.complete_state
