"""Pictures are decoded while the encoder is opened, and nothing goes wrong if it turns out to be another one."""

import signal
import threading
from functools import partial

import pytest
from library_fakes import FakeEncoder, InProcessDecoder, picture
from waiting import LONG_SECONDS, wait_until

from photomap_cli.errors import EncoderFailed
from photomap_cli.images.preprocess import PixelFit
from photomap_cli.indexing import indexer
from photomap_cli.indexing.file_reader import PROBE
from photomap_cli.vectors.local_library import LocalLibrary

Indexer = partial(indexer.Indexer, open_pool=InProcessDecoder)


@pytest.fixture
def shots(tmp_path):
    """A folder of five photos."""
    (tmp_path / "shots").mkdir()
    for number in range(5):
        picture(tmp_path / "shots" / f"{number}.png", number)
    return tmp_path / "shots"


def test_pictures_are_decoded_while_the_encoder_is_opened(catalog, store, shots):
    decoded, ready = threading.Event(), []

    class Noting(InProcessDecoder):
        def decode(self, path, fit):
            if fit != PROBE:
                decoded.set()
            return super().decode(path, fit)

    def slow_to_open():
        ready.append(decoded.wait(LONG_SECONDS))
        return FakeEncoder()

    fit = PixelFit.of(FakeEncoder().info)
    list(Indexer(LocalLibrary(catalog, store), slow_to_open, expected_fit=fit, open_pool=Noting).run([shots]))
    assert (ready, catalog.photo_count) == ([True], 5)


def test_an_encoder_that_takes_other_pictures_than_expected_gets_those_that_it_takes(catalog, store, shots):
    sizes = []

    class Noting(FakeEncoder):
        def encode_images(self, pixels):
            sizes.append(pixels.shape[1:3])
            return super().encode_images(pixels)

    list(Indexer(LocalLibrary(catalog, store), Noting, expected_fit=PixelFit((5, 7))).run([shots]))
    assert set(sizes) == {FakeEncoder().info.image_size}
    assert catalog.photo_count == 5


def test_an_encoder_that_cannot_be_opened_ends_the_decoding_too(catalog, store, shots):
    def refused():
        raise EncoderFailed("no")

    before = threading.active_count()
    with pytest.raises(EncoderFailed, match="no"):
        list(Indexer(LocalLibrary(catalog, store), refused, expected_fit=PixelFit((8, 8))).run([shots]))
    wait_until(lambda: threading.active_count() <= before, "the end of the threads")
    assert catalog.photo_count == 0


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals to a thread here")
def test_whoever_is_interrupted_while_the_encoder_is_opened_does_not_wait_for_it(catalog, store, shots):
    opened, go = threading.Event(), threading.Event()

    def never():
        opened.set()
        assert go.wait(LONG_SECONDS)
        return FakeEncoder()

    steps = Indexer(LocalLibrary(catalog, store), never).run([shots])
    main = threading.get_ident()
    interrupting = threading.Thread(
        target=lambda: opened.wait(LONG_SECONDS) and signal.pthread_kill(main, signal.SIGINT)
    )
    interrupting.start()
    with pytest.raises(KeyboardInterrupt):
        list(steps)
    assert not go.is_set()
    go.set()
    interrupting.join(LONG_SECONDS)
