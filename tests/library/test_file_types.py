import io
import os

import heic
import pytest
from cases import cases
from PIL import Image, features

from photomap_cli.images.formats import FORMATS
from photomap_cli.indexing.content_sniffing import Sniffer
from photomap_cli.indexing.scan import OtherFile, UnclearFile
from photomap_cli.library.entities import FoundFile, SeenFile
from photomap_cli.library.file_types import (
    EXTENSIONS,
    ending,
    has_photo_name,
    is_unclear,
    is_video_name,
    kind_at,
    starts_like_photo,
    video_extension,
)

PICTURES = ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "JPEG2000", "PPM", "AVIF"]
NO_PICTURES = [
    b"",
    b"BM",
    b"BMW 320i, blue, 2003; the key is in the second drawer, below the papers",
    b"RIFF\0\0\0\0WAVEfmt " + bytes(60),
    b"P5 is the fifth point of the agenda, P6 the sixth; nothing else is to be said of them",
    b"\0\0\0\x20ftypM4A \0\0\2\0" + bytes(40),
    b"8BPS\0\1" + bytes(60),
    b"%PDF-1.7 " + bytes(60),
]


VIDEOS = {
    "avi": b"RIFF\0\0\0\0AVI LIST",
    "mp4": b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41",
    "mov": b"\0\0\0\x14ftypqt  \0\0\2\0qt  ",
    "mkv": b"\x1aE\xdf\xa3\xa3B\x86\x81\1B\xf7\x81\1B\xf2\x81\4B\xf3\x81\bB\x82\x88matroska",
    "webm": b"\x1aE\xdf\xa3\x9fB\x86\x81\1B\xf7\x81\1B\xf2\x81\4B\xf3\x81\bB\x82\x84webm",
}


def saved(format):
    if format == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow writes no AVIF")
    file = io.BytesIO()
    Image.new("RGB", (9, 9), "red").save(file, format)
    return file.getvalue()


def test_every_ending_of_a_format_that_is_read_is_a_photos():
    Image.init()
    formats = {*FORMATS, "MPO"}
    endings = {each[1:] for each, format in Image.registered_extensions().items() if format in formats}
    assert endings - EXTENSIONS == set()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.JPG", "jpg"),
        ("/x.y/a", ""),
        ("a.tar.GZ", "gz"),
        (".hidden", ""),
        ("a.", ""),
        ("2021.06.27 at the lake", ""),
        ("a.jpg_large", "jpg_large"),
        ("a.something-very-long", ""),
        ("a.b c", ""),
    ],
)
def test_an_ending_says_what_kind_a_file_is(name, expected):
    assert ending(name) == expected


@pytest.mark.parametrize(
    "name", ["IMG_1", "a.jpg~", "a.jpg_large", "a.jpg(1)", "a.jpeg_1", "a.dat", "a.bak", "2021.06.27 lake"]
)
def test_a_name_that_does_not_say_what_a_file_is_is_unclear(name):
    assert is_unclear(name)
    assert not has_photo_name(name)


@pytest.mark.parametrize("name", ["a.psd", "a.MP3", "a.txt", "a.xmp", "a.jpg_original", "a.jpg.part", "a.thm", "a.py"])
def test_a_name_that_says_that_a_file_is_no_photo_is_believed(name):
    assert not is_unclear(name)


@pytest.mark.parametrize("format", PICTURES)
def test_a_picture_is_known_by_its_first_bytes(tmp_path, format):
    (tmp_path / "IMG_1").write_bytes(saved(format))
    assert kind_at(str(tmp_path / "IMG_1")) == "photo"
    assert starts_like_photo(heic.LYING[:64])


@cases("start", NO_PICTURES)
def test_other_files_are_known_not_to_be_pictures(tmp_path, start):
    (tmp_path / "IMG_1").write_bytes(start)
    assert not kind_at(str(tmp_path / "IMG_1"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the platform has no pipes in folders")
def test_what_cannot_be_looked_into_is_no_photo(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert not kind_at(str(tmp_path / "pipe"))
    assert not kind_at(str(tmp_path))
    assert not kind_at(str(tmp_path / "gone"))


# Looking into each once


def told(files, *, seen=None, remembered=None, photos=(), videos=()):
    looked_at = []

    def look(path):
        looked_at.append(path)
        return "photo" if path in photos else "video" if path in videos else ""

    sniffer = Sniffer(seen or {}, remembered or {}, look)
    return list(sniffer.told(map(UnclearFile, files))), looked_at, sniffer


A, B = FoundFile("/a", 10, 1), FoundFile("/b", 20, 2)


def test_a_file_is_looked_into_until_it_is_known_what_it_is():
    found, looked_at, sniffer = told([A, B], photos={"/a"})
    assert (found, looked_at) == ([A, OtherFile("/b")], ["/a", "/b"])
    assert (sniffer.learned, sniffer.outdated) == ({"/b": (20, 2)}, set())
    found, looked_at, sniffer = told([A, B], seen={"/a": SeenFile(0, 10, 1)}, remembered={"/b": (20, 2)})
    assert (found, looked_at) == ([A, OtherFile("/b")], [])
    assert (sniffer.learned, sniffer.outdated) == ({}, set())


def test_a_file_that_has_changed_is_looked_into_again():
    found, looked_at, sniffer = told([B], remembered={"/b": (19, 2), "/gone": (1, 1)}, photos={"/b"})
    assert (found, looked_at) == ([B], ["/b"])
    assert (sniffer.learned, sniffer.outdated) == ({}, {"/b", "/gone"})
    assert told([A], seen={"/a": SeenFile(0, 10, 0)})[0] == [OtherFile("/a")]


def test_an_empty_file_is_not_looked_into():
    assert told([FoundFile("/empty", 0, 1)])[:2] == ([OtherFile("/empty")], [])


def test_a_video_is_known_by_its_name():
    assert all(map(is_video_name, ["a.mp4", "/x/a.MOV", "a.b.webm", "a.3gp", "a.MTS", "a.m4v", "a.avi", "a.mkv"]))
    assert not any(map(is_video_name, ["a.jpg", "mp4", "a.mp4.part", "a.lrv", "a.m4a", "a"]))
    assert has_photo_name("a.mp4")


@cases("ending", VIDEOS)
def test_a_video_is_known_by_its_first_bytes(tmp_path, ending):
    (tmp_path / "CLIP_1").write_bytes(VIDEOS[ending] + bytes(60))
    assert kind_at(str(tmp_path / "CLIP_1")) == "video"
    assert video_extension(VIDEOS[ending] + bytes(30)) == ending


def test_a_video_without_its_ending_is_no_photo_until_something_reads_it_and_is_not_remembered(monkeypatch):
    installed = set()
    monkeypatch.setattr("photomap_cli.indexing.content_sniffing.is_installed", installed.__contains__)
    found, _, sniffer = told([A], videos={"/a"})
    assert (found, sniffer.learned) == ([OtherFile("/a", "video")], {})
    installed.add("video")
    assert told([A], videos={"/a"})[0] == [A]
