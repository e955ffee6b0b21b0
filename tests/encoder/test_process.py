import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hub_stand_in import hub
from waiting import LONG_SECONDS, in_thread, is_running, wait_until

from photomap_cli import subprocesses
from photomap_cli.encoder import models
from photomap_cli.encoder.process import EncoderProcess
from photomap_cli.encoder.residency import Residency
from photomap_cli.errors import EncoderClosed, EncoderDied, NoProcess, UnknownEncoder
from photomap_cli.framing import read_frame, write_frame
from photomap_cli.records import ResidencyState
from photomap_cli.subprocesses import Child

TINY_FOLDER = Path(models.__file__).parent / "tiny"


@pytest.fixture(scope="module")
def tiny():
    process = EncoderProcess("tiny", device="cpu")
    info = process.load()
    yield process, info
    process.close()


def test_texts_become_unit_rows(tiny):
    process, info = tiny
    rows = process.encode_text(["a red car", "snowy mountains", ""])
    assert rows.shape == (3, info.dim)
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)


def test_pictures_become_unit_rows_whatever_the_batch(tiny):
    process, info = tiny
    pixels = np.random.default_rng(0).integers(0, 256, (5, *info.image_size, 3), dtype=np.uint8)
    rows = process.encode_images(pixels)
    assert rows.shape == (5, info.dim)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)
    alone = process.encode_images(pixels[2:3])
    assert (alone[0] @ rows[2]) > 0.999


def test_a_long_text_is_cut_and_not_refused(tiny):
    process, _ = tiny
    assert process.encode_text(["very " * 500 + "long"]).shape[0] == 1


def test_it_says_what_it_is_and_what_it_holds(tiny):
    process, info = tiny
    assert (info.spec, info.device, info.can_offload) == ("tiny", "cpu", False)
    memory = process.memory()
    assert memory.vram_weight_bytes == 0
    assert memory.ram_bytes > 1_000_000
    assert process.load() == info  # a second load does nothing


@pytest.mark.skipif(sys.platform != "linux", reason="libgomp alone shows its settings")
def test_threads_of_the_encoder_sleep_while_they_wait(tmp_path):
    with (tmp_path / "stderr").open("wb") as stderr:
        worker = subprocess.Popen(
            [sys.executable, "-P", "-m", "photomap_cli.encoder.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env={name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
            | {"OMP_DISPLAY_ENV": "VERBOSE"},
        )
    name, tag = models.open_clip_name("tiny")
    how = {"device": "cpu", "precision": "auto", "allow_download": False, "may_pin": False}
    write_frame(worker.stdin, {"op": "load", "spec": "tiny", "name": name, "tag": tag, **how})
    answer, _ = read_frame(worker.stdout.read)
    worker.communicate()
    assert "info" in answer
    assert "GOMP_SPINCOUNT = '1000'" in (tmp_path / "stderr").read_text()


def test_torch_is_not_imported_here():
    program = """
import sys
from photomap_cli.encoder.process import EncoderProcess
process = EncoderProcess("tiny", device="cpu")
process.load(); process.encode_text(["x"]); process.release()
assert process.pid is None
assert not {"torch", "open_clip", "faiss"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=LONG_SECONDS)


@pytest.fixture
def refused(monkeypatch):
    """Return a function that has the system refuse so many of the next processes; it returns how many are left."""
    start, left = subprocess.Popen, [0]

    def start_if_there_is_room(*command, **how):
        if left[0] > 0:
            left[0] -= 1
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return start(*command, **how)

    def refuse(count):
        left[0] = count
        return left

    monkeypatch.setattr(subprocesses.subprocess, "Popen", start_if_there_is_room)
    return refuse


def test_a_process_without_room_is_said_at_once_with_a_way_out_and_can_be_started_later(refused, light_worker):
    process = EncoderProcess("tiny", worker=light_worker)
    residency = Residency(process)
    left = refused(100)
    with pytest.raises(NoProcess, match="no process can be started") as caught:
        residency.load()
    assert left == [99]
    assert "ulimit -u" in caught.value.hint
    assert (residency.snapshot().state, process.pid) == (ResidencyState.OFF, None)
    assert "no process can be started" in residency.snapshot().last_error.message
    refused(0)
    residency.load()
    assert residency.snapshot().state is ResidencyState.VRAM
    residency.close()


def test_a_thread_that_cannot_be_started_leaves_no_process_behind(monkeypatch):
    def refuse(_):
        raise RuntimeError("can't start new thread")

    started, start = [], subprocess.Popen
    monkeypatch.setattr(
        subprocesses.subprocess, "Popen", lambda *what, **how: started.append(start(*what, **how)) or started[-1]
    )
    monkeypatch.setattr(threading.Thread, "start", refuse)
    process = EncoderProcess("tiny", device="cpu")
    with pytest.raises(NoProcess, match="can't start new thread"):
        process.load()
    assert process.pid is None
    assert [each.returncode is not None for each in started] == [True]


def test_after_a_kill_it_says_so_and_starts_again(light_worker):
    process = EncoderProcess("tiny", worker=light_worker)
    process.load()
    before = process.encode_text(["dog"])
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(EncoderDied, match="SIGKILL"):
        process.encode_text(["dog"])
    assert process.pid is None
    process.load()
    assert (process.encode_text(["dog"]) == before).all()
    process.close()
    with pytest.raises(EncoderClosed):
        process.encode_text(["dog"])
    process.close()


def test_closing_ends_a_load_under_way_at_once(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    process = EncoderProcess("tiny", worker="silent_worker")
    outcome = []

    def load():
        try:
            process.load()
        except Exception as error:
            outcome.append(type(error))

    thread = in_thread(load)
    wait_until(lambda: process.pid)
    process.close()
    thread.join(LONG_SECONDS)
    assert outcome == [EncoderClosed]


def test_an_end_that_is_noticed_late_is_not_told_of_the_next_process():
    told = []
    process = EncoderProcess("tiny", on_exit=told.append)
    first, second = (Child([sys.executable, "-c", ""]) for _ in range(2))
    process._child = first
    with process._asking:  # a request comes upon the end, and starts the next process
        noticing = in_thread(lambda: process._watch(first))
        first.terminate()
        process._child = second
    noticing.join(LONG_SECONDS)
    assert told == []
    process._watch(second)
    assert [error.message for error in told] == ["the encoder process ended (exit status 0)"]


def test_no_orphan_when_the_session_is_killed(light_worker):
    program = f"""
import sys
from photomap_cli.encoder.process import EncoderProcess
process = EncoderProcess("tiny", worker={light_worker!r})
process.load()
print(process.pid, flush=True)
sys.stdin.read()
"""
    words = [sys.executable, "-c", program]
    session = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with session:
        child = int(session.stdout.readline())
        session.kill()
    wait_until(lambda: not is_running(child), "the end of the encoder process")


def test_unknown_names_are_refused_with_what_there_is():
    with pytest.raises(UnknownEncoder) as caught:
        models.resolve("tinny")
    assert "tiny" in caught.value.hint
    with pytest.raises(UnknownEncoder, match=r"has no open_clip_config\.json"):
        models.resolve("local-dir:/nowhere")


def test_weights_are_fetched_once_with_progress_in_bytes_and_then_no_network_is_touched(monkeypatch, tiny):
    weights = (TINY_FOLDER / "open_clip_model.safetensors").read_bytes()
    files = {
        "org/name/open_clip_config.json": (TINY_FOLDER / "open_clip_config.json").read_bytes(),
        "org/name/open_clip_model.safetensors": weights,
    }
    progress = []
    with hub(files) as (address, requests):
        monkeypatch.setenv("HF_ENDPOINT", address)
        first = EncoderProcess("hf-hub:org/name", device="cpu", on_progress=progress.append)
        info = first.load()
        fetched = first.encode_text(["a red car"])
        first.close()
        assert (len(weights), len(weights)) in progress
        assert any("open_clip_model.safetensors" in request for request in requests)
        requests.clear()
        again = EncoderProcess("hf-hub:org/name", device="cpu", on_progress=progress.append)
        again.load()
        assert requests == []
    assert info.spec == "hf-hub:org/name"
    assert (again.encode_text(["a red car"]) == fetched).all()
    again.close()
    embedded, _ = tiny
    assert (embedded.encode_text(["a red car"]) == fetched).all()
