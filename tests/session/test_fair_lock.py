import threading

import pytest
from waiting import LONG_SECONDS, in_thread, wait_until

from photomap_cli.session.fair_lock import FairLock


class Stop(Exception):
    pass


@pytest.fixture
def turns():
    return FairLock(look_seconds=0.005)


def test_turns_come_in_the_order_of_asking(turns):
    order, threads = [], []

    def ask(number):
        with turns.turn():
            order.append(number)

    with turns.turn():
        for number in range(20):
            threads.append(in_thread(lambda number=number: ask(number)))
            wait_until(lambda number=number: turns.waiting == number + 1)
    for thread in threads:
        thread.join(LONG_SECONDS)
    assert order == list(range(20))


def test_one_who_asks_again_and_again_does_not_starve_another(turns):
    order = []

    def ask_once():
        with turns.turn():
            order.append("once")

    with turns.turn():
        once = in_thread(ask_once)
        wait_until(lambda: turns.waiting == 1)
    for _ in range(3):
        with turns.turn():
            order.append("again")
    once.join(LONG_SECONDS)
    assert order == ["once", "again", "again", "again"]


def test_one_who_waits_no_more_leaves_the_queue_at_once(turns):
    gone, left = threading.Event(), []

    def check():
        if gone.is_set():
            raise Stop

    def ask():
        with pytest.raises(Stop), turns.turn(check):
            left.append("ran")
        left.append("left")

    with turns.turn():
        thread = in_thread(ask)
        wait_until(lambda: turns.waiting == 1)
        gone.set()
        thread.join(LONG_SECONDS)
        assert left == ["left"]
        assert turns.waiting == 0
    with turns.turn():
        pass


def test_a_turn_is_given_up_when_its_asker_has_gone_or_its_work_fails(turns):
    def check():
        raise Stop

    with pytest.raises(Stop), turns.turn(check):
        pytest.fail("it ran")
    with pytest.raises(ZeroDivisionError), turns.turn():
        _ = 1 / 0
    with turns.turn():
        assert turns.waiting == 0
