import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photomap_cli.errors import ProtocolMismatch
from photomap_cli.frames import read_frame, write_frame

names = st.text(st.characters())
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | names,
    lambda inner: st.lists(inner) | st.dictionaries(names, inner),
    max_leaves=10,
)


@given(st.lists(st.tuples(st.dictionaries(names, values), st.binary()), max_size=4))
def test_what_is_written_is_read(frames):
    stream = io.BytesIO()
    for message, payload in frames:
        write_frame(stream, message, payload)
    stream.seek(0)
    for frame in frames:
        assert read_frame(stream.read) == frame
    assert read_frame(stream.read) is None


@given(st.binary(max_size=64))
def test_garbage_is_refused_or_read_and_never_crashes(data):
    stream = io.BytesIO(data)
    try:
        while read_frame(stream.read, max_json_bytes=1000, max_payload_bytes=1000) is not None:
            pass
    except ProtocolMismatch:
        pass


def test_a_stream_that_gives_one_byte_at_a_time_is_read():
    stream = io.BytesIO()
    write_frame(stream, {"a": 1}, b"xyz")
    stream.seek(0)
    assert read_frame(lambda _: stream.read(1)) == ({"a": 1}, b"xyz")


@pytest.mark.parametrize("cut", [1, 7, 8, 12])
def test_an_end_inside_a_frame_is_an_error(cut):
    stream = io.BytesIO()
    write_frame(stream, {"a": 1}, b"xyz")
    broken = io.BytesIO(stream.getvalue()[:cut])
    with pytest.raises(ProtocolMismatch, match="inside a frame"):
        read_frame(broken.read)


def test_an_oversized_frame_is_refused_before_it_is_read():
    stream = io.BytesIO(b"\x7f\xff\xff\xff\x00\x00\x00\x00")
    with pytest.raises(ProtocolMismatch, match="over the limit"):
        read_frame(stream.read)


def test_a_frame_must_hold_an_object():
    text = json.dumps([1]).encode()
    stream = io.BytesIO(len(text).to_bytes(4, "big") + bytes(4) + text)
    with pytest.raises(ProtocolMismatch, match="no JSON object"):
        read_frame(stream.read)


def test_names_that_are_no_utf8_survive():
    stream = io.BytesIO()
    write_frame(stream, {"path": "caf\udce9.jpg"})
    stream.seek(0)
    assert read_frame(stream.read)[0] == {"path": "caf\udce9.jpg"}
