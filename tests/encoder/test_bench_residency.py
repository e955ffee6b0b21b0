import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "scripts"))
    import bench_residency

    yield bench_residency
    for name in ("bench_residency", "bench_tools"):
        sys.modules.pop(name, None)


def moved(way, reload, offload, *, pinned=True, where="RAM -> VRAM"):
    about = {"shape": "ViT-L-14", "dtype": "float16", "where": where, "pinned": pinned}
    return {**about, "way": way, "reload": reload, "offload": offload}


@pytest.mark.parametrize(
    ("ours", "released", "missed"),
    [
        (moved("photomap pinned, both", 11.0, 1.0), 500, []),
        (moved("photomap pinned, both", 13.0, 1.0), 500, ["plain copy's rate"]),
        (moved("photomap pinned, both", 11.0, 1.0, pinned=False), 500, ["plain copy's rate"]),
        (moved("photomap pinned, both", 11.0, 6.0), 500, ["offload"]),
        (moved("photomap pinned, both", 11.0, 1.0), 501, ["after a release"]),
    ],
    ids=["all met", "slow reload", "not pinned", "slow offload", "bytes left"],
)
def test_each_target_is_judged_by_what_was_measured_on_the_card(bench, ours, released, missed):
    plain = moved("plain pinned copy", 10.0, 0.0)
    stand_in = moved("photomap, both towers", 99.0, 99.0, where="RAM -> RAM (stand-in)")
    life = {"encoder": "ViT-L-14", "offload": 1.0, "reload_and_query": 20.0, "card_before": 500}
    judged = bench.targets([stand_in, ours, plain], [{**life, "card_released": released}])
    found = [one["what"] for one in judged if not one["met"]]
    assert len(judged) == 4
    assert len(found) == len(missed)
    assert all(words in what for words, what in zip(missed, found, strict=True))


def test_without_a_card_nothing_is_judged(bench):
    stand_in = moved("photomap, both towers", 99.0, 99.0, where="RAM -> RAM (stand-in)")
    assert bench.targets([stand_in], [{"encoder": "tiny", "card_before": None, "card_released": None}]) == []
