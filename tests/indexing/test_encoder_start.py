"""Pictures are decoded while the encoder is opened, and nothing goes wrong if it turns out to be another one."""

import signal
import threading
from functools import partial
from pathlib import Path

import pytest
from library_fakes import FakeEncoder, InProcessDecoder, picture
from waiting import LONG_SECONDS, wait_until

from photomap_cli.errors import EncoderFailed
from photomap_cli.images.decode_pool import DecodePool
from photomap_cli.images.preprocess import PixelFit
from photomap_cli.indexing import indexer
from photomap_cli.indexing.index_options import IndexOptions
from photomap_cli.vectors.local_library import LocalLibrary

Indexer = partial(indexer.Indexer, open_pool=InProcessDecoder)


@pytest.fixture
def shots(tmp_path):
    """A folder of five photos."""
    (tmp_path / "shots").mkdir()
    for number in range(5):
        picture(tmp_path / "shots" / f"{number}.png", number)
    return tmp_path / "shots"


FIT = PixelFit.of(FakeEncoder().info)


def test_pictures_are_decoded_while_the_encoder_is_opened_and_each_once(catalog, store, shots):
    decoded, several, ready = [], threading.Event(), []

    class Noting(InProcessDecoder):
        def decode(self, path, fit):
            decoded.append(path.name)
            if len(decoded) > 2:
                several.set()
            return super().decode(path, fit)

    def slow_to_open():
        ready.append(several.wait(LONG_SECONDS))
        return FakeEncoder()

    list(Indexer(LocalLibrary(catalog, store), slow_to_open, expected_fit=FIT, open_pool=Noting).run([shots]))
    assert (ready, catalog.photo_count) == ([True], 5)
    assert sorted(decoded) == [f"{number}.png" for number in range(5)]


@pytest.mark.parametrize("batch_size", [5, 6])
def test_with_a_batch_of_new_files_the_encoder_opens_before_one_is_read(catalog, store, shots, batch_size):
    events, opened = [], threading.Event()

    class Noting(InProcessDecoder):
        def decode(self, path, fit):
            if batch_size <= 5:
                assert opened.wait(LONG_SECONDS)
            events.append("read")
            return super().decode(path, fit)

    def opening():
        events.append("open")
        opened.set()
        return FakeEncoder()

    options = IndexOptions(jobs=1, batch_size=batch_size)
    list(Indexer(LocalLibrary(catalog, store), opening, options, expected_fit=FIT, open_pool=Noting).run([shots]))
    assert events[0] == ("open" if batch_size <= 5 else "read")
    assert (events.count("open"), catalog.photo_count) == (1, 5)


@pytest.mark.parametrize("expected", [None, FIT])
def test_files_that_cannot_be_read_open_no_encoder_and_are_reported_first(catalog, store, shots, expected):
    for number in range(4):
        (shots / f"{number}.png").write_bytes(b"no picture")

    def refused():
        raise EncoderFailed("no")

    run = Indexer(LocalLibrary(catalog, store), refused, expected_fit=expected)
    with pytest.raises(EncoderFailed):  # for the fifth
        list(run.run([shots]))
    assert [Path(failure.path).name for failure in run.report.failures] == [f"{number}.png" for number in range(4)]
    (shots / "4.png").write_bytes(b"no picture")
    run = Indexer(LocalLibrary(catalog, store), refused, expected_fit=expected)
    list(run.run([shots]))
    assert (len(run.report.failures), catalog.photo_count) == (5, 0)


@pytest.mark.parametrize("expected", [None, PixelFit((5, 7)), FIT])
def test_decode_processes_stay_whatever_pictures_the_encoder_takes(catalog, store, shots, expected):
    (shots / "0.png").write_bytes(b"no picture")
    run = indexer.Indexer(
        LocalLibrary(catalog, store), FakeEncoder, IndexOptions(jobs=2), expected_fit=expected, open_pool=DecodePool
    )
    list(run.run([shots]))
    assert [failure.path for failure in run.report.failures] == [str(shots / "0.png")]
    assert catalog.photo_count == 4


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
