"""Queries that name a picture by its address, through a whole session."""

import errno
import threading
from pathlib import Path

import pytest
from waiting import LONG_SECONDS, in_thread
from web_stand_in import WebStandIn, answer, redirect

from photomap_cli.errors import BadImage
from photomap_cli.indexing.index_options import IndexOptions
from photomap_cli.records import SearchRequest
from photomap_cli.search import query_images


@pytest.fixture
def site(photos):
    with WebStandIn() as stand_in:
        stand_in.says["/blue"] = answer((photos / "blue" / "blue.png").read_bytes(), Content_Type="text/html")
        stand_in.says["/page"] = answer(b"<html><img src=blue></html>", Content_Type="image/png")
        yield stand_in


@pytest.fixture
def session(make_session, photos):
    made = make_session(private_addresses=True)
    for _ in made.indexer(IndexOptions()).run([photos]):
        pass
    return made


def ask(session, text):
    return session.search(SearchRequest(text, cwd="/"))


def test_a_picture_on_the_web_finds_what_looks_like_it_whatever_its_server_says_it_is(session, site):
    result = ask(session, f"2:{site.url('/blue')} - dog")
    assert result.hits[0].path.endswith("blue.png")
    alone = ask(session, site.url("/blue"))
    assert alone.hits[0].path.endswith("blue.png")
    assert alone.hits[0].score == pytest.approx(1, abs=1e-2)
    assert len(site.asked) == 1


def test_its_time_is_part_of_the_answer(session, site):
    def slow(connection):
        site.over.wait(0.05)
        connection.sendall(site.says["/blue"])

    site.says["/slow"] = slow
    assert ask(session, site.url("/slow")).elapsed_ms > 50


@pytest.mark.parametrize(("path", "reason"), [("/page", "not a picture"), ("/empty", "empty"), ("/gone", "404")])
def test_what_is_no_picture_is_told_with_its_place(session, site, path, reason):
    site.says |= {"/empty": answer(b""), "/gone": answer(b"", "404 Not Found")}
    with pytest.raises(BadImage, match=reason) as caught:
        ask(session, f"dog + 2:{site.url(path)} - cat")
    assert caught.value.position == len("dog + ")
    assert caught.value.hint


def test_the_pictures_of_one_query_have_a_limit_altogether(session, site, photos, monkeypatch):
    site.says["/red"] = answer((photos / "red" / "red.png").read_bytes())
    monkeypatch.setattr(query_images, "MOST_BYTES", (photos / "red" / "red.png").stat().st_size)
    assert ask(session, site.url("/red")).hits
    with pytest.raises(BadImage, match="altogether") as caught:
        ask(session, f"{site.url('/red')} + {site.url('/blue')}")
    assert caught.value.position == len(site.url("/red")) + 3


def test_a_full_disk_for_temporary_files_is_told(session, site, monkeypatch):
    def full(_path, _content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(BadImage, match="can't make a temporary file: no space left") as caught:
        ask(session, site.url("/blue"))
    assert caught.value.hint.startswith("free some space")


def test_private_addresses_are_refused_unless_the_setting_allows_them(make_session, session, site):
    other = make_session(session.catalog.folder)
    site.says["/redirect"] = redirect("/blue")
    with pytest.raises(BadImage, match="not on the open internet") as caught:
        ask(other, f"dog {site.url('/redirect')}")
    assert caught.value.position == 4
    assert site.asked == []


def test_other_searches_are_answered_while_a_picture_is_fetched(session, site):
    asked, go = threading.Event(), threading.Event()

    def wait(connection):
        asked.set()
        go.wait(LONG_SECONDS)
        connection.sendall(site.says["/blue"])

    site.says["/slow"] = wait
    found = []
    asking = in_thread(lambda: found.append(ask(session, site.url("/slow"))))
    assert asked.wait(LONG_SECONDS)
    assert len(ask(session, "dog").hits) == 4
    go.set()
    asking.join(LONG_SECONDS)
    assert found[0].hits[0].path.endswith("blue.png")


def test_a_damaged_query_image_costs_its_query_alone(session, tmp_path):
    (tmp_path / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 100)
    with pytest.raises(BadImage, match=r"damaged\.png: ") as caught:
        ask(session, f"dog + {tmp_path}/damaged.png")
    assert caught.value.position == 6
    assert len(ask(session, "dog").hits) == 4


def test_a_path_that_can_be_none_is_told(session):
    with pytest.raises(BadImage, match="File name too long") as caught:
        ask(session, f"/{'x' * 300}")
    assert caught.value.hint
