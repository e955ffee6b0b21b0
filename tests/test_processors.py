"""How many cores the program may keep busy."""

import os

import pytest

from photomap_cli import processors
from photomap_cli.indexing.index_options import JOBS


@pytest.fixture
def groups(tmp_path):
    """Where control groups are mounted, and what says which are this process's."""
    (tmp_path / "cgroup").mkdir()
    return tmp_path / "own", tmp_path / "cgroup"


def limits(own, folder):
    first, *others = processors.quotas(own, folder)
    assert first > 10_000
    return others


def test_a_containers_quota_counts_rounded_up_with_those_around_it(groups):
    own, folder = groups
    own.write_text("0::/outer/inner\n")
    (folder / "outer/inner").mkdir(parents=True)
    (folder / "outer/inner/cpu.max").write_text("150000 100000\n")
    (folder / "outer/cpu.max").write_text("100000 100000\n")
    (folder / "cpu.max").write_text("max 100000\n")
    assert limits(own, folder) == [2, 1]


def test_the_older_kind_of_group_counts_too(groups):
    own, folder = groups
    own.write_text("9:name=systemd:/\n4:cpu,cpuacct:/box\n3:memory:/box\n")
    (folder / "cpu/box").mkdir(parents=True)
    for name, value in (("quota", 250000), ("period", 100000)):
        (folder / f"cpu/box/cpu.cfs_{name}_us").write_text(f"{value}\n")
    assert limits(own, folder) == [3]
    (folder / "cpu/box/cpu.cfs_quota_us").write_text("-1\n")
    assert limits(own, folder) == []


@pytest.mark.parametrize("text", ["", "no colons", "0::/gone", "0::/odd", "0::/../../.."])
def test_what_makes_no_sense_is_no_limit(groups, text):
    own, folder = groups
    own.write_text(text)
    (folder / "odd").mkdir()
    (folder / "odd/cpu.max").write_text("many\n")
    assert limits(own, folder) == []
    own.unlink()
    assert limits(own, folder) == []


def test_affinity_counts(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3}, raising=False)
    processors.usable.cache_clear()
    assert processors.usable() == 1
    processors.usable.cache_clear()


def test_a_decoder_a_core():
    assert min(64, processors.usable()) == JOBS
