import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from terminal_fakes import PaintedThumbnailer, make_hit

from photomap_cli.errors import BadImage, UsageError
from photomap_cli.graphics.layout import Layout
from photomap_cli.records import Thumbnail
from photomap_cli.views.captions import captions, line_below, shortened
from photomap_cli.views.previews import Previews


class NotingGallery(PaintedThumbnailer):
    """Notes what it is asked for, and whether it has been left."""

    def __init__(self):
        self.asked, self.left = [], 0

    def thumbnails(self, paths):
        self.asked.append(list(paths))
        return super().thumbnails(paths)

    def __exit__(self, *_exc):
        self.left += 1


class Broken:
    """A painter that is interrupted."""

    def paint(self, sheet):
        raise KeyboardInterrupt


def console(**settings):
    settings = {"force_terminal": True, "width": 80, "height": 30, "color_system": None} | settings
    return Console(file=io.StringIO(), highlight=False, **settings)


def previews(thumbnailer=None, **settings):
    setting = settings.pop("setting", "blocks")
    thumbnailer = thumbnailer or PaintedThumbnailer()
    return Previews(
        console(**settings), lambda: thumbnailer, setting=setting, environment={"TERM": "xterm", "NO_COLOR": "1"}
    )


def printed(previews):
    return previews._console.file.getvalue()


def at_once(work):
    return work()


def test_one_row_of_thumbnails_is_held_at_a_time():
    thumbnailer = NotingGallery()
    shown = previews(thumbnailer, height=60)
    assert shown.show([make_hit(rank) for rank in range(1, 9)], shown.painter(), at_once) == 8
    assert [len(paths) for paths in thumbnailer.asked] == [3, 3, 2]
    assert thumbnailer.left == 1
    text = printed(shown)
    assert all(f"photo-00{rank}.jpg" in text for rank in range(1, 9))


def test_an_interrupt_in_the_middle_of_a_picture_ends_its_sequence():
    thumbnailer = NotingGallery()
    shown = previews(thumbnailer)
    painter = shown.painter()
    painter.paint = Broken().paint
    with pytest.raises(KeyboardInterrupt):
        shown.show([make_hit(1)], painter, at_once)
    assert printed(shown).endswith("\x1b\\\x1b[0m\n")
    assert thumbnailer.left == 1


def test_a_photo_that_is_gone_is_an_empty_tile_and_its_caption_says_so():
    shown = previews()
    shown.show([make_hit(1), make_hit(2, "/photos/gone.jpg"), make_hit(3)], shown.painter(), at_once)
    lines = printed(shown).splitlines()
    assert lines[-2].split() == ["photo-001.jpg", "gone.jpg", "photo-003.jpg"]
    assert lines[-1].split() == ["no", "longer", "there"]
    with pytest.raises(BadImage, match=r"/photos/gone\.jpg: no longer there"):
        shown.show_large(make_hit(2, "/photos/gone.jpg"), at_once, cwd=Path("/photos"))


def test_one_photo_fills_the_screen_and_leaves_room_for_its_line():
    shown = previews()
    shown.show_large(make_hit(1), at_once, cwd=Path("/photos"))
    *picture, line = printed(shown).splitlines()
    assert len(picture) == 27
    assert line == "1  0.399  photo-001.jpg  2023-06-02 10:22  40×30"


def test_one_photo_and_a_path_of_several_lines_fill_the_screen():
    shown = previews()
    shown.show_large(make_hit(1, f"/photos/{'way' * 60}.jpg"), at_once, cwd=Path("/photos"))
    assert len(printed(shown).splitlines()) == 28


def test_in_a_pipe_there_are_no_pictures_whatever_is_asked_for():
    shown = previews(force_terminal=False)
    assert shown.painter(is_asked_for=True) is None
    with pytest.raises(UsageError, match="no terminal"):
        shown.show_large(make_hit(1), at_once, cwd=Path("/photos"))


def test_a_terminal_of_text_alone_says_once_why_there_are_no_pictures():
    for setting, is_asked_for in (("on", False), ("auto", True)):
        shown = Previews(console(), PaintedThumbnailer, setting=setting, environment={"TERM": "dumb"})
        assert shown.painter(is_asked_for=is_asked_for) is None
        said = [shown.why_no_pictures(is_asked_for=is_asked_for) for _ in range(3)]
        assert said == ["TERM=dumb draws no pictures", "", ""]
        with pytest.raises(UsageError, match="TERM=dumb draws no pictures"):
            shown.show_large(make_hit(1), at_once, cwd=Path("/photos"))
    assert Previews(console(), PaintedThumbnailer, environment={"TERM": "dumb"}).why_no_pictures() == ""
    in_a_pipe = Previews(console(force_terminal=False), PaintedThumbnailer, setting="on", environment={"TERM": "dumb"})
    assert in_a_pipe.why_no_pictures(is_asked_for=True) == ""


def test_a_terminals_limit_for_sixel_is_kept():
    shown = previews(setting="sixel", width=200)
    around = shown._display.around
    shown._display = replace(shown._display, around=replace(around, answers=replace(around.answers, sixel_width=1000)))
    assert shown._columns(shown.painter()) == 100
    assert shown._columns(previews(setting="blocks").painter()) == 200


@pytest.mark.parametrize(
    ("name", "columns", "shown"),
    [
        ("short.jpg", 9, "short.jpg"),
        ("PXL_20210627_184837.jpg", 19, "PXL_20210…84837.jpg"),
        ("PXL_20210627_184837.jpg", 1, "…"),
        ("PXL_20210627_184837.jpg", 2, "P…"),
        ("写真写真写真写真.jpg", 10, "写真….jpg"),
        ("", 5, ""),
    ],
)
def test_long_names_keep_both_ends(name, columns, shown):
    assert shortened(name, columns) == shown


@pytest.mark.parametrize(
    ("rank", "columns", "line"),
    [
        (1, 20, "1  0.399  2023-06-02"),
        (1, 19, "1 0.399 2023-06-02"),
        (1, 12, "1  0.399"),
        (1, 7, "1 0.399"),
        (123, 2, "12"),
    ],
)
def test_figures_are_left_out_from_the_right(rank, columns, line):
    text = captions([make_hit(rank)], [Thumbnail(b"x")], Layout(1, columns, 4))
    assert text.plain.splitlines()[0] == line


def test_one_of_several_shots_says_how_many_there_are():
    hit = replace(make_hit(1, "/photos/PXL_20210627_184837.jpg"), collapsed=("/a.jpg", "/b.jpg"))
    assert captions([hit], [Thumbnail(b"x")], Layout(1, 19, 4)).plain.splitlines()[1] == "PXL_2021…837.jpg ×3"


def test_a_photo_without_a_score_has_a_caption_of_number_and_date():
    hit = replace(make_hit(1), score=None)
    shown = [captions([hit], [Thumbnail(b"x")], Layout(1, columns, 4)).plain.splitlines()[0] for columns in (20, 8)]
    assert [line.strip() for line in shown] == ["1  2023-06-02", "1"]
    assert line_below(hit, Path("/photos")).plain == "1  photo-001.jpg  2023-06-02 10:22  40×30"


def test_captions_stand_below_their_photos_and_link_to_them():
    hits = [make_hit(1, "/photos/写真\x1b[31m.jpg"), make_hit(2)]
    text = captions(hits, [Thumbnail(b"x")] * 2, Layout(2, 19, 4))
    first, second = text.plain.splitlines()
    assert first.index("2 0.398") == 20
    assert second == "写真\\e[31m.jpg" + " " * 6 + "photo-002.jpg"
    links = {str(span.style.link) for span in text.spans if getattr(span.style, "link", None)}
    assert {link.rpartition("/")[2] for link in links} == {"%E5%86%99%E7%9C%9F%1B%5B31m.jpg", "photo-002.jpg"}
