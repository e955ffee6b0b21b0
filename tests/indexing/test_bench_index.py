"""What scripts/bench_index.py makes of its runs."""

import json
import os
from pathlib import Path

import pytest
from bench_index import Wait, told, waits
from bench_photos import write_others
from bench_process import Run, Sample, family, is_decoder, state


def run_of(decoders, **stages):
    stages = {name: 1e3 * seconds for name, seconds in stages.items()}
    return Run(20.0, 1.0, 1, json.dumps({"stages_ms": stages}), tuple(decoders))


def test_each_side_waits_a_share_of_the_time_in_which_photos_were_encoded():
    starting = [Sample(at, 2, 2) for at in range(10)]
    encoding = [Sample(10 + at, 2, 1 if at % 2 else 0) for at in range(9)]
    over = [Sample(19.0, 0, 0)]
    run = run_of([*starting, *encoding, *over], load=10, decode=2, encode=5, commit=1)
    found = waits([run])
    assert found["encoder"] == Wait(2.0, 0.25)
    assert (found["decoders"].seconds, found["decoders"].share) == pytest.approx((8 * (1 - 4 / 18), 1 - 4 / 18))
    assert told(found) == "decoders 78% (6.2 s), encoder 25% (2.0 s)", "the side that waits more comes first"
    assert told({}) == ""


def test_a_run_without_decoders_has_none_that_wait_for_less_than_all_of_it():
    assert run_of([Sample(1.0, 0, 0)], decode=1, encode=1, commit=0).decoders_wait(5) == 1


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system has no /proc")
def test_processes_are_told_apart_by_what_they_run():
    assert not any(is_decoder(each) for each in family(os.getpid()))
    assert state(os.getpid()) in {"R", "S"}
    assert state(2**22 + 1) == "gone"


def test_further_photos_are_other_files_with_the_same_pixels(tmp_path):
    from PIL import Image

    drawn = tmp_path / "a.jpg"
    Image.linear_gradient("L").save(drawn)
    write_others([drawn], tmp_path / "more", range(3))
    made = sorted((tmp_path / "more").iterdir())
    assert len({each.read_bytes() for each in made}) == 3
    assert all(Image.open(each).tobytes() == Image.open(drawn).tobytes() for each in made)
