"""Which files may stand in a query as pictures."""

import pytest

from photomap_cli.errors import BadImage
from photomap_cli.search.query import Term, TermKind
from photomap_cli.search.query_images import require_picture

MATROSKA = b"\x1aE\xdf\xa3\xa3B\x86\x81\1B\xf7\x81\1"


def required(path, content):
    path.write_bytes(content)
    require_picture(Term(TermKind.IMAGE, str(path)), path.stat())


@pytest.mark.parametrize(("name", "content"), [("a.mts", b"\x47@\x11\x10"), ("CLIP_1", MATROSKA), ("a.mkv", MATROSKA)])
def test_a_video_may_stand_in_a_query(tmp_path, name, content):
    required(tmp_path / name, content)


def test_what_is_neither_a_picture_nor_a_video_may_not(tmp_path):
    with pytest.raises(BadImage, match="not a picture"):
        required(tmp_path / "a.txt", b"a letter to somebody")
