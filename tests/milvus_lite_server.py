"""A server that speaks Milvus's protocol in one process of Python: there in a second, on every computer."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import contextmanager, suppress

import pytest
from waiting import wait_until


@contextmanager
def running(folder):
    """Run one that keeps its data in a folder; gives its address, host and port."""
    with socket.socket() as reserved:  # bound but not listening: nobody else is given the port, and gRPC may share it
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reserved.bind(("127.0.0.1", 0))
        host, port = reserved.getsockname()
        # One request at a time: of two that change a library's properties at once it loses one.
        place = ["--data-dir", folder, "--host", host, "--port", str(port), "--max-workers", "1"]
        command = [sys.executable, "-m", "milvus_lite", "server", *place]
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            wait_until(lambda: _answers(server, host, port), "milvus-lite")
            yield f"{host}:{port}"
        finally:
            server.kill()
            server.wait()


def _answers(server, host, port):
    if server.poll() is not None:
        pytest.fail(f"milvus-lite ended with status {server.returncode}")
    with suppress(OSError), socket.create_connection((host, port)):
        return True
    return False
