"""An index run waits for its server; time passes when the test says so."""

from __future__ import annotations

import pytest
from fake_milvus import Clock, FakeMilvus, failing
from library_fakes import INFO, new_photo

from photomap_cli.errors import LibraryLoading, LibraryReplaced, LibraryUnreachable, LibraryUnusable
from photomap_cli.library.shared import address
from photomap_cli.library.shared.client import Client
from photomap_cli.library.shared.credentials import Credentials
from photomap_cli.library.shared.retry import ANSWERS, SECONDS, WAITING, Retry
from photomap_cli.library.shared.store import SharedLibrary
from photomap_cli.settings import Settings


def patient(clock, said):
    return Retry(said.append, pause=clock.pause, clock=clock)


def test_what_fails_for_a_while_is_done_and_said_once():
    clock, said, answers = Clock(), [], [LibraryUnreachable("away")] * 20 + [LibraryLoading("loading")]

    def work():
        if answers:
            raise answers.pop()
        return "done"

    assert patient(clock, said)(work) == "done"
    assert said == [WAITING, ANSWERS]
    assert 60 < clock.now < SECONDS


def test_what_works_at_once_says_nothing():
    clock, said = Clock(), []
    assert patient(clock, said)(lambda: 5) == 5
    assert (clock.now, said) == (0, [])


def test_after_ten_minutes_it_ends():
    clock, said = Clock(), []

    def work():
        raise LibraryUnreachable("away")

    with pytest.raises(LibraryUnreachable):
        patient(clock, said)(work)
    assert SECONDS <= clock.now < SECONDS + 10
    assert said == [WAITING]


def test_who_has_waited_in_vain_waits_no_second_time_until_the_server_answers():
    clock, said, is_away = Clock(), [], True

    def work():
        if is_away:
            raise LibraryUnreachable("away")
        return "done"

    waiting = patient(clock, said)
    for _ in range(3):
        with pytest.raises(LibraryUnreachable):
            waiting(work)
    assert clock.now < SECONDS + 10
    is_away = False
    assert waiting(work) == "done"
    is_away = True
    with pytest.raises(LibraryUnreachable):
        waiting(work)
    assert clock.now > 2 * SECONDS
    assert said == [WAITING, WAITING]


def test_ctrl_c_ends_the_waiting_for_good():
    clock, said = Clock(), []

    def interrupted(seconds):
        raise KeyboardInterrupt

    def work():
        raise LibraryUnreachable("away")

    waiting = Retry(said.append, pause=interrupted, clock=clock)
    with pytest.raises(KeyboardInterrupt):
        waiting(work)
    with pytest.raises(LibraryUnreachable):  # what a run has left to commit
        waiting(work)
    assert said == [WAITING]


@pytest.mark.parametrize("error", [LibraryUnusable, LibraryReplaced])
def test_what_waiting_does_not_mend_is_told_at_once(error):
    clock, said = Clock(), []

    def work():
        raise error("refused")

    with pytest.raises(error, match="refused"):
        patient(clock, said)(work)
    assert (clock.now, said) == (0, [])


def test_a_library_that_was_replaced_meanwhile_is_not_waited_for():
    clock, said, answers = Clock(), [], [LibraryUnreachable("away"), LibraryReplaced("replaced")]

    def work():
        raise answers.pop(0)

    with pytest.raises(LibraryReplaced):
        patient(clock, said)(work)
    assert clock.now < 1


def test_a_patient_client_writes_again_and_connects_again():
    clock, said, made = Clock(), [], []
    fake = FakeMilvus(upsert=[failing(2, "Fail connecting"), failing(2, "Fail connecting"), {"upsert_count": 1}])

    def connect(*_):
        made.append(1)
        if len(made) < 3:
            raise failing(2, "Fail connecting to server")
        return fake

    where = address.parse("milvus://127.0.0.1:9/photos")
    client = Client(where, Credentials(), retry=patient(clock, said), connect=connect)
    client.upsert("photos", [{"row": 1}])
    assert [call[0] for call in fake.calls] == ["upsert"] * 3
    assert said == [WAITING, ANSWERS]


@pytest.mark.parametrize("is_heard", [True, False])
def test_a_run_says_at_once_that_it_waits_and_else_a_notice_does(where_to, tmp_path, monkeypatch, is_heard):
    heard = []
    with SharedLibrary.open(tmp_path / "own", str(where_to), Settings(roots={"pp": "/p"}), create=True) as library:
        library.begin(INFO)
        if is_heard:
            library.while_waiting(heard.append)
        client = library.writes._collection.client
        monkeypatch.setattr(client._retry, "_pause", lambda seconds: None)
        answers, true = [LibraryUnreachable("away")] * 3, client._asked

        def ask(*values, **named):
            if answers:
                raise answers.pop()
            return true(*values, **named)

        monkeypatch.setattr(client, "_asked", ask)
        library.writes.commit_batch([new_photo("/p/a.jpg")])
        assert library.facts.photo_count == 1
        notices = library.searches.drain_notices()
        assert (heard, notices) == (([WAITING, ANSWERS], []) if is_heard else ([], [WAITING, ANSWERS]))
