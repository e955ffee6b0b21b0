import threading

import pytest
from waiting import LONG_SECONDS

from photomap_cli.indexing.prefetch import Prefetch


def test_results_come_in_order_whatever_the_threads_do():
    with_square = list(Prefetch(lambda number: number * number, range(200), threads=4, limit=7))
    assert with_square == [(number, number * number) for number in range(200)]


def test_no_more_items_are_taken_than_the_limit():
    taken = []

    def items():
        for number in range(100):
            taken.append(number)
            yield number

    results = Prefetch(lambda number: number, items(), threads=2, limit=5)
    assert next(results) == (0, 0)
    assert taken == [0, 1, 2, 3, 4]
    results.close()


def test_a_raised_limit_counts_from_the_next_item_on():
    taken = []
    results = Prefetch(lambda number: taken.append(number), range(100), threads=1, limit=2)
    results.limit = 6
    next(results)
    results.close()
    assert len(results._waiting) == 5


def test_a_result_is_ready_once_taking_it_needs_no_waiting():
    go, first_is_done = threading.Event(), threading.Event()

    def work(number):
        if number == 1:
            first_is_done.set()
            assert go.wait(LONG_SECONDS)
        return number

    results = Prefetch(work, range(3), threads=1, limit=3)
    assert first_is_done.wait(LONG_SECONDS)
    assert results.is_ready
    assert next(results) == (0, 0)
    assert not results.is_ready
    go.set()
    assert list(results) == [(1, 1), (2, 2)]
    assert not results.is_ready, "there is nothing left"


def test_closing_ends_the_threads():
    results = Prefetch(lambda number: number, range(100), threads=3, limit=10)
    next(results)
    results.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


def test_a_failure_arrives_where_its_item_would():
    results = Prefetch(lambda number: 1 / (number - 1), [0, 1], threads=1, limit=1)
    assert next(results) == (0, -1.0)
    with pytest.raises(ZeroDivisionError):
        next(results)
