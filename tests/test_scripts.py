import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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
