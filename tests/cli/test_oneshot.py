"""A search without a session and without the full command line: the same bytes, and few modules."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys

import pytest
from colour_library import index_colours
from PIL import Image
from waiting import LONG_SECONDS, PHOTOMAP, wait_until

from photomap_cli import directories
from photomap_cli.cli import dispatch, fast_path, oneshot, settings_cache
from photomap_cli.encoder import tower_encoder
from photomap_cli.errors import BadSetting, PhotomapError
from photomap_cli.session import transport
from photomap_cli.settings import Settings


@pytest.fixture(scope="module")
def indexed(tmp_path_factory, one_encoder_process):
    """A library that PyTorch has made; nothing below changes it but for past queries."""
    return index_colours(tmp_path_factory.mktemp("indexed"), Settings(device="cpu"))


@pytest.fixture
def library(indexed, monkeypatch):
    monkeypatch.setenv("PHOTOMAP_DEVICE", "cpu")
    monkeypatch.setenv("PHOTOMAP_MIN_SCORE", "-1")
    monkeypatch.setenv("PHOTOMAP_QUERY_CACHE", "0")
    return f"--library={indexed / 'library'}"


def without_times(output):
    """Return what a search printed, without what no two searches have in common."""
    try:
        record = json.loads(output)
    except ValueError:
        return output
    return {name: value for name, value in record.items() if name not in ("elapsed_ms", "timings_ms")}


@pytest.mark.parametrize(
    "words",
    [
        ["a red square"],
        ["red", "-blue", "--json"],
        ["2:red + green", "--jsonl", "-k", "2"],
        ["red", "--paths", "--sort", "date"],
        ["red", "-0", "--in", "PHOTOS"],
        ["red", "--json", "--in", "/"],
        ["red", "--json", "--min-score", "0.99"],
        ["red", "--json", "--explain"],
        ["red", "--collapse", "--exact", "--local"],
        ["PHOTOS/red.png", "--json"],
        ["ext:png", "-name:red*", "--json"],
        ["ext:png"],
        ["after:2000", "--jsonl", "-k", "2"],
        ["after:2000", "--paths", "--in", "PHOTOS"],
        ["-in:PHOTOS", "--json"],
        ["ext:png", "--json", "--explain", "--collapse"],
        ["", "--sort", "date", "--json"],
    ],
    ids=" ".join,
)
def test_both_ways_print_the_same(words, indexed, library, capfd):
    words = [word.replace("PHOTOS", str(indexed / "photos")) for word in words]
    told = []
    for way in (fast_path.answer, dispatch.run):
        status = way(["search", *words, library])
        sys.stdout.flush()
        out, err = capfd.readouterr()
        told.append((status, without_times(out), err))
    assert told[0] == told[1]
    assert told[0][0] is not None


@pytest.mark.parametrize(
    "words", [['an unclosed ("quote', "--json"], ["#1"], ["in:/nowhere ", "cat", "--min-score", "7"]], ids=str
)
def test_what_is_wrong_is_left_to_the_full_way(words, library, capfd):
    assert fast_path.answer(["search", *words, library]) is None
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def mine(tmp_path):
    """A picture that is not in the library."""
    Image.new("RGB", (50, 50), "purple").save(tmp_path / "mine.png")
    return str(tmp_path / "mine.png")


def test_a_picture_is_answered_by_the_image_tower(library, mine, capfd):
    assert fast_path.answer(["search", mine, "--json", library]) == 0
    sys.stdout.flush()
    assert json.loads(capfd.readouterr().out)["encoded_by"] == "image tower"


def test_what_needs_an_encoder_process_is_left_to_the_full_way(library, mine, monkeypatch, capfd):
    monkeypatch.setattr(tower_encoder, "MOST_OPERATIONS", 1)
    assert fast_path.answer(["search", mine, "--json", library]) is None
    assert capfd.readouterr() == ("", "")


def test_so_are_words_that_pytorch_has_to_encode(library, monkeypatch, capfd):
    monkeypatch.setenv("PHOTOMAP_TEXT_ENCODER", "torch")
    assert fast_path.answer(["search", "a cat", "--json", library]) is None
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("library")
def test_it_fetches_nothing(indexed):
    with pytest.raises(PhotomapError, match="an encoder process is needed"):
        oneshot.search(indexed / "library", {"text": "a cat + http://127.0.0.1:9/x.jpg", "cwd": "/"})


HEAVY = {
    *(
        "torch",
        "open_clip",
        "ftfy",
        "regex",
        "PIL",
        "pathspec",
        "rich",
        "typer",
        "click",
        "pydantic",
        "pydantic_settings",
    ),
    *("prompt_toolkit", "tomllib", "asyncio", "http", "gzip", "photomap_cli.encoder.process", "photomap_cli.settings"),
    *("photomap_cli.cli.dispatch", "photomap_cli.indexing.indexer", "photomap_cli.images.decode_pool"),
    *("photomap_cli.session.stored_probes", "photomap_cli.encoder.image_tower", "numpy.ma"),
}

NOT_FOR_A_LIST = {
    "faiss",
    *(f"photomap_cli.{name}" for name in ("session.session", "encoder.text_tower", "vectors.store")),
}


@pytest.mark.parametrize("more", [[], ["--json"], ["--in", "/", "--paths"]], ids=str)
def test_a_cold_search_loads_no_more_than_it_needs(more, library):
    program = (
        "import sys; from photomap_cli.cli import run; run(sys.argv[1:]);"
        f"print(sorted({HEAVY} & set(sys.modules)), 'faiss' in sys.modules, file=sys.stderr)"
    )
    words = [sys.executable, "-c", program, "search", "red", *more, library]
    # The first one remembers the settings, and that words can be encoded.
    _, second = (subprocess.run(words, timeout=LONG_SECONDS, capture_output=True, text=True) for _ in range(2))
    assert (second.returncode, second.stderr.splitlines()[-1]) == (0, "[] True")


def test_a_table_at_a_terminal_needs_rich_and_nothing_more(library, monkeypatch, capfd):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(dispatch, "run", lambda _: pytest.fail("the full way was taken"))
    assert fast_path.answer(["search", "red", library]) == 0
    assert "red.png" in capfd.readouterr().out


def has_session(folder):
    line = transport.find(folder)
    if line is not None:
        line.close()
    return line is not None


@pytest.mark.parametrize("way", ["fast", "full"])
def test_a_search_leaves_a_session_behind_where_that_is_wanted(indexed, library, way):
    command = [*PHOTOMAP, library, *(["-v"] if way == "full" else [])]
    wanted = {**os.environ, "PHOTOMAP_KEEP_WARM": "10m"}

    def search(*more, environment=wanted):
        words = [*command, "search", "red", "--json", *more]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=LONG_SECONDS, check=True)
        return json.loads(done.stdout)["served_by"]

    assert [search(environment=os.environ), search("--local")] == ["local", "local"]
    assert not has_session(indexed / "library")
    assert search() == "local"
    try:
        wait_until(lambda: has_session(indexed / "library"), "the session that was left behind")
        assert search().startswith("session ")
    finally:
        subprocess.run([*command, "stop"], check=True, timeout=LONG_SECONDS, capture_output=True)


# Settings -------------------------------------------------------------------------------------------------------------


def cached_file():
    return directories.cache_directory() / "settings"


def test_settings_are_read_once_and_again_when_anything_has_changed(monkeypatch):
    reads = []
    real = settings_cache._read
    monkeypatch.setattr(settings_cache, "_read", lambda: reads.append(1) or real())
    assert settings_cache.load().results == settings_cache.load().results == 10
    assert len(reads) == 1
    monkeypatch.setenv("PHOTOMAP_RESULTS", "12")
    assert (settings_cache.load().results, settings_cache.load().results, len(reads)) == (12, 12, 2)
    monkeypatch.delenv("PHOTOMAP_RESULTS")
    directories.config_file().parent.mkdir(parents=True, exist_ok=True)
    directories.config_file().write_text("results = 14")
    assert (settings_cache.load().results, settings_cache.load().results, len(reads)) == (14, 14, 3)


def test_kept_settings_are_the_real_ones(monkeypatch):
    monkeypatch.setenv("PHOTOMAP_EXCLUDE", "a,b")
    monkeypatch.setenv("PHOTOMAP_MAX_IMAGE_MEGAPIXELS", "50")
    real, kept = settings_cache.load(), settings_cache.load()
    assert isinstance(real, Settings)
    assert not isinstance(kept, Settings)
    for name in Settings.model_fields:
        assert getattr(kept, name) == getattr(real, name)
    assert (kept.megapixel_limit, kept.thumbnail_cache_bytes) == (real.megapixel_limit, real.thumbnail_cache_bytes)


def test_a_setting_that_is_refused_is_refused_every_time(monkeypatch):
    monkeypatch.setenv("PHOTOMAP_RESULTS", "many")
    for _ in range(2):
        with pytest.raises(BadSetting):
            settings_cache.load()
    assert not cached_file().exists()


@pytest.mark.parametrize("content", [b"", b"nonsense"])
def test_a_damaged_file_is_none(content):
    settings_cache.load()
    cached_file().write_bytes(content)
    assert settings_cache.load().results == 10


# The end of the process -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [["--json"], ["--paths"], []], ids=str)
def test_a_process_that_ends_at_once_has_written_everything(more, library, capfdbinary):
    words = [library, "search", "red", "-k", "3", *more]
    done = subprocess.run([sys.executable, "-m", "photomap_cli", *words], capture_output=True, timeout=LONG_SECONDS)
    assert (done.returncode, dispatch.run(words)) == (0, 0)
    sys.stdout.flush()
    here = capfdbinary.readouterr()
    assert (without_times(done.stdout), done.stderr) == (without_times(here.out), here.err)


def test_it_ends_with_the_exit_status_of_nothing_found(library):
    words = [sys.executable, "-m", "photomap_cli", library, "search", "red", "--min-score", "1"]
    assert subprocess.run(words, capture_output=True, timeout=LONG_SECONDS, check=False).returncode == 1


def test_garbage_is_collected_again_and_threads_are_as_they_were(indexed, library):
    oneshot.search(indexed / "library", {"text": "red", "cwd": "/"})
    assert gc.isenabled()
    assert "OPENBLAS_NUM_THREADS" not in os.environ


def test_a_full_command_line_ends_as_every_process_does(monkeypatch):
    from photomap_cli import cli
    from photomap_cli.cli import dispatch, oneshot, stdio

    monkeypatch.setattr(stdio, "install_excepthooks", lambda: None)
    monkeypatch.setattr(oneshot, "exit_now", lambda _: pytest.fail(f"left behind the back of {dispatch.__name__}"))
    monkeypatch.setattr(cli, "run", lambda _: 3)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 3


def test_a_list_needs_no_text_tower_no_vectors_and_no_session(library):
    program = (
        "import sys; from photomap_cli.cli import run; run(sys.argv[1:]);"
        f"print(sorted({HEAVY | NOT_FOR_A_LIST} & set(sys.modules)), file=sys.stderr)"
    )
    words = [sys.executable, "-c", program, "search", "ext:png", "in:*", "--json", library]
    _, second = (subprocess.run(words, timeout=LONG_SECONDS, capture_output=True, text=True) for _ in range(2))
    assert (second.returncode, second.stderr.splitlines()[-1]) == (0, "[]")
    found = json.loads(second.stdout)
    assert (found["count"], found["encoded_by"], {hit["score"] for hit in found["hits"]}) == (5, None, {None})
    assert "cursor" not in found


@pytest.mark.skipif(sys.platform != "linux", reason="other systems don't limit addresses")
def test_a_limit_on_memory_is_said_before_a_library_ends_the_process(library):
    words = [sys.executable, "-m", "photomap_cli", library, "search", "red", "--json"]
    ended = subprocess.run(["sh", "-c", 'ulimit -v 400000; exec "$@"', "sh", *words], capture_output=True, text=True)
    assert (ended.returncode, json.loads(ended.stdout)["error"]["code"]) == (2, "out_of_memory"), ended.stderr
    assert "Traceback" not in ended.stderr
