"""The demo library on disk."""

import datetime
from pathlib import Path

import numpy as np
import pytest
from drawing import library
from drawing.library import CAMERAS, write_demo_library
from PIL import ExifTags, Image, ImageOps

LONG_SIDE = 96


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    folder = tmp_path_factory.mktemp("demo")
    return folder, write_demo_library(folder, photos=60, seed=7, long_side=LONG_SIDE)


def _exif(path: Path) -> tuple[Image.Exif, dict[int, object]]:
    with Image.open(path) as image:
        exif = image.getexif()
        return exif, dict(exif.get_ifd(ExifTags.IFD.Exif))


def test_it_writes_as_many_jpegs_as_asked_for_under_different_names(written: tuple[Path, list[Path]]) -> None:
    folder, paths = written
    assert len(set(paths)) == 60
    assert sorted(paths) == sorted(folder.rglob("*.jpg"))
    for path in paths:
        with Image.open(path) as image:
            assert image.format == "JPEG"
            assert max(image.size) == LONG_SIDE


def test_it_has_several_folders_one_of_them_with_accents(written: tuple[Path, list[Path]]) -> None:
    folder, paths = written
    folders = {path.parent.relative_to(folder).as_posix() for path in paths}
    assert len(folders) >= 5
    assert "Été à Nîmes" in folders


def test_every_photo_has_a_camera_and_a_date_between_2019_and_2025(written: tuple[Path, list[Path]]) -> None:
    years = set()
    for path in written[1]:
        exif, details = _exif(path)
        assert (exif[ExifTags.Base.Make], exif[ExifTags.Base.Model]) in {(c.make, c.model) for c in CAMERAS}
        stamp = str(details[ExifTags.Base.DateTimeOriginal])
        years.add(datetime.datetime.strptime(stamp, "%Y:%m:%d %H:%M:%S").year)
    assert years == set(range(2019, 2026))


def test_rotated_photos_are_upright_only_once_the_tag_is_applied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Image.Image] = []
    draw = library.draw

    def remember(*arguments: object) -> Image.Image:
        drawn.append(draw(*arguments))  # type: ignore[arg-type]
        return drawn[-1]

    monkeypatch.setattr(library, "draw", remember)
    paths = write_demo_library(tmp_path, photos=24, seed=3, long_side=LONG_SIDE)
    seen = set()
    for path, picture in zip(paths, drawn, strict=True):
        with Image.open(path) as image:
            orientation = image.getexif()[ExifTags.Base.Orientation]
            upright = ImageOps.exif_transpose(image)
            stored = np.asarray(image, int)
        seen.add(orientation)
        wanted = np.asarray(picture, int)
        assert abs(np.asarray(upright, int) - wanted).mean() < 8
        if orientation != 1:
            assert stored.shape != wanted.shape or abs(stored - wanted).mean() > 8
    assert seen == {1, 3, 6, 8}


def test_the_same_seed_writes_the_same_files(tmp_path: Path) -> None:
    first, second = (write_demo_library(tmp_path / n, photos=9, seed=1, long_side=64) for n in ("a", "b"))
    for one, other in zip(first, second, strict=True):
        assert one.relative_to(tmp_path / "a") == other.relative_to(tmp_path / "b")
        assert one.read_bytes() == other.read_bytes()
    third = write_demo_library(tmp_path / "c", photos=9, seed=2, long_side=64)
    assert [p.read_bytes() for p in third] != [p.read_bytes() for p in first]
