import json

import pytest

from photomap_cli.errors import BadQuery, EncoderOutOfMemory, InternalError, PhotomapError


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
