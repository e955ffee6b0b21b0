"""Owns which files and folders don't hold a user's photos: caches, bins, thumbnails, other programs' data."""

from __future__ import annotations

_JUNK = frozenset(
    {
        # Bins, snapshots and files recovered by a disk check.
        *("#recycle", "$recycle.bin", "@recycle", "recycler", "recycled", "files_trashbin", "lost+found"),
        *("#snapshot", "~snapshot", ".snapshot", ".snapshots", ".zfs", "@recently-snapshot", "files_versions"),
        # Thumbnails: Synology, QNAP, desktops, viewers, iTunes.
        *("@eadir", "@__thumb", ".@__thumb", ".thumbnails", ".thumbs", ".xvpics", ".comments", "ipod photo cache"),
        *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "zbthumbnail.info", ".bridgecache", ".bridgecachet"),
        # Originals that Picasa and digiKam put aside.
        *(".picasaoriginals", ".dtrash"),
        # Of operating systems and of programmers.
        *("__macosx", "system volume information", "desktop.ini", "@tmp", "__pycache__", "node_modules"),
        *(".git", ".hg", ".svn"),
    }
)
"""Names, in lower case."""

_STARTS = ("._", ".trash", ".pending-", "synofile_thumb", "appdata_oc")
_ENDS = (".lrdata", ".imovielibrary", ".fcpbundle", ".theater", ".tvlibrary")

_LIBRARIES = (".photoslibrary", ".photolibrary", ".aplibrary", ".migratedphotolibrary", ".migratedaplibrary")
"""Extensions of the folders in which Photos, iPhoto and Aperture keep photos, with smaller copies."""

_ORIGINALS = frozenset({"originals", "masters"})
"""The folders in such a library that hold the originals."""


def is_junk(name: str, parent: str = "") -> bool:
    """Return whether a file or folder of this name, in a folder called `parent`, isn't a user's photo; in any case."""
    lowered = name.lower()
    if lowered in _JUNK or lowered.startswith(_STARTS) or lowered.endswith(_ENDS):
        return True
    return parent != "" and is_library(parent) and lowered not in _ORIGINALS


def is_library(name: str) -> bool:
    """Return whether a folder of this name is another program's library, of which only the originals count."""
    return name.lower().endswith(_LIBRARIES)
