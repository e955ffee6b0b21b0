"""What the driver tells, by a pynvml that knows one device and who computes on it."""

import os
import sys
from contextlib import contextmanager
from types import SimpleNamespace

import pynvml
import pytest

from photomap_cli.encoder import gpu


class FakeDriver:
    """As pynvml answers, as far as it is asked."""

    NVMLError = pynvml.NVMLError

    def __init__(self, processes, devices=1):
        self.processes, self.devices = processes, devices

    def nvmlDeviceGetCount(self):
        return self.devices

    def nvmlDeviceGetHandleByUUID(self, name):
        if name not in ("GPU-1234", "MIG-5678"):
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return name

    def nvmlDeviceGetHandleByIndex(self, index):
        return index

    def nvmlDeviceGetCudaComputeCapability(self, device):
        return 8, 9

    def nvmlSystemGetCudaDriverVersion(self):
        return 12080

    def nvmlDeviceGetMemoryInfo(self, device):
        return SimpleNamespace(total=8 << 30, used=3 << 30)

    def nvmlDeviceGetComputeRunningProcesses(self, device):
        return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in self.processes]


class OldDriver:
    """A driver that knows none of the questions."""

    NVMLError = pynvml.NVMLError

    def __getattr__(self, name):
        def refuse(*arguments):
            raise pynvml.NVMLError(pynvml.NVML_ERROR_FUNCTION_NOT_FOUND)

        return refuse


@pytest.fixture
def driver(monkeypatch):
    def install(answers):
        @contextmanager
        def loaded():
            yield answers

        monkeypatch.setattr(gpu, "_driver", loaded)

    return install


def test_a_process_is_found_with_or_without_the_prefix(driver):
    driver(FakeDriver([(1, 5), (77, 600_000_000)]))
    assert gpu.process_bytes("1234", 77) == 600_000_000
    assert gpu.process_bytes("GPU-1234", 77) == 600_000_000


@pytest.mark.parametrize(
    ("processes", "uuid"),
    [([(1, 5)], "1234"), ([(77, None)], "1234"), ([(77, 5)], "9999")],
    ids=["another namespace", "hidden", "no such device"],
)
def test_what_the_driver_hides_is_none_and_not_zero(driver, processes, uuid):
    driver(FakeDriver(processes))
    assert gpu.process_bytes(uuid, 77) is None


def test_a_slice_of_a_card_is_found(driver):
    driver(FakeDriver([(77, 5)]))
    assert gpu.process_bytes("5678", 77) == 5


def test_what_everybody_holds_is_told_where_ones_own_share_is_hidden(driver):
    driver(FakeDriver([]))
    assert (gpu.process_bytes("1234", 77), gpu.used_bytes("1234")) == (None, 3 << 30)
    assert gpu.used_bytes("9999") is None


def test_a_driver_that_is_too_old_for_a_question_answers_nothing(driver):
    driver(OldDriver())
    assert (gpu.device_count(), gpu.capabilities(), gpu.driver_cuda()) == (0, [], 0)
    assert (gpu.process_bytes("1234", 77), gpu.used_bytes("1234")) == (None, None)


def test_the_driver_tells_what_it_and_the_cards_can(driver):
    driver(FakeDriver([], devices=2))
    assert (gpu.capabilities(), gpu.driver_cuda()) == ([(8, 9), (8, 9)], 12)


@pytest.mark.parametrize(
    ("visible", "count"),
    [(None, 2), ("", 0), ("-1", 0), ("1", 1), ("0, 1", 2), ("0,5,1", 1), ("7", 0), ("NoDevFiles", 0), ("MIG-5678", 1)],
)
def test_devices_are_counted_unless_the_user_hides_them(driver, monkeypatch, visible, count):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    driver(FakeDriver([], devices=2))
    assert gpu.device_count() == count


def test_without_a_driver_nothing_is_known_and_pynvml_is_not_imported(monkeypatch):
    def missing(name):
        raise OSError(name)

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(gpu.ctypes, "CDLL", missing)
    monkeypatch.setattr(gpu.sys, "platform", "linux")
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert gpu.device_count() == 0
    assert gpu.process_bytes("1234", os.getpid()) is None


def test_a_driver_that_cannot_be_initialised_is_none(monkeypatch):
    def refuse():
        raise pynvml.NVMLError(pynvml.NVML_ERROR_DRIVER_NOT_LOADED)

    monkeypatch.setattr(gpu, "_is_installed", lambda: True)
    monkeypatch.setattr(pynvml, "nvmlInit", refuse)
    assert (gpu.device_count(), gpu.capabilities(), gpu.used_bytes("1234")) == (0, [], None)
