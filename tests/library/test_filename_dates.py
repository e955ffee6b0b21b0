from datetime import datetime

import pytest

from photomap_cli.library.filename_dates import date_in_name

NOW = datetime(2026, 6, 1, 12, 0, 0)


@pytest.mark.parametrize(
    ("name", "time"),
    [
        ("IMG_20190102_030405.jpg", "2019-01-02T03:04:05"),
        ("IMG_20190102_030405_HDR.jpg", "2019-01-02T03:04:05"),
        ("IMG_20190102_030405123_BURST001.jpg", "2019-01-02T03:04:05"),
        ("IMG20190102030405.jpg", "2019-01-02T03:04:05"),
        ("img_20190102_030405~2.JPG", "2019-01-02T03:04:05"),
        ("/a/b/MVIMG_20190102_030405.jpg", "2019-01-02T03:04:05"),
        ("PXL_20210203_040506789.jpg", "2021-02-03T04:05:06"),
        ("PXL_20210203_040506789.MP.jpg", "2021-02-03T04:05:06"),
        ("VID_20190102_030405.jpg", "2019-01-02T03:04:05"),
        ("PANO_20190102_030405.vr.jpg", "2019-01-02T03:04:05"),
        ("00100lrPORTRAIT_00100_BURST20190102030405123_COVER.jpg", "2019-01-02T03:04:05"),
        ("20190102_030405.jpg", "2019-01-02T03:04:05"),
        ("20190102_030405(0).jpg", "2019-01-02T03:04:05"),
        ("20190102T030405Z.heic", "2019-01-02T03:04:05"),
        ("Screenshot_2020-01-02-03-04-05.png", "2020-01-02T03:04:05"),
        ("Screenshot_2020-01-02-03-04-05-678_com.android.chrome.jpg", "2020-01-02T03:04:05"),
        ("Screenshot_20200102-030405_Chrome.jpg", "2020-01-02T03:04:05"),
        ("Screenshot from 2020-01-02 03-04-05.png", "2020-01-02T03:04:05"),
        ("Screen Shot 2020-01-02 at 3.04.05 PM.png", "2020-01-02T15:04:05"),
        ("Screen Shot 2020-01-02 at 12.04.05\u202fAM.png", "2020-01-02T00:04:05"),
        ("Screenshot 2020-01-02 150405.png", "2020-01-02T15:04:05"),
        ("Capture d’écran 2020-01-02 à 15.04.05.png", "2020-01-02T15:04:05"),
        ("Captura de pantalla 2020-01-02 a las 15.04.05.png", "2020-01-02T15:04:05"),
        ("2019-05-14 12.30.00.jpg", "2019-05-14T12:30:00"),
        ("2019-05-14 12 30 00.jpg", "2019-05-14T12:30:00"),
        ("2019-05-14 at 12h30m00s.jpg", "2019-05-14T12:30:00"),
        ("IMG_2019-05-14_12-30-00_001.jpg", "2019-05-14T12:30:00"),
        ("2019-05-14 12.30.00-1.jpg", "2019-05-14T12:30:00"),
        ("2019_05_14_12_30_00.jpg", "2019-05-14T12:30:00"),
        ("signal-2021-02-03-040506.jpg", "2021-02-03T04:05:06"),
        ("signal-2021-02-03-04-05-06-789.jpg", "2021-02-03T04:05:06"),
        ("signal-2021-02-03-040506_002.jpeg", "2021-02-03T04:05:06"),
        ("WhatsApp Image 2018-05-14 at 12.30.45.jpeg", "2018-05-14T12:30:45"),
        ("WhatsApp Image 2018-05-14 at 2.30.45 PM (1).jpeg", "2018-05-14T14:30:45"),
        ("PHOTO-2018-05-14-12-30-45.jpg", "2018-05-14T12:30:45"),
        ("photo_2021-02-03_04-05-06.jpg", "2021-02-03T04:05:06"),
        ("photo_7@03-02-2021_04-05-06.jpg", "2021-02-03T04:05:06"),
        ("WP_20150102_12_30_45_Pro.jpg", "2015-01-02T12:30:45"),
        ("DJI_20210203040506_0001_D.JPG", "2021-02-03T04:05:06"),
        ("2019-05-14 12.30.00", "2019-05-14T12:30:00"),
        ("KakaoTalk_20190102_030405123.jpg", "2019-01-02T03:04:05"),
    ],
)
def test_a_well_known_name_tells_when_a_photo_was_taken(name, time):
    assert date_in_name(name, now=NOW) == (time, False)


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("IMG-20180514-WA0007.jpg", "2018-05-14"),
        ("IMG-20180514-WA0007 (1).jpg", "2018-05-14"),
        ("VID-20180514-WA0007.jpg", "2018-05-14"),
        ("WP_20150102_001.jpg", "2015-01-02"),
        ("2019-05-14.jpg", "2019-05-14"),
        ("2019-05-14 Urlaub.jpg", "2019-05-14"),
        ("Urlaub 2019-05-14 (3).jpg", "2019-05-14"),
        ("20180514.jpg", "2018-05-14"),
        ("20180514", "2018-05-14"),
        ("20180514 (2).jpg", "2018-05-14"),
        ("1965-07-14 Oma.tif", "1965-07-14"),
        ("IMG_20190102_990405.jpg", "2019-01-02"),
        ("IMG_20190102_030460.jpg", "2019-01-02"),
        ("2019-05-14 24.30.00.jpg", "2019-05-14"),
        ("2019-05-14-1234.jpg", "2019-05-14"),
    ],
)
def test_a_name_without_a_time_tells_the_day(name, day):
    assert date_in_name(name, now=NOW) == (f"{day}T00:00:00", True)


def test_milliseconds_since_1970_are_local_like_a_files_time():
    local = datetime.fromtimestamp(1_525_000_000).isoformat()
    assert date_in_name("FB_IMG_1525000000000.jpg", now=NOW) == (local, False)
    assert date_in_name("mmexport1525000000000.jpg", now=NOW) == (local, False)


@pytest.mark.parametrize(
    "name",
    [
        "DSC_0001.jpg",
        "DSC_2018.jpg",
        "DSC_20180514.jpg",
        "DSC_20180514_101010.jpg",
        "_DSC2018.ARW",
        "DSC01234.jpg",
        "DSCN2018.jpg",
        "IMG_1234.jpg",
        "IMG_2018.jpg",
        "P1010001.jpg",
        "12345678.jpg",
        "1234567890123.jpg",
        "10201234_10203040506070809_1234567890123456_n.jpg",
        "20181201_10212345678901234_1234567890123456_n.jpg",
        "IMG_20181332_101010.jpg",
        "IMG_20180230_101010.jpg",
        "IMG-20180014-WA0001.jpg",
        "IMG_20180500_101010.jpg",
        "IMG_17000101_101010.jpg",
        "Screenshot_1970-01-01-00-00-00.png",
        "IMG_19040101_000000.jpg",
        "IMG_20991231_101010.jpg",
        "20260603_101010.jpg",
        "1800-01-01.jpg",
        "version 1.2018.05.jpg",
        "1920x1080.jpg",
        "beach.jpg",
        "pexels-photo-20180514.jpeg",
        "invoice 20180514.jpg",
        ".jpg",
        "",
    ],
)
def test_other_names_tell_nothing(name):
    assert date_in_name(name, now=NOW) is None


def test_only_the_files_own_name_counts():
    assert date_in_name("/2018-05-14/beach.jpg", now=NOW) is None
