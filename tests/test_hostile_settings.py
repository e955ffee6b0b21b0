"""Every setting against every hostile value, by every way in: refused in one line that names it, or good at use."""

import io
import json
import os
import threading
import tomllib
from contextlib import suppress
from pathlib import Path

import pytest
from cases import cases
from command_line import run_here
from fake_encoder import FakeEncoder
from terminal_fakes import FakeBackend

from photomap_cli.encoder import models
from photomap_cli.encoder.residency import Residency
from photomap_cli.errors import BadSetting, UnknownEncoder
from photomap_cli.indexing.scan import ScanRules
from photomap_cli.repl.pipe_frontend import run_lines
from photomap_cli.settings import Settings, echo, load, parse_duration, write_value

TEXTS = [
    *("", " ", "-1", "0", "1", "-0.0", "nan", "inf", "-inf", "1e400", "1e308", "9999999999", "9" * 400, "9" * 5000),
    *("1e-320", "0x10", "1_000", "１２", "٣", "½", "true", "True", "yes", "off", "never", "none", "null", "auto"),
    *("1d", "2h", "1w", "52w", "53w", "366d", "367d", "1.5d", "5 m", "1y", "-5m", "1e3s", "∞"),
    *("a\nb", "a\rb", "a\x1b[2Jb", "a\x85b", "\x7f", "\u2028", "\udcff", "x" * 10_000, "'", '"', "\\", "[", "]"),
    *("!", "/", "**", "***/x", "[z-a]", "[", "\\", "*.png,!", "a,,b", "{}", "{} {}", "{x}{}", "{", "%s{}"),
    *("cuda", "cuda:0", "cuda:-1", "cuda:99999999999999999999", "cuda:１", "CPU", "mps", "cuda:0x1"),
    *("tiny", "hf-hub:", "local-dir:", "local-dir:/dev/null", "a/b", "/", "../x", "~"),
]
TOML = [
    *("true", "false", "nan", "inf", "-inf", "1e400", "-1", "0", "1.5", "9999999999", "9" * 400, "9" * 5000, "1e308"),
    *("[]", "[1, 2]", '["a", 1]', "[[]]", "{}", "{a = 1}", "2024-01-01", "07:00:00", '""', '"1d"', "0x10", "1_000"),
    *('["["]', '["!"]', '["a\\u0000b"]', '"a\\u0000b"', "'''\na\nb'''", '["x", ["y"]]'),
]


@pytest.fixture
def config(tmp_path):
    return tmp_path / "config.toml"


def is_plain(error, name):
    """Whether an error is one line that names the setting and nothing that a terminal obeys."""
    message = error.message
    return name in message and message.isprintable() and len(message) < 400


def use(values):
    """Do with every setting what it is for, as far as that takes no encoder; a hostile one that got here fails."""
    encoder = FakeEncoder()
    timeouts = values.encoder_idle_timeout_seconds, values.encoder_release_timeout_seconds
    residency = Residency(encoder, idle_timeout=timeouts[0], release_timeout=timeouts[1])
    residency.load()
    residency.touch()
    residency.close()
    ScanRules(values.exclude).excluded().match_file("a/b.png")
    with suppress(UnknownEncoder):
        models.resolve(values.encoder, values.device).encode()
    values.text_template.replace("{}", "dog").encode()
    assert 0 <= values.thumbnail_cache_bytes < 2**63
    assert values.megapixel_limit is None or 0 < values.megapixel_limit * 1e6 < 2**63
    assert type(values.results) is type(values.query_cache) is int
    assert all(type(getattr(values, name)) is bool for name in ("prewarm", "private_addresses", "collapse"))
    json.dumps(values.model_dump(), allow_nan=False).encode()


@cases("name", Settings.model_fields)
def test_from_the_environment_and_as_a_flag(name, config, monkeypatch):
    wrong = []
    for text in TEXTS:
        monkeypatch.setenv(f"PHOTOMAP_{name.upper()}", text)
        for flags in ({}, {name: text}):
            try:
                use(load(config, flags).values)
            except BadSetting as error:
                wrong += [] if is_plain(error, name) else [(text, error.message)]
    monkeypatch.delenv(f"PHOTOMAP_{name.upper()}")
    assert wrong == []


@cases("name", Settings.model_fields)
def test_by_config_set_what_is_accepted_is_read_again(name, config, monkeypatch):
    wrong = []
    monkeypatch.delenv(f"PHOTOMAP_{name.upper()}", raising=False)  # it would come before the file
    config.unlink(missing_ok=True)
    for text in TEXTS:
        try:
            written = write_value(config, name, text)
        except BadSetting as error:
            wrong += [] if is_plain(error, name) else [(text, error.message)]
        else:
            values = load(config).values
            use(values)
            wrong += [] if getattr(values, name) == written else [(text, written)]
    assert wrong == []


@cases("name", Settings.model_fields)
def test_in_the_file(name, config):
    wrong = []
    for value in TOML:
        config.write_text(f"{name} = {value}\n")
        try:
            use(load(config).values)
        except BadSetting as error:
            named = name if _is_toml(config) else str(config)
            wrong += [] if is_plain(error, named) else [(value, error.message)]
    assert wrong == []


def _is_toml(path):
    try:
        tomllib.loads(path.read_text())
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.mkdir(),
        lambda path: path.write_bytes(b"\xff\xfe"),
        lambda path: path.write_text("[" * 5000),
        lambda path: path.write_text("# " + "x" * (2 << 20)),
        lambda path: path.symlink_to("/dev/zero"),
        lambda path: path.symlink_to(path),
    ],
)
def test_a_file_that_is_none_is_refused_by_its_name(make, config):
    make(config)
    for work in (lambda: load(config), lambda: write_value(config, "results", "5")):
        with pytest.raises(BadSetting) as caught:
            work()
        assert str(config) in caught.value.message


def test_a_file_that_cannot_be_written_is_an_error_of_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadSetting, match="Not a directory"):
        write_value(tmp_path / "file" / "config.toml", "results", "5")


@pytest.mark.parametrize(
    ("text", "seconds"), [("1d", 86_400), ("2h", 7200), ("1w", 604_800), ("0.5d", 43_200), ("366d", 366 * 86_400)]
)
def test_days_and_weeks(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("value", ["9999999999", 9999999999, 10**400, "367d", "9" * 5000, 1e308])
def test_a_duration_that_no_timer_takes_is_refused(value):
    with pytest.raises(ValueError, match=r"366 days|not finite"):
        parse_duration(value)


def test_a_residency_takes_whatever_seconds_it_is_given():
    residency = Residency(FakeEncoder(), idle_timeout=threading.TIMEOUT_MAX * 10, release_timeout=1e300)
    residency.load()
    residency.set_idle_timeout(threading.TIMEOUT_MAX * 100)
    assert residency.snapshot().offload_at is not None
    residency.close()


def test_what_a_message_repeats_is_short():
    assert len(echo("x" * 10_000)) < 60
    assert echo(10**5000) == "a number that long"


def typed(*lines):
    """Type lines at a prompt; return what it says of errors."""
    out, err = io.StringIO(), io.StringIO()
    lines = io.StringIO("\n".join(lines) + "\n")
    run_lines(FakeBackend, open_thumbnailer=None, cwd=Path("/"), limit=10, stdin=lines, stdout=out, stderr=err)
    return err.getvalue()


@cases("text", [text for text in TEXTS if text.isprintable() and text.strip()])
def test_at_the_prompt(text):
    said = typed(f":timeout {text}", *(f":set {name} {text}" for name in ("encoder_idle", "results", "min_score")))
    assert "Traceback" not in said
    assert "defect" not in said
    assert all(len(line) < 400 for line in said.splitlines())


@pytest.mark.parametrize(
    "words",
    [
        ("search", "dog", "--min-score", "nan"),
        ("duplicates", "--threshold", "nan"),
        ("search", "dog", "-k", "9" * 400),
        ("search", "dog", "--min-score", "1e400"),
        ("index", "--jobs", "9" * 400),
        ("config", "set", "encoder", "a\nb"),
        ("config", "set", "encoder_idle_timeout_seconds", "9999999999"),
    ],
    ids=" ".join,
)
def test_on_the_command_line(words, tmp_path):
    done = run_here("--library", str(tmp_path), *words, cwd=tmp_path, environment=os.environ)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("photomap: ")
    assert words[-2].lstrip("-") in done.stderr.splitlines()[0]


@pytest.mark.parametrize("value", ["/dev/null", "\n", "x" * 300, "x/" * 3000, "/proc/self/mem"])
def test_a_library_that_is_none(value, tmp_path):
    done = run_here("search", "dog", cwd=tmp_path, environment={**os.environ, "PHOTOMAP_LIBRARY": value})
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
