from photomap_cli.indexing import mounts

TABLE = """\
/dev/sda1 / ext4 rw 0 0
nas:/photos /mnt/nas nfs4 rw 0 0
//server/share /mnt/my\\040share cifs rw 0 0
me@host: /home/me/far fuse.sshfs rw 0 0
portal /run/user/1000/doc fuse.portal rw 0 0
/dev/sdb1 /mnt/nas/disk ext4 rw 0 0
half a line
"""


def test_the_innermost_file_system_decides(tmp_path, monkeypatch):
    table = tmp_path / "mounts"
    table.write_text(TABLE)
    monkeypatch.setattr(mounts, "TABLE", str(table))
    paths = ("/home/me/Pictures", "/mnt/nas", "/mnt/nas/2026/Italy", "/mnt/nas/disk/x", "/mnt/nasty", "/")
    assert mounts.remote(paths) == {"/mnt/nas", "/mnt/nas/2026/Italy"}
    assert mounts.remote(["/mnt/my share/a", "/home/me/far/b", "/run/user/1000/doc"]) == {
        "/mnt/my share/a",
        "/home/me/far/b",
    }


def test_where_the_system_does_not_say_nothing_is_remote(tmp_path, monkeypatch):
    monkeypatch.setattr(mounts, "TABLE", str(tmp_path / "missing"))
    assert mounts.remote(["/mnt/nas"]) == frozenset()
