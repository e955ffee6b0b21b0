"""Starts the Milvus server that scripts/milvus_venv installs, for tests and benchmarks.

    python scripts/milvus_server.py DIR    keeps its data in DIR, prints its address, and ends with Ctrl-C
    python scripts/milvus_server.py        prints why no server can run here; nothing if one can

The server listens on all interfaces, whatever its settings say.  So it runs in its own network namespace, which has
only a loopback interface.  A socket belongs to the namespace in which it was created: the one that clients connect to,
on 127.0.0.1 outside, is created outside and handed to a relay inside.
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

VENV = Path(__file__).parent.parent / ".venv-milvus"
START_SECONDS = 240
PORT = 19530
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
_WRITE_CONFIG = """
import sys
from milvus import MilvusServerConfig
config = MilvusServerConfig()
config.update(data_dir=sys.argv[1])
for each in sys.argv[2:]:
    key, value = each.split("=")
    config.set(key, {"true": True, "false": False}.get(value, int(value) if value.isdigit() else value))
config.resolve()
"""


def missing() -> str:
    """Return why no server can run here; empty if one can."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return "the wheel with a Milvus server is for Linux on x86-64"
    if not _unshare():
        return "no network namespace can be made here: neither `unshare -nm` nor `unshare -rnm` works"
    if not (VENV / "complete").exists():
        return f"{VENV.name} is not there: scripts/milvus_venv makes it"
    return ""


def _unshare() -> list[str]:
    """Return the command prefix that creates namespaces, for root or for any user; empty if neither is allowed."""
    for command in (["unshare", "-nm"], ["unshare", "-rnm"]):
        if shutil.which("unshare") and subprocess.run([*command, "true"], capture_output=True).returncode == 0:
            return command
    return []


class MilvusServer:
    """A server that keeps its data in a folder and is reached at `address`; a context manager.

    Its settings are `KEY=VALUE`, with the keys of milvus.yaml: `common.security.authorizationEnabled=true`.
    """

    def __init__(self, folder: Path, *settings: str) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:{1}".format(*self._listening.getsockname())
        command = [*_unshare(), sys.executable, __file__, str(folder), str(self._listening.fileno()), *settings]
        self._inside = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, pass_fds=[self._listening.fileno()]
        )

    def start(self) -> None:
        """Start it, also after `kill`; returns when it reports that it is healthy.  Raises RuntimeError."""
        self._tell("start")

    def kill(self) -> None:
        """Kill it, as kill -9 does."""
        self._tell("kill")

    def close(self) -> None:
        """End it for good; safe to call twice."""
        self._listening.close()
        self._inside.communicate(timeout=60)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        self.close()

    def _tell(self, order: str) -> None:
        assert self._inside.stdin
        assert self._inside.stdout
        with suppress(BrokenPipeError):
            self._inside.stdin.write(f"{order}\n")
            self._inside.stdin.flush()
        if (answer := self._inside.stdout.readline().strip()) != "done":
            raise RuntimeError(f"the Milvus server: {answer or 'its relay has ended'}")


# In the namespace. ----------------------------------------------------------------------------------------------------


def serve(folder: Path, listening: socket.socket, settings: list[str]) -> None:
    """Start and kill the server as standard input commands, and relay connections to it; ends at end of input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process outside
    _loopback_up()
    _own_runtime_folders()
    if not (folder / "configs" / "milvus.yaml").exists():  # once, as it chooses other ports after a kill
        command = [VENV / "bin" / "python", "-c", _WRITE_CONFIG, folder, *settings]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    threading.Thread(target=_relay, args=(listening,), daemon=True).start()
    server: subprocess.Popen[bytes] | None = None
    for order in sys.stdin:
        if server:
            _end(server)
        server = _started(folder) if order.strip() == "start" else None
        print(_waited_for(server, folder) if server else "done", flush=True)
    if server:
        _end(server)


def _loopback_up() -> None:
    from fcntl import ioctl  # not on Windows

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        name, flags = struct.unpack("16sh", ioctl(any_socket, _SIOCGIFFLAGS, struct.pack("16sh", b"lo", 0)))
        ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh", name, flags | _IFF_UP))


def _own_runtime_folders() -> None:
    """Hide the folders that all servers share, which may belong to someone else."""
    for place in (Path("/run"), Path("/tmp/milvus")):
        with suppress(OSError):
            place.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "milvus", place], capture_output=True)


def _started(folder: Path) -> subprocess.Popen[bytes]:
    binaries = VENV / "server" / "bin"
    places = {"MILVUSCONF": folder / "configs", "MILVUS_RUN_DIR": folder, "LD_LIBRARY_PATH": binaries}
    environment = os.environ | {"DEPLOY_MODE": "STANDALONE"} | {name: str(path) for name, path in places.items()}
    command = ["setpriv", "--pdeathsig", "KILL", binaries / "milvus", "run", "standalone"]
    with (folder / "milvus.log").open("ab") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, env=environment)


def _end(server: subprocess.Popen[bytes]) -> None:
    server.kill()
    server.wait()


def _waited_for(server: subprocess.Popen[bytes], folder: Path) -> str:
    """Wait until the server reports that all its components are up; returns `done`, or what went wrong."""
    give_up_at = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up_at:
        if server.poll() is not None:
            return f"ended with status {server.returncode}; see {folder / 'milvus.log'}"
        with suppress(OSError), urllib.request.urlopen("http://127.0.0.1:9091/healthz", timeout=2) as answer:
            if answer.read() == b"OK":
                return "done"
        time.sleep(0.1)
    return f"not healthy after {START_SECONDS} s; see {folder / 'milvus.log'}"


def _relay(listening: socket.socket) -> None:
    """Connect each client with the server; hang up if it isn't running."""
    while True:
        caller, _ = listening.accept()
        try:
            server = socket.create_connection(("127.0.0.1", PORT))
        except OSError:
            caller.close()
            continue
        for source, target in ((caller, server), (server, caller)):
            target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else what is small waits 40 ms now and then
            threading.Thread(target=_pass_on, args=(source, target), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def main() -> int:
    """Run a server until Ctrl-C."""
    folder, *rest = sys.argv[1:] or [""]
    if reason := missing():
        print(reason)
        return 1
    if rest and rest[0].isdigit():
        serve(Path(folder).absolute(), socket.socket(fileno=int(rest[0])), rest[1:])
    elif folder:
        with MilvusServer(Path(folder), *rest) as server, suppress(KeyboardInterrupt):
            print(server.address, flush=True)
            signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main())
