"""What every test gets: a home of its own, no settings or sessions of the user's, no network."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
from pathlib import Path

import hypothesis
import milvus_lite_server
import milvus_server
import pytest
from kept_encoder import KeptProcesses
from library_fakes import ENCODER
from waiting import LONG_SECONDS

from photomap_cli import directories
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.shared import client
from photomap_cli.session import transport
from photomap_cli.vectors.store import VectorStore
from photomap_cli.views import spinner

# A machine that stalls takes longer for an example, or to make one, than hypothesis allows by itself.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
hypothesis.settings.load_profile("patient")

# As photomap sets it, for tests that import gRPC themselves: it aborts some forks of a process that has it open.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

# A shell starts what it puts into the background with Ctrl-C ignored, and so would every process of a test be.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish():
    """Have the collector of garbage pass over what stays to the end, all tests and PyTorch among it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory, monkeypatch):
    home = tmp_path_factory.mktemp("home")
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"):
        folder = home if name == "HOME" else home / name.lower()
        folder.mkdir(mode=0o700, exist_ok=True)
        monkeypatch.setenv(name, str(folder))
    monkeypatch.chdir(Path.cwd())  # so that it is put back when a test has left its folder
    monkeypatch.setattr(directories, "_started_in", None)
    monkeypatch.setattr(directories, "_has_left", False)
    for name in ("PHOTOMAP_LIBRARY", "PHOTOMAP_CONFIG", "HF_HOME", "HF_HUB_CACHE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    # A test that needs the hub starts its own; nothing may reach the real one.
    monkeypatch.setenv("PHOTOMAP_WATCH", "off")  # a test that is about it has it on
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")


@pytest.fixture(autouse=True)
def _no_spinner(monkeypatch):
    """Have no slow machine draw a spinner into what a test counts and compares; tests that are about it have it on."""
    monkeypatch.setattr(spinner, "SPINNER_AFTER_SECONDS", float(LONG_SECONDS))


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "library"


@pytest.fixture
def photos(tmp_path):
    path = tmp_path / "photos"
    path.mkdir()
    return path


@pytest.fixture
def catalog(folder):
    with Catalog.open(folder, create=True) as opened:
        opened.set_encoder(ENCODER)
        yield opened


@pytest.fixture
def store(folder, catalog):
    with VectorStore(folder, catalog) as opened:
        yield opened


@pytest.fixture
def library_without_weights(tmp_path, monkeypatch):
    """A library without photos, whose encoder is a folder without weights: nothing to load, nothing to fetch."""
    monkeypatch.setattr(transport, "TIMEOUTS", transport.Timeouts(LONG_SECONDS, LONG_SECONDS))
    monkeypatch.setenv("PHOTOMAP_ENCODER", f"local-dir:{tmp_path}")
    (tmp_path / "open_clip_config.json").write_text("{}")
    Catalog.open(tmp_path / "library", create=True).close()
    return tmp_path / "library"


@pytest.fixture(scope="session")
def kept_processes():
    kept = KeptProcesses()
    yield kept
    kept.close()


@pytest.fixture(scope="module")
def one_encoder_process(kept_processes):
    """All sessions of a file's tests have one encoder process, and so have those of other files, for one PyTorch."""
    with kept_processes.used():
        yield


@pytest.fixture(scope="session")
def full_disk(tmp_path_factory):
    """Return a library to preload into a process, which finds the disk full now and then; see full_disk.c."""
    return _compiled("full_disk.c", tmp_path_factory.mktemp("preload"))


@pytest.fixture(scope="session")
def wrong_clock(tmp_path_factory):
    """Return a library to preload into a process, whose clock is then wrong; see wrong_clock.c."""
    return _compiled("wrong_clock.c", tmp_path_factory.mktemp("preload"))


def _compiled(source, folder):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip(f"no C compiler for {source}: apt-get install gcc")
    library = folder / f"{source}.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, Path(__file__).with_name(source), "-ldl"], check=True)
    return str(library)


@pytest.fixture(autouse=True)
def _patient_with_the_stand_in(request, monkeypatch):
    """Have the stand-in for Milvus never be too slow; a real server may be killed, which is to be noticed."""
    if request.node.get_closest_marker("milvus") is None:
        monkeypatch.setattr(client, "limits", client.Limits(*[float(LONG_SECONDS)] * 4))


@pytest.fixture(scope="session")
def milvus_lite(tmp_path_factory):
    """Return the address, host and port, of a server that stands in for Milvus."""
    with milvus_lite_server.running(tmp_path_factory.mktemp("milvus-lite")) as address:
        yield address


@pytest.fixture
def kind():
    """Return where a test of shared libraries has its own, see library_places.py, unless it is parametrised."""
    return "lite"


@pytest.fixture(scope="session")
def milvus(tmp_path_factory):
    """Return a Milvus server, see scripts/milvus_server.py; tests that ask for it are marked `milvus`."""
    if reason := milvus_server.missing():
        pytest.skip(reason)
    # How soon a server is back after a kill, by itself after 30 s; and how long writes of others wait, 200 ms.
    quick, folder = ("common.session.ttl=5", "proxy.timeTickInterval=50"), tmp_path_factory.mktemp("milvus")
    with milvus_server.MilvusServer(folder, *quick) as server:
        yield server
    shutil.rmtree(folder / "data")  # 250 MB
