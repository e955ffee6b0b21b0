"""A local stand-in for the model hub: serves files the way the hub's client asks for them, and counts requests."""

from __future__ import annotations

import hashlib
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from waiting import LONG_SECONDS


@contextmanager
def hub(files):
    """Serve {"org/name/file": bytes}; yields (address, list of requests)."""
    requests = []

    class Handler(BaseHTTPRequestHandler):
        def _answer(self, *, with_body):
            requests.append(f"{self.command} {self.path}")
            repository, found, name = self.path.lstrip("/").partition("/resolve/main/")
            data = files.get(f"{repository}/{name.partition('?')[0]}") if found else None
            if data is None:
                self.send_response(404)
                self.send_header("X-Error-Code", "EntryNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
            self.send_header("X-Repo-Commit", "0" * 40)
            self.end_headers()
            if with_body:
                self.wfile.write(data)

        def do_HEAD(self):
            self._answer(with_body=False)

        def do_GET(self):
            self._answer(with_body=True)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", requests
    finally:
        server.shutdown()
        server.server_close()
        thread.join(LONG_SECONDS)
