"""`photomap config`, in this process and with a settings file of its own."""

import itertools
import os

import pytest
from cases import cases

from photomap_cli.cli import dispatch, run
from photomap_cli.cli.commands import doctor
from photomap_cli.cli.options import Globals, make_console


@pytest.fixture(autouse=True)
def config(tmp_path, monkeypatch):
    monkeypatch.setenv("PHOTOMAP_CONFIG", str(tmp_path / "config.toml"))
    return tmp_path / "config.toml"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("prewarm", "no", "prewarm = false"),
        ("exclude", "*.png,raw/", "exclude = *.png, raw/"),
        ("encoder_idle_timeout_seconds", "5m", "encoder_idle_timeout_seconds = 300"),
        ("min_score", "-1", "min_score = -1"),
    ],
)
def test_set_tells_the_value_as_people_write_it(config, capsys, name, text, told):
    assert dispatch._parse_and_run(["config", "set", name, text]) == 0
    assert capsys.readouterr().out == f"{told}\n"
    assert config.read_text().startswith(f"{name} = ")


def test_a_variable_that_names_no_setting_is_pointed_out(capsys, monkeypatch):
    monkeypatch.setenv("PHOTOMAP_RESULTZ", "3")
    assert dispatch._parse_and_run(["config"]) == 0
    printed = capsys.readouterr()
    assert "photomap: PHOTOMAP_RESULTZ names no setting; did you mean PHOTOMAP_RESULTS?\n" in printed.err
    assert "results\t10\tdefault\t" in printed.out
    dispatch._parse_and_run(["config", "--quiet"])
    assert capsys.readouterr().err == ""


def test_the_doctor_advises_on_it_as_well(tmp_path, monkeypatch):
    monkeypatch.setenv("PHOTOMAP_RESULTZ", "3")
    given = Globals(str(tmp_path / "library"), quiet=False, verbose=False)
    seen = itertools.takewhile(lambda check: check.subject != "terminal", doctor._checks(given, make_console()))
    told = [(str(check.state), check.message, check.hint) for check in seen]
    assert ("advice", "PHOTOMAP_RESULTZ names no setting", "did you mean PHOTOMAP_RESULTS?") in told


# -- what one repairs with works whatever is broken --------------------------------------------------------------------

NO_LIBRARIES = (
    "milvus://",
    "milvus://host:99999/p",
    "http://x/y",
    "milvus://me:secret@h/p",
    "~nosuchuser/x",
    "a" * 5000,
)


def said(capsys, *words):
    status = run([*words])
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err
    return status, printed.out, printed.err


@cases("library", NO_LIBRARIES)
def test_what_needs_no_library_works_while_none_is_named(library, config, capsys, monkeypatch):
    monkeypatch.setenv("PHOTOMAP_LIBRARY", library)
    assert said(capsys, "config", "path") == (0, f"{config}\n", "")
    assert said(capsys, "config", "set", "results", "7") == (0, "results = 7\n", "")
    assert "results\t7\tconfig.toml" in said(capsys, "config")[1]
    for words in (["--version"], ["--help"], ["config", "--help"], ["index", "--help"], ["config", "set", "--help"]):
        assert said(capsys, *words)[0] == 0, words
        assert said(capsys, "--library", library, *words)[0] == 0, words
    status, out, err = said(capsys, "albums")
    assert (status, out) == (2, "")
    assert err.startswith("photomap: ")
    assert "\nhint: " in err
    assert "secret" not in err


@cases("library", NO_LIBRARIES)
def test_the_doctor_names_a_library_that_cannot_be_and_looks_at_the_rest(library, monkeypatch):
    monkeypatch.setenv("PHOTOMAP_LIBRARY", library)
    checks = doctor._checks(Globals(None, quiet=False, verbose=False), make_console())
    seen = [*itertools.takewhile(lambda check: check.subject != "encoder", checks)]
    assert [each.subject for each in seen if each.state == "fault"] == ["library"]
    assert {"photomap", "settings", "terminal", "GPU"} < {each.subject for each in seen}


def broken(config, how):
    """Break the settings file; return what is said of it, and whether `config set results` mends it."""
    texts = {
        "malformed": ("results = = 3", "Invalid value", False),
        "unknown": ("reslts = 3", "there is no setting 'reslts'", False),
        "wrong type": ('results = "many"', "results (config.toml) takes a whole number", True),
        "bytes": ("\udcff\udcfe", "it isn't UTF-8", False),
        "long": ("#" * 2_000_000, "longer than a megabyte", False),
    }
    if config.is_dir():
        config.rmdir()
    config.unlink(missing_ok=True)
    if how in texts:
        config.write_text(texts[how][0], errors="surrogateescape")
        return texts[how][1:]
    {"folder": config.mkdir, "pipe": lambda: os.mkfifo(config), "loop": lambda: config.symlink_to(config)}[how]()
    return "is not a regular file", False


def as_it_is(config):
    """Return the text of a settings file, or what else is in its place; reading a link changes its access time."""
    found = os.lstat(config)
    return config.read_bytes() if config.is_file() else (found.st_mode, found.st_ino, found.st_mtime_ns)


@cases("how", ["malformed", "unknown", "wrong type", "bytes", "long", "folder", "pipe", "loop"])
def test_a_broken_settings_file_is_named_and_stays(how, config, capsys):
    told, is_mended = broken(config, how)
    before = as_it_is(config)
    assert said(capsys, "config", "path") == (0, f"{config}\n", "")
    for words in (["--version"], ["config", "--help"]):
        assert said(capsys, *words)[0] == 0, words
    status, out, err = said(capsys, "config")
    assert (status, out) == (2, "")
    assert told in err
    assert "\nhint: " in err
    status, out, err = said(capsys, "config", "set", "results", "7")
    assert (status, out) == ((0, "results = 7\n") if is_mended else (2, ""))
    assert is_mended or told in err
    assert is_mended or before == as_it_is(config)


@cases(
    ("name", "value", "told"),
    [
        ("PHOTOMAP_RESULTS", "many", "change or unset PHOTOMAP_RESULTS"),
        ("PHOTOMAP_DEVICE", "toaster", "change or unset PHOTOMAP_DEVICE"),
        ("PHOTOMAP_ROOTS", "x", "change or unset PHOTOMAP_ROOTS"),
        ("PHOTOMAP_CONFIG", "/", "/ is not a regular file"),
        ("PHOTOMAP_CONFIG", "~nosuchuser/x", "~nosuchuser/x: there is no home folder ~nosuchuser"),
    ],
)
def test_a_bad_variable_is_named_and_keeps_nothing_else_from_working(name, value, told, capsys, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv(name, value)
        for words in (["--version"], ["config", "--help"]):
            assert said(capsys, *words)[0] == 0, words
        assert value.startswith("~") or said(capsys, "config", "path")[0] == 0
        status, out, err = said(capsys, "config")
        assert (status, out) == (2, "")
        assert told in err
        assert "\nhint: " in err
        checks = doctor._checks(Globals(None, quiet=False, verbose=False), make_console())
        seen = [*itertools.takewhile(lambda check: check.subject != "terminal", checks)]
        assert [each.subject for each in seen if each.state == "fault"] == ["settings"]


@cases(
    "words",
    [
        ["--library", "~nosuchuser/x", "status"],
        ["copy", "~nosuchuser/x", "y"],
        ["duplicates", "~nosuchuser/x"],
        ["search", "x", "--in", "~nosuchuser/x"],
        ["index", "--encoder", "local-dir:~nosuchuser/x"],
    ],
)
def test_a_home_folder_there_is_not_is_told_wherever_a_path_is_named(words, capsys):
    told = (
        "photomap: ~nosuchuser/x: there is no home folder ~nosuchuser\nhint: ./~nosuchuser is the file of that name\n"
    )
    assert said(capsys, *words) == (2, "", told)
