"""A photo below a root that another computer has is found and never opened, whatever lies in the current folder."""

from __future__ import annotations

import pytest
from library_fakes import new_photo, picture

from photomap_cli.errors import BadPath
from photomap_cli.export.exporter import export
from photomap_cli.images.thumbnails import Thumbnailer
from photomap_cli.library import same_file
from photomap_cli.library.entities import FoundFile
from photomap_cli.records.export import ExportMode
from photomap_cli.repl.commands import desktop
from photomap_cli.settings import Settings

ELSEWHERE = "archive:2014/a.png"
NOT_HERE = "its root isn't on this computer"


@pytest.fixture(autouse=True)
def decoy(tmp_path, monkeypatch):
    """Have the current folder hold a picture that has the photo's path."""
    monkeypatch.chdir(tmp_path)
    return picture(tmp_path / ELSEWHERE, 1)


def test_it_is_not_opened():
    with pytest.raises(BadPath, match=f"^{ELSEWHERE}: {NOT_HERE}$") as caught:
        desktop.require_there(ELSEWHERE)
    assert "[roots]" in caught.value.hint


def test_it_has_no_thumbnail(tmp_path):
    with Thumbnailer(tmp_path, Settings) as thumbnailer:
        (thumbnail,) = thumbnailer.thumbnails([ELSEWHERE])
        assert (thumbnail.webp, thumbnail.fault) == (b"", NOT_HERE)
        assert thumbnailer.picture(ELSEWHERE, long_side_px=2000).fault == NOT_HERE


@pytest.mark.parametrize("mode", [*ExportMode])
def test_it_is_not_exported(mode, tmp_path, decoy):
    target = tmp_path / ("out.zip" if mode is ExportMode.ZIP else "out")
    report = export([ELSEWHERE], target, mode)
    assert [(each.path, each.reason) for each in report.failed] == [(ELSEWHERE, NOT_HERE)]
    assert decoy.exists()


def test_it_is_no_file_of_this_computer(catalog, decoy):
    info = decoy.stat()
    facts = {"size_bytes": info.st_size, "mtime_ns": info.st_mtime_ns, "ctime_ns": info.st_ctime_ns}
    catalog.commit_batch([new_photo(ELSEWHERE, **facts, inode=info.st_ino)])
    assert same_file.as_indexed(catalog, catalog.photos([0])) == {}
    assert same_file.photos_of_file(catalog, str(decoy), info) == []
    assert catalog.rows_like(FoundFile.of(str(decoy), info)) == [0]
