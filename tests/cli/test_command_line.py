"""The command line as a user runs it, with the embedded encoder; in a process of its own where that is the point."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest
from command_line import run_here
from drawing.picture import make_picture
from waiting import LONG_SECONDS, PATIENCE, PHOTOMAP

if sys.platform != "win32":
    import fcntl
    import pty
    import struct
    import termios

KINDS = ("snowy mountains", "pizza", "sunflowers", "cat", "lighthouse")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with an indexed library of a few drawn photos, one broken file and one that is none."""
    home = tmp_path_factory.mktemp("home")
    photos = home / "photos"
    photos.mkdir()
    for number, kind in enumerate(KINDS):
        make_picture(kind, seed=number, size=(240, 180)).save(photos / f"{kind}.jpg")
    (photos / "broken.jpg").write_bytes((photos / "cat.jpg").read_bytes()[:300])
    (photos / "notes.txt").write_text("no photo")
    return home


def environment(home):
    own = {name: str(home / name.lower()) for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
    runtime = home / "run"
    runtime.mkdir(mode=0o700, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PHOTOMAP_", "XDG_"))}
    return {**kept, **own, "HOME": str(home), "XDG_RUNTIME_DIR": str(runtime), "COLUMNS": "100"}


@pytest.fixture(scope="module")
def photomap(home, one_encoder_process):
    def run(*words, stdin="", **more):
        return run_here(*words, cwd=home, environment=environment(home) | more, stdin=stdin)

    return run


@pytest.fixture(scope="module")
def indexed(photomap, home):
    done = photomap("index", "photos", "--encoder", "tiny", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def serving(photomap, home, indexed):
    """A live session, as `photomap serve` keeps it."""
    words = [sys.executable, "-m", "photomap_cli", "serve"]
    process = subprocess.Popen(words, cwd=home, env=environment(home), stderr=subprocess.PIPE, text=True)
    assert "serving" in process.stderr.readline()
    yield process
    process.terminate()
    assert process.wait(LONG_SECONDS) == 0
    process.stderr.close()


def test_index_reports_as_the_contract_says(indexed, home):
    assert indexed["version"] == 1
    assert indexed["roots"] == [str(home / "photos")]
    counts = {
        name: indexed[name] for name in ("scanned", "added", "updated", "moved", "removed", "unchanged", "failed")
    }
    assert counts == {"scanned": 6, "added": 5, "updated": 0, "moved": 0, "removed": 0, "unchanged": 0, "failed": 1}
    (failure,) = indexed["failures"]
    assert failure["path"].endswith("broken.jpg")
    assert failure["reason"]
    assert indexed["images_per_second"] > 0


def test_index_again_encodes_nothing(photomap, indexed):
    again = json.loads(photomap("index", "photos", "--json").stdout)
    assert (again["added"], again["updated"], again["unchanged"]) == (0, 0, 5)


def test_the_doctor_finds_a_sound_library_and_names_a_damaged_one(photomap, indexed, home):
    done = photomap("doctor", "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["version"], report["ok"]) == (0, 1, True)
    states = {check["subject"]: check["state"] for check in report["checks"]}
    assert [states[subject] for subject in ("settings", "library", "vectors", "vector file", "encoder")] == ["ok"] * 5
    config = home / "bad.toml"
    config.write_text("resultz = 3\n")
    done = photomap("doctor", PHOTOMAP_CONFIG=str(config))
    assert done.returncode == 2
    assert "✗ settings: " in done.stdout
    assert "hint: did you mean results?" in done.stdout


def test_a_dry_run_counts_and_leaves_nothing(photomap, tmp_path):
    library = tmp_path / "new"
    done = photomap("index", "photos", "--dry-run", "--json", "--library", str(library))
    assert json.loads(done.stdout)["added"] == 6  # what cannot be read is not known before it is read
    assert not library.exists()


def test_a_dry_run_needs_no_library_that_can_be_written(home, indexed):
    program = (
        "import sqlite3, sys; connect = sqlite3.connect;"
        "refused = lambda place: place if 'immutable' in place else place.replace('catalog.sqlite', 'missing');"
        "sqlite3.connect = lambda place, **more: connect(refused(str(place)), **more);"
        "from photomap_cli.cli import run; sys.exit(run(['index', 'photos', *sys.argv[1:]]))"
    )

    def index(*options):
        command = [sys.executable, "-c", program, *options]
        return subprocess.run(
            command, cwd=home, env=environment(home), timeout=LONG_SECONDS, capture_output=True, text=True, check=False
        )

    assert json.loads(index("--dry-run", "--json").stdout)["unchanged"] == len(KINDS)
    assert index().returncode == 2


def test_meaning_is_found_and_the_json_is_the_contracts(photomap, serving, home):
    for kind in KINDS:
        done = photomap("search", "--json", kind, "-k", "1")
        result = json.loads(done.stdout)
        assert done.returncode == 0
        assert result["hits"][0]["path"] == str(home / "photos" / f"{kind}.jpg")
    fields = ["version", "query", "encoder", "count", "elapsed_ms", "served_by", "encoded_by", "timings_ms", "hits"]
    assert list(result) == fields
    assert list(result["timings_ms"]) == ["load", "reload", "encode", "search"]
    assert list(result["hits"][0]) == ["rank", "path", "score", "taken_at", "width", "height"]
    assert result["served_by"] == f"session {serving.pid}"
    assert (result["version"], result["encoder"], result["count"]) == (1, "tiny", 1)


@pytest.mark.parametrize("local", [(), ("--local",)])
def test_the_parts_of_a_score_are_told_by_a_session_and_without(photomap, serving, local):
    done = photomap("search", "--json", "--explain", "-k", "2", "2:cat - dog + ./photos/cat.jpg min:-1", *local)
    hits = json.loads(done.stdout)["hits"]
    assert hits
    for hit in hits:
        assert [(part["weight"], part["term"]) for part in hit["terms"]] == [
            (2, "cat"),
            (-1, "dog"),
            (1, "./photos/cat.jpg"),
        ]
        assert sum(part["part"] for part in hit["terms"]) == pytest.approx(hit["score"], abs=1e-4)


def test_an_explanation_is_refused_where_it_has_no_place(photomap, indexed):
    done = photomap("search", "--explain", "--paths", "cat")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--explain can't be combined" in done.stderr


def test_a_search_served_by_a_session_imports_nothing_heavy(home, serving):
    program = (
        "import sys; from photomap_cli.cli import run; status = run(['search', 'cat', '--json']);"
        "heavy = {'torch', 'open_clip', 'faiss', 'numpy', 'PIL'} & set(sys.modules); assert not heavy, heavy;"
        "sys.exit(status)"
    )
    words = [sys.executable, "-c", program]
    subprocess.run(words, cwd=home, env=environment(home), check=True, timeout=LONG_SECONDS, capture_output=True)


def test_local_refuses_the_session(photomap, serving):
    result = json.loads(photomap("search", "--local", "--json", "never asked before").stdout)
    assert result["served_by"] == "local"
    assert result["timings_ms"]["load"] > 0


def test_a_query_new_or_asked_before_starts_no_process_and_loads_no_more_than_it_needs(home, indexed, tmp_path):
    ours = "indexing.indexer images.decode_pool indexing.scan map.builder search.image_fetch"
    unneeded = {"torch", "PIL", "pathspec", *(f"photomap_cli.{module}" for module in ours.split())}
    assert all(map(find_spec, unneeded))
    program = (
        "import sys; started = [];"
        "sys.addaudithook(lambda event, told: started.append(told) if event == 'subprocess.Popen' else None);"
        "from photomap_cli.cli import run; status = run(['search', 'striped fur + 2:a tall tower min:-1', '--json']);"
        f"print(len(started), sorted({unneeded} & set(sys.modules)), file=sys.stderr); sys.exit(status)"
    )
    alone = environment(home) | {"XDG_RUNTIME_DIR": str(tmp_path)}

    def ask():
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=home, env=alone, timeout=LONG_SECONDS, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout), done.stderr.split()

    first, told_first = ask()
    again, told = ask()
    assert (told_first, told) == (["0", "[]"], ["0", "[]"])
    assert (first["encoded_by"], again["encoded_by"]) == ("text tower", "cache")
    assert again["hits"] == first["hits"]
    assert "cache" not in first["timings_ms"]
    assert again["timings_ms"]["cache"] >= 0
    assert (again["timings_ms"]["load"], again["timings_ms"]["encode"]) == (0, 0)


def test_the_other_forms(photomap, serving, home):
    cat = str(home / "photos" / "cat.jpg")
    assert photomap("search", "cat", "-k1", "--paths").stdout == f"{cat}\n"
    assert photomap("search", "cat", "-k1", "-0").stdout == f"{cat}\0"
    assert json.loads(photomap("search", "cat", "-k1", "--jsonl").stdout)["path"] == cat
    rank, score, path = photomap("search", "cat", "-k1").stdout.rstrip("\n").split("\t")
    assert (rank, path) == ("1", cat)
    assert 0 < float(score) <= 1
    assert "\x1b" not in photomap("search", "cat", FORCE_COLOR="").stdout


def test_negatives_images_and_weights(photomap, serving, home):
    assert "cat.jpg" not in photomap("search", "./photos/cat.jpg", "--paths", "--min-score", "-1").stdout
    first = photomap("search", "cat", "-pizza", "--paths", "-k1").stdout
    assert first.endswith("cat.jpg\n")


def test_nothing_found_is_status_1(photomap, serving):
    done = photomap("search", "zzz", "--min-score", "0.99")
    assert (done.returncode, done.stdout) == (1, "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["search", "dog + ./nope.jpg"], "nope.jpg"),
        (["search", "dog foo:bar"], "no filter foo"),
        (["search", "-dog"], "only what to avoid"),
        (["search", "cat", "--json", "--paths"], "can't be combined"),
        (["search", "cat", "--preview", "--paths"], "can't be combined"),
        (["search", "cat", "--in", "/nowhere"], "isn't a folder"),
        (["search", "cat", "--force"], "--force is for --html"),
        (["search"], "QUERY"),
        (["search", "cat", "--min-score", "2"], "hint: photomap search --help"),
        (["index", "/nowhere"], "/nowhere"),
        (["index", "photos", "--encoder", "other/encoder"], "was made with tiny"),
        (["config", "set", "encoder_idle_timeout_seconds", "-1"], "negative"),
        (["serach"], "serach"),
        (["offload", "--library", "/nowhere"], "no session is running"),
    ],
)
def test_mistakes_are_status_2_with_a_hint_and_no_traceback(photomap, serving, words, message):
    done = photomap(*words)
    told = done.stdout + done.stderr
    assert done.returncode == 2
    assert message in told
    assert "hint" in told
    assert "Traceback" not in told


def test_the_caret_stands_under_the_mistake(photomap, serving):
    lines = photomap("search", "dog + ./nope.jpg").stderr.splitlines()
    assert lines[1].index("./nope.jpg") == lines[2].index("^")


@pytest.mark.parametrize("words", [["search", "dog foo:bar", "--json"], ["search", "--bogus", "--json", "x"]])
def test_a_json_command_also_fails_in_json(photomap, serving, words):
    done = photomap(*words)
    assert done.returncode == 2
    record = json.loads(done.stdout)
    assert record["version"] == 1
    assert {"code", "message", "hint"} <= set(record["error"])


def test_status_has_every_field_of_the_contract(photomap, serving, home):
    record = json.loads(photomap("status", "--json").stdout)
    (session,) = record["sessions"]
    fields = """pid kind library started_at encoder device device_name dtype state busy vram_weight_bytes
        vram_process_bytes ram_bytes pinned idle_seconds idle_timeout_seconds offload_in_seconds
        release_timeout_seconds release_in_seconds last_reload_ms last_offload_ms reloads offloads cpu_fallbacks
        last_error photos"""
    assert set(fields.split()) <= set(session)
    assert (session["pid"], session["kind"], session["photos"]) == (serving.pid, "serve", 5)
    library = record["library"]
    assert list(library) == ["path", "photos", "encoder", "dim", "bytes", "last_indexed_at", "roots"]
    assert (library["photos"], library["encoder"], library["roots"]) == (5, "tiny", [str(home / "photos")])


def test_status_without_anything_is_empty_and_fine(photomap, tmp_path):
    done = photomap("status", "--json", "--library", str(tmp_path / "none"), XDG_RUNTIME_DIR=str(tmp_path))
    record = json.loads(done.stdout)
    assert (done.returncode, record["sessions"], record["library"]["photos"]) == (0, [], 0)
    assert not (tmp_path / "none").exists()


def test_offload_speaks_of_the_place(photomap, serving):
    done = photomap("offload")
    assert done.returncode == 0
    assert "RAM" in done.stdout


def test_lines_on_standard_input_are_queries(photomap, serving):
    done = photomap(stdin="pizza\n:k 1\ncat\n")
    assert done.returncode == 0
    assert "pizza.jpg" in done.stdout.splitlines()[0]
    assert done.stdout.splitlines()[-1].endswith("cat.jpg")


def test_config_shows_where_a_value_came_from(photomap):
    shown = photomap("config", PHOTOMAP_RESULTS="3", PHOTOMAP_EXCLUDE="a long name,another long name").stdout
    rows = {name: row for name, *row in (line.split("\t") for line in shown.splitlines())}
    assert rows["results"] == ["3", "environment", "results per search"]
    assert rows["exclude"][:2] == ["a long name, another long name", "environment"]
    path = photomap("config", "path").stdout.strip()
    assert path.endswith("config.toml")
    assert photomap("config", "set", "results", "4", PHOTOMAP_CONFIG=f"{path}.other").returncode == 0
    assert "config.toml" in photomap("config", PHOTOMAP_CONFIG=f"{path}.other").stdout


@pytest.mark.parametrize("place", ["attached", "own"])
def test_the_example_for_python_runs_as_written(home, serving, place, tmp_path):
    text = (Path(__file__).parents[2] / "docs" / "scripting.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    own = {"XDG_RUNTIME_DIR": str(tmp_path), "PHOTOMAP_QUERY_CACHE": "0"}
    runtime = {} if place == "attached" else own
    done = subprocess.run(
        [sys.executable, "-c", PATIENCE + example],
        env=environment(home) | runtime,
        capture_output=True,
        text=True,
        timeout=LONG_SECONDS,
    )
    assert (done.returncode, done.stderr) == (0, "")
    first, *_, told, state, offloaded, mistake = done.stdout.splitlines()
    assert "cat.jpg" in first
    assert told.endswith(f"session {serving.pid}" if place == "attached" else "local")
    assert state.startswith("encoder in RAM")
    assert offloaded == "encoder in RAM"
    assert mistake.startswith("bad_query at 4: ")


@pytest.mark.parametrize(
    "poor",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"LANG": "C", "LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=str,
)
def test_a_terminal_without_unicode_is_no_reason_to_fail(home, serving, poor):
    def told(*words, stdin=None):
        command = [sys.executable, "-m", "photomap_cli", *words]
        done = subprocess.run(
            command, cwd=home, env=environment(home) | poor, timeout=LONG_SECONDS, capture_output=True, input=stdin
        )
        assert b"Traceback" not in done.stderr
        return done.returncode, done.stdout + done.stderr

    assert b"tiny" in told("status")[1]
    assert told("search", "…●犬", "no:☃")[0] == 2
    assert told("config", "set", "keys", "●")[0] == 2
    assert told(stdin="dog ●\n:status\n:nosuch…\n".encode())[0] == 2


@pytest.mark.skipif(os.name == "nt", reason="Windows has Unicode names in every locale")
def test_photos_have_the_same_names_in_every_locale(tmp_path):
    (tmp_path / "photos").mkdir()
    make_picture("cat", seed=1, size=(40, 30)).save(tmp_path / "photos" / "鳥é.png")
    poor = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

    def told(*words, **locale):
        command = [sys.executable, "-m", "photomap_cli", "--library", "library", *words]
        where = environment(tmp_path) | locale
        done = subprocess.run(command, cwd=tmp_path, env=where, timeout=LONG_SECONDS, capture_output=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    told("index", "photos", "--encoder", "tiny")
    assert json.loads(told("index", "photos", "--json", **poor))["unchanged"] == 1
    (path,) = told("search", "kind:photo", "--paths", **poor).splitlines()
    assert path == os.fsencode(tmp_path / "photos" / "鳥é.png")


def test_encoders_are_rows_in_a_pipe(photomap):
    rows = [line.split("\t") for line in photomap("encoders", COLUMNS="60").stdout.splitlines()]
    assert {len(row) for row in rows} == {6}
    assert ["tiny", "128", "19 MB", "MIT", "yes"] in [row[:5] for row in rows]


def test_encoders_say_whose_they_are(photomap, indexed, home):
    told = json.loads(photomap("encoders", "--json", PHOTOMAP_ENCODER="hf-hub:org/name").stdout)["encoders"]
    by_spec = {each["spec"]: each for each in told}
    assert [spec for spec, each in by_spec.items() if each["library"]] == ["tiny"]
    assert [spec for spec, each in by_spec.items() if each["default"]] == ["hf-hub:org/name"]
    assert by_spec["hf-hub:org/name"]["on_disk"] is None
    tiny = by_spec["tiny"]
    assert (tiny["dim"], tiny["licence"], tiny["on_disk"], tiny["weight_bytes"] > 1e6) == (128, "MIT", True, True)
    elsewhere = json.loads(photomap("--library", str(home / "none"), "encoders", "--json").stdout)["encoders"]
    assert not any(each["library"] for each in elsewhere)
    assert not (home / "none").exists()


def test_a_closed_pipe_is_silent(home, serving):
    words = [sys.executable, "-m", "photomap_cli", "search", "cat", "--min-score", "-1"]
    with subprocess.Popen(
        words, cwd=home, env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""


def test_ctrl_c_while_indexing_keeps_what_is_done_and_is_130(photomap, home, tmp_path):
    many = tmp_path / "many"
    many.mkdir()
    picture = many / "0.jpg"
    make_picture("cat", seed=1, size=(240, 180)).save(picture)
    for number in range(1, 80):
        (many / f"{number}.jpg").write_bytes(picture.read_bytes() + b"%d" % number)
    words = ["--library", str(tmp_path / "lib"), "index", str(many), "--encoder", "tiny", "--jobs", "1", "--json"]
    interrupted = [sys.executable, str(Path(__file__).with_name("stopped_index.py")), str(int(signal.SIGINT)), *words]
    how = {"env": environment(home), "capture_output": True, "text": True, "timeout": LONG_SECONDS}
    first = subprocess.run(interrupted, **how)
    assert first.returncode == 130, first.stderr
    told = json.loads(first.stdout)
    done = told["added"]
    assert 0 < done < 80
    assert (told["interrupted"], told["left"]) == (True, 80 - done)
    status = ("--library", str(tmp_path / "lib"), "status")
    assert f"indexing {many} is unfinished" in photomap(*status).stdout
    assert json.loads(photomap(*status, "--json").stdout)["library"]["unfinished"] == [str(many)]
    report = json.loads(photomap(*words).stdout)
    assert (report["unchanged"], report["added"]) == (done, 80 - done)
    assert (report["interrupted"], report["left"]) == (False, 0)
    assert "unfinished" not in json.loads(photomap(*status, "--json").stdout)["library"]


def test_in_a_pipe_a_preview_is_no_different(photomap, serving):
    plain, asked, set_on = (
        photomap("search", "cat min:-1"),
        photomap("search", "cat min:-1", "--preview"),
        photomap("search", "cat min:-1", PHOTOMAP_PREVIEWS="on"),
    )
    assert plain.stdout.count("\n") == 5
    assert plain.stdout == asked.stdout == set_on.stdout


class Screen:
    """A terminal for one command, which answers what it is and remembers what it was sent."""

    def __init__(self, home, *words, program=PHOTOMAP[1:], **more):
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
        own = {name: text for name, text in environment(home).items() if name not in ("COLUMNS", "NO_COLOR")}
        self._process = subprocess.Popen(
            [sys.executable, *program, *words],
            cwd=home,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=own | {"TERM": "xterm-256color", "COLORTERM": "truecolor"} | more,
            preexec_fn=lambda: (os.setsid(), fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)),  # /dev/tty is this one
        )
        os.close(theirs)
        self.sent = b""

    def end(self):
        with suppress(OSError):  # the far end is gone
            while part := os.read(self.ours, 65536):
                self.sent += part
                if part.endswith(b"\x1b[c"):
                    os.write(self.ours, b"\x1b[?62;c")
        os.close(self.ours)
        return self._process.wait(LONG_SECONDS), self.sent.decode()


@pytest.mark.terminal
@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_encoders_are_listed_whole_in_a_narrow_terminal_too(home):
    status, listed = Screen(home, "encoders", COLUMNS="60").end()
    assert status == 0
    assert "ViT-B-32-256/datacomp_s34b_b86k" in listed
    assert "MIT" in listed


@pytest.mark.terminal
@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize(
    ("words", "more", "seen"),
    [
        (["--preview"], {}, r"\x1b\[48;2;"),
        (["--preview"], {"PHOTOMAP_PREVIEWS": "off"}, r"\x1b\[48;2;"),
        (["--preview"], {"PHOTOMAP_PREVIEWS": "sixel"}, r"\x1bP0;1q"),
        ([], {"PHOTOMAP_PREVIEWS": "on"}, r"\x1b\[48;2;"),
        ([], {}, "score"),
        (["--preview"], {"NO_COLOR": "1"}, "[▀-▟]{4}"),
    ],
)
def test_on_a_terminal_results_are_seen(words, more, seen, home, serving):
    status, sent = Screen(home, "search", "cat min:-1", "-k", "2", *words, **more).end()
    assert status == 0
    assert re.search(seen, sent)
    assert "cat.jpg" in sent
    assert "2 photos in" in sent
    assert ("\x1b[>0q" in sent) == bool(words or more)
    assert ("score" in sent) == (seen == "score")
    if "NO_COLOR" in more:
        assert not re.search(r"\x1b\[[\d;]*[34]8;", sent)


@pytest.mark.terminal
@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_preview_shows_the_best_that_fit_into_the_window_and_says_where_the_rest_is(home, serving):
    status, sent = Screen(home, "search", "cat min:-1", "--preview", COLUMNS="50", LINES="20").end()
    assert status == 0
    assert sent.count("\n") <= 18
    assert re.search(r"1-[24] of 5 · --paths prints all", sent)
    assert "cat.jpg" in sent


def test_a_page_is_written_once_and_over_nothing_unasked(photomap, serving, tmp_path):
    page = tmp_path / "cats.html"
    done = photomap("search", "cat min:-1", "--html", str(page))
    assert (done.returncode, done.stdout) == (0, "")
    assert f"5 photos saved to {page}, " in done.stderr
    assert page.read_text().count("data:image/webp;base64,") == 5
    refused = photomap("search", "cat", "--html", str(page))
    assert refused.returncode == 2
    assert "hint: --force overwrites it" in refused.stderr
    also = photomap("search", "cat min:-1", "-k2", "--paths", "--html", str(page), "--force", "-q")
    assert (also.stdout.count("\n"), also.stderr) == (2, "")
    assert page.read_text().count("data:image/webp;base64,") == 2
    nothing = photomap("search", "cat min:1", "--html", str(tmp_path / "nothing.html"))
    assert nothing.returncode == 1
    assert not (tmp_path / "nothing.html").exists()


def test_a_dash_is_standard_output_for_a_page(photomap, serving, home):
    printed = photomap("search", "cat min:-1", "--html", "-")
    assert (printed.returncode, printed.stderr) == (0, "")
    assert printed.stdout.startswith("<!DOCTYPE html>")
    assert printed.stdout.count("data:image/webp;base64,") == 5
    assert not (home / "-").exists()
    for other in ("--json", "--paths", "-0", "--preview"):
        refused = photomap("search", "cat min:-1", "--html", "-", other)
        assert refused.returncode == 2
        assert f"--html - and {other} both write to standard output" in refused.stderr + refused.stdout
    named = photomap("search", "cat min:-1", "--html", "./-", "--json")
    assert (named.returncode, (home / "-").is_file()) == (0, True)
    (home / "-").unlink()
    nothing = photomap("search", "cat min:1", "--html=-")
    assert (nothing.returncode, nothing.stdout) == (1, "")


@pytest.mark.terminal
@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize(
    ("previews", "told"), [("auto", "results: as pictures: blocks (auto)"), ("off", "results: as a table (off)")]
)
def test_the_doctor_says_how_results_are_shown(previews, told, home, serving):
    _, sent = Screen(home, "doctor", PHOTOMAP_PREVIEWS=previews).end()
    assert told in sent


@pytest.mark.terminal
@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize(
    ("way", "seen", "imported"), [("sixel", "\x1bP0;1q", set()), ("blocks", "\x1b[48;2;", {"numpy"})]
)
def test_a_preview_of_cached_thumbnails_over_a_session_imports_nothing_heavy(way, seen, imported, home, serving):
    heavy = {"torch", "open_clip", "faiss", "numpy", "prompt_toolkit"} - imported
    program = (
        "import sys; from photomap_cli.cli import run; status = run(sys.argv[1:]);"
        f"heavy = {heavy} & set(sys.modules); assert not heavy, heavy; sys.exit(status)"
    )
    words = ("search", "cat min:-1", "--preview")
    status, sent = Screen(home, *words, program=("-c", program), PHOTOMAP_PREVIEWS=way).end()
    assert "Error" not in sent
    assert status == 0
    assert seen in sent
