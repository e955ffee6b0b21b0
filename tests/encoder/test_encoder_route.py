"""Who encodes words and pictures: every place of the encoder process, with and without a GPU, by every setting."""

from __future__ import annotations

import threading

import pytest
from cases import cases
from fake_encoder import CPU, GPU, FakeEncoder, ManualTime
from waiting import LONG_SECONDS

from photomap_cli.encoder.encoder_route import ENCODER, IMAGE_TOWER, TEXT_TOWER, EncoderRoute
from photomap_cli.encoder.residency import Residency
from photomap_cli.errors import EncoderDied, EncoderMismatch, TowerUnfit
from photomap_cli.records import ResidencyState


class Parts:
    """A route over two fake encoders."""

    def __init__(self, setting="auto", *, kind="text", info=GPU, tower=True, release_timeout=600.0):
        self.time = ManualTime()
        self.process, self.tower = FakeEncoder(info), FakeEncoder(CPU)
        self.filled = 0
        how = {"clock": self.time.clock, "timer": self.time.timer, "suspended": lambda: 0.0}
        self.residency = Residency(self.process, release_timeout=release_timeout, **how)
        self.mapping = Residency(self.tower, idle_timeout=0, release_timeout=release_timeout, **how)
        self.route = EncoderRoute(
            kind,
            self.residency,
            self.mapping if tower else None,
            setting=setting,
            has_gpu=lambda: info is GPU,
            on_absent_gpu=self._fill,
        )

    def _fill(self):
        self.filled += 1

    def bring(self, state):
        if state != "OFF":
            self.residency.load()
        if state == "RAM":
            self.residency.offload()

    def ask(self, *, is_alone=True):
        return self.route.run(lambda encoder, info: encoder.encode_text(["dog"]), is_alone=is_alone).by


TABLE = [
    ("OFF", GPU, True, TEXT_TOWER),
    ("OFF", GPU, False, ENCODER),
    ("RAM", GPU, True, ENCODER),
    ("VRAM", GPU, True, ENCODER),
    ("OFF", CPU, True, TEXT_TOWER),
    ("OFF", CPU, False, TEXT_TOWER),
    ("RAM", CPU, True, TEXT_TOWER),
    ("RAM", CPU, False, TEXT_TOWER),
]


@pytest.mark.parametrize(("state", "info", "is_alone", "expected"), TABLE)
def test_the_policy(state, info, is_alone, expected):
    parts = Parts(info=info)
    parts.bring(state)
    assert parts.ask(is_alone=is_alone) == expected


PICTURES = [
    ("OFF", GPU, True, IMAGE_TOWER),
    ("OFF", GPU, False, ENCODER),
    ("RAM", GPU, True, ENCODER),
    ("VRAM", GPU, True, ENCODER),
    ("OFF", CPU, True, IMAGE_TOWER),
    ("OFF", CPU, False, IMAGE_TOWER),
    ("RAM", CPU, True, ENCODER),
    ("RAM", CPU, False, ENCODER),
]


@pytest.mark.parametrize(("state", "info", "is_alone", "expected"), PICTURES)
def test_the_policy_for_pictures(state, info, is_alone, expected):
    parts = Parts(info=info, kind="image")
    parts.bring(state)
    assert parts.ask(is_alone=is_alone) == expected


def test_what_encodes_is_told_with_it():
    parts = Parts(info=CPU, kind="image")
    told = []
    parts.route.run(lambda encoder, info: told.append((encoder, info)) or encoder.encode_text(["a"]), is_alone=True)
    assert told == [(parts.tower, CPU)]


@cases(("state", "info", "is_alone"), [row[:3] for row in TABLE])
@cases(("setting", "expected"), [("torch", ENCODER), ("tower", TEXT_TOWER)])
def test_a_setting_decides_for_good(setting, expected, state, info, is_alone):
    parts = Parts(setting, info=info)
    parts.bring(state)
    assert parts.ask(is_alone=is_alone) == expected


def test_words_do_not_wait_for_an_encoder_that_is_loading():
    parts = Parts()
    entered, go = parts.process.hold("load")
    loading = threading.Thread(target=parts.residency.load)
    loading.start()
    assert entered.wait(LONG_SECONDS)
    try:
        assert parts.residency.snapshot().state is ResidencyState.LOADING
        assert parts.ask() == TEXT_TOWER
    finally:
        go.set()
        loading.join(LONG_SECONDS)
    assert parts.ask() == ENCODER


def test_a_gpu_that_was_absent_is_filled_behind_the_answer():
    parts = Parts()
    assert (parts.ask(), parts.filled) == (TEXT_TOWER, 1)
    parts.bring("VRAM")
    assert (parts.ask(), parts.filled) == (ENCODER, 1)


def test_without_a_gpu_nothing_is_loaded_behind_it():
    parts = Parts(info=CPU)
    assert (parts.ask(), parts.filled) == (TEXT_TOWER, 0)
    assert parts.process.calls == []


@pytest.mark.parametrize("error", [TowerUnfit("its tokenizer is another one"), EncoderMismatch("other weights")])
def test_where_it_cannot_stand_in_the_encoder_answers_and_it_is_not_tried_again(error):
    parts = Parts(info=CPU)
    parts.tower.fail_next["load"] = error
    assert [parts.ask(), parts.ask()] == [ENCODER, ENCODER]
    assert parts.tower.calls == ["load"]
    assert parts.route.fault == str(error)
    parts.route.start_afresh()
    assert parts.ask() == TEXT_TOWER


def test_with_the_setting_tower_that_is_an_error_with_the_way_out():
    parts = Parts("tower", info=CPU)
    parts.tower.fail_next["load"] = TowerUnfit("its tokenizer is another one")
    with pytest.raises(TowerUnfit, match="its tokenizer is another one") as caught:
        parts.ask()
    assert "text_encoder auto" in caught.value.hint
    assert parts.process.calls == []


def test_a_tower_whose_weights_are_written_to_is_mapped_anew():
    parts = Parts(info=CPU)
    parts.tower.fail_next["encode"] = EncoderDied("its weights were written to")
    assert parts.ask() == TEXT_TOWER
    assert parts.tower.calls.count("load") == 2


def test_whoever_does_not_wait_for_the_answer_any_more_is_not_taken_for_a_fault():
    parts = Parts(info=CPU)

    def hung_up(_, info):
        raise ConnectionError

    with pytest.raises(ConnectionError):
        parts.route.run(hung_up, is_alone=True)
    assert (parts.route.fault, parts.process.calls) == ("", [])


def test_the_mapping_goes_with_the_release_timeout():
    parts = Parts(info=CPU, release_timeout=600.0)
    parts.ask()
    assert parts.mapping.snapshot().state is ResidencyState.RAM
    parts.time.advance(599)
    assert parts.mapping.snapshot().state is ResidencyState.RAM
    parts.route.touch()
    parts.time.advance(599)
    assert parts.mapping.snapshot().state is ResidencyState.RAM
    parts.time.advance(1)
    assert parts.mapping.snapshot().state is ResidencyState.OFF
    assert not parts.tower.alive
    assert parts.mapping.snapshot().memory.ram_bytes == 0


@pytest.mark.parametrize(("info", "brought"), [(CPU, "tower"), (GPU, "process")])
def test_loading_brings_what_will_answer(info, brought):
    parts = Parts(info=info)
    parts.route.load()
    assert {"tower": parts.tower.alive, "process": parts.process.alive} == {
        "tower": brought == "tower",
        "process": brought == "process",
    }


def test_loading_falls_back_too_and_load_tries_again():
    parts = Parts(info=CPU)
    parts.tower.fail_next["load"] = TowerUnfit("no")
    parts.route.load()
    assert parts.process.alive
    parts.route.load(try_again=True)
    assert parts.tower.alive


def test_a_library_encoded_anew_lets_go_of_the_old_weights():
    parts = Parts(info=CPU)
    parts.ask()
    parts.route.keep_to(CPU.fingerprint)
    assert parts.tower.alive
    parts.route.keep_to("another")
    assert not parts.tower.alive


def test_without_a_tower_all_is_as_ever():
    parts = Parts(info=CPU, tower=False)
    parts.route.touch()
    parts.route.keep_to("another")
    parts.route.close()
    assert parts.route.snapshot() is None
    assert parts.ask() == ENCODER
