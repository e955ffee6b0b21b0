"""Owns which files and folders are nobody's photos: caches, bins, thumbnails, what other programs keep."""

from __future__ import annotations

_JUNK = frozenset(
    {
        # Bins, snapshots and what a check of the disk found.
        *("#recycle", "$recycle.bin", "@recycle", "recycler", "recycled", "files_trashbin", "lost+found"),
        *("#snapshot", "~snapshot", ".snapshot", ".snapshots", ".zfs", "@recently-snapshot", "files_versions"),
        # Thumbnails: Synology, QNAP, desktops, viewers, iTunes.
        *("@eadir", "@__thumb", ".@__thumb", ".thumbnails", ".thumbs", ".xvpics", ".comments", "ipod photo cache"),
        *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "zbthumbnail.info", ".bridgecache", ".bridgecachet"),
        # What Picasa and digiKam put aside.
        *(".picasaoriginals", ".dtrash"),
        # Of systems and of programmers.
        *("__macosx", "system volume information", "desktop.ini", "@tmp", "__pycache__", "node_modules"),
        *(".git", ".hg", ".svn"),
    }
)
"""Names, in small letters."""

_STARTS = ("._", ".trash", ".pending-", "synofile_thumb", "appdata_oc")
_ENDS = (".lrdata", ".imovielibrary", ".fcpbundle", ".theater", ".tvlibrary")

_LIBRARIES = (".photoslibrary", ".photolibrary", ".aplibrary", ".migratedphotolibrary", ".migratedaplibrary")
"""How the folders end in which Photos, iPhoto and Aperture keep photos, with a smaller copy or two of each."""

_ORIGINALS = frozenset({"originals", "masters"})
"""The folders in such a library where the photos themselves are."""


def is_junk(name: str, parent: str = "") -> bool:
    """Whether a file or folder of this name, in a folder called `parent`, is nobody's photo.  Any case will do."""
    lowered = name.lower()
    if lowered in _JUNK or lowered.startswith(_STARTS) or lowered.endswith(_ENDS):
        return True
    return parent != "" and is_library(parent) and lowered not in _ORIGINALS


def is_library(name: str) -> bool:
    """Whether a folder of this name is the library of another program, of which only the originals are photos."""
    return name.lower().endswith(_LIBRARIES)
