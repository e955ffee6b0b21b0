"""RAW files: by rawpy itself where it is installed, else by a stand-in that answers as LibRaw does."""

import io
import struct
import sys
from types import ModuleType, SimpleNamespace

import heic
import numpy as np
import pytest
import tiffs
from PIL import Image

from photomap_cli.errors import BadImage
from photomap_cli.images import raw
from photomap_cli.images.decode import read
from photomap_cli.images.preprocess import PixelFit

FIT = PixelFit((32, 48), "squash")
LYING = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}


def upright(size=(480, 320)):
    return heic.upright().resize(size)


def stored(turn):
    return upright() if LYING[turn] is None else upright().transpose(LYING[turn])


def error(picture):
    return np.abs(np.asarray(picture.image, int) - np.asarray(upright((48, 32)), int)).mean()


class StandIn(ModuleType):
    """As much of rawpy as photomap uses; a test says what the files hold."""

    LibRawNoThumbnailError = type("LibRawNoThumbnailError", (Exception,), {})
    LibRawUnsupportedThumbnailError = type("LibRawUnsupportedThumbnailError", (Exception,), {})
    LibRawIOError = type("LibRawIOError", (Exception,), {})
    LibRawFileUnsupportedError = type("LibRawFileUnsupportedError", (Exception,), {})
    ThumbFormat = SimpleNamespace(JPEG="jpeg", BITMAP="bitmap")

    def __init__(self):
        super().__init__("rawpy")
        self.lens = SimpleNamespace(model="")
        self.sizes = SimpleNamespace(width=480, height=320, flip=0)
        self.thumb = self.failure = None

    def imread(self, _path):
        if self.failure:
            raise self.failure
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        pass

    def extract_thumb(self):
        if self.thumb is None:
            raise self.LibRawNoThumbnailError
        return self.thumb

    def postprocess(self, **_options):
        return np.asarray(upright((240, 160)))


@pytest.fixture
def rawpy(monkeypatch):
    stand_in = StandIn()
    monkeypatch.setitem(sys.modules, "rawpy", stand_in)
    return stand_in


def jpeg_of(image):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=95)
    return SimpleNamespace(format="jpeg", data=file.getvalue())


# With rawpy


@pytest.mark.parametrize("turn", LYING)
@pytest.mark.parametrize("has_preview", [True, False])
def test_a_raw_file_is_read_by_libraw(tmp_path, turn, has_preview):
    pytest.importorskip("rawpy", reason="no RAW decoder: pip install -e .[raw]")
    image = stored(turn)
    (tmp_path / "a.dng").write_bytes(tiffs.raw_file(image, turn=turn, preview=image if has_preview else None))
    picture = read(tmp_path / "a.dng", FIT)
    facts = picture.facts
    assert error(picture) < (2 if has_preview else 10)
    assert (facts.width, facts.height, facts.orientation) == (480, 320, turn)
    assert (facts.camera, facts.lens, facts.taken_at) == ("Canon EOS R5", "RF50mm F1.8 STM", "2021-06-27T18:48:37")
    assert (facts.latitude, facts.longitude) == pytest.approx((43.4666667, 11.8833333))
    assert (facts.kind, facts.extension) == ("raw", "")


@pytest.mark.parametrize("content", [b"junk" * 300, tiffs.raw_file(upright())[:9000]])
def test_what_libraw_cannot_read_is_refused_with_the_reason(tmp_path, content):
    pytest.importorskip("rawpy", reason="no RAW decoder: pip install -e .[raw]")
    (tmp_path / "a.cr2").write_bytes(content)
    with pytest.raises(BadImage, match=r"^(damaged, or from a camera that LibRaw doesn't know|truncated)$"):
        read(tmp_path / "a.cr2", FIT)


# Without


def test_without_rawpy_a_raw_file_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rawpy", None)
    (tmp_path / "a.dng").write_bytes(tiffs.raw_file(upright()))
    with pytest.raises(BadImage, match=r'pip install "photomap-cli\[raw\]"'):
        read(tmp_path / "a.dng", FIT)


def test_a_jpeg_called_raw_needs_no_rawpy(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rawpy", None)
    upright().save(tmp_path / "a.nef", "JPEG", quality=95)
    assert error(read(tmp_path / "a.nef", FIT)) < 2


@pytest.mark.parametrize(
    ("name", "wrong", "reason"),
    [
        ("LibRawIOError", b"Input/output error", "truncated"),
        ("LibRawFileUnsupportedError", b"Unsupported", "damaged, or from a camera that LibRaw doesn't know"),
        ("RuntimeError", b"Corrupted data", "damaged: Corrupted data"),
    ],
)
def test_what_libraw_says_is_said_in_one_line(tmp_path, rawpy, name, wrong, reason):
    rawpy.failure = getattr(rawpy, name, RuntimeError)(wrong)
    (tmp_path / "a.nef").write_bytes(b"II*\0")
    with pytest.raises(BadImage) as caught:
        read(tmp_path / "a.nef", FIT)
    assert caught.value.message == reason


def test_a_preview_that_is_upright_already_is_not_turned_again(tmp_path, rawpy):
    rawpy.thumb, rawpy.sizes = jpeg_of(upright()), SimpleNamespace(width=320, height=480, flip=6)
    (tmp_path / "a.raf").write_bytes(b"FUJIFILMCCD-RAW ")
    picture = read(tmp_path / "a.raf", FIT)
    assert error(picture) < 2
    assert (picture.facts.width, picture.facts.height) == (480, 320)


def test_a_preview_of_a_stamp_is_not_enough(tmp_path, rawpy):
    rawpy.thumb = SimpleNamespace(format="bitmap", data=np.zeros((170, 256, 3), np.uint8))
    (tmp_path / "a.dng").write_bytes(b"II*\0")
    assert error(read(tmp_path / "a.dng", FIT)) < 3
    rawpy.thumb = SimpleNamespace(format="bitmap", data=np.asarray(upright((640, 428))))
    assert error(read(tmp_path / "a.dng", FIT)) < 3


@pytest.mark.parametrize("start", [b"IIRO", b"IIRS", b"IIU\0", b"II*\0"])
def test_facts_are_read_however_the_maker_starts_a_tiff(tmp_path, rawpy, start):
    rawpy.thumb = jpeg_of(upright())
    (tmp_path / "a.orf").write_bytes(start + tiffs.raw_file(upright((16, 16)))[4:])
    facts = read(tmp_path / "a.orf", FIT).facts
    assert (facts.camera, facts.taken_at, facts.width) == ("Canon EOS R5", "2021-06-27T18:48:37", 480)


def test_facts_of_a_canon_film_like_raw_are_read(tmp_path, rawpy):
    rawpy.thumb, rawpy.lens = jpeg_of(upright()), SimpleNamespace(model="RF 50mm")
    notes = {
        b"CMT1": {271: ("s", b"Canon\0"), 272: ("s", b"Canon EOS R6\0")},
        b"CMT2": {36867: ("s", b"2022:02:02 02:02:02\0")},
        b"CMT3": {1: ("H", [0])},
        b"CMT4": tiffs.PLACE,
    }
    told = b"".join(box(kind, tiffs.directory_alone(tags)) for kind, tags in notes.items())
    film = box(b"moov", box(b"uuid", bytes(16) + told) + box(b"mvhd", bytes(50)))
    (tmp_path / "a.cr3").write_bytes(box(b"ftyp", b"crx \0\0\0\1crx isom") + film + box(b"mdat", bytes(100)))
    facts = read(tmp_path / "a.cr3", FIT).facts
    assert (facts.camera, facts.lens, facts.taken_at) == ("Canon EOS R6", "RF 50mm", "2022-02-02T02:02:02")
    assert (facts.latitude, facts.longitude) == pytest.approx((43.4666667, 11.8833333))


def box(kind, content):
    return struct.pack(">I4s", 8 + len(content), kind) + content


@pytest.mark.parametrize("content", [b"", b"FUJIFILM", b"\0\0\0\x18ftypcrx \0\0\0\1", b"II*\0\xff\xff\xff\xff"])
def test_raw_files_that_keep_no_tiff_have_no_facts(tmp_path, rawpy, content):
    rawpy.thumb = jpeg_of(upright())
    (tmp_path / "a.x3f").write_bytes(content + b"....")
    assert read(tmp_path / "a.x3f", FIT).facts.camera is None


@pytest.mark.parametrize(
    ("name", "kind", "answer"),
    [
        ("a.NEF", None, True),
        ("a.cr3", "HEIF", True),
        ("a.dng", "TIFF", True),
        ("a.dng", "JPEG", False),
        ("a.tif", "TIFF", False),
    ],
)
def test_a_raw_file_is_one_by_name_unless_it_starts_like_another(name, kind, answer):
    assert raw.is_raw(name, kind) is answer
