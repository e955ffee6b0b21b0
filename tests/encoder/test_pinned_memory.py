import sys

import pytest

from photomap_cli.encoder import pinned_memory


class FakeDriver:
    """The CUDA driver as far as it is asked."""

    def __init__(self, answer):
        self.calls = []

        def register(*arguments):
            self.calls.append(arguments)
            return answer

        self.cuMemHostRegister_v2 = register
        self.cuMemHostUnregister = register


@pytest.fixture
def driver(monkeypatch):
    def install(answer=0, *, safe=True, free=64 << 30):
        fake = FakeDriver(answer)
        monkeypatch.setattr(pinned_memory.ctypes, "CDLL", lambda name: fake)
        monkeypatch.setattr(pinned_memory, "is_safe", lambda: safe)
        monkeypatch.setattr(pinned_memory, "available_memory", lambda: free)
        return fake

    return install


def test_exactly_the_bytes_given_are_locked(driver):
    fake = driver()
    assert pinned_memory.pin(4096, 12345)
    assert fake.calls == [(4096, 12345, 1)]


@pytest.mark.parametrize(("answer", "is_free"), [(0, True), (713, False)])
def test_memory_is_let_go_by_its_address_if_the_driver_agrees(driver, answer, is_free):
    fake = driver(answer)
    assert pinned_memory.unpin(4096) == is_free
    assert fake.calls == [(4096,)]


def test_a_refusal_is_only_a_no(driver):
    assert driver(answer=2).calls == []
    assert not pinned_memory.pin(4096, 1)


@pytest.mark.parametrize(
    ("how", "nbytes"),
    [({"safe": False}, 1), ({"free": 4000}, 1001), ({}, pinned_memory.MOST_BYTES + 1)],
    ids=["unsafe system", "a quarter of the free RAM", "two gigabytes"],
)
def test_where_it_would_hurt_the_driver_is_not_asked(driver, how, nbytes):
    fake = driver(**how)
    assert not pinned_memory.pin(4096, nbytes)
    assert fake.calls == []


def test_without_a_driver_nothing_is_locked(monkeypatch):
    def missing(name):
        raise OSError(name)

    monkeypatch.setattr(pinned_memory.ctypes, "CDLL", missing)
    assert not pinned_memory.pin(4096, 1)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells its free RAM this way")
def test_free_ram_is_measured():
    assert pinned_memory.available_memory() > 1 << 20
