import shutil

import pytest
from PIL import Image

from photomap_cli.cli import indexing
from photomap_cli.cli.indexing import DEMO_PHOTOS, copy_demo_photos


def test_a_demo_that_is_interrupted_while_it_is_copied_is_copied_whole_the_next_time(tmp_path, monkeypatch):
    folder = tmp_path / "photos"

    def stopped(source, target):
        target.mkdir()
        shutil.copy2(next(source.rglob("*.jpg")), target)
        raise KeyboardInterrupt

    monkeypatch.setattr(indexing.shutil, "copytree", stopped)
    with pytest.raises(KeyboardInterrupt):
        copy_demo_photos(folder)
    assert not folder.exists()
    monkeypatch.undo()
    copy_demo_photos(folder)
    assert len(list(folder.rglob("*.jpg"))) == len(list(DEMO_PHOTOS.rglob("*.jpg"))) == 120
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_the_shipped_photos_are_small_and_say_when_and_by_what_they_were_taken():
    photos = sorted(DEMO_PHOTOS.rglob("*.jpg"))
    assert sum(photo.stat().st_size for photo in photos) < 4_000_000
    for photo in photos:
        with Image.open(photo) as image:
            assert max(image.size) == 640
            assert image.getexif().get_ifd(0x8769)[0x9003]  # DateTimeOriginal
            assert image.getexif()[0x0110]  # Model
