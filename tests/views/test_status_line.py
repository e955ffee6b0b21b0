from dataclasses import replace

import pytest
from cases import cases
from terminal_fakes import (
    CPU,
    EVERY_STATE,
    LOADING,
    MB,
    OFF,
    OFFLOADING,
    RAM,
    RELEASING,
    RELOADING,
    VRAM,
)

from photomap_cli.records import EncoderFailure, ResidencyState
from photomap_cli.views.status_line import Scope, bar, next_step, place, plain_line

DOWNLOADING = replace(LOADING, download=(120 * MB, 605 * MB))
FULL = replace(RAM, cpu_fallbacks=1, last_error=EncoderFailure("encoder_out_of_memory", "tried to allocate 20 MiB"))
DEAD = replace(OFF, last_error=EncoderFailure("encoder_died", "the encoder process ended (SIGKILL)"))
UNIFIED = replace(RAM, device="mps", device_name="Apple M3 (unified memory)", can_offload=False)
SMALL_GPU = replace(RAM, device_name="Orin (unified memory)", can_offload=False)

WORDS_ONLY = replace(CPU, text_state=ResidencyState.RAM, image_state=ResidencyState.OFF)
PICTURES_TOO = replace(CPU, text_state=ResidencyState.RAM, image_state=ResidencyState.RAM)
WHILE_LOADING = replace(LOADING, ram_bytes=12 * MB, text_state=ResidencyState.RAM, image_state=ResidencyState.LOADING)

BARS = [
    (WORDS_ONLY, 80, " ● text RAM 12 MB, image OFF │ leaves RAM in 9:48 │ 12,034 photos │ :help"),
    (WORDS_ONLY, 40, " ● text RAM 12 MB, image OFF"),
    (PICTURES_TOO, 80, " ● RAM 12 MB cpu │ leaves RAM in 9:48 │ 12,034 photos │ :help"),
    (WHILE_LOADING, 80, " ◌ text RAM 12 MB, image loading… │ 12,034 photos │ cuda:0 │ :help"),
    (VRAM, 120, " ● VRAM 352 MB │ frees GPU memory in 0:18 ━━━━━━──── │ 12,034 photos │ cuda:0 NVIDIA A100 │ :help"),
    (VRAM, 80, " ● VRAM 352 MB │ frees GPU memory in 0:18 │ 12,034 photos │ cuda:0 │ :help"),
    (VRAM, 40, " ● VRAM 352 MB │ frees GPU in 0:18"),
    (RAM, 120, " ◐ RAM 0 B VRAM │ leaves RAM in 9:48 ━━━━━━━━━━ │ 12,034 photos │ cuda:0 NVIDIA A100 │ :help"),
    (RAM, 80, " ◐ RAM 0 B VRAM │ leaves RAM in 9:48 │ 12,034 photos │ cuda:0 │ :help"),
    (RAM, 40, " ◐ RAM 0 B VRAM │ leaves RAM in 9:48"),
    (OFF, 80, " ○ OFF │ 12,034 photos │ cuda:0 │ :help"),
    (OFF, 40, " ○ OFF │ 12,034 photos │ cuda:0 │ :help"),
    (LOADING, 120, " ◌ loading… │ 12,034 photos │ cuda:0 NVIDIA A100 │ :help"),
    (LOADING, 40, " ◌ loading… │ 12,034 photos │ cuda:0"),
    (
        DOWNLOADING,
        120,
        " ◌ downloading 120 MB of 605 MB │ 19 % ━━──────── │ 12,034 photos │ cuda:0 NVIDIA A100 │ :help",
    ),
    (DOWNLOADING, 40, " ◌ downloading 120 MB of 605 MB │ 19 %"),
    (RELOADING, 80, " ◑ RAM → VRAM… │ 12,034 photos │ cuda:0 │ :help"),
    (OFFLOADING, 80, " ◑ VRAM → RAM… │ 12,034 photos │ cuda:0 │ :help"),
    (RELEASING, 80, " ◌ RAM → OFF… │ 12,034 photos │ cuda:0 │ :help"),
    (CPU, 120, " ● RAM 12 MB cpu │ leaves RAM in 9:48 ━━━━━━━━━━ │ 12,034 photos │ :help"),
    (CPU, 40, " ● RAM 12 MB cpu │ leaves RAM in 9:48"),
    (UNIFIED, 80, " ● RAM 352 MB mps │ leaves RAM in 9:48 │ 12,034 photos │ :help"),
    (FULL, 80, " ◐ RAM 0 B VRAM │ ! card full: answered from RAM │ leaves RAM in 9:48"),
    (FULL, 40, " ◐ RAM 0 B VRAM │ ! card full: answere…"),
    (DEAD, 120, " ✗ OFF │ ! the encoder process ended (SIGKILL) │ 12,034 photos │ cuda:0 NVIDIA A100 │ :help"),
    (DEAD, 40, " ✗ OFF │ ! the encoder process ended (…"),
    (replace(VRAM, busy=True), 80, " ● VRAM 352 MB │ busy │ frees GPU memory in 0:18 │ 12,034 photos │ cuda:0"),
    (
        replace(CPU, new_photos=1234),
        80,
        " ● RAM 12 MB cpu │ leaves RAM in 9:48 │ +1,234 new │ 12,034 photos │ :help",
    ),
    (
        replace(VRAM, idle_timeout_seconds=0, offload_in_seconds=None),
        60,
        " ● VRAM 352 MB │ keeps GPU memory │ 12,034 photos │ cuda:0",
    ),
]


@cases(("status", "width", "text"), BARS)
def test_the_bar_in_every_state(status, width, text):
    assert bar(status, width=width, extras=(":help",)).plain == text


def test_a_folder_that_is_searched_alone_has_its_own_count_and_stays_longer_than_what_is_always_there():
    norway = Scope("in: Norway", 120)
    texts = [bar(CPU, width=width, scope=norway, extras=(":help",)).plain for width in (100, 60, 52)]
    assert texts == [
        " ● RAM 12 MB cpu │ leaves RAM in 9:48 ━━━━━━━━━━ │ in: Norway │ 120 photos │ :help",
        " ● RAM 12 MB cpu │ leaves RAM in 9:48 │ in: Norway",
        " ● RAM 12 MB cpu │ leaves RAM in 9:48 │ in: Norway",
    ]
    unknown = bar(CPU, width=100, scope=Scope("in: Norway"), extras=(":help",)).plain
    assert unknown == " ● RAM 12 MB cpu │ leaves RAM in 9:48 ━━━━━━━━━━ │ in: Norway │ :help"


NARROW = [
    (WORDS_ONLY, 24, " ● text RAM, image OFF"),
    (WORDS_ONLY, 20, " ● text RAM"),
    (WHILE_LOADING, 24, " ◌ image loading…"),
    (WHILE_LOADING, 16, " ◌ text RAM"),
    (DOWNLOADING, 24, " ◌ downloading 19 %"),
    (replace(DOWNLOADING, download=(120 * MB, 0)), 24, " ◌ downloading 120 MB"),
]


@cases(("status", "width", "text"), NARROW)
def test_a_narrow_bar_says_where_the_encoder_is_in_fewer_words_and_cuts_none(status, width, text):
    assert bar(status, width=width).plain == text


@pytest.mark.parametrize("status", EVERY_STATE, ids=lambda status: status.state.value)
def test_the_bar_is_one_line_and_never_loses_the_state(status):
    for width in (*range(2, 60), 80, 120, 200):
        failed = replace(status, last_error=EncoderFailure("internal", "line\nbreak\x1b[31m"))
        text = bar(failed, width=width, scope=Scope("in: x", 3), extras=(":help",))
        assert text.cell_len <= width - 1
        assert not {"\n", "\x1b"} & set(text.plain)
        assert width < 4 or place(failed).symbol in text.plain


def test_shapes_and_colours_tell_the_places_apart():
    looks = [place(status) for status in (VRAM, RAM, OFF, LOADING, DEAD)]
    assert len({look.symbol for look in looks}) == len({look.style for look in looks}) == 5


STEPS = [
    (VRAM, "offloads in 18 s"),
    (replace(VRAM, idle_timeout_seconds=0, offload_in_seconds=None), "never offloads"),
    (replace(VRAM, busy=True, offload_in_seconds=None), "in use; offloads 30 s after the last search"),
    (RAM, "offloaded 3 min ago; released in 10 min"),
    (replace(RAM, release_timeout_seconds=0, release_in_seconds=None), "offloaded 3 min ago; never released"),
    (replace(RAM, release_in_seconds=None), "offloaded 3 min ago"),
    (replace(RAM, offloaded_seconds_ago=None), "not in VRAM; released in 10 min"),
    (CPU, "nothing to offload: CPU; released in 10 min"),
    (replace(CPU, release_timeout_seconds=0, release_in_seconds=None), "nothing to offload: CPU"),
    (UNIFIED, "nothing to offload: unified memory; released in 10 min"),
    (SMALL_GPU, "nothing to offload: unified memory; released in 10 min"),
    (OFF, "loads with the next search"),
    (LOADING, "loading"),
    (DOWNLOADING, "downloading 120 MB of 605 MB"),
    (replace(LOADING, download=(120 * MB, 0)), "downloading 120 MB"),
    (RELOADING, "on its way into VRAM"),
    (OFFLOADING, "offloading now"),
    (RELEASING, "releasing now"),
]


@cases(("status", "text"), STEPS)
def test_what_happens_next(status, text):
    assert next_step(status) == text


def test_the_plain_line_tells_everything():
    line = plain_line(replace(FULL, busy=True, vram_process_bytes=426 * MB))
    assert line == (
        "◐ RAM 0 B VRAM · busy · 0 B VRAM (426 MB with context) + 352 MB RAM · offloaded 3 min ago; "
        "released in 10 min · answers on the CPU: 1 · card full: answered from RAM · 12,034 photos · "
        "cuda:0 NVIDIA A100 · ViT-L-14/datacomp_xl_s13b_b90k"
    )


def test_a_long_error_is_cut():
    assert len(plain_line(replace(VRAM, last_error=EncoderFailure("internal", "x" * 500)))) < 250


def test_what_is_known_of_the_encoder_is_not_read_out_of_names_and_sentences():
    named = replace(RAM, device_name="Unified Graphics 3000")
    assert place(named) == place(RAM)
    told = replace(DEAD, last_error=EncoderFailure("encoder_died", "killed: out of memory"))
    assert "killed: out of memory" in plain_line(told)
