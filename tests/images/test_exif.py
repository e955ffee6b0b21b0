import pytest
from cases import cases

from photomap_cli.images import exif, xmp
from photomap_cli.images.exif import (
    CHANGED,
    DIGITIZED,
    MAKE,
    MODEL,
    ORIENTATION,
    RATING,
    RATING_PERCENT,
    TAKEN,
    ExifTables,
    camera,
    facts,
    orientation,
    rating,
    taken_at,
)

OWN = {MAKE: "Canon", MODEL: "Canon EOS 40D"}


@cases(
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


@cases(
    ("text", "time"),
    [
        ("2008:05:30 15:56:01", "2008-05-30T15:56:01"),
        ("2008:05:30 00:00:00", "2008-05-30T00:00:00"),
        ("2008-05-30T15:56:01.123+02:00", "2008-05-30T15:56:01"),
        ("2008-05-30T15:56:01Z", "2008-05-30T15:56:01"),
        ("2008-05-30T15:56-05:00", "2008-05-30T15:56:00"),
        ("2008:05:30 15-56-01", "2008-05-30T15:56:01"),
        ("2008.05.30 15.56.01", "2008-05-30T15:56:01"),
        (" 2008/5/3 05:06\0", "2008-05-03T05:06:00"),
        ("2008: 5: 3  9: 6: 1", "2008-05-03T09:06:01"),
        ("2008:05:30 03:56:01 PM", "2008-05-30T15:56:01"),
        ("2008:05:30 12:56:01 AM", "2008-05-30T00:56:01"),
        ("2008:05:30 15:56:01 PM", "2008-05-30T15:56:01"),
        ("2008:05:30 15:56:  ", "2008-05-30T15:56:00"),
    ],
)
def test_times_are_read(text, time):
    assert taken_at({}, {TAKEN: text}) == (time, False)


@cases(
    "time",
    ["24:08:19", "24:00:00", "10:60:00", "10:11:60", "99:99:99", "  :  :  ", "::", "--:--:--", "", "T", "下午03:56:01"],
)
@cases("day", ["2015:08:22", "2015-08-22", "2015/08/22", "2015: 8:22", "2015.08.22"])
def test_the_day_stands_where_the_time_is_none(day, time):
    assert taken_at({}, {TAKEN: f"{day} {time}"}) == ("2015-08-22T00:00:00", True)


@cases(
    "text",
    [
        "0000:00:00 00:00:00",
        "2008:13:30 15:56:01",
        "2008:00:00 15:56:01",
        "2008:05:00 15:56:01",
        "2008:02:30 15:56:01",
        "1601:01:01 00:00:00",
        "2015:13:01 00:00:00",
        "9999:12:31 23:59:59",
        "2999:01:01 00:00:00",
        "    :  :     :  :  ",
        "    :05:30 15:56:01",
        "",
        b"2008:05:30 15:56:01",
        None,
    ],
)
def test_without_a_day_there_is_no_date(text):
    assert taken_at({}, {TAKEN: text}) is None


def test_the_first_sensible_time_counts():
    nothing, second, third = "0000:00:00 00:00:00", "2002:02:02 02:02:02", "2003:03:03 03:03:03"
    for wrong in (nothing, "9999:01:01 00:00:00", "1825:12:31 23:59:59"):
        assert taken_at({**OWN, CHANGED: third}, {TAKEN: wrong, DIGITIZED: second}) == ("2002-02-02T02:02:02", False)
    assert taken_at({**OWN, CHANGED: third}, {}) == ("2003-03-03T03:03:03", False)
    assert taken_at({CHANGED: third}, {}) is None


@pytest.mark.parametrize(("value", "turn"), [(1, 1), (6, 6), (8, 8), (0, 1), (9, 1), ("6", 1), (None, 1)])
def test_orientations_out_of_range_turn_nothing(value, turn):
    assert orientation({ORIENTATION: value}) == turn


@cases(
    ("main", "packet", "stars"),
    [
        ({RATING: 4}, "", 4),
        ({RATING: 0}, "", None),
        ({RATING: 6}, "", None),
        ({RATING: "4"}, "", None),
        ({RATING_PERCENT: 99}, "", 5),
        ({RATING_PERCENT: 75}, "", 4),
        ({RATING_PERCENT: 50}, "", 3),
        ({RATING_PERCENT: 25}, "", 2),
        ({RATING_PERCENT: 1}, "", 1),
        ({RATING_PERCENT: 0}, "", None),
        ({RATING: 2}, '<rdf:Description xmp:Rating="5">', 5),
        ({RATING: 2}, "<xmp:Rating>0</xmp:Rating>", None),
        ({}, "<xmp:Rating> 3 </xmp:Rating>", 3),
        ({}, "xmp:Rating='-1'", -1),
        ({}, 'xmp:Rating="-2"', None),
        ({}, 'xmp:Rating = "4.5"', 4),
        ({}, 'xap:Rating="2"', 2),
        ({}, 'MicrosoftPhoto:Rating="75"', 4),
        ({}, 'xmp:Rating="99"', None),
        ({}, 'xmp:Rating="' + "9" * 400 + '"', None),
        ({}, 'notxmp:Ratings="5"', None),
        ({}, 'xmp:Rating="', None),
        ({}, "", None),
    ],
)
def test_stars_are_those_of_xmp_else_of_exif(main, packet, stars):
    assert rating(main, packet) == stars


def test_a_lens_and_a_place_may_be_in_xmp_alone():
    packet = (
        '<rdf:Description aux:Lens="EF24-105mm f/4L &amp; co" '
        'exif:GPSLatitude="48,51.504N" exif:GPSLongitude="123,30,36.0W"/>'
    )
    found = facts((40, 30), ExifTables(xmp=packet), orientation=1)
    assert (found.lens, found.latitude, found.longitude) == ("EF24-105mm f/4L & co", 48.8584, -123.51)
    own = ExifTables(details={exif.LENS_MODEL: "50mm"}, xmp=packet)
    assert facts((40, 30), own, orientation=1).lens == "50mm"


@cases("packet", ['exif:GPSLatitude="48,51.5N"', 'exif:GPSLatitude="99,0N" exif:GPSLongitude="1,0E"', 'aux:Lens="---"'])
def test_half_a_place_or_a_lens_of_dashes_is_none(packet):
    found = facts((40, 30), ExifTables(xmp=packet), orientation=1)
    assert (found.lens, found.latitude, found.longitude) == (None, None, None)


@cases(
    ("info", "main", "found"),
    [
        ({"xmp": b"<x/>"}, {}, "<x/>"),
        ({"XML:com.adobe.xmp": "<x/>"}, {}, "<x/>"),
        ({}, {xmp.TAG: b"<x/>"}, "<x/>"),
        ({"xmp": b""}, {xmp.TAG: b"<x/>"}, "<x/>"),
        ({"xmp": b"\xff<x/>"}, {}, "\ufffd<x/>"),
        ({"xmp": 7}, {xmp.TAG: (1, 2)}, ""),
    ],
)
def test_a_packet_is_found_wherever_a_format_keeps_it(info, main, found):
    assert xmp.packet(info, main) == found


def test_of_a_packet_without_an_end_a_megabyte_counts():
    assert len(xmp.packet({"xmp": b" " * (9 << 20)}, {})) == 1 << 20
