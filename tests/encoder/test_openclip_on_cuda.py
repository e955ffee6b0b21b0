"""An encoder over a stand-in for a card: how pictures reach it, and how many at once."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cuda_stand_in import CARD, CudaStandIn  # noqa: E402  torch first

from photomap_cli.encoder import devices, openclip, staging_buffer  # noqa: E402  torch first
from photomap_cli.encoder.batch_sizing import FIRST_BATCH, FREE_MEMORY_DIVISOR  # noqa: E402  torch first
from photomap_cli.encoder.models import open_clip_name  # noqa: E402  torch first
from photomap_cli.encoder.staging_buffer import HALF_BYTES  # noqa: E402  torch first
from photomap_cli.errors import EncoderOutOfMemory  # noqa: E402  torch first

MB = 1 << 20
EACH = 4 * MB


@pytest.fixture
def card(monkeypatch):
    return CudaStandIn(monkeypatch, total=8 * FIRST_BATCH * EACH)


@pytest.fixture
def fed(card, monkeypatch):
    """The tiny encoder on the card, each of whose pictures takes EACH of its memory; `tried` are its batches."""
    monkeypatch.setattr(devices, "choose", lambda setting: (CARD, ""))
    monkeypatch.setattr(devices, "name", lambda device: ("Stand-in", True))
    monkeypatch.setattr(openclip, "_process_bytes", lambda device: None)
    monkeypatch.setattr(staging_buffer, "LEAST_BYTES", 100_000)  # so that 16 small pictures are enough
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a stand-in that must not wait for the cores of a busy machine
    encoder = loaded()
    rows, encoder.tried = encoder._image_rows, []

    def forward(pixels):
        encoder.tried.append(len(pixels))
        card.arrive()
        card.compute(len(pixels) * EACH)
        return rows(pixels)

    monkeypatch.setattr(encoder, "_image_rows", forward)
    encoder.to_vram("image")
    yield encoder
    torch.set_num_threads(threads)


def loaded(**how):
    name, tag = open_clip_name("tiny")
    how |= {"device": "auto", "precision": "float32", "allow_download": False, "on_progress": lambda *_: None}
    return openclip.load(spec="tiny", name=name, tag=tag, **how)


def pictures(number, size):
    return np.random.default_rng(number).integers(0, 256, (number, *size, 3), dtype=np.uint8)


def test_batches_fit_into_a_part_of_what_is_free(fed, card):
    batch = pictures(44, fed.info.image_size)
    there = fed.encode_images(batch)
    assert fed.tried == [FIRST_BATCH, *[8 * FIRST_BATCH // FREE_MEMORY_DIVISOR] * 2, 4]
    fed.to_ram()
    fed.tried.clear()
    assert np.allclose(there, fed.encode_images(batch), atol=1e-5)
    assert sum(fed.tried) == 44
    assert min(fed.tried) > 8 * FIRST_BATCH // FREE_MEMORY_DIVISOR, "in RAM there is no card to be sparing with"


def test_what_another_program_takes_shrinks_the_next_batch(fed, card):
    batch = pictures(16, fed.info.image_size)
    fed.encode_images(batch)
    card.others = card.total - 20 * EACH
    fed.tried.clear()
    fed.encode_images(batch)
    assert fed.tried == [5, 5, 5, 1]
    card.others = 0
    fed.tried.clear()
    fed.encode_images(batch)
    assert fed.tried == [16]


def test_a_batch_that_does_not_fit_all_the_same_is_halved(fed, card):
    batch = pictures(16, fed.info.image_size)
    expected = fed.encode_images(batch)
    card.compute = failing_above(5)
    fed.tried.clear()
    assert np.allclose(fed.encode_images(batch), expected, atol=1e-5)
    assert fed.tried == [16, 8, 4, 4, 4, 4]
    fed.tried.clear()
    fed.encode_images(batch)
    assert fed.tried == [4, 4, 4, 4], "it is remembered"
    card.compute = lambda nbytes: None
    fed.to_vram("image")
    fed.tried.clear()
    fed.encode_images(batch)
    assert fed.tried == [16], "until the next reload"


def failing_above(most):
    def compute(nbytes):
        if nbytes > most * EACH:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")

    return compute


def test_not_even_one_picture_fits(fed, card):
    card.compute = failing_above(0)
    with pytest.raises(EncoderOutOfMemory):
        fed.encode_images(pictures(3, fed.info.image_size))


def test_pictures_come_by_page_locked_memory_which_an_offload_gives_back(fed, card):
    batch = pictures(20, fed.info.image_size)
    fed.encode_images(batch)
    assert fed.memory().staging_bytes == sum(card.pinned) == 2 * HALF_BYTES
    fed.to_ram()
    assert (fed.memory().staging_bytes, card.unpinned) == (0, [0])
    fed.to_vram("image")
    there = fed.encode_images(batch)
    assert len(card.pinned) == 2
    fed.to_ram()
    assert np.allclose(there, fed.encode_images(batch), atol=1e-5)
    assert len(card.pinned) == 2, "in RAM nothing is staged"


def test_a_picture_to_search_for_waits_for_no_page_locking(fed, card):
    fed.encode_images(pictures(1, fed.info.image_size))
    fed.encode_text(["a red car"])
    assert card.pinned == []


def test_where_nothing_may_be_pinned_pictures_are_copied_plainly(fed, card):
    batch = pictures(20, fed.info.image_size)
    expected = fed.encode_images(batch)
    assert card.pinned
    plain = loaded(may_pin=False)
    plain.to_vram("image")
    card.pinned.clear()
    assert np.allclose(plain.encode_images(batch), expected, atol=1e-5)
    assert (card.pinned, plain.memory().staging_bytes) == ([], 0)


def test_whoever_waits_for_the_card_leaves_the_cores_to_the_decoders(fed, card):
    fed.encode_images(pictures(2, fed.info.image_size))
    assert card.waits == [True], "the wait is one that sleeps"
