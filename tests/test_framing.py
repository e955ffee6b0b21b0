import io
import json
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torture import inputs

from photomap_cli.errors import ProtocolMismatch
from photomap_cli.framing import read_frame, write_frame

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


class Wire:
    """A stream of these bytes in pieces of any size, that remembers the largest request beyond what had come."""

    def __init__(self, data, pieces=()):
        self._rest = memoryview(data)
        self._pieces = list(pieces)
        self.came = self.reads = self.largest = 0

    def read(self, count):
        self.reads += 1
        self.largest = max(self.largest, count - self.came)
        piece = min(count, self._pieces.pop() if self._pieces else count)
        part, self._rest = bytes(self._rest[:piece]), self._rest[piece:]
        self.came += len(part)
        return part


def framed(text, payload=b"", *, json_bytes=None, payload_bytes=None):
    """Return a frame whose lengths may lie."""
    claims = (len(text) if json_bytes is None else json_bytes, len(payload) if payload_bytes is None else payload_bytes)
    return struct.pack(">II", *claims) + text + payload


lengths = st.none() | st.integers(0, 2**32 - 1) | st.integers(0, 100)
texts = st.binary(max_size=64) | st.sampled_from(
    [b"{}", b'{"a":[1,{}]}', b"[]", b"1", b'"\\ud800"', b"{", b"\xff\xfe{\0}\0"]
)
lies = st.builds(framed, texts, st.binary(max_size=64), json_bytes=lengths, payload_bytes=lengths)
streams = st.lists(lies | st.binary(max_size=32), max_size=4).map(b"".join)
FUZZ = settings(max_examples=inputs(1000, 100_000), deadline=None, suppress_health_check=list(HealthCheck))


@FUZZ
@given(streams, st.lists(st.integers(1, 9), max_size=20))
def test_garbage_is_read_or_refused_and_a_claim_alone_takes_no_memory(data, pieces):
    wire = Wire(data, pieces)
    try:
        while (frame := read_frame(wire.read)) is not None:
            assert isinstance(frame[0], dict)
    except ProtocolMismatch:
        pass
    assert wire.largest <= 64 << 10
    assert wire.reads <= len(data) + 4


def test_a_claim_of_the_largest_frame_costs_what_came_not_what_it_says():
    wire = Wire(framed(b"{}", b"x" * 1000, payload_bytes=1 << 30))
    with pytest.raises(ProtocolMismatch, match="inside a frame"):
        read_frame(wire.read)
    assert wire.largest <= 64 << 10


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"a":' * 100_000, b'{"a":' + b"9" * 5000 + b"}", b'{"a":"\xff"}'])
def test_json_that_would_hurt_the_parser_is_refused(text):
    with pytest.raises(ProtocolMismatch, match="no JSON"):
        read_frame(io.BytesIO(framed(text)).read)


def test_a_message_longer_than_the_other_end_takes_is_not_begun():
    stream = io.BytesIO()
    with pytest.raises(ProtocolMismatch, match="1012 bytes is over the limit of 100"):
        write_frame(stream, {"text": "x" * 1001}, max_json_bytes=100)
    assert stream.getvalue() == b""


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
    wire = Wire(b"\x7f\xff\xff\xff\x00\x00\x00\x00" + b"x" * 100)
    with pytest.raises(ProtocolMismatch, match="over the limit"):
        read_frame(wire.read)
    assert wire.came == 8


def test_a_frame_must_hold_an_object():
    text = json.dumps([1]).encode()
    stream = io.BytesIO(len(text).to_bytes(4, "big") + bytes(4) + text)
    with pytest.raises(ProtocolMismatch, match="isn't a JSON object"):
        read_frame(stream.read)


def test_names_that_are_no_utf8_survive():
    stream = io.BytesIO()
    write_frame(stream, {"path": "caf\udce9.jpg"})
    stream.seek(0)
    assert read_frame(stream.read)[0] == {"path": "caf\udce9.jpg"}
