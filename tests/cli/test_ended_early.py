"""`photomap index` that does not come to its end, in this process: what is said of it."""

from __future__ import annotations

import pytest
from PIL import Image

from photomap_cli.cli import run
from photomap_cli.errors import LibraryUnusable
from photomap_cli.library.catalog import Catalog
from photomap_cli.session.session import Session


@pytest.fixture
def index(tmp_path, capfd):
    """Return a function that indexes forty photos of one content each; it returns status, output and errors."""
    (tmp_path / "photos").mkdir()
    for number in range(40):
        Image.new("RGB", (32, 24), (6 * number, 90, 40)).save(tmp_path / f"photos/{number}.png")

    def index(*words):
        status = run(["--library", str(tmp_path / "library"), "index", str(tmp_path / "photos"), *words])
        told = capfd.readouterr()
        return status, told.out, told.err

    return index


@pytest.mark.parametrize("words", [(), ("--json",), ("-q",)])
def test_ctrl_c_before_the_run_begins_is_said(index, monkeypatch, words):
    def interrupted(*_given, **_more):
        raise KeyboardInterrupt

    monkeypatch.setattr(Session, "open", interrupted)
    told = "" if words else "photomap: stopped; run the same command again to continue\n"
    assert index(*words) == (130, "", told)


def test_an_error_amid_the_run_says_what_was_done_before(index, monkeypatch):
    really_commit, batches = Catalog.commit_batch, []

    def commit(self, added, *more):
        batches.append(len(added))
        if sum(batches) > 32:
            raise LibraryUnusable("the disk is full", hint="free some space")
        return really_commit(self, added, *more)

    monkeypatch.setattr(Catalog, "commit_batch", commit)
    status, out, err = index("--encoder", "tiny", "-j", "1")
    assert (status, out) == (2, "")
    assert " s: 32 added of 40 photos, " in err
    assert err.endswith("photomap: the disk is full\nhint: free some space\n")
