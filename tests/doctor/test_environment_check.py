import shutil
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_encoder import CPU, GPU, FakeEncoder

from photomap_cli.doctor import environment
from photomap_cli.encoder import gpu
from photomap_cli.errors import EncoderFailed, WeightsMissing
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entities import LibraryEncoder
from photomap_cli.session import socket_dir, transport
from photomap_cli.settings import Settings

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def no_sessions(monkeypatch):
    monkeypatch.setattr(transport, "statuses", list)


@pytest.fixture
def folder(tmp_path):
    with Catalog.open(tmp_path / "library", create=True) as catalog:
        catalog.set_encoder(LibraryEncoder("fake", 8, "float32"))
    return tmp_path / "library"


def checked(folder, encoder=None, *, subject="encoder", **settings):
    """Return the state, the message and the hint of one check; `encoder` is what would be loaded."""
    encoder = encoder or FakeEncoder(CPU)
    found = environment.checks(folder, Settings(**settings), lambda *_: encoder)
    return next((check.state, check.message, check.hint) for check in found if check.subject == subject)


def test_an_encoder_that_answers_is_fine_and_let_go_again(folder):
    encoder = FakeEncoder(CPU)
    state, message, hint = checked(folder, encoder)
    assert (state, hint) == ("ok", "")
    assert message.startswith("fake, float32 on cpu CPU: loaded in ")
    assert (encoder.closed, "to_vram" in encoder.calls) == (True, False)


def test_a_full_card_is_said(folder):
    encoder = FakeEncoder(GPU)
    encoder.full = True
    state, message, hint = checked(folder, encoder)
    assert (state, "the GPU is full" in message, "VRAM" in hint) == ("advice", True, True)


def test_a_gpu_that_pytorch_does_not_use_is_said(folder, monkeypatch):
    monkeypatch.setattr(gpu, "device_count", lambda: 1)
    assert checked(folder, subject="GPU")[1] == "1 by the NVIDIA driver"
    state, message, _ = checked(folder)
    assert (state, "the GPU is not used" in message) == ("advice", True)
    told = replace(CPU, notice="the GPU is not used: the driver is too old")
    assert "the driver is too old" in checked(folder, FakeEncoder(told))[1]
    assert checked(folder, device="cpu")[0] == "ok"


def test_other_weights_than_the_librarys_are_a_fault(folder):
    with Catalog.open(folder) as catalog:
        catalog.set_encoder(LibraryEncoder("fake", 8, "float32", fingerprint="old"))
    state, message, hint = checked(folder, FakeEncoder(replace(CPU, fingerprint="new")))
    assert (state, "other weights" in message, "--rebuild" in hint) == ("fault", True, True)
    assert checked(folder, FakeEncoder(replace(CPU, fingerprint="old")))[0] == "ok"


def test_vectors_of_another_length_are_a_fault(folder):
    with Catalog.open(folder) as catalog:
        catalog.set_encoder(LibraryEncoder("fake", 16, "float32"))
    assert checked(folder)[0] == "fault"


def test_vectors_that_are_no_unit_vectors_are_a_fault(folder):
    class Wrong(FakeEncoder):
        def encode_text(self, texts):
            return np.zeros((len(texts), 8), np.float32)

    assert checked(folder, Wrong(CPU))[0] == "fault"


@pytest.mark.parametrize(
    ("error", "state"), [(WeightsMissing("not here", hint="x"), "advice"), (EncoderFailed("no", hint="why"), "fault")]
)
def test_an_encoder_that_does_not_load_is_said(folder, error, state):
    encoder = FakeEncoder(CPU)
    encoder.fail_next["load"] = error
    found = checked(folder, encoder)
    assert found[0] == state
    assert "index" in found[2] if state == "advice" else found[1:] == ("no", "why")


def test_the_encoder_of_a_live_session_is_left_alone(folder, monkeypatch):
    status = {"library": str(folder), "state": "VRAM", "pid": 42, "encoder": "fake"}
    places = [(Path("/elsewhere"), {**status, "pid": 7}), (folder, status)]
    looks = [
        transport.SessionReply(socket_dir.socket_path(library), each["pid"], each, None) for library, each in places
    ]
    monkeypatch.setattr(transport, "statuses", lambda: looks)
    encoder = FakeEncoder(CPU)
    assert checked(folder, encoder) == ("ok", "fake, in VRAM, in session 42", "")
    assert encoder.calls == []


def test_a_session_that_does_not_answer_is_said(folder, monkeypatch):
    silent = transport.SessionReply(socket_dir.socket_path(folder), 42, None, transport.silent_session(42))
    monkeypatch.setattr(transport, "statuses", lambda: [silent])
    assert checked(folder, subject="session") == ("advice", silent.error.message, silent.error.hint)


def test_little_space_is_said(folder, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1, 1, 10**8))
    assert checked(folder, subject="disk")[:2] == ("advice", "0.1 GB free for the library")


def test_without_a_library_the_encoder_of_a_new_one_is_tried(tmp_path):
    opened = []

    def open_encoder(spec, _settings):
        opened.append(spec)
        return FakeEncoder(CPU)

    states = [check.state for check in environment.checks(tmp_path / "none", Settings(encoder="tiny"), open_encoder)]
    assert (opened, states[0], states[-1]) == (["tiny"], "advice", "ok")
    assert not (tmp_path / "none").exists()
