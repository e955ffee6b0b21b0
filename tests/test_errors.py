import errno
import json

import pytest
from cases import cases

from photomap_cli.errors import BadQuery, EncoderOutOfMemory, InternalError, PhotomapError, of_the_system


@pytest.mark.parametrize(
    "error",
    [BadQuery("wrong", hint="so", position=3), EncoderOutOfMemory("full"), InternalError("oops", hint="report it")],
)
def test_an_error_crosses_the_socket_as_its_own_class(error):
    again = PhotomapError.from_json(json.loads(json.dumps(error.to_json())))
    assert type(again) is type(error)
    assert (again.message, again.hint, again.position) == (error.message, error.hint, error.position)
    assert again.exit_status == error.exit_status


def test_an_unknown_code_is_still_an_error():
    assert type(PhotomapError.from_json({"code": "from the future", "message": "x"})) is PhotomapError


def test_codes_are_unique():
    classes = [PhotomapError]
    for one in classes:
        classes += [each for each in one.__subclasses__() if each.__module__ == PhotomapError.__module__]
    assert len({one.code for one in classes}) == len(classes)


@cases(
    ("error", "code"),
    [
        (MemoryError(), "out_of_memory"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "out_of_memory"),
        (ImportError("libfaiss.so: failed to map segment from shared object"), "out_of_memory"),
        (ImportError("libtorch.so: cannot allocate memory in static TLS block"), "out_of_memory"),
        (RuntimeError("can't start new thread"), "no_process"),
        (OSError(errno.EMFILE, "Too many open files"), "file_unusable"),
        (OSError(errno.EACCES, "Permission denied", "/a"), "file_unusable"),
    ],
)
def test_what_a_limit_of_the_system_prevents_can_be_fixed_by_the_user(error, code):
    found = of_the_system(error)
    assert (found.code, found.exit_status) == (code, 2)
    assert found.message
    assert found.hint


@cases("error", [ImportError("no module named x"), RuntimeError("no"), ValueError(), OSError(errno.EACCES, "no")])
def test_what_may_be_a_defect_is_left_to_be_reported_as_one(error):
    assert of_the_system(error) is None
