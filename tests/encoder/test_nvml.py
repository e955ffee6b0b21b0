import ctypes
import os
from contextlib import contextmanager

import pytest

from photomap_cli.encoder import nvml


class FakeLibrary:
    """NVML as far as it is asked: one device, and who computes on it."""

    def __init__(self, processes, devices=1):
        self.processes, self.devices = processes, devices
        self.asked_for = None

    def nvmlDeviceGetCount_v2(self, count):
        count._obj.value = self.devices
        return 0

    def nvmlDeviceGetHandleByUUID(self, name, device):
        self.asked_for = name
        return 0 if name in (b"GPU-1234", b"MIG-5678") else 6

    def nvmlDeviceGetHandleByIndex_v2(self, index, device):
        return 0 if index < self.devices else 2

    def nvmlDeviceGetCudaComputeCapability(self, device, major, minor):
        major._obj.value, minor._obj.value = 8, 9
        return 0

    def nvmlSystemGetCudaDriverVersion_v2(self, version):
        version._obj.value = 12080
        return 0

    def nvmlDeviceGetMemoryInfo(self, device, memory):
        memory._obj.total, memory._obj.used = 8 << 30, 3 << 30
        return 0

    def nvmlDeviceGetComputeRunningProcesses_v3(self, device, count, found):
        count._obj.value = len(self.processes)
        for place, (pid, used) in enumerate(self.processes):
            found[place].pid, found[place].used_bytes = pid, used
        return 0


@pytest.fixture
def driver(monkeypatch):
    def install(library):
        @contextmanager
        def loaded():
            yield library

        monkeypatch.setattr(nvml, "_library", loaded)

    return install


def test_a_process_is_found_with_or_without_the_prefix(driver):
    driver(FakeLibrary([(1, 5), (77, 600_000_000)]))
    assert nvml.process_bytes("1234", 77) == 600_000_000
    assert nvml.process_bytes("GPU-1234", 77) == 600_000_000


@pytest.mark.parametrize(
    ("processes", "uuid"),
    [([(1, 5)], "1234"), ([(77, ctypes.c_ulonglong(-1).value)], "1234"), ([(77, 5)], "9999")],
    ids=["another namespace", "hidden", "no such device"],
)
def test_what_the_driver_hides_is_none_and_not_zero(driver, processes, uuid):
    driver(FakeLibrary(processes))
    assert nvml.process_bytes(uuid, 77) is None


def test_a_slice_of_a_card_is_found(driver):
    driver(FakeLibrary([(77, 5)]))
    assert nvml.process_bytes("5678", 77) == 5


def test_what_everybody_holds_is_told_where_ones_own_share_is_hidden(driver):
    driver(FakeLibrary([]))
    assert (nvml.process_bytes("1234", 77), nvml.used_bytes("1234")) == (None, 3 << 30)
    assert nvml.used_bytes("9999") is None


def test_a_driver_that_is_too_old_for_a_question_answers_nothing(driver):
    driver(object())
    assert (nvml.device_count(), nvml.capabilities(), nvml.driver_cuda()) == (0, [], 0)
    assert (nvml.process_bytes("1234", 77), nvml.used_bytes("1234")) == (None, None)


def test_the_driver_tells_what_it_and_the_cards_can(driver):
    driver(FakeLibrary([], devices=2))
    assert (nvml.capabilities(), nvml.driver_cuda()) == ([(8, 9), (8, 9)], 12)


@pytest.mark.parametrize(
    ("visible", "count"),
    [(None, 2), ("", 0), ("-1", 0), ("1", 1), ("0, 1", 2), ("0,5,1", 1), ("7", 0), ("NoDevFiles", 0), ("MIG-5678", 1)],
)
def test_devices_are_counted_unless_the_user_hides_them(driver, monkeypatch, visible, count):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    driver(FakeLibrary([], devices=2))
    assert nvml.device_count() == count


def test_without_a_driver_nothing_is_known(monkeypatch):
    def missing(name):
        raise OSError(name)

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(nvml.ctypes, "CDLL", missing)
    assert nvml.device_count() == 0
    assert nvml.process_bytes("1234", os.getpid()) is None
