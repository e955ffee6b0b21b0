"""Owns the frozen values that cross a layer or the socket, and their JSON form.

`search --json`, `status --json`, `index --json` and the session socket all send what `to_json` returns.
Import everything from here, except a map's records, which few need: they are in `photomap_cli.records.maps`.
"""

from photomap_cli.records.doctor import Check, CheckState
from photomap_cli.records.duplicates import DuplicateGroup, DuplicatePhoto
from photomap_cli.records.index import IndexFailure, IndexNote, IndexProgress, IndexReport, StageTimes
from photomap_cli.records.photos import (
    Counted,
    DateSource,
    Facets,
    FilterKind,
    LibraryFault,
    LibraryStatus,
    Photo,
    PhotoDetails,
    PhotoFilter,
    Thumbnail,
)
from photomap_cli.records.record import BadRecord, Record
from photomap_cli.records.residency import (
    EncoderFailure,
    EncoderInfo,
    MemoryReport,
    ResidencySnapshot,
    ResidencyState,
)
from photomap_cli.records.search import Hit, SearchRequest, SearchResult, TermPart, Timings
from photomap_cli.records.status import SessionStatus

__all__ = [
    "BadRecord",
    "Check",
    "CheckState",
    "Counted",
    "DateSource",
    "DuplicateGroup",
    "DuplicatePhoto",
    "EncoderFailure",
    "EncoderInfo",
    "Facets",
    "FilterKind",
    "Hit",
    "IndexFailure",
    "IndexNote",
    "IndexProgress",
    "IndexReport",
    "LibraryFault",
    "LibraryStatus",
    "MemoryReport",
    "Photo",
    "PhotoDetails",
    "PhotoFilter",
    "Record",
    "ResidencySnapshot",
    "ResidencyState",
    "SearchRequest",
    "SearchResult",
    "SessionStatus",
    "StageTimes",
    "TermPart",
    "Thumbnail",
    "Timings",
]
