import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import summarize_tests

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the scripts are for bash")

SCRIPTS = Path(__file__).parents[1] / "scripts"
PYTHON = """#!/bin/sh
echo "$0 $*" >> "{log}"
case "$1 $2" in
  "-c "*) echo {version} ;;
  "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && cp "$0" "$3/bin/python{version}" ;;
esac
"""


@pytest.fixture
def checkout(tmp_path):
    """A clean clone, in which `python3` is 3.11, and there are others; none of them installs anything."""
    (tmp_path / "clone" / "scripts").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    shutil.copy(SCRIPTS / "venv", tmp_path / "clone" / "scripts")
    (tmp_path / "clone" / "pyproject.toml").touch()
    for name, version in (("python3", "3.11"), ("python3.11", "3.11"), ("python3.13", "3.13")):
        program = tmp_path / "bin" / name
        program.write_text(PYTHON.format(log=tmp_path / "log", version=version))
        program.chmod(0o755)

    def used(python=None):
        environment = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"} | ({"PYTHON": python} if python else {})
        script = ". scripts/venv; command -v python"
        done = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path / "clone", env=environment, capture_output=True, text=True
        )
        return done.returncode, done.stdout.strip().removeprefix(f"{tmp_path}/clone/"), done.stderr

    return used


def test_each_python_that_is_asked_for_has_a_venv_of_its_own(checkout):
    assert checkout()[:2] == (0, ".venv/bin/python")
    status, python, said = checkout("python3.13")
    assert (status, python) == (0, ".venv-3.13/bin/python")
    assert "making .venv-3.13 " in said
    assert checkout("python3.13") == (0, ".venv-3.13/bin/python", "")
    assert checkout("python3.11") == (0, ".venv/bin/python", "")
    assert checkout() == (0, ".venv/bin/python", "")


def test_a_python_that_is_not_there_is_not_replaced_by_another(checkout):
    checkout()
    status, python, said = checkout("python3.99")
    assert (status, python) == (127, "")
    assert "python3.99" in said


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system is the reason")
def test_it_is_said_why_no_milvus_server_can_run(tmp_path):
    command = [sys.executable, SCRIPTS / "milvus_server.py"]
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (
        1,
        "no network namespace can be made here: neither `unshare -nm` nor `unshare -rnm` works\n",
    )


TESTS = """
import pytest

def test_passes():
    print("nobody reads this")

def test_fails():
    print("what was written before")
    assert "one" == "other"

@pytest.fixture
def place():
    yield
    raise OSError("the place is gone")

def test_whose_fixture_fails(place):
    pass

@pytest.mark.parametrize("number", range(3))
def test_is_skipped(number):
    pytest.skip("the moon is not full")
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What pytest writes with the options of scripts/test: tests of every outcome, files that cannot be read."""
    folder = tmp_path_factory.mktemp("results")
    (options,) = re.findall(r"^options=\((.*)\)$", (SCRIPTS / "test").read_text(), re.MULTILINE)
    (folder / "test_it.py").write_text(TESTS)
    (folder / "test_skipped.py").write_text("import pytest\npytest.importorskip('a_module_of_nobody')\n")
    (folder / "test_broken.py").write_text("import a_module_of_nobody\n")
    for name in ("it", "skipped", "broken"):
        command = [sys.executable, "-m", "pytest", *options.split(), f"--junitxml={name}.xml", f"test_{name}.py"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert "FAILED" not in done.stdout, "it would be told twice"
    return folder


def test_the_summary_of_a_run_counts_says_why_and_ends_with_what_failed(results, capsys):
    assert summarize_tests.main([str(results / "it.xml")]) == 1
    told = capsys.readouterr().out
    assert "1 passed, 3 skipped, 2 failed" in told
    assert "skipped:\n     3 the moon is not full\n" in told
    slowest, _, failed = told.partition("slowest:")[2].partition("=== failure: test_it::test_fails\n")
    assert slowest.count(" s test_it::") == 6
    assert "E       AssertionError: assert 'one' == 'other'" in failed
    assert "what was written before" in failed
    assert failed.rstrip().endswith("OSError")  # the line of the traceback's end
    assert "Captured Err" not in failed, "nothing was written there"
    assert "nobody reads this" not in told


def test_the_summary_tells_of_files_that_could_not_be_read_and_runs_that_left_no_results(results, capsys):
    assert summarize_tests.main([str(results / "skipped.xml")]) == 0
    assert "could not import 'a_module_of_nobody'" in capsys.readouterr().out
    assert summarize_tests.main([str(results / "broken.xml")]) == 1
    assert capsys.readouterr().out.rstrip().endswith("ModuleNotFoundError: No module named 'a_module_of_nobody'")
    assert summarize_tests.main([str(results / "skipped.xml"), str(results / "none.xml")]) == 1
    assert capsys.readouterr().out.endswith(f"=== ended without results: {results / 'none.xml'}\n")
