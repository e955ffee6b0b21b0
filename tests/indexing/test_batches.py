"""How many pictures are encoded at once: more on a GPU that the decoders are ahead of."""

import threading
from dataclasses import replace

import pytest
from library_fakes import INFO, FakeEncoder, InProcessDecoder, picture
from waiting import wait_until

from photomap_cli.indexing.batch_encoder import LARGER_ON_GPU
from photomap_cli.indexing.file_reader import PROBE
from photomap_cli.indexing.index_options import IndexOptions
from photomap_cli.indexing.indexer import Indexer
from photomap_cli.vectors.local_library import LocalLibrary

SIZE, COUNT = 2, 30
LARGE = LARGER_ON_GPU * SIZE
GPU = replace(INFO, device="cuda:0")


@pytest.fixture
def shots(tmp_path):
    """A folder of COUNT photos."""
    (tmp_path / "shots").mkdir()
    for number in range(COUNT):
        picture(tmp_path / "shots" / f"{number:02}.png", number)
    return tmp_path / "shots"


class Behind(FakeEncoder):
    """Encodes only when the decoders have done all that they may do ahead."""

    def __init__(self, info, decoders_ahead):
        super().__init__()
        self.info, self._ahead, self.clock = info, decoders_ahead, 0.0
        self.begun, self._lock = 0, threading.Lock()

    def encode_images(self, pixels):
        taken = sum(self.batches) + len(pixels)
        wait_until(lambda: self.begun >= min(COUNT, taken + self._ahead), "decoders that are ahead")
        self.clock += 0.5 * len(pixels)
        return super().encode_images(pixels)

    def decoder(self, **options):
        """Return a decoder that counts what it has begun: whatever was before the last one is done."""
        encoder = self

        class Counting(InProcessDecoder):
            def decode(self, path, fit):
                with encoder._lock:
                    encoder.begun += fit != PROBE
                return super().decode(path, fit)

        return Counting(**options)


def batches(catalog, store, shots, encoder, clock=lambda: 0.0, **options):
    options = IndexOptions(jobs=1, batch_size=SIZE, **options)
    library = LocalLibrary(catalog, store)
    list(Indexer(library, lambda: encoder, options, open_pool=encoder.decoder, clock=clock).run([shots]))
    assert sum(encoder.batches) == COUNT
    return encoder.batches


def test_a_gpu_that_lags_behind_gets_larger_batches(catalog, store, shots):
    found = batches(catalog, store, shots, Behind(GPU, 2 * LARGE - 1))
    assert found[1:3] == [LARGE, LARGE]
    assert max(found) == LARGE


def test_larger_batches_take_no_longer_than_two_seconds(catalog, store, shots):
    encoder = Behind(GPU, 2 * LARGE - 1)
    found = batches(catalog, store, shots, encoder, lambda: encoder.clock)
    assert set(found[1:-1]) == {4}


@pytest.mark.parametrize(("info", "options"), [(INFO, {}), (GPU, {"is_gentle": True})], ids=["CPU", "in background"])
def test_elsewhere_a_batch_is_as_large_as_ever(catalog, store, shots, info, options):
    found = batches(catalog, store, shots, Behind(info, 2 * SIZE - 1), **options)
    assert set(found) == {SIZE}


def test_a_gpu_that_waits_for_pictures_gets_them_as_soon_as_there_are_enough(catalog, store, shots):
    encoder = Behind(GPU, 0)
    encoder.decoder = lambda **options: Waiting(encoder, **options)
    found = batches(catalog, store, shots, encoder)
    assert found[:3] == [SIZE, SIZE, SIZE]


class Waiting(InProcessDecoder):
    """Decodes the third picture of each batch only after the two before it were encoded."""

    def __init__(self, encoder, **options):
        super().__init__(**options)
        self._encoder, self._count = encoder, 0

    def decode(self, path, fit):
        if fit != PROBE:
            wait_until(lambda: sum(self._encoder.batches) >= self._count // SIZE * SIZE, "vectors of those before")
            self._count += 1
            self._encoder.begun = COUNT
        return super().decode(path, fit)
