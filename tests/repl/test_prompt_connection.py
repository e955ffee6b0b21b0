import threading

import pytest
from terminal_fakes import FakeBackend
from waiting import LONG_SECONDS

from photomap_cli.errors import EncoderClosed, LibraryBusy, PhotomapError, SessionGone
from photomap_cli.repl.connection import REOPENED, TAKEN_OVER, Connection


def gone_once():
    failures = [SessionGone("gone")]

    def question(backend):
        if failures:
            raise failures.pop()
        return backend

    return question


def test_the_backend_is_opened_once_and_only_when_needed():
    opened = []
    connection = Connection(lambda: opened.append(FakeBackend()) or opened[-1])
    assert connection.current is None
    assert connection.ask(lambda backend: backend) is connection.backend() is connection.current
    assert len(opened) == 1


def test_a_session_that_is_gone_is_opened_again_and_asked_again():
    opened = []
    connection = Connection(lambda: opened.append(FakeBackend()) or opened[-1])
    assert connection.ask(gone_once()) is opened[1]
    assert opened[0].calls == ["close"]
    assert connection.drain_notices() == [REOPENED]
    assert connection.drain_notices() == []


def test_it_is_asked_again_once_only():
    def always_gone(backend):
        raise SessionGone("gone")

    with pytest.raises(SessionGone):
        Connection(FakeBackend).ask(always_gone)


def test_a_failure_to_open_is_told_and_tried_again():
    answers = [LibraryBusy("busy"), FakeBackend()]

    def open_backend():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    connection = Connection(open_backend)
    with pytest.raises(LibraryBusy):
        connection.backend()
    assert connection.backend() is connection.current


def test_closing_twice_closes_once_and_then_nothing_is_opened():
    backend = FakeBackend()
    connection = Connection(lambda: backend)
    connection.backend()
    connection.close()
    connection.close()
    assert backend.calls == ["close"]
    with pytest.raises(PhotomapError):
        connection.backend()


def test_a_backend_that_arrives_after_the_end_is_closed():
    backend, arrive, opening = FakeBackend(), threading.Event(), threading.Event()
    failures = []

    def open_backend():
        opening.set()
        arrive.wait(LONG_SECONDS)
        return backend

    connection = Connection(open_backend)

    def use():
        try:
            connection.backend()
        except PhotomapError as error:
            failures.append(error.code)

    thread = threading.Thread(target=use)
    thread.start()
    assert opening.wait(LONG_SECONDS)
    connection.close()
    arrive.set()
    thread.join(LONG_SECONDS)
    assert (backend.calls, failures) == (["close"], ["encoder_closed"])


def test_a_stop_reaches_the_backend_and_it_goes_on_afterwards():
    connection = Connection(FakeBackend)
    connection.pause()  # there is none yet
    backend = connection.backend()
    connection.pause()
    connection.resume()
    assert backend.calls == ["pause", "resume"]
    assert connection.current is backend
    assert connection.drain_notices() == []


def test_a_stop_waits_for_a_backend_that_another_thread_is_opening():
    backend, arrive, opening = FakeBackend(), threading.Event(), threading.Event()
    connection = Connection(lambda: opening.set() or (arrive.wait(LONG_SECONDS) and backend))
    threads = [threading.Thread(target=each) for each in (connection.backend, connection.pause)]
    threads[0].start()
    assert opening.wait(LONG_SECONDS)
    threads[1].start()
    threads[1].join(0.05)
    assert threads[1].is_alive()
    arrive.set()
    for thread in threads:
        thread.join(LONG_SECONDS)
    assert backend.calls == ["pause"]


def test_a_library_that_was_taken_over_meanwhile_is_asked_of_who_has_it():
    opened = []
    connection = Connection(lambda: opened.append(FakeBackend()) or opened[-1])
    connection.backend().keeps_library = False
    connection.pause()
    connection.resume()
    assert opened[0].calls == ["pause", "resume", "close"]
    assert connection.current is opened[1]
    assert connection.drain_notices() == [TAKEN_OVER]


def test_a_query_in_flight_goes_to_who_took_the_library_over():
    opened = []
    connection = Connection(lambda: opened.append(FakeBackend()) or opened[-1])

    def question(backend):
        if backend is opened[0]:
            connection._forget(backend)
            raise EncoderClosed("the encoder is closed")
        return backend

    assert connection.ask(question) is opened[1]
    connection.close()
    with pytest.raises(EncoderClosed):
        connection.ask(question)
