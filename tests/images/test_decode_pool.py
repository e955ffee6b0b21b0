import errno
import os
import platform
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from library_fakes import FakeEncoder, decode, picture
from PIL import Image
from waiting import LONG_SECONDS, is_running, wait_until

from photomap_cli import subprocesses
from photomap_cli.errors import BadImage, NoProcess
from photomap_cli.images.decode import ALONE_MEGAPIXELS
from photomap_cli.images.decode_pool import DecodePool
from photomap_cli.images.preprocess import PixelFit
from photomap_cli.indexing.index_options import IndexOptions
from photomap_cli.indexing.indexer import Indexer
from photomap_cli.library.catalog import Catalog
from photomap_cli.vectors.local_library import LocalLibrary
from photomap_cli.vectors.store import VectorStore

FIT = PixelFit((16, 24))
WORKER = Path(__file__).with_name("misbehaving_worker.py")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


@pytest.fixture
def processes(tmp_path):
    """Return the folder in which every decode process leaves its number."""
    folder = tmp_path / "processes"
    folder.mkdir()
    return folder


@pytest.fixture
def pool(processes):
    with DecodePool(seconds=LONG_SECONDS, command=[sys.executable, "-P", str(WORKER), str(processes)]) as opened:
        yield opened


@pytest.fixture
def room(monkeypatch):
    """Return a function that has the system refuse processes: all but the first few starts."""
    start, lock = subprocess.Popen, threading.Lock()
    tries = []

    def limit(most, *, number=errno.EMFILE):
        def start_if_there_is_room(*command, **how):
            with lock:
                tries.append(command)
                if len(tries) > most:
                    raise OSError(number, os.strerror(number))
            return start(*command, **how)

        monkeypatch.setattr(subprocesses.subprocess, "Popen", start_if_there_is_room)
        return tries

    return limit


def reason(pool, path):
    with pytest.raises(BadImage) as caught:
        pool.decode(path, FIT)
    return caught.value.message


def test_a_process_decodes_as_this_one_does(pool, photos):
    path = picture(photos / "a.jpg", 1, size=(400, 300))
    there, here = pool.decode(path, FIT), decode(path, FIT)
    np.testing.assert_array_equal(there.pixels, here.pixels)
    assert (there.facts, there.thumbnail) == (here.facts, b"")


def test_one_process_serves_one_file_after_another(pool, processes, photos):
    for number in range(5):
        pool.decode(picture(photos / f"{number}.png", number), FIT)
    assert reason(pool, photos / "missing.png") == "no such file or directory"
    assert len(list(processes.iterdir())) == 1


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator")
def test_the_memory_of_a_picture_serves_the_next(pool, processes, photos):
    path = picture(photos / "a.png", 1, size=(800, 600))

    def faults(count):
        for _ in range(count):
            pool.decode(path, FIT)
        (process,) = processes.iterdir()
        return int(Path(f"/proc/{process.name}/stat").read_text().rpartition(")")[2].split()[7])

    warm = faults(5)
    assert faults(10) - warm < 1000


def test_names_that_are_no_text_reach_the_process(pool, photos):
    path = photos / os.fsdecode(b"caf\xe9.png")
    try:
        picture(path, 1)
    except OSError:
        pytest.skip("the file system takes only text")
    assert pool.decode(path, FIT).facts.width == 24


@pytest.mark.parametrize(("name", "how"), [("crash.png", "SIGSEGV"), ("abort.png", "SIGABRT")])
def test_a_crash_costs_its_file_alone(pool, photos, name, how):
    bad, good = picture(photos / name, 1), picture(photos / "good.png", 2)
    assert pool.decode(good, FIT).facts.width == 24
    assert reason(pool, bad) == f"the decoder crashed ({how})"
    assert pool.decode(good, FIT).facts.width == 24


def test_a_file_that_hangs_native_code_is_given_up(processes, photos):
    bad, good = picture(photos / "hang.png", 1), picture(photos / "good.png", 2)
    with DecodePool(seconds=0.5, command=[sys.executable, "-P", str(WORKER), str(processes)]) as pool:
        assert reason(pool, bad) == "took longer than 0.5 s"
        pool._seconds = LONG_SECONDS
        assert pool.decode(good, FIT).facts.width == 24
    assert len(list(processes.iterdir())) == 2  # one try was enough


def test_a_process_that_an_earlier_file_has_spoilt_costs_no_other_file(pool, processes, photos):
    pool.decode(picture(photos / "spoil.png", 1), FIT)
    assert pool.decode(picture(photos / "good.png", 2), FIT).facts.width == 24
    assert len(list(processes.iterdir())) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")
def test_a_file_that_asks_for_too_much_memory_is_refused(pool, photos):
    assert reason(pool, picture(photos / "eat.png", 1)) == "not enough memory to decode it"


def test_what_libraries_print_goes_nowhere(pool, photos, capfd):
    assert pool.decode(picture(photos / "noise.png", 1), FIT).facts.width == 24
    assert capfd.readouterr() == ("", "")


def test_libtiff_is_not_heard(photos, capfd):
    path = picture(photos / "a.tiff", 1)
    Image.open(path).save(path, compression="tiff_lzw")
    path.write_bytes(path.read_bytes()[:-60])
    with DecodePool() as pool:
        assert reason(pool, path)
    assert capfd.readouterr() == ("", "")


def test_large_pictures_take_turns_and_their_time(pool, photos, processes):
    side = int((ALONE_MEGAPIXELS * 1.1e6) ** 0.5)
    path = photos / "large.png"
    Image.new("1", (side, side)).save(path)
    results = []
    threads = [threading.Thread(target=lambda: results.append(pool.decode(path, FIT))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.facts.width for each in results] == [side, side]


def test_a_large_picture_that_is_damaged_is_read_as_far_as_it_goes(pool, photos):
    side = int((ALONE_MEGAPIXELS * 1.1e6) ** 0.5)
    path = photos / "large.pbm"
    rows = b"".join(bytes([number % 251]) * -(-side // 8) for number in range(side // 2))
    path.write_bytes(b"P4 %d %d\n" % (side, side) + rows)
    assert pool.decode(path, FIT).facts.damage == "truncated; 50 % of it can be seen"


def test_processes_can_be_started_before_they_are_needed(pool, photos):
    pool.start(2)
    pool.start(2)
    assert pool.decode(picture(photos / "a.png", 1), FIT).facts.width == 24


def test_closing_ends_a_process_in_the_middle_of_a_file(pool, processes, photos):
    hanging = picture(photos / "hang.png", 1)
    reasons = []
    thread = threading.Thread(target=lambda: reasons.append(reason(pool, hanging)))
    thread.start()
    while not list(processes.iterdir()):
        assert thread.is_alive()
    pool.close()
    thread.join(LONG_SECONDS)
    assert reasons == ["the decoders were closed"]
    assert reason(pool, hanging) == "the decoders were closed"
    assert not any(is_running(int(each.name)) for each in processes.iterdir())


def test_no_process_outlives_a_killed_run(processes, photos):
    """Those that wait end at once, those that hang when their time is up."""
    hanging = [picture(photos / f"hang{number}.png", number) for number in range(2)]
    run = [sys.executable, str(Path(__file__).with_name("pooled_run.py")), str(processes), *map(str, hanging)]
    with subprocess.Popen(run) as process:
        wait_until(lambda: len(list(processes.iterdir())) == 2, "the decode processes")
        process.kill()
    numbers = [int(each.name) for each in processes.iterdir()]
    wait_until(lambda: not any(map(is_running, numbers)), "the end of the decode processes")


def test_an_index_run_survives_what_its_files_do(folder, photos, processes):
    for name in ("1crash", "2good", "3abort", "4good", "5hang", "6noise", "7good"):
        picture(photos / f"{name}.png", int(name[0]))
    command = [sys.executable, "-P", str(WORKER), str(processes)]

    def open_pool(**options):
        return DecodePool(seconds=LONG_SECONDS, command=[*command, "0.5"], **options)

    with Catalog.open(folder, create=True) as catalog, VectorStore(folder, catalog) as vectors:
        run = Indexer(LocalLibrary(catalog, vectors), FakeEncoder, IndexOptions(jobs=2), open_pool=open_pool)
        list(run.run([photos]))
        assert (run.report.added, catalog.photo_count) == (4, 4)
    assert [(Path(each.path).stem, each.reason) for each in run.report.failures] == [
        ("1crash", "the decoder crashed (SIGSEGV)"),
        ("3abort", "the decoder crashed (SIGABRT)"),
        ("5hang", f"took longer than {LONG_SECONDS} s"),  # as it is told; this one hangs for less
    ]


def test_where_there_is_room_for_few_processes_they_decode_everything(pool, processes, photos, room):
    room(2)
    pool.start(4)
    paths = [picture(photos / f"{number}.png", number) for number in range(12)]
    with ThreadPoolExecutor(4) as threads:
        decoded = list(threads.map(lambda path: pool.decode(path, FIT), paths))
    assert [each.facts.width for each in decoded] == [24] * 12
    assert len(list(processes.iterdir())) == 2


@pytest.mark.parametrize(
    ("number", "way_out"),
    [(errno.EMFILE, "ulimit -n"), (errno.EAGAIN, "ulimit -u"), (errno.ENOMEM, "memory"), (errno.EPERM, "other")],
)
def test_without_room_for_a_single_process_it_is_said_with_a_way_out(pool, photos, room, number, way_out):
    tries = room(0, number=number)
    pool.start(2)
    with pytest.raises(NoProcess, match="no process can be started") as caught:
        pool.decode(picture(photos / "a.png", 1), FIT)
    assert way_out in caught.value.hint
    assert len(tries) == 2  # one to have it ready, one for the file: nobody waits for room


def test_nobody_waits_for_a_process_that_has_ended(pool, photos, room):
    room(1)
    paths = [picture(photos / f"crash{number}.png", number) for number in range(3)]
    with ThreadPoolExecutor(3) as threads:
        waiting = [threads.submit(pool.decode, path, FIT) for path in paths]
        errors = [each.exception(LONG_SECONDS) for each in waiting]
    assert [type(error) for error in errors] == [NoProcess] * 3


def test_who_waits_for_a_process_is_sent_away_when_all_are_closed(pool, processes, photos, room):
    room(1)
    paths = [picture(photos / f"hang{number}.png", number) for number in range(2)]
    with ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(reason, pool, path) for path in paths]
        while not list(processes.iterdir()):
            assert not all(each.done() for each in waiting)
        pool.close()
        assert [each.result(LONG_SECONDS) for each in waiting] == ["the decoders were closed"] * 2


def test_an_index_run_goes_on_with_the_processes_there_is_room_for(folder, photos, room):
    for number in range(6):
        picture(photos / f"{number}.png", number)
    room(1)
    with Catalog.open(folder, create=True) as catalog, VectorStore(folder, catalog) as vectors:
        run = Indexer(LocalLibrary(catalog, vectors), FakeEncoder, IndexOptions(jobs=4))
        list(run.run([photos]))
        assert (run.report.added, run.report.failures) == (6, ())


def test_an_index_run_without_any_process_ends_with_a_reason_and_loses_no_photo(folder, photos, room):
    path = picture(photos / "a.png", 1)
    with Catalog.open(folder, create=True) as catalog, VectorStore(folder, catalog) as vectors:
        list(Indexer(LocalLibrary(catalog, vectors), FakeEncoder).run([photos]))
        picture(path, 2, size=(40, 30))
        room(0)
        run = Indexer(LocalLibrary(catalog, vectors), FakeEncoder)
        with pytest.raises(NoProcess):
            list(run.run([photos]))
        assert catalog.photo_at(str(path)).width == 24


def test_an_index_run_that_loses_its_last_process_keeps_what_it_has_done(folder, photos, processes, room):
    room(1)
    for name in ("1good", "2good", "3crash", "4good"):
        picture(photos / f"{name}.png", int(name[0]))
    command = [sys.executable, "-P", str(WORKER), str(processes)]

    def open_pool(**options):
        return DecodePool(seconds=LONG_SECONDS, command=command, **options)

    with Catalog.open(folder, create=True) as catalog, VectorStore(folder, catalog) as vectors:
        run = Indexer(
            LocalLibrary(catalog, vectors), FakeEncoder, IndexOptions(jobs=1, batch_size=1), open_pool=open_pool
        )
        with pytest.raises(NoProcess, match="no process can be started"):
            list(run.run([photos]))
        assert (run.report.added, run.report.interrupted, catalog.photo_count) == (2, True, 2)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no SIGSTOP here")
def test_a_stopped_process_costs_no_file(pool, photos, monkeypatch):
    monkeypatch.setattr(subprocesses, "LOOK_SECONDS", 0.01)
    pool.start(1)
    (worker,) = pool._all
    os.kill(worker.pid, signal.SIGSTOP)
    assert pool.decode(picture(photos / "a.png", 1), FIT).facts
    assert worker not in pool._all
