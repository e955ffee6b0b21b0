import io
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from terminal_fakes import make_hit, make_result

from photomap_cli.records import TermPart, Timings
from photomap_cli.views.machine_output import ResultStyle, write_document
from photomap_cli.views.results import summary_line, table, write

UGLY = os.fsdecode(b"/photos/\xff\n\x1b[31m\tb.jpg")
CWD = Path("/photos")


def drawn(result, width=100, *, terminal=False, **settings):
    console = Console(file=io.StringIO(), width=width, force_terminal=terminal, highlight=False, **settings)
    console.print(table(result, CWD, hints=(":open N",)))
    return console.file.getvalue()


def written(result, style):
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii", newline="")
    write(result, style, file, cwd=CWD)
    file.flush()
    return raw.getvalue()


class Screen(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("file", "lines"), [(io.StringIO(), 1), (Screen(), 4)])
def test_json_is_one_line_in_a_pipe_and_indented_on_a_terminal(file, lines):
    write_document({"path": "/photos/\udcff"}, file)
    assert file.getvalue().count("\n") == lines
    assert list(json.loads(file.getvalue()).items()) == [("version", 1), ("path", "/photos/\udcff")]


def test_the_table_at_three_widths():
    result = make_result(2)
    assert drawn(result, 100).splitlines() == [
        "#  score  photo          taken              size",
        "1  0.399  photo-001.jpg  2023-06-02 10:22  40×30",
        "2  0.398  photo-002.jpg  2023-06-03 10:22  40×30",
        "2 photos in 41 ms · :open N",
    ]
    assert "2023-06-02" in drawn(result, 70)
    assert "40×30" not in drawn(result, 70)
    assert "2023-06-02" not in drawn(result, 50)


PARTS = (TermPart("dog", 2.0, 0.31, 0.55), TermPart("./a b.jpg", -0.5, 0.6, -0.151))


def test_the_parts_of_a_score_stand_below_it():
    result = replace(make_result(), hits=(replace(make_hit(1), terms=PARTS), make_hit(2)))
    assert [line.rstrip() for line in drawn(result, 100).splitlines()[1:4]] == [
        "1   0.399  photo-001.jpg                      2023-06-02 10:22  40×30",
        "   +0.550    dog  2 × 0.310 ÷ 1.127",
        "   -0.151    ./a b.jpg  -0.5 × 0.600 ÷ 1.987",
    ]
    assert written(result, ResultStyle.PLAIN).decode().splitlines() == [
        "1\t0.3990\t/photos/photo-001.jpg",
        "\t+0.5500\t2\t0.3100\tdog",
        "\t-0.1510\t-0.5\t0.6000\t./a b.jpg",
        "2\t0.3980\t/photos/photo-002.jpg",
    ]
    first, second = json.loads(written(result, ResultStyle.JSON))["hits"]
    assert first["terms"][1] == {"term": "./a b.jpg", "weight": -0.5, "cosine": 0.6, "part": -0.151}
    assert "terms" not in second


def test_names_that_would_break_the_table_are_escaped():
    lines = drawn(replace(make_result(), hits=(make_hit(1, UGLY), make_hit(2, "/else/wo/海.jpg")))).splitlines()
    assert len(lines) == 4
    assert r"\xff\n\e[31m\tb.jpg" in lines[1]
    assert "/else/wo/海.jpg" in lines[2]


def test_only_the_text_of_a_path_is_a_link_and_it_names_the_host():
    raw = drawn(make_result(1), terminal=True)
    links = re.findall(r"\x1b\]8;id=\d+;(file://[^/]+/photos/photo-001\.jpg)\x1b\\([^\x1b]*)\x1b\]8;;\x1b\\", raw)
    assert len(links) == 1
    assert links[0][1] == "photo-001.jpg"


def test_markup_in_names_is_text():
    assert "[red]a[/red].jpg" in drawn(replace(make_result(), hits=(make_hit(1, "/photos/[red]a[/red].jpg"),)))


@pytest.mark.parametrize(
    ("result", "footer"),
    [
        (make_result(1), "1 photo in 41 ms"),
        (make_result(0), "nothing found in 41 ms"),
        (make_result(1, timings=Timings(reload=18.2)), "1 photo in 41 ms · RAM → VRAM 18 ms"),
        (make_result(1, timings=Timings(load=2100.0)), "1 photo in 41 ms · encoder loaded in 2.1 s"),
        (make_result(1, served_by="session 77"), "1 photo in 41 ms · session 77"),
    ],
)
def test_the_footer(result, footer):
    assert drawn(result).splitlines()[-1] == f"{footer} · :open N"


@pytest.mark.parametrize(
    ("ranks", "more", "footer"),
    [
        (range(1, 7), ":more", "1-6 of 10 · :more · 41 ms · RAM → VRAM 18 ms · :open N"),
        (range(1, 2), ":more", "1 of 10 · :more · 41 ms · RAM → VRAM 18 ms · :open N"),
        (range(7, 11), "", "7-10 of 10 · :open N"),
        (range(10, 11), ":more", "10 of 10 · :more · :open N"),
        (range(1, 11), ":more", "10 photos in 41 ms · RAM → VRAM 18 ms · :more · :open N"),
    ],
)
def test_a_page_of_the_results_says_which_they_are(ranks, more, footer):
    page = replace(make_result(timings=Timings(reload=18.2)), hits=tuple(map(make_hit, ranks)))
    console = Console(file=io.StringIO(), width=100, highlight=False)
    console.print(summary_line(page, total=10, more=more, hints=(":open N",)))
    assert console.file.getvalue() == footer + "\n"


def test_hints_that_do_not_fit_into_the_footer_are_left_out():
    assert drawn(make_result(2), 26).splitlines()[-1] == "2 photos in 41 ms"
    long = drawn(make_result(2, served_by="session 77", timings=Timings(load=2100.0, reload=20.0)), 40)
    assert long.splitlines()[-1] == "2 photos in 41 ms"
    assert drawn(make_result(2), 27).splitlines()[-1] == "2 photos in 41 ms · :open N"


def test_without_colour_there_is_none():
    assert not re.search(r"\x1b\[[0-9;]*(3[0-7]|4[0-7]|[34]8;)", drawn(make_result(2), terminal=True, no_color=True))


def test_json_is_exactly_the_contract():
    result = make_result(2)
    assert json.loads(written(result, ResultStyle.JSON)) == {"version": 1, **result.to_json()}
    lines = written(result, ResultStyle.JSONL).decode().splitlines()
    assert [json.loads(line) for line in lines] == result.to_json()["hits"]


def test_json_survives_names_that_are_no_text():
    result = replace(make_result(), hits=(make_hit(1, UGLY),))
    assert json.loads(written(result, ResultStyle.JSON))["hits"][0]["path"] == UGLY


def test_plain_lines_are_rank_score_path():
    assert written(make_result(2), ResultStyle.PLAIN).decode().splitlines() == [
        "1\t0.3990\t/photos/photo-001.jpg",
        "2\t0.3980\t/photos/photo-002.jpg",
    ]


def test_plain_rows_stay_rows():
    row = written(replace(make_result(), hits=(make_hit(1, UGLY),)), ResultStyle.PLAIN)
    assert row == b"1\t0.3990\t/photos/\xff\\n\\e[31m\\tb.jpg\n"


@pytest.mark.parametrize(("style", "end"), [(ResultStyle.PATHS, b"\n"), (ResultStyle.NUL, b"\0")])
def test_paths_leave_as_the_bytes_on_disk(style, end):
    result = replace(make_result(), hits=(make_hit(1, UGLY), make_hit(2, "/photos/海.jpg")))
    assert written(result, style) == os.fsencode(UGLY) + end + "/photos/海.jpg".encode() + end


@pytest.mark.parametrize("style", [ResultStyle.JSONL, ResultStyle.PLAIN, ResultStyle.PATHS, ResultStyle.NUL])
def test_nothing_found_writes_nothing(style):
    assert written(make_result(0), style) == b""


def test_a_file_in_memory_gets_text():
    file = io.StringIO()
    write(make_result(1), ResultStyle.PATHS, file, cwd=CWD)
    write(make_result(1), ResultStyle.TABLE, file, cwd=CWD)
    assert file.getvalue().startswith("/photos/photo-001.jpg\n")


def test_a_shot_that_stands_for_others_says_how_many_they_are_together():
    hits = (replace(make_hit(1), collapsed=("/photos/a.jpg", "/photos/b.jpg")), make_hit(2))
    result = replace(make_result(), hits=hits)
    lines = drawn(result).splitlines()
    assert "photo-001.jpg ×3 " in lines[1]
    assert "×" not in lines[2].replace("40×30", "")
    assert written(result, ResultStyle.PATHS) == b"/photos/photo-001.jpg\n/photos/photo-002.jpg\n"
    assert json.loads(written(result, ResultStyle.JSON))["hits"][0]["collapsed"] == ["/photos/a.jpg", "/photos/b.jpg"]


LISTED = make_result(
    0, hits=tuple(replace(make_hit(rank), score=None) for rank in (1, 2)), encoded_by=None, cursor="x 1"
)


def test_photos_that_filters_alone_found_have_no_scores_in_any_style():
    assert drawn(LISTED, 100).splitlines() == [
        "#  photo          taken              size",
        "1  photo-001.jpg  2023-06-02 10:22  40×30",
        "2  photo-002.jpg  2023-06-03 10:22  40×30",
        "2 photos in 41 ms · :open N",
    ]
    assert written(LISTED, ResultStyle.PLAIN) == b"1\t-\t/photos/photo-001.jpg\n2\t-\t/photos/photo-002.jpg\n"
    record = json.loads(written(LISTED, ResultStyle.JSON))
    assert (record["encoded_by"], [hit["score"] for hit in record["hits"]]) == (None, [None, None])
    assert "cursor" not in record
    assert all(json.loads(line)["score"] is None for line in written(LISTED, ResultStyle.JSONL).splitlines())
    assert written(LISTED, ResultStyle.PATHS).count(b"\n") == 2
