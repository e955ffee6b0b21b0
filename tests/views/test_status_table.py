import io
from dataclasses import replace

import pytest
from rich.console import Console
from terminal_fakes import CPU, RAM, VRAM

from photomap_cli.records import LibraryFault, LibraryStatus
from photomap_cli.views.formatting import moment
from photomap_cli.views.status_table import library_line, status_lines, status_table

LIBRARY = LibraryStatus("/lib", 12034, "tiny", 512, 123_456_789, "2026-01-02T03:04:05+00:00", ("/photos",))


def drawn(sessions, library, width):
    console = Console(file=io.StringIO(), width=width)
    console.print(status_table(sessions, library))
    return console.file.getvalue()


@pytest.mark.parametrize("width", [80, 120, 160])
def test_every_session_keeps_its_row_after_an_offload(width):
    lines = drawn([VRAM, RAM, CPU], LIBRARY, width).splitlines()
    rows = [line for line in lines if line.startswith("4242")]
    assert len(rows) == 3
    assert all(len(line) <= width for line in lines)
    for row, words in zip(
        rows,
        (("● VRAM 352 MB", "offloads in 18 s"), ("◐ RAM 0 B VRAM", "offloaded"), ("● RAM 12 MB cpu", "nothing")),
        strict=True,
    ):
        assert all(word in row for word in words)


@pytest.mark.parametrize("width", [40, 59])
def test_a_narrow_window_has_two_lines_a_session_with_all_of_the_state(width):
    lines = drawn([VRAM, RAM], LIBRARY, width).splitlines()
    assert lines[0] == "4242 repl ● VRAM 352 MB"
    assert lines[1] == "  offloads in 18 s"
    assert lines[2] == "4242 repl ◐ RAM 0 B VRAM"


def test_a_wide_table_has_photos_and_encoder():
    text = drawn([VRAM], LIBRARY, 160)
    assert "12,034" in text
    assert "ViT-L-14/datacomp_xl_s13b_b90k" in text
    assert "NVIDIA A100" in text


def test_without_a_session_the_library_is_still_told():
    assert drawn([], LIBRARY, 120).splitlines() == [
        "no session is running",
        f"library /lib · 12,034 photos · 123 MB · tiny · indexed {moment(LIBRARY.last_indexed_at)}",
    ]
    assert status_lines([], None) == ["no session is running", "no library yet; `photomap index` creates one"]


def test_plain_lines_name_the_session():
    assert status_lines([CPU], LIBRARY)[0].startswith(
        "4242 repl · ● RAM 12 MB cpu · 12 MB RAM · nothing to offload: CPU"
    )


def test_a_library_of_another_version_is_told_with_the_way_out():
    fault = LibraryFault("library_format", "the library /lib has another format: version 8, not 1", "`rebuild` does it")
    other = LibraryStatus("/lib", 3, "tiny", None, 5, None, ("/p",), error=fault)
    assert library_line(other) == (
        "library /lib · 3 photos · 5 B · tiny · made by another version of photomap; `rebuild` does it"
    )
    assert LibraryStatus.from_json(other.to_json()) == other


def test_of_a_shared_library_nobody_knows_its_size():
    shared = LibraryStatus("milvus://nas:19530/photos", 5, "tiny", 64, 0, None, ())
    assert library_line(shared) == "library milvus://nas:19530/photos · 5 photos · tiny · never indexed"


def test_an_empty_library_says_so():
    empty = LibraryStatus("/lib", 0, None, None, 0, None, ())
    assert library_line(empty) == "library /lib · 0 photos · 0 B · no encoder yet · never indexed"


@pytest.mark.parametrize(
    ("last", "unfinished", "told"),
    [
        (None, ("/p",), "indexing /p is unfinished"),
        (LIBRARY.last_indexed_at, ("/p",), "indexed {} · indexing /p is unfinished"),
        (None, ("/p", "/q", "/r"), "indexing /p and 2 more is unfinished"),
    ],
)
def test_a_run_that_was_not_finished_is_no_library_that_was_never_indexed(last, unfinished, told):
    line = library_line(replace(LIBRARY, last_indexed_at=last, unfinished=unfinished))
    assert line.endswith(f" · tiny · {told.format(moment(LIBRARY.last_indexed_at))}")


def test_with_several_libraries_each_session_says_which_one_it_has():
    far = replace(RAM, pid=77, library="/far")
    text = drawn([VRAM, far], LIBRARY, 120)
    assert "77 has library /far\n" in text
    assert "4242 has" not in text
    lines = status_lines([VRAM, far], LIBRARY)
    assert lines[1].endswith(" · library /far")
    assert "library" not in lines[0]
    assert status_lines([far], None)[0].endswith(" · library /far")


def test_a_session_that_writes_a_log_says_where():
    logged = replace(VRAM, log="/state/serve.log")
    assert "4242 has log /state/serve.log\n" in drawn([logged], LIBRARY, 120)
    assert status_lines([logged], LIBRARY)[0].endswith(" · log /state/serve.log")
    assert status_lines([logged], None)[0].endswith(f" · library {VRAM.library} · log /state/serve.log")
