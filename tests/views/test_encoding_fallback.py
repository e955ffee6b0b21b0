import io

import pytest

from photomap_cli.views import encoding_fallback


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
    assert encoding_fallback.fitting(text, encoding) == shown


def test_a_stream_writes_them_too():
    encoding_fallback.register()
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", errors=encoding_fallback.ERRORS)
    stream.write("◐ RAM → VRAM")
    stream.flush()
    assert raw.getvalue() == b"% RAM > VRAM"
