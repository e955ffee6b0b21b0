"""How a batch is spread over a CPU's cores."""

import threading

import pytest

torch = pytest.importorskip("torch")

from photomap_cli.encoder.cpu_parallelism import FEWEST_PICTURES, ParallelForward  # noqa: E402  torch first
from tests.waiting import LONG_SECONDS  # noqa: E402


@pytest.fixture(autouse=True)
def threads():
    """Torch computes with as many threads afterwards as before."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def numbered(count):
    return torch.arange(count, dtype=torch.float32).view(count, 1)


@pytest.mark.parametrize(
    ("cores", "count", "calls"),
    [(1, 32, [(32, 1)]), (2, 7, [(7, 2)]), (2, 8, [(4, 1)] * 2), (2, 32, [(16, 1)] * 2), (16, 12, [(4, 5)] * 3)],
)
def test_each_caller_has_a_share_of_the_pictures_and_of_the_cores(cores, count, calls):
    made, together = [], threading.Barrier(len(calls), timeout=LONG_SECONDS)

    def forward(items):
        together.wait()  # raises unless all are at work at once
        made.append((len(items), torch.get_num_threads()))
        return items.numpy()

    rows = ParallelForward(cores).run(forward, numbered(count))
    assert made == calls
    assert rows[:, 0].tolist() == list(range(count))


def test_shares_follow_the_batch():
    callers, made = ParallelForward(4), []

    def forward(items):
        made.append((len(items), torch.get_num_threads()))
        return items.numpy()

    for count in (4 * FEWEST_PICTURES, 2 * FEWEST_PICTURES, FEWEST_PICTURES):
        callers.run(forward, numbered(count))
    assert sorted(made) == [(4, 1)] * 4 + [(4, 2)] * 2 + [(4, 4)]


def test_what_one_caller_raises_is_raised():
    def forward(items):
        if items[0, 0]:
            raise RuntimeError("no")
        return items.numpy()

    with pytest.raises(RuntimeError, match="no"):
        ParallelForward(2).run(forward, numbered(32))
