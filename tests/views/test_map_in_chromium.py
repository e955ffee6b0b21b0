"""The map's page as a browser has it: looked at, and used by pointer and keys."""

from __future__ import annotations

import io
import math
import sys

import pytest
from chromium import BROWSER, Chromium
from PIL import Image

from photomap_cli.records import Thumbnail
from photomap_cli.records.maps import MapCluster, MapPoint, PhotoMap
from photomap_cli.views.html.scatter import map_page

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(BROWSER is None, reason="no chromium to look at pages with: apt-get install chromium"),
    pytest.mark.skipif(sys.platform == "win32", reason="the browser is told what to do by a pipe"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

DRAWN = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
COUNTED = "document.querySelector('header p').textContent"
PLACES = ((0.15, 0.8), (0.85, 0.8), (0.5, 0.15))
NAMES = ("sunset", "cat & <dog>", "pizza")


class Gallery:
    def thumbnails(self, paths):
        made = io.BytesIO()
        Image.new("RGB", (64, 48), (255, 0, 255)).save(made, "WEBP", lossless=True)
        return [Thumbnail(made.getvalue()) for _ in paths]

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        pass


def made_map(count):
    points = []
    for number in range(count):
        group = number % 3
        away, angle = 0.12 * ((number // 3) / (count / 3)) ** 0.5, 2.4 * number
        x, y = PLACES[group]
        path = f"/no where/{NAMES[group]}/100% {number:05}.jpg"
        points.append(
            MapPoint(
                path, x + away * math.cos(angle), y + away * math.sin(angle), group + 1, f"202{group}-06-01T10:00:00"
            )
        )
    clusters = tuple(
        MapCluster(n + 1, name, count // 3, PLACES[n], tuple(point.path for point in points[n::3][:9]))
        for n, name in enumerate(NAMES)
    )
    return PhotoMap("tiny", "groups", 1.0, clusters, tuple(points))


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Chromium(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The page of a small map and that of one whose dots are set pixel by pixel."""
    folder = tmp_path_factory.mktemp("pages")
    for name, count in (("small", 60), ("large", 6000)):
        (folder / f"{name}.html").write_bytes(b"".join(map_page(made_map(count), Gallery, lambda work: work())))
    return folder


@pytest.fixture
def page(browser, pages):
    browser.open(pages / "small.html")
    browser.evaluate(DRAWN)
    return browser


def near(colour, wanted):
    return all(abs(one - other) < 12 for one, other in zip(colour, wanted, strict=True))


def pixels(browser, wanted):
    """Return how many pixels of a screenshot have this colour, `#rrggbb`."""
    rgb = tuple(int(wanted[at : at + 2], 16) for at in (1, 3, 5))
    return sum(count for count, colour in browser.screenshot().getcolors(1 << 24) if near(colour, rgb))


@pytest.mark.parametrize("name", ["small", "large"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_group_is_seen_and_nothing_is_loaded(browser, pages, name, scheme, width):
    browser.open(pages / f"{name}.html", width=width, scheme=scheme)
    browser.evaluate(DRAWN)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    for colour in browser.evaluate("clusters.map(each => each.colour)"):
        legend = 700
        assert pixels(browser, colour) > legend + 40
    corner = browser.screenshot().getpixel((2, 500))
    assert (sum(corner) < 120) == (scheme == "dark")
    assert browser.complaints == []
    assert len(browser.requests) == 1


def test_hovering_shows_a_photo_and_a_click_its_link(page):
    x, y = page.evaluate(
        "(() => { const box = canvas.getBoundingClientRect(); return [box.x + screenX(7), box.y + screenY(7)]; })()"
    )
    page.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    assert page.evaluate("[hoverBox.hidden, hoverBox.querySelector('b').textContent, hovered]") == [
        False,
        "100% 00007.jpg",
        7,
    ]
    assert page.evaluate("hoverBox.querySelector('img').decode().then(() => true)")
    for kind in ("mousePressed", "mouseReleased"):
        page.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
    assert page.evaluate("card.querySelector('a').getAttribute('href')") == (
        "file:///no%20where/cat%20%26%20%3Cdog%3E/100%25%2000007.jpg"
    )
    assert "2021-06-01 · B cat & <dog>" in page.evaluate("card.textContent")
    assert page.complaints == []


def test_dragging_moves_and_the_wheel_zooms_to_the_pointer(page):
    before = page.evaluate("[view.x, view.y, view.scale]")
    for kind, x in (("mousePressed", 400), ("mouseMoved", 430), ("mouseMoved", 500), ("mouseReleased", 500)):
        page.call("Input.dispatchMouseEvent", type=kind, x=x, y=400, button="left", buttons=1, clickCount=1)
    assert page.evaluate("view.x") == pytest.approx(before[0] + 100, abs=1)
    assert page.evaluate("chosen") == -1
    place = "(() => { const box = canvas.getBoundingClientRect(); return (400 - box.x - view.x) / view.scale; })()"
    under = page.evaluate(place)
    page.call("Input.dispatchMouseEvent", type="mouseWheel", x=400, y=400, deltaX=0, deltaY=-300)
    page.evaluate(DRAWN)
    assert page.evaluate("view.scale") > 1.3 * before[2]
    assert page.evaluate(place) == pytest.approx(under, abs=1)


def test_two_fingers_zoom(page):
    before = page.evaluate("view.scale")
    for kind, apart in (("touchStart", 60), ("touchMove", 120), ("touchMove", 180)):
        fingers = [{"x": 480 - apart, "y": 400, "id": 0}, {"x": 480 + apart, "y": 400, "id": 1}]
        page.call("Input.dispatchTouchEvent", type=kind, touchPoints=fingers)
    page.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    assert page.evaluate("view.scale") > 2 * before


def test_the_keyboard_alone_is_enough(page):
    page.evaluate("canvas.focus()")
    page.press("ArrowLeft", "ArrowLeft")
    assert page.evaluate("view.x - whole().x") == 160
    page.press("0", "Enter")
    first = page.evaluate("chosen")
    assert first >= 0
    page.press("ArrowUp")
    second = page.evaluate("chosen")
    assert page.evaluate(f"ys[{second}] < ys[{first}]")
    page.press("Escape")
    assert page.evaluate("[chosen, card.hidden]") == [-1, True]
    page.press("+")
    assert page.evaluate("view.scale > whole().scale")


def test_a_group_fills_the_screen_with_its_photos(page):
    page.evaluate("buttons[1].click()")
    page.evaluate("Promise.all([...thumbnails.keys()].map(i => image(i).decode())).then(() => { soon(); })")
    page.evaluate(DRAWN)
    assert page.evaluate("buttons.map(each => each.getAttribute('aria-pressed'))") == ["false", "true", "false"]
    assert page.evaluate("typicalBox.children.length") == 9
    assert pixels(page, "#ff00ff") > 20 * 32 * 24
    page.evaluate("typicalBox.children[0].click()")
    assert page.evaluate("card.querySelector('b').textContent") == "100% 00001.jpg"
    page.press("Escape", "Escape")
    assert page.evaluate("[group, view.scale === whole().scale]") == [-1, True]


def test_the_filter_leaves_what_has_all_words(page):
    page.evaluate("canvas.focus()")
    page.press("/")
    assert page.evaluate("document.activeElement.id") == "filter"
    page.press(*"2020 sunset 0003")
    assert page.evaluate(COUNTED).startswith("5 of 60 photos")
    page.press("Escape")
    assert page.evaluate(COUNTED).startswith("60 photos")
    assert page.evaluate("document.activeElement.id") == "map"


def test_it_looks_as_good_after_the_window_was_resized(page, pages):
    page.call("Emulation.setDeviceMetricsOverride", width=700, height=500, deviceScaleFactor=2, mobile=False)
    page.evaluate(DRAWN)
    page.evaluate(DRAWN)
    assert page.evaluate("canvas.width === Math.round(canvas.clientWidth * 2)")
    assert page.complaints == []


def test_a_name_stands_above_a_group_that_it_would_hide(browser, pages, tmp_path):
    drawn = made_map(60)
    spots = tuple(MapPoint(each.path, *PLACES[each.cluster - 1], each.cluster) for each in drawn.points)
    (tmp_path / "spots.html").write_bytes(
        b"".join(map_page(PhotoMap("tiny", "pacmap", 1.0, drawn.clusters, spots), Gallery, lambda work: work()))
    )
    browser.open(tmp_path / "spots.html")
    browser.evaluate(DRAWN)
    for number in range(3):
        colour, x, y = browser.evaluate(
            f"[clusters[{number}].colour, canvas.getBoundingClientRect().x + screenX({number}),"
            f" canvas.getBoundingClientRect().y + screenY({number})]"
        )
        rgb = tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))
        assert near(browser.screenshot().getpixel((round(x), round(y))), rgb)
