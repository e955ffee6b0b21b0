"""What damaged files cost: themselves alone."""

import json
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from damaged_files import damaged, samples
from library_fakes import expected_blob, picture
from torture import inputs

from photomap_cli.images.decode import ALONE_MEGAPIXELS
from photomap_cli.images.memory_limits import BYTES_PER_PIXEL, HEADROOM_BYTES
from photomap_cli.library.catalog import Catalog

RUN = Path(__file__).with_name("damaged_run.py")
MUTATIONS = inputs(100, 20_000)
SEED = 5

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is limited and measured on Linux alone")


def write_corpus(folder, *, count):
    """Write damaged files of all formats, with a good picture after every tenth; return the good ones."""
    random, wholes, good = Random(SEED), samples(), []
    names = sorted(wholes)
    for number in range(count):
        name = names[number % len(names)]
        other = wholes[random.choice(names)]
        (folder / f"{number:06}-{name}").write_bytes(damaged(random, wholes[name], other))
        if number % 10 == 0:
            good.append(picture(folder / f"{number:06}-good.png", number))
    return good


def test_the_samples_themselves_are_good(run_over, photos):
    for name, content in samples().items():
        (photos / name).write_bytes(content)
    report = run_over(photos)
    assert (report["failures"], report["notes"]) == ({}, {})
    assert len(report["photos"]) == len(samples())


def test_damaged_files_cost_themselves_alone(run_over, photos, folder):
    good = write_corpus(photos, count=MUTATIONS)
    report = run_over(photos)
    there, failed, noted = {Path(path).name for path in report["photos"]}, report["failures"], report["notes"]
    assert there | {Path(path).name for path in failed} == {each.name for each in photos.iterdir()}
    assert not there & {Path(path).name for path in failed}
    assert len(failed) > MUTATIONS / 4
    assert len(noted) > MUTATIONS / 10
    assert noted.keys() <= set(report["photos"]) - {str(each) for each in good}
    reasons = [*failed.values(), *noted.values()]
    assert all(0 < len(reason) <= 150 and reason.isprintable() for reason in reasons)
    assert not [reason for reason in failed.values() if "exit status" in reason]  # signals may end a process, we not
    assert report["peak_bytes"] < HEADROOM_BYTES + ALONE_MEGAPIXELS * 1e6 * BYTES_PER_PIXEL
    with Catalog.open(folder) as catalog:
        for each in good:
            row = catalog.photo_at(str(each)).row
            assert next(catalog.vectors_from(row)) == (row, expected_blob(each))


@pytest.fixture
def run_over(folder):
    def run_over(photos):
        done = subprocess.run([sys.executable, str(RUN), str(folder), str(photos)], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        return json.loads(done.stdout)

    return run_over
