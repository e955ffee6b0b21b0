import pytest

torch = pytest.importorskip("torch")

from cuda_stand_in import CARD, CudaStandIn  # noqa: E402  torch first

from photomap_cli.encoder.batch_sizing import FIRST_BATCH, FREE_MEMORY_DIVISOR, BatchSizer  # noqa: E402  torch first

MB = 1 << 20


@pytest.fixture
def card(monkeypatch):
    return CudaStandIn(monkeypatch, total=8192 * MB)


@pytest.fixture
def sizer():
    return BatchSizer()


def encode(card, sizer, count, *, each=10 * MB, always=0):
    """Encode so many pictures, each of which takes so much, as any batch does besides."""
    with sizer.measuring("image", count, CARD):
        card.compute(always + count * each)


def test_the_first_batch_is_small_and_tells_what_a_picture_takes(card, sizer):
    assert sizer.next_size("image", 500, CARD) == FIRST_BATCH
    encode(card, sizer, FIRST_BATCH)
    assert sizer.next_size("image", 500, CARD) == 8192 // FREE_MEMORY_DIVISOR // 10
    assert sizer.next_size("image", 60, CARD) == 60, "never more than is wanted"


def test_weights_on_the_card_are_no_part_of_a_picture(card, sizer):
    card.allocated = 2048 * MB
    encode(card, sizer, FIRST_BATCH)
    assert sizer.next_size("image", 500, CARD) == (8192 - 2048) // FREE_MEMORY_DIVISOR // 10


def test_what_any_batch_takes_is_spread_over_more_pictures_as_batches_grow(card, sizer):
    encode(card, sizer, FIRST_BATCH, always=80 * MB)
    assert sizer.next_size("image", 500, CARD) == 8192 // FREE_MEMORY_DIVISOR // 20
    encode(card, sizer, 80, always=80 * MB)
    assert sizer.next_size("image", 500, CARD) == 8192 // FREE_MEMORY_DIVISOR // 11
    encode(card, sizer, 2, always=80 * MB)
    assert sizer.next_size("image", 500, CARD) == 8192 // FREE_MEMORY_DIVISOR // 11, "a smaller batch tells less"


def test_what_other_programs_take_is_left_to_them_for_each_batch(card, sizer):
    encode(card, sizer, FIRST_BATCH)
    card.others = 8192 * MB - 400 * MB
    assert sizer.next_size("image", 500, CARD) == 10
    card.others = 8192 * MB - 20 * MB
    assert sizer.next_size("image", 500, CARD) == 1, "one is tried in any case"
    card.others = 0
    assert sizer.next_size("image", 500, CARD) == 204


def test_what_torch_has_reserved_and_does_not_use_counts_as_free(card, sizer):
    encode(card, sizer, FIRST_BATCH)
    card.kept = 7000 * MB
    assert sizer.next_size("image", 500, CARD) == 204


def test_a_refusal_counts_half_and_grows_with_the_room(card, sizer):
    encode(card, sizer, FIRST_BATCH)
    assert sizer.failed("image", 200, CARD) == 100
    assert sizer.next_size("image", 500, CARD) == 100
    encode(card, sizer, 100)
    assert sizer.next_size("image", 500, CARD) == 100, "what fits now doesn't undo it"
    card.total *= 2
    assert sizer.next_size("image", 500, CARD) == 200
    sizer.forget_failures()
    assert sizer.next_size("image", 500, CARD) == 409


def test_a_failed_batch_measures_nothing(card, sizer):
    with pytest.raises(torch.OutOfMemoryError):
        encode(card, sizer, 900)
    assert sizer.next_size("image", 500, CARD) == FIRST_BATCH


def test_towers_are_measured_apart(card, sizer):
    encode(card, sizer, FIRST_BATCH)
    sizer.failed("image", 2, CARD)
    assert sizer.next_size("text", 500, CARD) == FIRST_BATCH


def test_one_item_asks_nobody(card, sizer):
    encode(card, sizer, FIRST_BATCH)
    card.asked = 0
    assert sizer.next_size("image", 1, CARD) == 1
    assert card.asked == 0


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_elsewhere_batches_are_whole_until_there_is_no_room(sizer, device):
    device = torch.device(device)
    assert sizer.next_size("image", 500, device) == 500
    with sizer.measuring("image", 500, device):
        pass
    assert sizer.failed("image", 500, device) == 250
    assert sizer.next_size("image", 500, device) == 250
    sizer.forget_failures()
    assert sizer.next_size("image", 500, device) == 500
