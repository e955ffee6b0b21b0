"""Owns the errors that users can get: code, message, hint, exit status.  Knows no other module.

Every error that a user can cause or fix is a `PhotomapError`.  It is caught in three places only: the command line,
one turn of the prompt, one request on the socket.  It crosses the socket as JSON and is raised again as its own class.
"""

from __future__ import annotations

import errno
from typing import Any, ClassVar

_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP, errno.EMFILE, errno.ENFILE)
_OF_A_DISK = (errno.EIO, errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT)
_OF_THE_SYSTEM = frozenset({*_REFUSED, *_OF_A_DISK})
_TOO_MANY_FILES = (errno.EMFILE, errno.ENFILE)
_NO_ROOM_TO_LOAD = ("failed to map segment", "annot allocate memory")
_NO_THREAD = "can't start new thread"  # of Python's threading


class PhotomapError(Exception):
    """Something went wrong that the user can be told in one line.

    Attributes:
        code: stable identifier, printed by `--json` commands and sent over the socket.
        exit_status: what the process returns: 2 for what the user can fix, 3 for an internal failure.
        message: what happened to which thing.
        hint: what to do next; may be empty.
        position: offset into the query text where the mistake is, or None.
        text: the query that `position` refers to, once set by a caller that knows it.
    """

    code: ClassVar[str] = "error"
    exit_status: ClassVar[int] = 2
    _classes: ClassVar[dict[str, type[PhotomapError]]] = {}

    def __init__(self, message: str, *, hint: str = "", position: int | None = None) -> None:
        super().__init__(message)
        self.message, self.hint, self.position = message, hint, position
        self.text = ""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        PhotomapError._classes[cls.code] = cls

    def to_json(self) -> dict[str, Any]:
        """Return the error as JSON values: code, message, hint, and position if there is one."""
        record: dict[str, Any] = {"code": self.code, "message": self.message, "hint": self.hint}
        return record if self.position is None else {**record, "position": self.position}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> PhotomapError:
        """Rebuild an error from `to_json`; an unknown code becomes a plain PhotomapError."""
        kind = cls._classes.get(str(record.get("code")), PhotomapError)
        return kind(
            str(record.get("message", "unknown error")),
            hint=str(record.get("hint", "")),
            position=record.get("position"),
        )


class UsageError(PhotomapError):
    """The command line or a prompt command was not understood."""

    code = "usage"


class BadSetting(PhotomapError):
    """A setting has an invalid value."""

    code = "bad_setting"


class BadQuery(PhotomapError):
    """The query cannot be parsed; `position` says where."""

    code = "bad_query"


class BadImage(PhotomapError):
    """A file that should be a picture is missing, unreadable or something else."""

    code = "bad_image"


class BadPath(PhotomapError):
    """A folder or file given by the user doesn't exist or can't be used."""

    code = "bad_path"


class EmptyLibrary(PhotomapError):
    """The library holds no photos yet."""

    code = "empty_library"


class TooFewPhotos(PhotomapError):
    """There are not enough photos for what was asked."""

    code = "too_few_photos"


class TooManyPhotos(PhotomapError):
    """There are more photos than can be looked at together."""

    code = "too_many_photos"


class LibraryBusy(PhotomapError):
    """Another process is writing to the library."""

    code = "library_busy"


class LibraryUnusable(PhotomapError):
    """The library's folder or catalogue cannot be read or written."""

    code = "library_unusable"


class LibraryFormat(LibraryUnusable):
    """The library was made by another version of photomap and can't be read by this one."""

    code = "library_format"


class LibraryUnreachable(LibraryUnusable):
    """The server of a shared library does not answer, or not now."""

    code = "library_unreachable"


class LibraryLoading(LibraryUnreachable):
    """The server of a shared library reads it in first, as after a restart."""

    code = "library_loading"


class LibraryReplaced(LibraryUnreachable):
    """A shared library's collection is gone: a rebuild has replaced it, or someone has removed it."""

    code = "library_replaced"


class NoProcess(PhotomapError):
    """The system can't start another process."""

    code = "no_process"


class OutOfMemory(PhotomapError):
    """This process may not have as much memory as it needs."""

    code = "out_of_memory"


class EncoderMismatch(PhotomapError):
    """The library was indexed with another encoder."""

    code = "encoder_mismatch"


class UnknownEncoder(PhotomapError):
    """There is no encoder of this name, or its folder doesn't hold one."""

    code = "unknown_encoder"


class WeightsMissing(PhotomapError):
    """The encoder's weights are not on disk and cannot be fetched."""

    code = "weights_missing"


class EncoderFailed(PhotomapError):
    """The encoder process died or gave an invalid answer."""

    code = "encoder_failed"
    exit_status = 3


class EncoderDeviceFailed(EncoderFailed):
    """The device failed; the CPU may work."""

    code = "encoder_device_failed"


class EncoderOutOfMemory(EncoderDeviceFailed):
    """The device has no memory for the weights or this batch."""

    code = "encoder_out_of_memory"


class TowerUnfit(EncoderFailed):
    """The text tower in this process can't stand in for the encoder; PyTorch is needed."""

    code = "tower_unfit"


class EncoderDied(EncoderFailed):
    """The encoder process ended while it was needed; it can be started again."""

    code = "encoder_died"


class EncoderReleased(EncoderDied):
    """The encoder process ended by itself, as its session was silent for longer than the release timeout."""

    code = "encoder_released"


class EncoderOffloaded(EncoderFailed):
    """The encoder process freed the device by itself, for the same reason; it still has the weights in RAM."""

    code = "encoder_offloaded"


class EncoderClosed(PhotomapError):
    """The encoder was used after it was closed."""

    code = "encoder_closed"
    exit_status = 3


class SessionGone(PhotomapError):
    """The live session ended while it was being asked."""

    code = "session_gone"
    exit_status = 3


class SessionSilent(PhotomapError):
    """There is a live session, but it doesn't answer."""

    code = "session_silent"


class SessionFull(PhotomapError):
    """The live session has as many clients as it allows."""

    code = "session_full"


class NoSession(PhotomapError):
    """There is no live session to ask."""

    code = "no_session"


class ProtocolMismatch(PhotomapError):
    """The other end of a socket speaks another protocol version, or none."""

    code = "protocol_mismatch"


class FileUnusable(PhotomapError):
    """The system does not let us at a file or a folder."""

    code = "file_unusable"


def of_the_system(error: BaseException) -> PhotomapError | None:
    """Return the error for what permissions, a disk or a limit prevent; None for what may be a defect."""
    if _is_out_of_memory(error):
        reason = f": {error}" if isinstance(error, MemoryError) and str(error) else ""
        hint = "free some, or allow more (`ulimit -v`, or the container's limit)"
        return OutOfMemory(f"memory ran out{reason}", hint=hint)
    if isinstance(error, RuntimeError) and str(error) == _NO_THREAD:
        hint = "allow more processes or memory (`ulimit -u`, `ulimit -v`, or the container's limits)"
        return NoProcess("no thread can be started", hint=hint)
    if not isinstance(error, OSError) or error.errno not in _OF_THE_SYSTEM:
        return None
    if error.filename is not None:
        hint = "check its permissions, and the disk it is on"
        return FileUnusable(f"{error.filename}: {(error.strerror or '').lower()}", hint=hint)
    if error.errno in _TOO_MANY_FILES:
        return FileUnusable((error.strerror or "").lower(), hint="allow more open files (`ulimit -n`), or end programs")
    return None


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, ImportError):  # the loader of shared libraries says why in words
        return any(sign in str(error) for sign in _NO_ROOM_TO_LOAD)
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM)


class InternalError(PhotomapError):
    """A bug in photomap."""

    code = "internal"
    exit_status = 3
