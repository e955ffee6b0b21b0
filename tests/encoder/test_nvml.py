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
        return 0 if name == b"GPU-1234" else 6

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


def test_devices_are_counted_unless_the_user_hides_them(driver, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    driver(FakeLibrary([], devices=2))
    assert nvml.device_count() == 2
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert nvml.device_count() == 0


def test_without_a_driver_nothing_is_known(monkeypatch):
    def missing(name):
        raise OSError(name)

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(nvml.ctypes, "CDLL", missing)
    assert nvml.device_count() == 0
    assert nvml.process_bytes("1234", os.getpid()) is None
