"""Owns the frozen values that cross a layer or the socket, and their one JSON form.

`search --json`, `status --json`, `index --json` and the session socket all send exactly what `to_json` returns.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

JSON_VERSION = 1


class FilterKind(StrEnum):
    """What a filter looks at."""

    IN = "in"
    AFTER = "after"
    BEFORE = "before"
    EXT = "ext"
    CAMERA = "camera"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class PhotoFilter:
    """One condition a photo must meet.

    Attributes:
        kind: what is looked at.
        value: IN an absolute folder; AFTER / BEFORE a local time `YYYY-MM-DDTHH:MM:SS` (AFTER keeps photos at or after
            it, BEFORE those earlier than it); EXT an extension in lower case without its dot; CAMERA a part of the
            camera's name, any case; NAME a shell pattern for the file's name, any case.
        negated: keep the photos that do *not* meet it.
    """

    kind: FilterKind
    value: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo as the catalogue knows it.

    Attributes:
        row: its row in the vector file; never used again for another photo.
        path: absolute path.
        size_bytes, mtime_ns: of the file when it was encoded.
        taken_at: EXIF DateTimeOriginal as local time `YYYY-MM-DDTHH:MM:SS`, or None.
        dated_at: `taken_at`, or the file's modification time where there is none.
        width, height: pixels, upright (after EXIF orientation).
        camera: make and model, or None.
    """

    row: int
    path: str
    size_bytes: int
    mtime_ns: int
    taken_at: str | None
    dated_at: str
    width: int
    height: int
    camera: str | None


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """One search as it is asked for, in this process or over the socket.

    Attributes:
        text: the query, in the language of `photomap_cli.search.query`.
        cwd: absolute folder that relative paths in the query, and the scope, start from.
        limit: how many hits at most; None for the setting `results`.
        min_score: lowest cosine a hit may have; None for the setting (by default the encoder's own floor).
        folder: search below this absolute folder only; "*" for the whole library; None for the usual scope (`cwd` if it
            lies inside an indexed folder, else the whole library).
        sort: "score", or "date" for the same hits with the newest first.
        references: absolute paths that `#1`, `#2`, ... stand for: the hits of the last search.
        exact: look at every photo, also in a library so large that a search usually looks at the likely ones.
        collapse: show one of several shots of the same thing; None for the setting.
        explain: tell of every hit what each term adds to its score.
    """

    text: str
    cwd: str
    limit: int | None = None
    min_score: float | None = None
    folder: str | None = None
    sort: str = "score"
    references: tuple[str, ...] = ()
    exact: bool = False
    collapse: bool | None = None
    explain: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the request as JSON values."""
        return {**asdict(self), "references": list(self.references)}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> SearchRequest:
        """Rebuild a request from `to_json`."""
        return cls(**{**record, "references": tuple(record.get("references", ()))})


@dataclass(frozen=True, slots=True)
class TermPart:
    """What one term of a query adds to a photo's score; the parts of all terms sum to it.

    Attributes:
        term: as it is written, without operator and weight.
        weight: negative to move away from it.
        cosine: between the term alone and the photo.
        part: weight · cosine, divided by the length of the sum of all weighted terms.
    """

    term: str
    weight: float
    cosine: float
    part: float


@dataclass(frozen=True, slots=True)
class Hit:
    """One photo found.

    `score` is the cosine between the query and the photo; `rank` starts at 1; `collapsed` are the paths of other shots
    that it stands for, best first; `terms` explain the score, if that was asked for.
    """

    rank: int
    path: str
    score: float
    taken_at: str | None
    width: int
    height: int
    collapsed: tuple[str, ...] = ()
    terms: tuple[TermPart, ...] = ()

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Hit:
        """Rebuild a hit from `hit_to_json`."""
        terms = tuple(TermPart(**part) for part in record.get("terms", ()))
        return cls(**{**record, "collapsed": tuple(record.get("collapsed", ())), "terms": terms})


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """What a photo looks like in small: WebP, upright, sRGB; or nothing and, as `fault`, why."""

    webp: bytes = b""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Timings:
    """Where a query's time went, in milliseconds; 0 for what was not needed.

    `cache` is there when words or pictures of the query had been encoded for an earlier one; `encode` is the rest.
    """

    load: float = 0.0
    reload: float = 0.0
    encode: float = 0.0
    search: float = 0.0
    cache: float | None = None

    def to_json(self) -> dict[str, float]:
        """Return the times, rounded to a tenth; `cache` only when there is one."""
        return {name: round(ms, 1) for name, ms in asdict(self).items() if ms is not None}


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The answer to one query.  `notices` are sentences for the user, such as that the card was full."""

    query: str
    encoder: str
    elapsed_ms: float
    served_by: str
    timings_ms: Timings
    hits: tuple[Hit, ...]
    notices: tuple[str, ...] = ()

    def served(self, by: str) -> SearchResult:
        """Return the same result under the name of who served it."""
        return replace(self, served_by=by)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that `search --json` prints; `notices` only when there are any."""
        record = {
            "version": JSON_VERSION,
            "query": self.query,
            "encoder": self.encoder,
            "count": len(self.hits),
            "elapsed_ms": round(self.elapsed_ms, 1),
            "served_by": self.served_by,
            "timings_ms": self.timings_ms.to_json(),
            "hits": [hit_to_json(hit) for hit in self.hits],
        }
        return {**record, "notices": list(self.notices)} if self.notices else record

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> SearchResult:
        """Rebuild a result from `to_json`."""
        return cls(
            query=record["query"],
            encoder=record["encoder"],
            elapsed_ms=record["elapsed_ms"],
            served_by=record["served_by"],
            timings_ms=Timings(**record["timings_ms"]),
            hits=tuple(map(Hit.from_json, record["hits"])),
            notices=tuple(record.get("notices", ())),
        )


def hit_to_json(hit: Hit) -> dict[str, Any]:
    """Return one hit as JSON values; scores keep six digits, which is more than float16 rows hold.

    `collapsed` and `terms` are there only if there are any.
    """
    record = {**asdict(hit), "score": round(hit.score, 6), "collapsed": list(hit.collapsed)}
    record["terms"] = [
        {**asdict(each), "cosine": round(each.cosine, 6), "part": round(each.part, 6)} for each in hit.terms
    ]
    return {name: value for name, value in record.items() if value != []}


class ResidencyState(StrEnum):
    """Where the encoder's weights are; the names are the ones people see."""

    OFF = "OFF"  # no encoder process: nothing in VRAM, nothing in RAM
    LOADING = "LOADING"  # OFF -> RAM: the process starts, the weights are mapped
    RAM = "RAM"  # weights in RAM; answers from there only without a GPU, or when the GPU is full
    RELOADING = "RELOADING"  # RAM -> VRAM
    VRAM = "VRAM"  # weights on the device, ready
    OFFLOADING = "OFFLOADING"  # VRAM -> RAM
    RELEASING = "RELEASING"  # RAM -> OFF: the process ends

    @property
    def is_moving(self) -> bool:
        """Whether the weights are under way; no query can run until they have arrived."""
        return self in _MOVING


_MOVING = frozenset(
    {ResidencyState.LOADING, ResidencyState.RELOADING, ResidencyState.OFFLOADING, ResidencyState.RELEASING}
)


@dataclass(frozen=True, slots=True)
class EncoderInfo:
    """What a loaded encoder is.

    Attributes:
        spec: the encoder's spec string, such as `tiny` or `ViT-B-32-256/datacomp_s34b_b86k`.
        dim: length of its vectors.
        image_size: (height, width) in pixels of the pictures it takes.
        resize_mode: how a photo is fitted: "shortest" (resize the shorter side, crop the centre), "longest" (resize the
            longer side, pad) or "squash".
        interpolation: "bicubic" or "bilinear".
        fill: grey level 0..255 that "longest" pads with.
        device: "cuda:0", "mps" or "cpu".
        device_name: the hardware's name, with a word on unified memory where nothing can be offloaded.
        dtype: "float32", "bfloat16" or "float16".
        can_offload: whether the device has memory of its own that can be given back.
    """

    spec: str
    dim: int
    image_size: tuple[int, int]
    resize_mode: str
    interpolation: str
    fill: int
    device: str
    device_name: str
    dtype: str
    can_offload: bool


@dataclass(frozen=True, slots=True)
class MemoryReport:
    """Bytes the encoder holds; all 0 when there is no process.

    Attributes:
        vram_weight_bytes: of the weights on the device.
        vram_process_bytes: of the whole process on the device, its context included; None where the driver hides it.
        ram_bytes: of the process in RAM.
        pinned: whether the weights in RAM are page-locked.
        loose_tensors: tensors that are moved one by one, for they cannot lie in a flat buffer.
    """

    vram_weight_bytes: int = 0
    vram_process_bytes: int | None = 0
    ram_bytes: int = 0
    pinned: bool = False
    loose_tensors: int = 0


@dataclass(frozen=True, slots=True)
class ResidencySnapshot:
    """Everything there is to know about the encoder's place at one moment.

    Times are seconds on the residency's clock.  A new snapshot replaces the old one at every change, so it can be read
    from any thread without a lock.
    """

    state: ResidencyState = ResidencyState.OFF
    info: EncoderInfo | None = None
    memory: MemoryReport = field(default_factory=MemoryReport)
    busy: bool = False
    last_used: float | None = None
    offload_at: float | None = None
    release_at: float | None = None
    offloaded_at: float | None = None
    idle_timeout: float = 30.0
    release_timeout: float = 600.0
    last_reload_ms: float | None = None
    last_offload_ms: float | None = None
    reloads: int = 0
    offloads: int = 0
    cpu_fallbacks: int = 0
    last_error: str | None = None
    progress: tuple[int, int] | None = None
    """Bytes (done, total) of a weights download under way."""


_ONLY_IF_ANY = ("download", "offloaded_seconds_ago", "loose_tensors")


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """One live session as `status --json` shows it; every field has the contract's name and unit."""

    pid: int
    kind: str
    library: str
    started_at: str
    encoder: str
    device: str
    device_name: str
    dtype: str
    state: ResidencyState
    busy: bool
    vram_weight_bytes: int
    vram_process_bytes: int | None
    ram_bytes: int
    pinned: bool
    idle_seconds: float | None
    idle_timeout_seconds: float
    offload_in_seconds: float | None
    release_timeout_seconds: float
    release_in_seconds: float | None
    last_reload_ms: float | None
    last_offload_ms: float | None
    reloads: int
    offloads: int
    cpu_fallbacks: int
    last_error: str | None
    photos: int
    download: tuple[int, int] | None = None
    """Bytes (done, total) of a weights download under way; in the JSON only then."""
    offloaded_seconds_ago: float | None = None
    """Since the weights left VRAM; in the JSON only while they are in RAM."""
    loose_tensors: int | None = None
    """Tensors of the encoder that are moved one by one; in the JSON only if there are any."""

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of this session; seconds and milliseconds rounded to a tenth."""
        record = {
            name: round(value, 1) if isinstance(value, float) else value
            for name, value in asdict(self).items()
            if name not in _ONLY_IF_ANY or value is not None
        }
        return {**record, "download": list(self.download)} if self.download else record

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> SessionStatus:
        """Rebuild a status from `to_json`."""
        values = {**record, "state": ResidencyState(record["state"])}
        if values.get("download"):
            values["download"] = tuple(values["download"])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class LibraryStatus:
    """The library on disk: where it is, how much is in it, and with which encoder it was made."""

    path: str
    photos: int
    encoder: str | None
    dim: int | None
    bytes: int
    last_indexed_at: str | None
    roots: tuple[str, ...]


Counted = tuple[tuple[str, int], ...]
"""Values with the number of photos that have them."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What filters can name in a library, for completion.

    Attributes:
        cameras: most photos first.
        extensions: most photos first, without dots.
        months: `YYYY-MM`, newest first.
        folders: absolute, those above others included; most photos first.
    """

    cameras: Counted = ()
    extensions: Counted = ()
    months: Counted = ()
    folders: Counted = ()


class CheckState(StrEnum):
    """How something looks that `photomap doctor` looked at."""

    OK = "ok"
    ADVICE = "advice"  # works, and could be better
    FAULT = "fault"  # does not work, or soon will not


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that `photomap doctor` looked at.  `hint` says what to do where there is something to do."""

    subject: str
    state: CheckState
    message: str
    hint: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the check as `doctor --json` prints it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class DuplicatePhoto:
    """One photo of a group; `score` is its cosine with the group's first."""

    path: str
    score: float
    size_bytes: int
    taken_at: str | None
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Photos that show the same; the first looks best to keep.

    `kind` is "identical" for the same bytes, "similar" for shots that are hardly different.
    """

    kind: str
    photos: tuple[DuplicatePhoto, ...]

    @property
    def spare_bytes(self) -> int:
        """What all but the first take."""
        return sum(photo.size_bytes for photo in self.photos[1:])

    def to_json(self) -> dict[str, Any]:
        """Return one group of `duplicates --json`."""
        photos = [{**asdict(each), "score": round(each.score, 6), "keep": False} for each in self.photos]
        photos[0]["keep"] = True
        return {"kind": self.kind, "spare_bytes": self.spare_bytes, "photos": photos}


@dataclass(frozen=True, slots=True)
class IndexFailure:
    """One file that could not be indexed, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class StageTimes:
    """Where an index run's time went, in milliseconds by the clock on the wall.

    Attributes:
        scan: looking for files, and telling which of them are new.
        load: starting the encoder and the decoders.
        decode: waiting for decoded pictures; what is decoded while the encoder works costs no time of its own.
        encode: waiting for vectors.
        commit: writing.
    """

    scan: float = 0.0
    load: float = 0.0
    decode: float = 0.0
    encode: float = 0.0
    commit: float = 0.0

    @property
    def bottleneck(self) -> tuple[str, float] | None:
        """What takes longest of decoding, encoding and writing, and its share of them; None while there is nothing."""
        work = {"decoding": self.decode, "encoding": self.encode, "writing": self.commit}
        slowest = max(work, key=lambda each: work[each])
        return (slowest, work[slowest] / sum(work.values())) if work[slowest] > 0 else None


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """How far an index run is.  `total` is the number of photos to encode; `done` counts encoded and failed ones.

    Once they are encoded, `compressing` says so: `done` and `total` are then rows of the search's own file.
    """

    done: int
    total: int
    failed: int
    path: str = ""
    compressing: bool = False
    stages: StageTimes = field(default_factory=StageTimes, compare=False)


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What one index run did; counts are files."""

    roots: tuple[str, ...]
    scanned: int = 0
    added: int = 0
    updated: int = 0
    moved: int = 0
    removed: int = 0
    unchanged: int = 0
    failures: tuple[IndexFailure, ...] = ()
    elapsed_ms: float = 0.0
    images_per_second: float = 0.0
    stages: StageTimes = field(default_factory=StageTimes)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that `index --json` prints."""
        return {
            "version": JSON_VERSION,
            "roots": list(self.roots),
            "scanned": self.scanned,
            "added": self.added,
            "updated": self.updated,
            "moved": self.moved,
            "removed": self.removed,
            "unchanged": self.unchanged,
            "failed": len(self.failures),
            "failures": [asdict(failure) for failure in self.failures],
            "elapsed_ms": round(self.elapsed_ms, 1),
            "images_per_second": round(self.images_per_second, 1),
            "stages_ms": {name: round(ms, 1) for name, ms in asdict(self.stages).items()},
        }
