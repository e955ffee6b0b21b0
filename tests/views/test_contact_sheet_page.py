import os
from dataclasses import replace

import pytest
from terminal_fakes import PaintedThumbnailer, make_hit, make_result

from photomap_cli.errors import BadPath
from photomap_cli.views.export import save
from photomap_cli.views.html.contact_sheet import sheet_page

NAMES = ("/photos/plain.jpg", '/photos/<b>"x"\n.jpg', os.fsdecode(b"/photos/\xff.jpg"), "/photos/gone.jpg")
HITS = tuple(make_hit(rank, path) for rank, path in enumerate(NAMES, 1))


def at_once(work):
    return work()


def text_of(result, thumbnailer=PaintedThumbnailer):
    return b"".join(sheet_page(result, thumbnailer, at_once)).decode("utf-8")


def save_page(path, *, thumbnailer=PaintedThumbnailer, over=False):
    save(
        make_result(0, hits=HITS),
        path,
        as_page=lambda result: sheet_page(result, thumbnailer, at_once),
        over=over,
        hint="-f",
    )


def test_every_photo_is_on_the_page_and_what_is_missing_is_said():
    text = text_of(make_result(0, hits=HITS))
    assert text.count("data:image/webp;base64,") == 3
    assert "no longer there" in text
    assert "&lt;b&gt;&quot;x&quot;\\n.jpg" in text
    assert "\\xff.jpg" in text
    assert 'href="file:///photos/%FF.jpg"' in text
    assert "<span>0.399</span><span>2023-06-02</span><span>40×30</span>" in text
    assert "4 photos · tiny" in text


def test_a_photo_without_a_score_shows_its_date_and_size():
    text = text_of(make_result(0, hits=(replace(HITS[0], score=None),), encoded_by=None))
    assert "</b><span>2023-06-02</span><span>40×30</span>" in text


def test_a_few_thumbnails_are_held_at_a_time():
    asked = []

    class Gallery(PaintedThumbnailer):
        def thumbnails(self, paths):
            asked.append(len(paths))
            return super().thumbnails(paths)

    pieces = sheet_page(make_result(60), Gallery, at_once)
    next(pieces)
    assert asked == []
    list(pieces)
    assert asked == [24, 24, 12]


def test_a_page_is_written_over_nothing_unless_told(tmp_path):
    path = tmp_path / "a.html"
    path.write_text("precious")
    with pytest.raises(BadPath, match="already exists"):
        save_page(path)
    assert path.read_text() == "precious"
    save_page(path, over=True)
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert list(tmp_path.iterdir()) == [path]


def test_a_page_that_is_given_up_leaves_the_old_file_and_nothing_else(tmp_path):
    class Gallery(PaintedThumbnailer):
        def thumbnails(self, paths):
            raise KeyboardInterrupt

    path = tmp_path / "a.html"
    path.write_text("precious")
    with pytest.raises(KeyboardInterrupt):
        save_page(path, thumbnailer=Gallery, over=True)
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]
