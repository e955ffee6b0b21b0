"""`photomap index --watch` keeps folders fresh until it is told to end."""

import signal
import subprocess
import sys
import threading

import pytest
from drawing.picture import make_picture
from waiting import wait_until

from photomap_cli.cli import run
from photomap_cli.library.stats import facts

QUICK = (
    "import sys; from photomap_cli.cli import index_watch, run; from photomap_cli.indexing import folder_watch;"
    "index_watch.STEP_SECONDS = 0.1; folder_watch.QUIET_SECONDS = 0.2; sys.exit(run(sys.argv[1:]))"
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="ends by SIGTERM")


class Watching:
    """The command in a process of its own; what it says is read all the time."""

    def __init__(self, *words):
        self.process = subprocess.Popen(
            [sys.executable, "-c", QUICK, *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self.process.stdout:
            self.said += line

    def sees(self, words):
        wait_until(lambda: words in self.said or self.process.poll() is not None, words)
        assert words in self.said

    def end(self):
        self.process.kill()
        self.process.wait()
        self._thread.join()
        self.process.stdout.close()

    def ended_by(self, number):
        self.process.send_signal(number)
        status = self.process.wait()
        self._thread.join()
        return status


def draw(folder, name, kind):
    make_picture(kind, seed=1, size=(96, 72)).save(folder / name)


@pytest.fixture
def watching(tmp_path, photos):
    draw(photos, "first.jpg", "cat")
    started = Watching("--library", tmp_path / "library", "index", "--watch", "--encoder", "tiny", photos)
    started.sees(f"watching {photos}; Ctrl-C ends it")
    yield started
    started.end()


def test_what_appears_and_goes_is_indexed_and_sigterm_ends_it_cleanly(watching, photos, tmp_path):
    (photos / "below").mkdir()
    draw(photos / "below", "second.jpg", "pizza")
    watching.sees("1 added")
    wait_until(lambda: facts(tmp_path / "library")["photos"] == 2)
    (photos / "first.jpg").unlink()
    wait_until(lambda: facts(tmp_path / "library")["photos"] == 1)
    assert watching.ended_by(signal.SIGTERM) == 0
    assert watching.said.endswith("photomap: ended\n")
    assert facts(tmp_path / "library")["roots"] == (str(photos),)


def test_a_folder_that_goes_away_and_comes_back_keeps_its_photos_and_goes_on(watching, photos, tmp_path):
    away = photos.rename(photos.with_name("away"))
    draw(away, "meanwhile.jpg", "lighthouse")
    threading.Event().wait(1.0)
    assert facts(tmp_path / "library")["photos"] == 1
    away.rename(photos)
    wait_until(lambda: facts(tmp_path / "library")["photos"] == 2)
    assert watching.ended_by(signal.SIGINT) == 0


@pytest.mark.parametrize("other", ["--dry-run", "--rebuild"])
def test_what_does_not_go_with_it_is_refused(other, photos, capsys):
    assert run(["index", "--watch", other, str(photos)]) == 2
    assert f"--watch and {other} don't go together" in capsys.readouterr().err
