"""What people are told of an export."""

from __future__ import annotations

from photomap_cli.records.export import Exported, ExportFailure, ExportMode, ExportReport
from photomap_cli.views.export_report import lines


def test_an_export_that_went_well_is_one_line():
    report = ExportReport(ExportMode.COPY, "/out", (Exported("/x/a.jpg", "/out/a.jpg"),), sidecars=1)
    assert lines(report) == ["1 photo copied to /out; 1 file beside them, too"]


def test_what_was_renamed_and_what_failed_is_told():
    done = tuple(Exported(f"/{at}/a.jpg", f"/out/a ({at}).jpg") for at in range(2, 7))
    failed = tuple(ExportFailure(f"/x/{at}.jpg", "permission denied") for at in range(5))
    told = lines(ExportReport(ExportMode.MOVE, "/out", done, ("/out/b.jpg",), failed, left=1200, is_cancelled=True))
    assert told == [
        "5 photos moved to /out; 1 there already; 5 failed; 1,200 left, as it was stopped",
        "5 renamed, as the names were taken: a (2).jpg, a (3).jpg, a (4).jpg and 2 more",
        "permission denied: /x/0.jpg, /x/1.jpg, /x/2.jpg and 2 more",
    ]
