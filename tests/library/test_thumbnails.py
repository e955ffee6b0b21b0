import io
import os
from types import SimpleNamespace

import pytest
from PIL import Image

from photomap_cli.errors import BadImage
from photomap_cli.library.thumbnails import FILE_NAME, ThumbnailCache, thumbnail


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "photo.jpg"
    Image.new("RGB", (640, 480), (200, 30, 30)).save(
        path, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    )
    return path


def photo(path):
    return SimpleNamespace(path=str(path), mtime_ns=path.stat().st_mtime_ns)


def test_a_thumbnail_is_upright_webp_of_the_size_asked_for(picture):
    made = Image.open(io.BytesIO(thumbnail(picture, long_side_px=100)))
    assert made.format == "WEBP"
    assert made.size == (75, 100)
    assert made.convert("RGB").getpixel((40, 40))[0] > 150


def test_what_is_no_picture_is_refused(tmp_path):
    path = tmp_path / "text.jpg"
    path.write_text("no picture")
    with pytest.raises(BadImage):
        thumbnail(path, long_side_px=100)


def test_one_is_kept_until_the_file_changes(picture, tmp_path):
    with ThumbnailCache(tmp_path, max_bytes=1_000_000) as cache:
        assert cache.get(photo(picture)) is None
        made = cache.get_or_make(photo(picture))
        assert cache.get(photo(picture)) == made
        os.utime(picture, ns=(1, 1))
        assert cache.get(photo(picture)) is None


def test_the_oldest_go_when_there_are_too_many(tmp_path):
    with ThumbnailCache(tmp_path, max_bytes=200_000) as cache:
        for number in range(100):
            cache.put([(f"/photo{number}", 1, os.urandom(10_000))])
        kept = [number for number in range(100) if cache.get(SimpleNamespace(path=f"/photo{number}", mtime_ns=1))]
        assert 0 not in kept
        assert 99 in kept
        assert len(kept) <= 20
    assert (tmp_path / FILE_NAME).stat().st_size < 300_000


def test_none_are_kept_where_none_are_wanted(picture, tmp_path):
    folder = tmp_path / "library"
    folder.mkdir()
    with ThumbnailCache(folder, max_bytes=0) as cache:
        assert cache.get_or_make(photo(picture))
    assert list(folder.iterdir()) == []


def test_a_damaged_cache_is_as_good_as_an_empty_one(picture, tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"no database at all" * 100)
    with ThumbnailCache(tmp_path, max_bytes=1_000_000) as cache:
        assert cache.get(photo(picture)) is None
        cache.get_or_make(photo(picture))
        assert cache.get(photo(picture))
