"""The map's page: one file, harmless whatever photos are called, with all thumbnails or those of a few."""

from __future__ import annotations

import json
import re

from photomap_cli.records import Thumbnail
from photomap_cli.records.maps import MapCluster, MapPoint, PhotoMap
from photomap_cli.views.html import scatter
from photomap_cli.views.html.scatter import map_page

WILD = ("plain.jpg", "<script>alert(1)<!--.jpg", "<!--.jpg", "&amp; \"'\\.jpg", "写真 #1 100%?.jpg")


class Gallery:
    """Has a thumbnail of everything but of what is called gone."""

    def __init__(self):
        self.asked = []

    def thumbnails(self, paths):
        self.asked += paths
        return [
            Thumbnail(fault="no longer there") if "gone" in path else Thumbnail(b"webp " + path.encode())
            for path in paths
        ]

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        pass


def made_map(names=WILD, *, folder="/photos/été & <b>", groups=2):
    points = [
        MapPoint(f"{folder}/{name}", number / 100, 0.25, number % groups + 1, "2023-06-01T10:00:00" if number else None)
        for number, name in enumerate(names)
    ]
    clusters = [
        MapCluster(
            n + 1,
            f"<i>{n}</i>",
            len(points[n::groups]),
            (0.5, 0.1),
            tuple(point.path for point in points[n::groups][:9]),
        )
        for n in range(groups)
    ]
    return PhotoMap("tiny", "groups", 1.0, tuple(clusters), tuple(points))


def written(drawn, thumbnailer=None):
    thumbnailer = thumbnailer or Gallery()
    return b"".join(map_page(drawn, lambda: thumbnailer, lambda work: work())).decode("utf-8")


def data_in(page):
    return json.loads(re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL)[1])


def test_points_groups_and_thumbnails_are_what_was_drawn():
    drawn = made_map()
    data = data_in(written(drawn))
    assert data["names"] == list(WILD)
    assert (data["xs"], data["ys"]) == ([0, 100, 200, 300, 400], [7500] * 5)
    assert data["groups"] == [0, 1, 0, 1, 0]
    assert data["dates"] == ["", *["2023-06-01"] * 4]
    assert data["folders"] == ["file:///photos/%C3%A9t%C3%A9%20%26%20%3Cb%3E/"]
    assert data["typical"] == [[0, 2, 4], [1, 3]]
    assert {number for number, _ in data["thumbnails"]} == {0, 1, 2, 3, 4}
    assert [(group["letter"], group["name"], group["y"]) for group in data["clusters"]] == [
        ("A", "<i>0</i>", 9000),
        ("B", "<i>1</i>", 9000),
    ]


def test_no_name_gets_out_of_its_place():
    page = written(made_map())
    assert page.count("<script") == page.count("</script>") == 2
    assert "<script>alert" not in page
    assert "<!--" not in page
    assert "<i>0</i>" not in page
    assert "&lt;i&gt;0&lt;/i&gt;" in page


def test_the_page_loads_nothing_and_runs_only_its_own():
    page = written(made_map())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in re.sub(r'http-equiv="', "", page)
    assert not re.search(r"<[^>]*\son\w+=", page)
    assert "style=" not in page


def test_of_many_photos_only_typical_ones_have_thumbnails(monkeypatch):
    monkeypatch.setattr(scatter, "MOST_THUMBNAILS", 49)
    thumbnailer = Gallery()
    drawn = made_map([f"{number}.jpg" for number in range(50)])
    assert len(data_in(written(drawn, thumbnailer))["thumbnails"]) == 18
    assert sorted(thumbnailer.asked) == sorted(path for group in drawn.clusters for path in group.representatives)
    monkeypatch.setattr(scatter, "MOST_THUMBNAILS", 50)
    assert len(data_in(written(drawn))["thumbnails"]) == 50


def test_a_photo_that_cannot_be_read_has_no_thumbnail_but_is_there():
    data = data_in(written(made_map(("here.jpg", "gone.jpg", "there.jpg"))))
    assert data["names"] == ["here.jpg", "gone.jpg", "there.jpg"]
    assert [number for number, _ in data["thumbnails"]] == [0, 2]
