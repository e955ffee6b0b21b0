import hashlib
import os
import sys

import pytest
from library_fakes import decode, picture

from photomap_cli.errors import BadImage
from photomap_cli.images.preprocess import PixelFit
from photomap_cli.library import file_identity
from photomap_cli.library.file_identity import digest, digest_at


def test_the_digest_is_half_of_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"photo" * 100_000)
    expected = hashlib.sha256(b"photo" * 100_000).digest()[:16]
    assert digest_at(str(tmp_path / "a")) == expected
    with (tmp_path / "a").open("rb") as file:
        assert digest(file) == expected


def test_what_cannot_be_read_has_none(tmp_path):
    assert digest_at(str(tmp_path / "missing")) is None
    assert digest_at(str(tmp_path)) is None


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes with names")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert digest_at(str(tmp_path / "pipe")) is None


def test_decoding_tells_the_digest_of_the_whole_file(tmp_path):
    path = picture(tmp_path / "a.png", 1)
    assert decode(path, PixelFit((8, 8))).digest == digest_at(str(path))


def test_what_is_no_picture_is_not_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(file_identity, "digest", lambda _: pytest.fail("the whole file was read"))
    (tmp_path / "film.jpg").write_bytes(b"no picture" * 1000)
    with pytest.raises(BadImage, match="not a picture"):
        decode(tmp_path / "film.jpg", PixelFit((8, 8)))


def test_of_a_very_large_file_length_and_parts_all_over_it_tell(tmp_path, monkeypatch):
    monkeypatch.setattr(file_identity, "WHOLE_BYTES", 1 << 20)
    monkeypatch.setattr(file_identity, "CHUNK_BYTES", 1 << 10)
    content = os.urandom(2 << 20)
    others = [content, content[:-1], content[:-1] + b"?", b"?" + content[1:]]
    for number, each in enumerate(others):
        (tmp_path / str(number)).write_bytes(each)
    found = [digest_at(str(tmp_path / str(number))) for number in range(len(others))]
    assert len(set(found)) == len(others)
    monkeypatch.setattr(file_identity, "_chunks", lambda _: pytest.fail("the whole file was read"))
    assert digest_at(str(tmp_path / "0")) == found[0]
