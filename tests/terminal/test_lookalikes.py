import io

import pytest

from photomap_cli.terminal import lookalikes


@pytest.mark.parametrize(
    ("text", "encoding", "shown"),
    [
        ("● VRAM │ ━━── 40×30 …", "ascii", "* VRAM | ==-- 40x30 ."),
        ("● 40×30", "latin-1", "* 40×30"),
        ("● 犬", "utf-8", "● 犬"),
        ("犬 ⠋", "ascii", "? -"),
    ],
)
def test_what_stands_for_what(text, encoding, shown):
    assert lookalikes.fitting(text, encoding) == shown


def test_a_stream_writes_them_too():
    lookalikes.register()
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", errors=lookalikes.ERRORS)
    stream.write("◐ RAM → VRAM")
    stream.flush()
    assert raw.getvalue() == b"% RAM > VRAM"
