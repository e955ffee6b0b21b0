"""A session finds new pictures by itself; nobody waits for that, and the encoder is let go of as if it were unused."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from drawing.picture import make_picture
from waiting import LONG_SECONDS, wait_until

from photomap_cli.indexing import folder_watch
from photomap_cli.library.file_lock import INDEX_LOCK_NAME, FileLock, only_writer
from photomap_cli.records import ResidencyState, SearchRequest
from photomap_cli.session import attach, background_indexer
from photomap_cli.session.background_indexer import BackgroundIndexer
from photomap_cli.session.image_encoder import ImageEncoder
from photomap_cli.session.session import Session
from photomap_cli.settings import Settings

pytestmark = pytest.mark.usefixtures("one_encoder_process")

TINY = Settings(device="cpu", encoder="tiny", text_encoder="torch", watch="on")


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(attach, "FIRST_LOOK_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(background_indexer, "STEP_SECONDS", 0.1)
    for module in (background_indexer, folder_watch):
        monkeypatch.setattr(module, "QUIET_SECONDS", 0.2)


def draw(folder, *names, kind="cat"):
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        make_picture(kind, seed=number, size=(96, 72)).save(folder / name)


def index(library, *folders, **options):
    from photomap_cli.indexing.index_options import IndexOptions

    with Session.open(library, TINY, create=True) as session:
        for _ in session.indexer(IndexOptions(**options)).run(folders):
            pass


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    return folder


@pytest.fixture
def library(tmp_path, pictures):
    draw(pictures, "first.jpg")
    index(tmp_path / "library", pictures)
    return tmp_path / "library"


@pytest.fixture
def session(library):
    with attach.host(library, TINY, kind="repl") as opened:
        yield opened


def paths(session):
    result = session.search(SearchRequest("cat min:-1", cwd="/", folder="*", limit=1000))
    return sorted(Path(hit.path).name for hit in result.hits)


def test_five_hundred_photos_that_appear_are_found_without_a_command(session, pictures, tmp_path):
    draw(tmp_path / "camera", "one.jpg")
    original = (tmp_path / "camera" / "one.jpg").read_bytes()
    (pictures / "2026" / "Italy").mkdir(parents=True)
    for number in range(500):  # each with bytes of its own: equal ones are encoded once
        (pictures / "2026" / "Italy" / f"{number:03}.jpg").write_bytes(original + number.to_bytes(2, "big"))
    wait_until(lambda: session.status().photos == 501)
    assert session.status().new_photos == 500
    assert len(paths(session)) == 501
    assert session.status().new_photos == 0, "the query has seen them"


def test_what_changed_while_there_was_no_session_is_found(library, pictures):
    draw(pictures, "later.jpg")
    (pictures / "first.jpg").unlink()
    with attach.host(library, TINY, kind="serve") as session:
        wait_until(lambda: session.status().new_photos == 1)
        wait_until(lambda: paths(session) == ["later.jpg"])


def test_a_moved_photo_keeps_its_vector_and_is_not_new(session, pictures):
    wait_until(lambda: session.status().photos == 1)
    (pictures / "below").mkdir()
    (pictures / "first.jpg").rename(pictures / "below" / "moved.jpg")
    wait_until(lambda: paths(session) == ["moved.jpg"])
    assert session.status().new_photos == 0


def test_a_half_written_photo_is_left_until_it_is_whole(session, pictures, tmp_path):
    draw(tmp_path / "camera", "one.jpg", kind="pizza")
    whole = (tmp_path / "camera" / "one.jpg").read_bytes()
    stop = threading.Event()

    def write_slowly():
        with (pictures / "slow.jpg").open("wb", buffering=0) as file:
            for start in range(0, len(whole), 1 + len(whole) // 20):
                file.write(whole[start : start + 1 + len(whole) // 20])
                stop.wait(0.05)

    writer = threading.Thread(target=write_slowly)
    writer.start()
    wait_until(lambda: session.status().photos == 2)
    assert not writer.is_alive()
    assert not list(session.catalog.file_notes.damaged(str(pictures)))
    writer.join()


def test_what_the_last_run_left_out_is_left_out(tmp_path, pictures):
    draw(pictures, "a.jpg")
    draw(pictures / "Private", "b.jpg")
    (pictures / "shared").mkdir()
    (pictures / "shared" / ".photomapignore").write_text("drafts/\n")
    library = tmp_path / "library"
    index(library, pictures, exclude=("Private/",), hidden=True)
    with attach.host(library, TINY, kind="repl") as session:
        draw(pictures / "Private" / "deep", "no.jpg")
        draw(pictures / "shared" / "drafts", "no.jpg")
        draw(pictures / ".hidden", "c.jpg")
        draw(pictures / "shared", "d.jpg")
        wait_until(lambda: session.status().new_photos == 2)
        assert paths(session) == ["a.jpg", "c.jpg", "d.jpg"]


def test_another_writer_is_waited_for(session, library, pictures):
    draw(pictures, "early.jpg")
    wait_until(lambda: session.status().photos == 2)  # the first look, at everything, has been
    with FileLock(library / INDEX_LOCK_NAME):
        draw(pictures, "new.jpg")
        time.sleep(1.0)
        assert session.status().photos == 2
    wait_until(lambda: session.status().photos == 3)


def test_a_root_that_goes_away_keeps_its_photos_and_comes_back(session, pictures):
    wait_until(lambda: session.status().photos == 1)
    away = pictures.rename(pictures.with_name("away"))
    draw(away, "meanwhile.jpg")
    time.sleep(0.5)
    assert session.status().photos == 1
    away.rename(pictures)
    wait_until(lambda: paths(session) == ["first.jpg", "meanwhile.jpg"])


def test_off_means_off(library, pictures):
    with attach.host(library, TINY.model_copy(update={"watch": "off"}), kind="repl") as session:
        draw(pictures, "new.jpg")
        assert not [thread for thread in threading.enumerate() if thread.name == "background-indexer"]
        assert session.status().photos == 1


# -- by hand: one look at a time -------------------------------------------------------------------------------------


@pytest.fixture
def by_hand(library):
    with Session.open(library, TINY, kind="repl") as session:
        found = BackgroundIndexer(session, threading.Event())
        found.look()
        yield session, found


def look_until(found, condition):
    end = time.monotonic() + LONG_SECONDS
    while not condition():
        assert time.monotonic() < end
        found.look()
        time.sleep(0.02)


def test_a_query_goes_first(by_hand, pictures):
    session, found = by_hand
    draw(pictures, "new.jpg")
    with session._turns.turn():
        looking = threading.Thread(target=lambda: look_until(found, lambda: session.status().photos == 2))
        looking.start()
        time.sleep(1.0)
        assert session.status().photos == 1
    looking.join(LONG_SECONDS)
    assert session.status().photos == 2


def test_an_encoder_at_rest_is_woken_once_a_minute_at_most(by_hand, pictures):
    session, found = by_hand
    draw(pictures, "one.jpg", kind="pizza")
    look_until(found, lambda: session.status().photos == 2)
    session.residency.release()
    draw(pictures, "two.jpg", kind="lighthouse")
    for _ in range(50):
        found.look()
        time.sleep(0.02)
    assert (session.status().photos, session.status().state) == (2, ResidencyState.OFF)
    found._woken -= background_indexer.WAKE_SECONDS
    look_until(found, lambda: session.status().photos == 3)


def test_new_photos_are_no_queries(by_hand, pictures):
    session, found = by_hand
    session.search(SearchRequest("cat", cwd="/"))
    before = session.residency.snapshot()
    draw(pictures, "new.jpg", kind="pizza")
    look_until(found, lambda: session.status().photos == 2)
    after = session.residency.snapshot()
    assert (after.last_used, after.release_at) == (before.last_used, before.release_at)


def test_an_encoder_that_is_sent_away_stays_away(by_hand, pictures, monkeypatch):
    session, found = by_hand
    draw(pictures, "one.jpg", kind="pizza")
    look_until(found, lambda: session.status().photos == 2)
    seen, sent_away = session.residency.snapshot, []

    def send_away(self, pixels):
        sent_away.append(len(pixels))
        monkeypatch.undo()
        monkeypatch.setattr(session.residency, "snapshot", lambda: replace(seen(), offloads=seen().offloads + 1))
        return self.encode_images(pixels)

    monkeypatch.setattr(ImageEncoder, "encode_images", send_away)
    draw(pictures, *(f"{number}.jpg" for number in range(20)), kind="lighthouse")
    look_until(found, lambda: sent_away)
    assert sent_away == [background_indexer._BATCH]
    assert session.status().photos == 2
    look_until(found, lambda: session.status().photos == 22)  # it is tried again later


def test_closing_the_session_ends_it_at_once(library, pictures):
    session = attach.host(library, TINY, kind="repl")
    draw(pictures, *(f"{number}.jpg" for number in range(60)))
    time.sleep(0.5)
    session.close()
    wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name == "background-indexer"])
    with only_writer(library):
        pass
