"""The threads of the gallery: the newest search wins, pictures near the cursor first, actions say how they end."""

from __future__ import annotations

import base64
import os
import threading
from pathlib import Path

import pytest
from fake_library import FakeLibrary
from terminal_fakes import PaintedThumbnailer, make_hit
from waiting import LONG_SECONDS, wait_until

from photomap_cli.browse import actions, events
from photomap_cli.browse.events import Action, Counted, Explain, Found, Relocated, Search, Told
from photomap_cli.browse.grid import Size
from photomap_cli.browse.pictures import Picture, Pictures, shown, wanted
from photomap_cli.browse.state import Focus, Mode, Results, State
from photomap_cli.browse.timeline import Month
from photomap_cli.browse.workers import SearchWorker
from photomap_cli.graphics.block_glyphs import HALVES
from photomap_cli.graphics.cells import Cells
from photomap_cli.library.catalog import Catalog
from photomap_cli.records import SearchRequest
from photomap_cli.repl.commands import desktop
from photomap_cli.repl.connection import Connection

HITS = tuple(make_hit(rank) for rank in range(1, 101))


@pytest.fixture
def asked():
    """Return (library, worker, what it posted)."""
    library, posted = FakeLibrary(), []
    worker = SearchWorker(Connection(lambda: library), SearchRequest("", "/", folder="/photos"), posted.append)
    worker.start()
    yield library, worker, posted
    library.answers.set()
    worker.close()


def test_of_the_searches_that_wait_only_the_newest_is_asked(asked):
    library, worker, posted = asked
    worker.ask(Search(1, "slow", 10))
    wait_until(lambda: library.requests)
    for generation, query in enumerate(("d", "do", "dog"), 2):
        worker.ask(Search(generation, query, 10, is_draft=True))
    library.answers.set()
    wait_until(lambda: any(found.search.query == "dog" for found in posted))
    assert [request.text for request in library.requests] == ["slow", "dog"]
    assert library.requests[1].is_draft
    assert library.requests[1].folder == "/photos"


def test_lists_go_on_where_they_ended_and_searches_say_when_they_are_complete(asked):
    _, worker, posted = asked
    worker.ask(Search(1, "", 200))
    first = wait_until(lambda: posted and posted[-1])
    assert (first.is_list, first.cursor, first.is_complete, len(first.hits)) == (True, "200", False, 200)
    worker.ask(Search(1, "", 400, is_more=True, cursor="200"))
    wait_until(lambda: len(posted) == 2)
    assert (len(posted[1].hits), posted[1].is_complete) == (300, True)
    worker.ask(Search(2, "dog", 40))
    wait_until(lambda: len(posted) == 3)
    assert not posted[2].is_complete
    worker.ask(Search(3, "dog", 41))
    wait_until(lambda: len(posted) == 4)
    assert posted[3].is_complete


def test_the_months_of_all_pages_are_counted(asked):
    _, worker, posted = asked
    worker.ask(events.CountMonths(1, ""))
    wait_until(lambda: posted)
    assert posted == [Counted(1, (Month("2023-06", 500),))]


def test_an_explanation_is_of_the_photo_asked_about(asked):
    _, worker, posted = asked
    worker.ask(Explain("dog", "/photos/photo-499.jpg", 40))
    explained = wait_until(lambda: posted and posted[0])
    assert (explained.path, explained.terms[0].term) == ("/photos/photo-499.jpg", "dog")
    assert explained.score == pytest.approx(0.399)


def test_a_refusal_comes_back_with_its_search_and_the_next_one_is_answered(asked):
    _, worker, posted = asked
    worker.ask(Search(1, "a bad one", 10))
    failed = wait_until(lambda: posted and posted[0])
    assert (failed.search.generation, failed.error.position) == (1, 2)
    worker.ask(Search(2, "dog", 10))
    wait_until(lambda: isinstance(posted[-1], Found))


# -- pictures ----------------------------------------------------------------------------------------------------------


class NotingGallery(PaintedThumbnailer):
    """Notes what it was asked for, and waits for leave."""

    def __init__(self):
        self.asked, self.may_go_on = [], threading.Event()

    def thumbnails(self, paths):
        self.asked += paths
        assert self.may_go_on.wait(LONG_SECONDS)
        return super().thumbnails(paths)


def grid(cursor=0, top=0, **values):
    return State(Size(80, 24), focus=Focus.PHOTOS, results=Results("cat", HITS), cursor=cursor, top=top, **values)


def test_pictures_are_wanted_nearest_to_the_cursor_first_and_then_a_page_ahead():
    numbers = [int(picture.path[-7:-4]) - 1 for picture in wanted(grid(cursor=4))]
    assert numbers == [4, 3, 5, 2, 1, 0, 6, 7, 8, 9, 10, 11]
    assert [int(picture.path[-7:-4]) - 1 for picture in wanted(grid(cursor=9, top=3))][-3:] == [8, 7, 6]


def test_a_photo_that_is_looked_at_comes_first_in_small_then_in_large():
    first, in_strip, large, *others = wanted(grid(cursor=4, mode=Mode.LOOK))
    assert {first.path, in_strip.path, large.path} == {HITS[4].path}
    assert (first.is_large, in_strip.is_large, large.is_large) == (False, False, True)
    assert {picture.path for picture in others} == {hit.path for hit in (*HITS[2:4], *HITS[5:7])}


def test_what_scrolled_away_is_not_decoded():
    gallery = NotingGallery()
    made = Pictures(lambda: gallery, Cells(HALVES), lambda: None)
    made.start()
    made.want(wanted(grid()))
    wait_until(lambda: gallery.asked)
    made.want(wanted(grid(cursor=90, top=30)))
    gallery.may_go_on.set()
    last = Picture(HITS[90].path, *(grid().geometry.width, grid().geometry.height))
    wait_until(lambda: made.get(last))
    made.close()
    assert {path for path in gallery.asked if path <= HITS[11].path} == {hit.path for hit in HITS[:4]}


def test_what_is_kept_is_bounded():
    made = Pictures(PaintedThumbnailer, Cells(HALVES), lambda: None, kept_bytes=60_000)
    made.start()
    for top in range(0, 30, 2):
        state = grid(cursor=3 * top, top=top)
        made.want(wanted(state))
        for (picture,) in shown(state).values():
            wait_until(lambda picture=picture: made.get(picture))
    made.close()
    assert 0 < made.kept_bytes <= 60_000


def test_a_gallery_that_fails_costs_its_pictures_and_nothing_else():
    class Failing(PaintedThumbnailer):
        def thumbnails(self, paths):
            if HITS[0].path in paths:
                raise OSError("the disk is gone")
            return super().thumbnails(paths)

    made = Pictures(Failing, Cells(HALVES), lambda: None)
    made.start()
    made.want([Picture(HITS[0].path, 20, 5)])
    wait_until(lambda: made.get(Picture(HITS[0].path, 20, 5)))
    made.want([Picture(HITS[1].path, 20, 5)])
    wait_until(lambda: made.get(Picture(HITS[1].path, 20, 5)))
    made.close()


# -- actions -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def world(tmp_path):
    """Return a function that makes what actions need; its `posted` and `written` are what came of them."""

    def make(**values):
        made = actions.ActionContext(
            **{
                "post": lambda event: made.environment["posted"].append(event),
                "write": lambda text: made.environment["written"].append(text),
                "open_thumbnailer": PaintedThumbnailer,
                "library": tmp_path / "library",
                "cwd": tmp_path,
                "platform": "linux",
                **values,
                "environment": {"posted": [], "written": [], **values.get("environment", {})},
            }
        )
        return made

    return make


def carried_out(world, action):
    """Carry out an action and return what it posted."""
    running = actions.ActionRunner(world)
    running.start(action)
    posted = world.environment["posted"]
    wait_until(lambda: any(isinstance(event, Told) and event.is_done for event in posted))
    running.close()
    return posted


@pytest.fixture
def photos(tmp_path):
    paths = []
    for folder, name in (("one", "a.jpg"), ("two", "a.jpg"), ("two", "b.jpg")):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).write_text(f"{folder} {name}")
        paths.append(str(tmp_path / folder / name))
    return tuple(paths)


def test_an_export_overwrites_nothing_and_tells(world, photos, tmp_path):
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "a.jpg").write_text("mine")
    told = carried_out(world(), Action("export", photos, "copy", "frames"))[-1]
    assert "3 photos copied to" in told.text
    names = sorted(path.name for path in (tmp_path / "frames").iterdir())
    assert names == ["a (2).jpg", "a (3).jpg", "a.jpg", "b.jpg"]
    assert (tmp_path / "frames" / "a.jpg").read_text() == "mine"


@pytest.mark.parametrize("way", ["link", "hard link", "reflink", "zip"])
def test_the_other_ways_of_an_export(world, photos, tmp_path, way):
    target = "frames.zip" if way == "zip" else "frames"
    told = carried_out(world(), Action("export", photos, way, target))[-1]
    assert not told.is_error
    assert (tmp_path / target).exists()
    assert all(Path(path).exists() for path in photos)


def test_a_move_tells_the_library_and_the_photos_new_places(world, photos, tmp_path):
    Catalog.open(tmp_path / "library", create=True).close()
    posted = carried_out(world(), Action("export", photos[:1], "move", "frames"))
    assert Relocated(((photos[0], str(tmp_path / "frames" / "a.jpg")),)) in posted
    assert not Path(photos[0]).exists()
    assert (tmp_path / "frames" / "a.jpg").read_text() == "one a.jpg"


def test_where_nothing_can_be_written_the_reason_is_told(world, photos, tmp_path):
    (tmp_path / "frames").write_text("a file")
    told = carried_out(world(), Action("export", photos, "copy", "frames"))[-1]
    assert told.is_error
    assert "isn't a folder" in told.text


def test_photos_get_into_an_album(world, photos, tmp_path):
    Catalog.open(tmp_path / "library", create=True).close()
    told = carried_out(world(), Action("album", photos, target=" Best "))[-1]
    assert "added to Best" in told.text


def test_paths_are_copied_by_the_terminal_where_there_is_no_other_way(world, photos):
    made = world(environment={"TERM": "xterm"})
    told = carried_out(made, Action("copy_paths", photos[:2]))[-1]
    assert told.text == "copied 2 photos (via the terminal, OSC 52)"
    assert base64.b64encode("\n".join(photos[:2]).encode()).decode() in made.environment["written"][0]


def test_a_picture_is_copied_as_png(world, photos, tmp_path, monkeypatch):
    taken = {}
    monkeypatch.setattr(actions.shutil, "which", lambda name: name)
    monkeypatch.setattr(desktop, "pipes_into", lambda command, data, seconds: taken.update({command[0]: data}) or True)
    told = carried_out(world(environment={"WAYLAND_DISPLAY": "w"}), Action("copy_picture", photos))[-1]
    assert "of 3 photos the first one" in told.text
    assert taken["wl-copy"].startswith(b"\x89PNG")


def test_without_a_desktop_the_picture_and_the_viewer_are_refused_with_a_way_out(world, photos):
    ssh = {"SSH_CONNECTION": "here"}
    assert "install" in carried_out(world(environment=ssh), Action("copy_picture", photos))[-1].text
    assert "no desktop over ssh" in carried_out(world(environment=ssh), Action("open", photos))[-1].text


def test_iterm2_is_sent_each_file(world, photos):
    made = world(takes_files="iterm2", environment={"SSH_TTY": "/dev/pts/1"})
    told = carried_out(made, Action("download", photos))[-1]
    assert told.text == "sent to the terminal: 3 photos"
    name, data = base64.b64encode(b"a.jpg").decode(), base64.b64encode(b"one a.jpg").decode()
    assert made.environment["written"][0] == f"\x1b]1337;File=name={name};size=9;inline=0:{data}\x07"


@pytest.mark.parametrize(
    ("takes_files", "environment", "reason"),
    [
        ("iterm2", {}, "on this computer already"),
        ("", {"SSH_TTY": "/dev/pts/1"}, "scp HOST:"),
        ("kitty", {"SSH_TTY": "/dev/pts/1"}, "kitten"),
    ],
)
def test_where_nothing_can_be_downloaded_it_says_what_can_be_done(
    world, photos, monkeypatch, takes_files, environment, reason
):
    monkeypatch.setattr(actions.shutil, "which", lambda name: None)
    made = world(takes_files=takes_files, environment=environment)
    assert actions.download_command(Action("download", photos), made) == []
    told = carried_out(made, Action("download", photos))[-1]
    assert told.is_error
    assert reason in told.text


def test_kittys_own_program_downloads_where_there_is_one(world, photos, monkeypatch):
    monkeypatch.setattr(actions.shutil, "which", lambda name: name)
    made = world(takes_files="kitty", environment={"SSH_TTY": "/dev/pts/1"})
    assert actions.download_command(Action("download", photos), made)[:2] == ["kitten", "transfer"]


def test_a_defect_in_an_act_ends_it(world, photos):
    def broken(text):
        raise ValueError("oh")

    told = carried_out(world(write=broken, environment={"TERM": "xterm"}), Action("copy_paths", photos))[-1]
    assert told.is_error
    assert os.linesep not in told.text
