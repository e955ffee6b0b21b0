import base64
import hashlib
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from PIL import Image

from photomap_cli.views.html.contact_sheet import Entry, page

EVIL = """<script>alert(1)</script>"><img src=x onerror=alert(2)> &amp; ' {title} \\"""
VOID = {"meta", "link", "img", "input"}


def webp(colour=(200, 40, 40), size=(320, 240)):
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "WEBP")
    return file.getvalue()


ENTRY = Entry("1", "0.312", "a.jpg", "/photos", "2023-06-15", "4032×3024", "file:///photos/a.jpg", (4032, 3024), webp())


class Reader(HTMLParser):
    """Reads a page as a browser would, and fails for tags that do not match."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self._open = [], [], []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self._open[-1] if self._open else "", data))

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    def text(self, tag):
        return "".join(data for name, data in self.texts if name == tag)


def read(*entries, title="cat", facts="1 photo"):
    return Reader("".join(page(title, facts, entries)))


def test_a_photo_has_its_thumbnail_its_link_and_its_facts():
    seen = read(ENTRY)
    (image,) = (each for each in seen.all("img") if each["src"].startswith("data:image"))
    head, data = image["src"].split(",")
    assert head == "data:image/webp;base64"
    assert base64.b64decode(data) == ENTRY.webp
    assert (image["alt"], image["width"], image["height"]) == ("a.jpg", "4032", "3024")
    assert {each["href"] for each in seen.all("a")} == {"file:///photos/a.jpg"}
    assert seen.text("span") == "0.3122023-06-154032×3024"
    assert (seen.text("h1"), seen.text("title")) == ("cat", "cat")


def test_whatever_a_name_holds_is_text():
    texts = ("rank", "score", "name", "folder", "date", "size", "link", "fault")
    evil = replace(ENTRY, **dict.fromkeys(texts, EVIL))
    seen = read(evil, replace(evil, webp=b""), title=EVIL, facts=EVIL)
    assert [tag for tag, _ in seen.tags] == [tag for tag, _ in read(ENTRY, replace(ENTRY, webp=b"")).tags]
    assert seen.text("h1") == EVIL
    assert {each["href"] for each in seen.all("a")} == {EVIL}
    assert all(not name.startswith("on") for _, attributes in seen.tags for name in attributes)


def test_the_policy_lets_in_what_is_in_the_page_and_nothing_else():
    seen = read(ENTRY)
    (policy,) = (each["content"] for each in seen.all("meta") if each.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data: file:"
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        digest = base64.b64encode(hashlib.sha256(seen.text(tag).encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    assert not any("style" in attributes for _, attributes in seen.tags)


def test_nothing_is_loaded_from_anywhere():
    text = "".join(page("cat", "", [replace(ENTRY, webp=b"\0")]))
    assert re.findall(r"\w+://", text) == ["file://"] * 2
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|srcset", text)


def test_a_photo_without_a_thumbnail_says_why():
    seen = read(replace(ENTRY, webp=b"", fault="no longer there"))
    assert "no longer there" in seen.text("span")
    assert [each["src"] for each in seen.all("img")] == ["data:,"]  # the large one's


@pytest.mark.parametrize("count", [0, 1, 100])
def test_a_page_is_made_a_photo_at_a_time_and_little_larger_than_its_thumbnails(count):
    taken = []

    def entries():
        for number in range(count):
            taken.append(number)
            yield replace(ENTRY, webp=bytes(15_000))

    pieces = page("cat", "", entries())
    next(pieces)
    assert taken == []
    size = sum(map(len, pieces))
    assert len(taken) == count
    assert size < 12_000 + count * (20_000 + 700)
