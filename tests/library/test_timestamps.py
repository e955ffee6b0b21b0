from datetime import datetime

from cases import cases

from photomap_cli.library.filename_dates import date_in_name
from photomap_cli.library.timestamps import latest, timestamp

NOW = datetime(2030, 6, 1, 12, 0, 0)


@cases(
    ("date", "is_believed"),
    [
        (("2030", "06", "01"), True),
        (("2030", "06", "02"), True),
        (("2030", "06", "03"), False),
        (("9999", "12", "31"), False),
    ],
)
def test_a_camera_may_be_a_day_ahead_and_no_more(date, is_believed):
    assert (timestamp(date).text <= latest(NOW)) is is_believed


@cases("now", [datetime(1970, 1, 1), datetime(2001, 9, 9, 1, 46, 40)])
def test_a_computer_whose_clock_was_never_set_believes_what_is_not_absurd(now):
    assert date_in_name("IMG_20290102_030405.jpg", now=now) == ("2029-01-02T03:04:05", False)
    assert date_in_name("IMG_29990102_030405.jpg", now=now) is None
