import pytest

torch = pytest.importorskip("torch")

from cuda_stand_in import CARD, CudaStandIn  # noqa: E402  torch first

from photomap_cli.encoder import flat_buffer, staging_buffer  # noqa: E402  torch first
from photomap_cli.encoder.staging_buffer import StagingBuffer  # noqa: E402  torch first

HALF = 1 << 20


@pytest.fixture
def card(monkeypatch):
    return CudaStandIn(monkeypatch)


@pytest.fixture
def staging(card):
    return StagingBuffer(CARD, HALF)


def batch(nbytes):
    return torch.randint(0, 256, (nbytes // 1024, 16, 64), dtype=torch.uint8)


@pytest.mark.parametrize("nbytes", [HALF, 2 * HALF, 5 * HALF - 3 * 1024], ids=["one piece", "both halves", "many"])
def test_a_batch_arrives_whole_though_each_half_is_read_late(card, staging, nbytes):
    for _ in range(2):
        pixels = batch(nbytes)
        there = staging.to_device(pixels)
        card.arrive()
        assert torch.equal(there, pixels)
    assert staging.nbytes == 2 * HALF, "its size is the same for any batch"
    assert card.pinned == [2 * HALF], "and it is page-locked once"


def test_a_half_is_filled_while_the_other_is_copied(card, staging):
    staging.to_device(batch(5 * HALF))
    assert card.late == 2, "two are on their way when the last one is sent"


def test_tokens_arrive_as_they_are(card, staging):
    tokens = torch.arange(HALF // 4, dtype=torch.int64).view(-1, 8)[:, ::2]
    there = staging.to_device(tokens)
    card.arrive()
    assert torch.equal(there, tokens)


def test_a_small_batch_locks_no_memory(card, staging):
    pixels = batch(staging_buffer.LEAST_BYTES - 1024)
    assert torch.equal(staging.to_device(pixels), pixels)
    assert (card.pinned, staging.nbytes) == ([], 0)


def test_where_memory_cannot_be_locked_batches_are_copied_plainly_and_it_is_tried_once(card, staging):
    card.may_pin = False
    for _ in range(3):
        pixels = batch(3 * HALF)
        assert torch.equal(staging.to_device(pixels), pixels)
    assert (card.pinned, card.late, staging.nbytes) == ([2 * HALF], 0, 0)
    staging.release()
    assert card.unpinned == []
    card.may_pin = True
    staging.to_device(batch(HALF))
    assert staging.nbytes, "after an offload it is tried again"


def test_where_there_is_no_room_for_it_batches_are_copied_plainly(card, staging, monkeypatch):
    def refuse(nbytes):
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(flat_buffer, "own_mapping", refuse)
    pixels = batch(3 * HALF)
    assert torch.equal(staging.to_device(pixels), pixels)
    assert staging.nbytes == 0


def test_it_is_given_back_when_no_copy_reads_it_any_more(card, staging):
    staging.to_device(batch(2 * HALF))
    staging.release()
    assert card.unpinned == [0], "no copy was late"
    assert staging.nbytes == 0
    staging.release()
    assert len(card.unpinned) == 1


def test_what_the_driver_does_not_let_go_stays_counted_and_in_use(card, staging):
    staging.to_device(batch(HALF))
    card.may_unpin = False
    staging.release()
    assert staging.nbytes == 2 * HALF
    pixels = batch(3 * HALF)
    there = staging.to_device(pixels)
    card.arrive()
    assert torch.equal(there, pixels)
    assert len(card.pinned) == 1
