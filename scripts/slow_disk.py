"""Mounts a folder as a slow disk: read-only, with a delay before every read, listing and look-up.  Linux, needs root.

It speaks the FUSE protocol over /dev/fuse without a library.  The system's page cache and read-ahead work as for a
network drive: what was read once isn't delayed again until it is mounted again.

    python scripts/slow_disk.py FOLDER MOUNTED_AT [MILLISECONDS]

It ends, and is unmounted, when its standard input closes.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

THREADS = 32  # requests that are delayed at the same time
VALID_SECONDS = 60  # how long the system may cache a file's attributes
MAX_READ = 128 << 10  # bytes, as for a network drive
ASYNC_READ, PARALLEL_DIROPS = 1 << 0, 1 << 18
KEEP_CACHE = 1 << 1
MNT_DETACH = 2

_IN = struct.Struct("<IIQQIIII")
_OUT = struct.Struct("<IiQ")
_INIT = struct.Struct("<IIIIHHIIHHI28x")
_ATTR = struct.Struct("<QQQQQQIIIIIIIIII")
_READ = struct.Struct("<QQII16x")
_LIMITS = struct.Struct("<QQQQQIII28x")


class SlowDisk:
    """Answers the system's requests for a folder, each after a delay."""

    def __init__(self, folder: Path, fuse: int, seconds: float) -> None:
        self._fuse, self._seconds = fuse, seconds
        self._lock = threading.Lock()  # guards the attributes below
        self._paths = {1: os.fspath(folder)}
        self._numbers = {self._paths[1]: 1}
        self._answers: dict[int, Callable[[int, bytes], bytes]] = {
            1: self._look_up,
            3: lambda node, _: struct.pack("<QII", VALID_SECONDS, 0, 0) + _attributes(node, self._paths[node]),
            5: lambda node, _: os.fsencode(Path(self._paths[node]).readlink()),
            14: lambda node, _: struct.pack("<QII", os.open(self._paths[node], os.O_RDONLY), KEEP_CACHE, 0),
            15: self._read,
            17: lambda *_: _LIMITS.pack(1 << 30, 0, 0, 1 << 20, 0, 4096, 255, 4096),
            18: self._close,
            26: lambda *_: _INIT.pack(
                7, 31, MAX_READ, ASYNC_READ | PARALLEL_DIROPS, THREADS, THREADS, 4096, 1, MAX_READ >> 12, 0, 0
            ),
            27: lambda *_: bytes(16),
            28: self._list,
            29: lambda *_: b"",
        }

    def run(self) -> None:
        """Answer until it is unmounted."""
        for _ in range(THREADS):
            threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                request = os.read(self._fuse, MAX_READ + 4096)
            except OSError as error:
                if error.errno == errno.ENODEV:
                    return
                continue
            _, code, unique, node, *_ = _IN.unpack_from(request)
            if code not in (2, 36, 42):  # FORGET and INTERRUPT expect no reply
                self._answer(code, unique, node, request[_IN.size :])

    def _answer(self, code: int, unique: int, node: int, body: bytes) -> None:
        error, answer = 0, b""
        try:
            if code not in self._answers:
                raise OSError(errno.ENOSYS, "")
            answer = self._answers[code](node, body)
        except OSError as fault:
            error = -(fault.errno or errno.EIO)
        with suppress(OSError):  # the request was interrupted
            os.write(self._fuse, _OUT.pack(_OUT.size + len(answer), error, unique) + answer)

    def _look_up(self, node: int, name: bytes) -> bytes:
        time.sleep(self._seconds)
        path = os.path.join(self._paths[node], os.fsdecode(name.rstrip(b"\0")))  # noqa: PTH118
        os.lstat(path)
        with self._lock:
            number = self._numbers.setdefault(path, len(self._numbers) + 1)
            self._paths[number] = path
        return struct.pack("<QQQQII", number, 0, VALID_SECONDS, VALID_SECONDS, 0, 0) + _attributes(number, path)

    def _read(self, _: int, body: bytes) -> bytes:
        file, offset, size, _ = _READ.unpack_from(body)
        time.sleep(self._seconds)
        return os.pread(file, size, offset)

    def _close(self, _: int, body: bytes) -> bytes:
        os.close(struct.unpack_from("<Q", body)[0])
        return b""

    def _list(self, node: int, body: bytes) -> bytes:
        _, offset, size, _ = _READ.unpack_from(body)
        time.sleep(self._seconds)
        listed = b""
        for at, name in enumerate(sorted(os.listdir(self._paths[node]))[offset:], offset + 1):  # noqa: PTH208
            raw = os.fsencode(name)
            mode = os.lstat(os.path.join(self._paths[node], name)).st_mode  # noqa: PTH118
            entry = struct.pack("<QQII", 1, at, len(raw), stat.S_IFMT(mode) >> 12) + raw
            entry += bytes(-len(entry) % 8)
            if len(listed) + len(entry) > size:
                break
            listed += entry
        return listed


def _attributes(number: int, path: str) -> bytes:
    info = os.lstat(path)
    times = [
        each for time_ns in (info.st_atime_ns, info.st_mtime_ns, info.st_ctime_ns) for each in divmod(time_ns, 10**9)
    ]
    seconds, nanoseconds = times[::2], times[1::2]
    owner = info.st_mode & ~0o222, info.st_nlink, info.st_uid, info.st_gid, 0, MAX_READ, 0
    return _ATTR.pack(number, info.st_size, info.st_blocks, *seconds, *nanoseconds, *owner)


@contextmanager
def slow(folder: Path, at: Path, milliseconds: float) -> Iterator[bool]:
    """Mount a folder at another place as a slow disk; yields False if that isn't possible here."""
    at.mkdir(exist_ok=True)
    words = [sys.executable, __file__, str(folder), str(at), str(milliseconds)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield server.stdout.readline() == b"mounted\n"
        finally:
            server.stdin.close()


def main() -> int:
    """Mount, answer requests, and unmount at the end of standard input."""
    folder, at, milliseconds = sys.argv[1], os.fsencode(sys.argv[2]), float((*sys.argv, "5")[3])
    system = ctypes.CDLL(None, use_errno=True)
    try:
        fuse = os.open("/dev/fuse", os.O_RDWR)
    except OSError as error:
        return _refused(error.errno or 0)
    told = f"fd={fuse},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()},max_read={MAX_READ}"
    if system.mount(b"slow", at, b"fuse.slow", 1, told.encode()):  # 1: read-only
        return _refused(ctypes.get_errno())
    SlowDisk(Path(folder).resolve(), fuse, milliseconds / 1e3).run()
    print("mounted", flush=True)
    sys.stdin.read()
    system.umount2(at, MNT_DETACH)
    return 0


def _refused(number: int) -> int:
    print(f"no slow disk here: {os.strerror(number)}", flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
