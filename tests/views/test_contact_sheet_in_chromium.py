"""The pages as a browser has them: looked at, and used by the keyboard alone."""

import io
import os
import sys

import pytest
from chromium import BROWSER, Chromium
from PIL import Image

from photomap_cli.records import Hit, SearchResult, Thumbnail, Timings
from photomap_cli.views.html.contact_sheet import sheet_page

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(BROWSER is None, reason="no chromium to look at pages with: apt-get install chromium"),
    pytest.mark.skipif(sys.platform == "win32", reason="the browser is told what to do by a pipe"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

NAMES = [
    "plain.jpg",
    "<b onclick=alert(1)>bold.jpg",
    "\"><img src=x onerror=alert(2)>&amp;'.jpg",
    os.fsdecode(b"no utf-8 \xff.jpg"),
    "line\nbreak #1 100%?.jpg",
    "写真 E\u0301te\u0301.jpg",
    *(f"photo-{number:02d}.jpg" for number in range(18)),
]


CONTRASTS = """(() => {
    const linear = part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    const light = colour => {
        const [red, green, blue] = colour.match(/[\\d.]+/g).map(part => linear(part / 255));
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05;
    };
    const back = light(getComputedStyle(document.body).backgroundColor);
    const texts = ["h1", "header p", ".name", ".facts span", ".facts b"].map(each => document.querySelector(each));
    return texts.map(each => light(getComputedStyle(each).color)).map(ink => Math.max(ink / back, back / ink));
})()"""

LARGE = """new Promise(done => {
    const look = left => {
        if (large.naturalWidth >= 480 || !left) done(large.naturalWidth); else setTimeout(look, 5, left - 1);
    };
    look(60000);
})"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Chromium(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


class Photos:
    """A gallery of real files, whose thumbnails are smaller than they are; the last one cannot be read."""

    def __init__(self, folder):
        self.paths = [str(folder / name) for name in NAMES]
        for number, path in enumerate(self.paths):
            size = (640, 480) if number % 3 else (480, 640)
            Image.new("RGB", size, (250 - 10 * number, 90, 10 * number)).save(path, "JPEG")
        self.result = SearchResult(
            'a <cat> & "dog"',
            "tiny",
            12.0,
            "local",
            Timings(),
            tuple(
                Hit(rank, path, 0.5 - rank / 100, f"2023-06-{rank:02d}T10:00:00", 640, 480)
                for rank, path in enumerate(self.paths, 1)
            ),
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def thumbnails(self, paths):
        return [self._thumbnail(path) for path in paths]

    def _thumbnail(self, path):
        if path == self.paths[-1]:
            return Thumbnail(fault="no longer there")
        with Image.open(path) as image:
            small = image.resize((image.width // 4, image.height // 4))
        file = io.BytesIO()
        small.save(file, "WEBP")
        return Thumbnail(file.getvalue())


@pytest.fixture(scope="module")
def sheet(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    photos = Photos(folder)
    path = folder / "sheet.html"
    path.write_bytes(b"".join(sheet_page(photos.result, lambda: photos, lambda work: work())))
    return path


def focused(browser):
    """The rank of the tile that has the focus."""
    return browser.evaluate("document.activeElement.matches('.tile') && shown.indexOf(document.activeElement) + 1")


def test_everything_is_there_and_the_browser_has_no_complaint(browser, sheet):
    browser.open(sheet)
    assert browser.evaluate("document.querySelectorAll('.tile').length") == len(NAMES)
    decoded = "Promise.all([...document.querySelectorAll('.tile img')].map(i => (i.loading = 'eager', i.decode())))"
    assert len(browser.evaluate(decoded)) == len(NAMES) - 1
    assert browser.evaluate("document.title") == 'a <cat> & "dog"'
    names = browser.evaluate("[...document.querySelectorAll('.name')].map(a => a.textContent)")
    assert names[:6] == [
        "plain.jpg",
        "<b onclick=alert(1)>bold.jpg",
        "\"><img src=x onerror=alert(2)>&amp;'.jpg",
        "no utf-8 \\xff.jpg",
        "line\\nbreak #1 100%?.jpg",
        "写真 E\u0301te\u0301.jpg",
    ]
    assert browser.evaluate("[...document.querySelectorAll('.tile')].at(-1).textContent") == "no longer there"
    assert browser.complaints == []
    assert browser.requests == [sheet.as_uri()]


@pytest.mark.parametrize(("width", "columns"), [(1600, 6), (1280, 5), (800, 3), (500, 2), (320, 2)])
def test_it_fits_every_width(width, columns, browser, sheet):
    browser.open(sheet, width=width)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate("columns()") == columns


@pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
def test_it_is_light_or_dark_as_the_reader_has_it_and_readable(scheme, is_dark, browser, sheet):
    browser.open(sheet, scheme=scheme)
    image = browser.screenshot()
    assert (sum(image.getpixel((640, 8))) < 3 * 60) == is_dark
    assert browser.screenshot().crop((20, 90, 250, 240)).getcolors(1 << 16)[0][1] != image.getpixel((640, 8))
    assert min(browser.evaluate(CONTRASTS)) >= 4.5  # as WCAG's AA wants it


def test_the_arrows_walk_over_the_tiles(browser, sheet):
    browser.open(sheet)
    walked = []
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowUp", "End", "ArrowRight"):
        browser.press(key)
        walked.append(focused(browser))
    assert walked == [1, 2, 7, 6, 1, 1, len(NAMES), len(NAMES)]


def test_enter_opens_a_photo_large_arrows_go_on_and_escape_returns(browser, sheet):
    browser.open(sheet)
    browser.press("ArrowRight", "Enter")
    assert browser.evaluate("box.open")
    assert browser.evaluate(LARGE) == 480  # the photo itself, as the page lies where the photos do
    assert browser.evaluate("about.textContent.trim().replace(/\\s+/g, ' ')").startswith("plain.jpg 1")
    browser.press("ArrowRight")
    assert browser.evaluate(LARGE) == 640
    assert browser.evaluate("about.textContent").strip().startswith("<b onclick=alert(1)>bold.jpg")
    browser.press("Escape")
    assert not browser.evaluate("box.open")
    assert focused(browser) == 2
    assert browser.complaints == []
    assert all(url.startswith("file:///") for url in browser.requests)


def test_a_photo_that_is_not_here_stays_as_its_thumbnail(browser, sheet, tmp_path):
    away = tmp_path / "away.html"
    away.write_text(sheet.read_text().replace(sheet.parent.as_uri(), "file:///nowhere"))
    browser.open(away)
    browser.press("ArrowRight", "Enter")
    browser.evaluate("new Promise(done => setTimeout(done, 0))")
    assert browser.evaluate("large.decode().then(() => [large.naturalWidth, large.naturalHeight])") == [120, 160]


def test_a_filter_finds_letters_in_whatever_form_they_are(browser, sheet):
    browser.open(sheet)
    for typed in ("\u00e9t\u00e9", "e\u0301te\u0301"):
        assert browser.evaluate(f"filter.value = '{typed}'; narrow(); shown.length") == 1


def test_a_slash_filters_and_escape_shows_all_again(browser, sheet):
    browser.open(sheet)
    browser.press("/", *"photo-0")
    assert browser.evaluate("filter.value") == "photo-0"
    assert browser.evaluate("shown.length") == 10
    assert browser.evaluate("byId('count').textContent") == "10 shown · "
    browser.press("ArrowDown", "Enter")
    assert browser.evaluate("box.open && about.textContent").strip().startswith("photo-00.jpg")
    browser.press("ArrowLeft")  # round the corner, among those shown
    assert browser.evaluate("about.textContent").strip().startswith("photo-09.jpg")
    browser.press("Escape", "/", *"zzz")
    assert not browser.evaluate("byId('none').hidden")
    browser.press("Enter", "ArrowDown")
    assert not browser.evaluate("box.open")
    browser.press("Escape")
    assert browser.evaluate("shown.length") == len(NAMES)
    assert browser.complaints == []
