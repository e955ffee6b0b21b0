"""A library of five pictures of one colour each, which PyTorch has encoded with `tiny`."""

from __future__ import annotations

from PIL import Image

from photomap_cli.indexing.index_options import IndexOptions
from photomap_cli.session.session import Session

COLOURS = ("red", "green", "blue", "grey", "orange")


def index_colours(folder, settings):
    """Draw the pictures into `photos` and index them into `library`, both below a folder; return the folder."""
    (folder / "photos").mkdir()
    for colour in COLOURS:
        Image.new("RGB", (40, 30), colour).save(folder / "photos" / f"{colour}.png")
    with Session.open(folder / "library", settings, encoder="tiny", create=True) as session:
        list(session.indexer(IndexOptions()).run([folder / "photos"]))
    return folder
