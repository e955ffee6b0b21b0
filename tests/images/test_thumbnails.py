import io
import os

import pytest
from PIL import Image

from photomap_cli.images.thumbnail_cache import FILE_NAME, THUMBNAIL_PX, ThumbnailCache
from photomap_cli.images.thumbnails import GONE, Thumbnailer
from photomap_cli.records import Thumbnail
from photomap_cli.settings import Settings

RED, UPRIGHT = (200, 30, 30), b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "photo.jpg"
    Image.new("RGB", (640, 480), RED).save(path, exif=UPRIGHT)
    return path


@pytest.fixture
def library(tmp_path):
    folder = tmp_path / "library"
    folder.mkdir()
    return folder


@pytest.fixture
def thumbnailer(library):
    with Thumbnailer(library, Settings) as thumbnailer:
        yield thumbnailer


def opened(thumbnail):
    assert thumbnail.fault == ""
    return Image.open(io.BytesIO(thumbnail.webp))


def keep(library, path, webp):
    with ThumbnailCache(library, max_bytes=1_000_000) as cache:
        cache.put([(str(path), path.stat().st_mtime_ns, webp)])


def test_a_missing_thumbnail_is_made_upright_and_kept(thumbnailer, library, picture):
    (made,) = thumbnailer.thumbnails([str(picture)])
    assert opened(made).size == (240, 320)
    assert opened(made).convert("RGB").getpixel((40, 40))[0] > 150
    with ThumbnailCache(library, max_bytes=0) as cache:
        assert cache.get(str(picture), picture.stat().st_mtime_ns) == made.webp


def test_a_kept_thumbnail_is_taken_and_nothing_is_read_or_started(library, picture):
    def settings():
        raise AssertionError("no settings are needed for what is cached")

    keep(library, picture, b"kept")
    picture.chmod(0)
    with Thumbnailer(library, settings) as thumbnailer:
        assert [each.webp for each in thumbnailer.thumbnails([str(picture)] * 2)] == [b"kept"] * 2
        assert not thumbnailer._pools


def test_a_changed_file_gets_a_new_one(thumbnailer, library, picture):
    keep(library, picture, b"old")
    os.utime(picture, ns=(1, 1))
    assert opened(thumbnailer.thumbnails([str(picture)])[0]).size == (240, 320)


def test_files_that_are_gone_or_damaged_cost_themselves_alone(thumbnailer, picture, tmp_path):
    damaged = tmp_path / "damaged.jpg"
    damaged.write_bytes(picture.read_bytes()[:700])
    text = tmp_path / "text.jpg"
    text.write_text("no picture")
    gone = tmp_path / "gone.jpg"
    made = thumbnailer.thumbnails([str(path) for path in (damaged, picture, gone, text)])
    assert [bool(each.webp) for each in made] == [False, True, False, False]
    assert made[2].fault == GONE
    assert made[3].fault == "not a picture, or in a format that can't be read"
    assert made[0].fault


def test_a_name_that_the_locale_cannot_write_is_no_defect(thumbnailer):
    assert thumbnailer.thumbnails(["/photos/\ud800.jpg"])[0].fault  # as one beyond ASCII is with the locale C of old
    assert thumbnailer.picture("/photos/\ud800.jpg", long_side_px=2000).fault


def test_large_pictures_are_read_from_the_file_and_small_ones_from_the_cache(thumbnailer, library, picture):
    keep(library, picture, b"kept")
    assert opened(thumbnailer.picture(str(picture), long_side_px=600)).size == (450, 600)
    assert thumbnailer.picture(str(picture), long_side_px=THUMBNAIL_PX).webp == b"kept"
    assert thumbnailer.picture("/nowhere.jpg", long_side_px=600).fault == GONE


def test_the_limits_are_the_settings(library, picture):
    with Thumbnailer(library, lambda: Settings(max_image_megapixels=0.1, thumbnail_cache_megabytes=0)) as thumbnailer:
        assert "too large" in thumbnailer.thumbnails([str(picture)])[0].fault
    with Thumbnailer(library, lambda: Settings(thumbnail_cache_megabytes=0)) as thumbnailer:
        assert thumbnailer.thumbnails([str(picture)])[0].webp
    assert not (library / FILE_NAME).exists()


def test_what_was_left_while_it_worked_ends(thumbnailer, picture):
    thumbnailer.__exit__()
    assert thumbnailer.thumbnails([str(picture)])[0].fault == "the decoders were closed"


def test_what_changed_while_it_was_read_is_not_kept(thumbnailer, library, picture, monkeypatch):
    def changes(pool, path):
        os.utime(path, ns=(1, 1))
        return Thumbnail(b"of the file as it was")

    before = picture.stat().st_mtime_ns
    monkeypatch.setattr("photomap_cli.images.thumbnails._thumbnail", changes)
    assert thumbnailer.thumbnails([str(picture)]) == [Thumbnail(b"of the file as it was")]
    with ThumbnailCache(library, max_bytes=0) as cache:
        assert cache.get(str(picture), before) is None
        assert cache.get(str(picture), 1) is None
