"""Run photomap's command line, all of it, with the gallery over a made-up library with made-up photos.

From the repository: `PYTHONPATH=.:tests:tests/browse python tests/browse/fake_browse.py browse`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from fake_library import FakeLibrary
from terminal_fakes import PaintedThumbnailer

from photomap_cli.cli import dispatch, interactive
from photomap_cli.cli.commands import browse
from photomap_cli.cli.interactive import LibraryHost
from photomap_cli.records import Facets


def main():
    folder = os.environ.get("FAKE_FOLDER")  # photos that are there, to be copied by a shell
    paths = [str(path) for path in sorted(Path(folder).iterdir())] if folder else ()
    library = FakeLibrary(photos=int(os.environ.get("FAKE_PHOTOS", "500")), paths=paths)
    LibraryHost.open_backend = lambda _host: library
    LibraryHost.open_thumbnailer = lambda _host: PaintedThumbnailer()
    LibraryHost.facets = lambda _host: Facets()
    browse._require_photos = lambda _library: None
    interactive._has_photos = lambda _library: True
    LibraryHost.first_note = LibraryHost.default_folder = lambda _host: ""
    return dispatch.run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
