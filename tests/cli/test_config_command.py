"""`photomap config`, in this process and with a settings file of its own."""

import itertools

import pytest

from photomap_cli.cli import dispatch
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
    given = Globals(tmp_path / "library", library_is_chosen=True, quiet=False, verbose=False)
    seen = itertools.takewhile(lambda check: check.subject != "terminal", doctor._checks(given, make_console()))
    told = [(str(check.state), check.message, check.hint) for check in seen]
    assert ("advice", "PHOTOMAP_RESULTZ names no setting", "did you mean PHOTOMAP_RESULTS?") in told
