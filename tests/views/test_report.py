import io
from dataclasses import replace

import pytest
from cases import cases

from photomap_cli.records import IndexFailure, IndexNote, IndexReport, StageTimes
from photomap_cli.views.index_report import other_files, plan, summary, write_report

HALF = IndexNote("/photos/half.jpg", "truncated; 48 % of it can be seen")
TEXT = IndexFailure("/photos/text.jpg", "not a picture, or in a format that can't be read")
FAILED = "  /photos/text.jpg: not a picture, or in a format that can't be read\n"
FIRST = "3 photos found: 2 added, 1 failed in 0.0 s\n"


def written(*, list_errors=False, quiet=False, notes=(HALF,)):
    report = IndexReport(("/photos",), scanned=3, added=2, failures=(TEXT,), notes=notes)
    file = io.StringIO()
    write_report(report, file, list_errors=list_errors, quiet=quiet)
    return file.getvalue()


def test_damaged_photos_are_counted_and_named_with_the_errors():
    assert written() == f"{FIRST}{FAILED}1 photo is damaged, but in the library; --errors lists it\n"
    listed = "  /photos/half.jpg: truncated; 48 % of it can be seen\n"
    assert written(list_errors=True) == f"{FIRST}{FAILED}1 photo is damaged, but in the library:\n{listed}"
    assert written(list_errors=True, quiet=True) == FAILED + listed
    assert written(quiet=True) == ""
    assert written(notes=(HALF, HALF)).endswith("2 photos are damaged, but in the library; --errors lists them\n")


AGAIN = "run the same command again to continue"


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (IndexReport((), 400, added=32, left=368), "stopped after 0.0 s: 32 added of 400 photos, 368 left"),
        (
            IndexReport((), 400, added=32, moved=1, unchanged=7, failures=(TEXT,), left=359),
            "stopped after 0.0 s: 32 added, 1 moved, 7 unchanged, 1 failed of 400 photos, 359 left",
        ),
        (IndexReport((), 400, left=400), "stopped after 0.0 s: none added of 400 photos, 400 left"),
        (IndexReport(()), "stopped while looking for photos"),
    ],
)
@pytest.mark.parametrize("dry_run", [True, False])
def test_an_interrupted_run_says_what_is_left_and_how_to_go_on(report, told, dry_run):
    file = io.StringIO()
    write_report(replace(report, interrupted=True), file, dry_run=dry_run)
    assert file.getvalue().replace("\n  ", " ").startswith(f"{told}; {AGAIN}")
    assert replace(report, interrupted=True).to_json()["left"] == report.left


@pytest.mark.parametrize("notes", [(), (HALF,)])
def test_damaged_photos_are_in_the_json(notes):
    told = IndexReport(("/photos",), scanned=3, added=2, failures=(TEXT,), notes=notes).to_json()
    assert (told["failed"], told["noted"]) == (1, len(notes))
    assert told["notes"] == [{"path": HALF.path, "reason": HALF.reason}] * len(notes)


KINDS = (("psd", 4), ("mp3", 3))
MANY = (("txt", 1200), ("md", 30), ("", 4), ("py", 3), ("xmp", 2), ("mid", 1), ("mp3", 1))
FREQUENT = "1,241 other files: 1,200 txt, 30 md, 4 without an ending, 3 py"


@pytest.mark.parametrize(
    ("others", "list_errors", "line"),
    [
        (KINDS, False, "7 other files: 4 psd, 3 mp3\n"),
        (KINDS[1:], False, "3 other files: 3 mp3\n"),
        ((("mp3", 1),), True, "1 other file: 1 mp3\n"),
        (MANY, False, f"{FREQUENT}, 2 xmp,\n  2 of other types\n"),
        (MANY, True, f"{FREQUENT}, 2 xmp, 1 mid,\n  1 mp3\n"),
    ],
)
def test_files_that_are_no_photos_are_counted_by_their_kinds(others, list_errors, line):
    file = io.StringIO()
    report = IndexReport(("/photos",), scanned=1, added=1, others=others)
    write_report(report, file, list_errors=list_errors)
    assert file.getvalue() == f"1 photo found: 1 added in 0.0 s\n{line}"
    told = report.to_json()
    assert (told["others"], told["other_kinds"]) == (sum(dict(others).values()), dict(others))


VIDEOS, JXL = (
    f'; pip install "photomap-cli[{extra}]" reads {what}' for extra, what in (("video", "videos"), ("jxl", "JPEG XL"))
)


@pytest.mark.parametrize(
    ("here", "others", "line"),
    [
        ((), (("mp4", 9), ("psd", 2), ("mov", 1)), f"12 other files: 9 mp4, 2 psd, 1 mov{VIDEOS}"),
        ((), (("psd", 2), ("jxl", 1), ("avi", 1)), f"4 other files: 2 psd, 1 jxl, 1 avi{JXL}{VIDEOS}"),
        (("video",), (("mov of Live Photos", 3), ("jxl", 1)), f"4 other files: 3 mov of Live Photos, 1 jxl{JXL}"),
        ((), (("video", 1),), f"1 other file: 1 video{VIDEOS}"),
        ((), (("mov of Live Photos", 1),), "1 other file: 1 mov of Live Photos"),
    ],
)
def test_what_would_read_other_files_is_said(here, others, line, monkeypatch):
    monkeypatch.setattr("photomap_cli.library.optional_decoders.is_installed", here.__contains__)
    assert " ".join(map(str.strip, other_files(IndexReport(("/photos",), others=others)))) == line


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (IndexReport((), 69, added=69), "dry run: 69 photos found: 69 would be added"),
        (
            IndexReport((), 69, added=2, removed=1, unchanged=67, elapsed_ms=2000.0),
            "dry run: 69 photos found: 2 would be added, 1 removed; 67 unchanged",
        ),
        (IndexReport((), 69, unchanged=69), "dry run: 69 photos found: 69 unchanged"),
        (IndexReport(()), "dry run: 0 photos found: nothing to do"),
    ],
)
def test_a_dry_run_says_what_would_be_done(report, line):
    file = io.StringIO()
    write_report(report, file, dry_run=True)
    assert file.getvalue() == f"{line}\n"


RUN = IndexReport((), 12_345, elapsed_ms=98_700.0, images_per_second=138.1, stages=StageTimes(load=9800, encode=1))
ALL_NEW = replace(RUN, added=12_345)
EVERYTHING = replace(RUN, part="2/4", added=1_234, updated=12, moved=14, removed=3, unchanged=11_085, failures=(TEXT,))
IN_ONE_LINE = [
    summary(replace(RUN, scanned=999, added=999)),
    summary(replace(ALL_NEW, elapsed_ms=593_500.0)),
    summary(replace(RUN, unchanged=12_345, images_per_second=0.0)),
    plan(ALL_NEW),
    plan(replace(RUN, added=120, moved=14, unchanged=12_211)),
]
IN_TWO = [
    summary(ALL_NEW),
    summary(EVERYTHING),
    summary(replace(ALL_NEW, interrupted=True, left=9_000)),
    plan(EVERYTHING),
    other_files(replace(RUN, others=MANY)),
]


@cases(("lines", "most"), [*((each, 1) for each in IN_ONE_LINE), *((each, 2) for each in IN_TWO)])
def test_what_is_said_of_a_run_fits_an_80_column_terminal(lines, most):
    """Where it does not fit into one line, it is broken between two statements."""
    assert max(map(len, lines)) <= 80
    assert len(lines) == most
    assert all(line[-1] in ",;:" for line in lines[:-1])
