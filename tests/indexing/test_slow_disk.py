"""What indexing is measured with as a slow disk (scripts/slow_disk.py) holds what the folder does."""

import os
import sys

import pytest
from slow_disk import slow

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a slow disk is Linux's FUSE")


def test_a_slow_disk_holds_what_the_folder_does_and_is_gone_afterwards(tmp_path):
    folder, at = tmp_path / "folder", tmp_path / "slow"
    (folder / "in it").mkdir(parents=True)
    content = {f"in it/{number} é.jpg": os.urandom(300_000 * number) for number in range(3)}
    for name, data in content.items():
        (folder / name).write_bytes(data)
    os.utime(folder / "in it/1 é.jpg", ns=(1, 123_456_789_012_345_678))
    with slow(folder, at, 1) as is_there:
        if not is_there:
            pytest.skip("a slow disk takes root and /dev/fuse")
        assert [path.name for path in at.iterdir()] == ["in it"]
        assert sorted(path.name for path in (at / "in it").iterdir()) == ["0 é.jpg", "1 é.jpg", "2 é.jpg"]
        assert {name: (at / name).read_bytes() for name in content} == content
        assert (at / "in it/1 é.jpg").stat().st_mtime_ns == 123_456_789_012_345_678
        with pytest.raises(FileNotFoundError):
            (at / "in it/3.jpg").stat()
        with pytest.raises(OSError, match="Read-only"):
            (at / "new").touch()
    assert list(at.iterdir()) == []
