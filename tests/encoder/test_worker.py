import io

import pytest

from photomap_cli.encoder import worker
from photomap_cli.errors import EncoderDied, EncoderOutOfMemory
from photomap_cli.framing import read_frame


class FullCard:
    """An encoder whose card has room for nothing, not even for what a process needs to talk to it."""

    def __init__(self, trim=None):
        self.trimmed, self._trim = 0, trim or EncoderOutOfMemory("cuda:0 has no room: CUDA error: out of memory")

    def to_vram(self, tower):
        raise EncoderOutOfMemory("cuda:0 has no room: CUDA error: out of memory")

    def trim(self):
        self.trimmed += 1
        raise self._trim


@pytest.fixture
def replies():
    return io.BytesIO()


def asked(replies, encoder):
    one = worker.Worker(replies)
    one._encoder = encoder
    one.answer({"op": "to_vram", "tower": "text"}, b"")
    replies.seek(0)
    return read_frame(replies.read)[0]


def test_a_card_without_room_for_a_context_is_an_answer_and_no_death(replies, capsys):
    encoder = FullCard()
    assert asked(replies, encoder)["error"]["code"] == "encoder_out_of_memory"
    assert encoder.trimmed == 1
    assert "not trimmed" in capsys.readouterr().err


def test_a_card_that_is_lost_while_it_is_trimmed_ends_the_process(replies, monkeypatch):
    ended = []
    monkeypatch.setattr(worker.os, "_exit", ended.append)
    asked(replies, FullCard(EncoderDied("cuda:0 is lost: CUDA error: an illegal memory access")))
    assert ended == [1]
