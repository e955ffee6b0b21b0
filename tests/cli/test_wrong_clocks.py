"""A computer whose clock is wrong: a library is made, searched and reported all the same.  A process for each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest
from PIL import Image
from waiting import LONG_SECONDS, PHOTOMAP

from photomap_cli.images import exif

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="preloads a library")

CLOCKS = {"1970": 3_600, "2099": 4_080_000_000}
TAKEN = "2024-05-06T07:08:09"


@pytest.fixture(params=CLOCKS)
def photomap(request, wrong_clock, photos, monkeypatch):
    """Return a command whose clock is wrong, and which indexes `photos`."""
    monkeypatch.setenv("PHOTOMAP_DEVICE", "cpu")
    monkeypatch.setenv("PHOTOMAP_ENCODER", "tiny")
    monkeypatch.setenv("PHOTOMAP_MIN_SCORE", "-1")
    wrong = {"LD_PRELOAD": wrong_clock, "WRONG_CLOCK": str(int(CLOCKS[request.param] - time.time()))}

    def run(*words):
        done = subprocess.run(
            [*PHOTOMAP, *map(str, words)],
            cwd=photos,
            env={**os.environ, **wrong},
            capture_output=True,
            text=True,
            timeout=LONG_SECONDS,
        )
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout

    return run


def test_a_wrong_clock_stops_nothing(photomap, photos):
    tags = Image.Exif()
    tags.get_ifd(exif.DETAILS)[exif.TAKEN] = TAKEN.replace("-", ":").replace("T", " ")
    Image.new("RGB", (64, 48), "red").save(photos / "exif.jpg", exif=tags)
    Image.new("RGB", (64, 48), "blue").save(photos / "IMG_20240506_070809.jpg")
    assert photomap("index").startswith("2 photos found: 2 added")
    assert photomap("index").startswith("2 photos found: 2 unchanged")  # also in the second that wrote them
    os.utime(photos / "exif.jpg", (0, 0))
    assert photomap("index").startswith("2 photos found: 2 unchanged")
    hits = json.loads(photomap("search", "--json", "red"))["hits"]
    assert [each["taken_at"] for each in hits] == [TAKEN] * 2
    assert json.loads(photomap("status", "--json"))["library"]["photos"] == 2
