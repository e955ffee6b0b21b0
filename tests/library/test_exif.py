import pytest

from photomap_cli.library.exif import CHANGED, DIGITIZED, MAKE, MODEL, ORIENTATION, TAKEN, camera, orientation, taken_at

OWN = {MAKE: "Canon", MODEL: "Canon EOS 40D"}


@pytest.mark.parametrize(
    ("make", "model", "name"),
    [
        ("Canon", "Canon EOS 40D", "Canon EOS 40D"),
        ("NIKON CORPORATION", "NIKON D70", "NIKON D70"),
        ("EASTMAN KODAK COMPANY", "KODAK CX7530", "KODAK CX7530"),
        ("SONY", "HDR-HC3", "SONY HDR-HC3"),
        ("WWL     ", "ION230\x00F", "WWL ION230"),
        ("Canon", None, "Canon"),
        (None, " D70 ", "D70"),
        ("", "\0", None),
        (None, None, None),
        (b"Canon", 7, None),
        ("a\x1b[31m", "b\nc", "a [31m b c"),
        ("x", "y" * 500, f"x {'y' * 100}"),
    ],
)
def test_a_camera_is_make_and_model_without_repetition(make, model, name):
    assert camera({MAKE: make, MODEL: model}) == name


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2008:05:30 15:56:01", "2008-05-30T15:56:01"),
        ("2008-05-30T15:56:01.123+02:00", "2008-05-30T15:56:01"),
        (" 2008/5/3 05:06\0", "2008-05-03T05:06:00"),
        ("0000:00:00 00:00:00", None),
        ("2008:13:30 15:56:01", None),
        ("1601:01:01 00:00:00", None),
        ("    :  :     :  :  ", None),
        ("", None),
        (b"2008:05:30 15:56:01", None),
        (None, None),
    ],
)
def test_times_are_read_or_nothing(text, time):
    assert taken_at({}, {TAKEN: text}) == time


def test_the_first_sensible_time_counts():
    nothing, second, third = "0000:00:00 00:00:00", "2002:02:02 02:02:02", "2003:03:03 03:03:03"
    assert taken_at({**OWN, CHANGED: third}, {TAKEN: nothing, DIGITIZED: second}) == "2002-02-02T02:02:02"
    assert taken_at({**OWN, CHANGED: third}, {}) == "2003-03-03T03:03:03"
    assert taken_at({CHANGED: third}, {}) is None


@pytest.mark.parametrize(("value", "turn"), [(1, 1), (6, 6), (8, 8), (0, 1), (9, 1), ("6", 1), (None, 1)])
def test_orientations_out_of_range_turn_nothing(value, turn):
    assert orientation({ORIENTATION: value}) == turn
