import json
import os
from dataclasses import replace

import pytest
from fake_encoder import CPU, text_vector
from library_fakes import stored_vector
from waiting import LONG_SECONDS, in_thread

from photomap_cli.errors import BadImage, BadPath, BadQuery, EmptyLibrary, EncoderClosed, EncoderDied, EncoderMismatch
from photomap_cli.indexing.index_options import IndexOptions
from photomap_cli.library.entities import LibraryEncoder
from photomap_cli.records import EncoderFailure, ResidencyState, SearchRequest, SearchResult, SessionStatus
from photomap_cli.session.session import Session
from photomap_cli.settings import Settings


@pytest.fixture
def ask(session, tmp_path):
    return lambda text, **more: session.search(SearchRequest(text, cwd=str(tmp_path), **more))


def names(result):
    return [hit.path.rpartition("/")[2] for hit in result.hits]


def test_hits_are_ranked_by_cosine(ask, session):
    result = ask("dog")
    assert len(result.hits) == 4
    assert [hit.rank for hit in result.hits] == [1, 2, 3, 4]
    scores = [hit.score for hit in result.hits]
    assert scores == sorted(scores, reverse=True)
    best = session.catalog.photo_at(result.hits[0].path)
    assert result.hits[0].score == pytest.approx(
        float(stored_vector(session.catalog, best.row) @ text_vector("dog")), abs=1e-3
    )
    assert (result.hits[0].width, result.hits[0].height) == (40, 30)


def test_weights_and_negatives_shape_the_vector(ask):
    assert names(ask("dog -cat")) != names(ask("cat -dog"))
    assert [hit.score for hit in ask("3:dog + 3:cat").hits] == pytest.approx(
        [hit.score for hit in ask("dog + cat").hits], abs=1e-5
    )


def test_a_library_image_as_query_needs_no_encoder_and_is_not_its_own_hit(ask, encoder, photos):
    encoder.calls.clear()
    result = ask(f"{photos}/red/red.png")
    assert "encode" not in encoder.calls
    assert "red.png" not in names(result)
    assert len(result.hits) == 3


@pytest.mark.parametrize("kind", ["symbolic", "hard"])
@pytest.mark.parametrize("asked_by", ["name", "link"])
@pytest.mark.parametrize("is_indexed", [True, False])
def test_a_library_image_is_not_its_own_hit_by_another_path(ask, session, encoder, photos, kind, asked_by, is_indexed):
    path, link = photos / "red/red.png", photos / "best.png"
    link.hardlink_to(path) if kind == "hard" else link.symlink_to(path)
    if is_indexed:
        list(session.indexer(IndexOptions()).run([photos]))
    encoder.calls.clear()
    result = ask(str(link if asked_by == "link" else path))
    assert "encode" not in encoder.calls
    assert sorted(names(result)) == ["blue.png", "green.png", "grey.png"]


def test_a_library_image_that_goes_meanwhile_is_encoded(ask, session, photos, monkeypatch):
    def photo_at(path, look_up=session.catalog.photo_at):
        photo = look_up(path)
        session.catalog.commit_batch([], [photo.row])  # as another process does
        return photo

    monkeypatch.setattr(session.catalog, "photo_at", photo_at)
    assert "red.png" not in names(ask(f"{photos}/red/red.png"))


def test_a_library_image_that_was_changed_unseen_is_encoded(ask, encoder, photos):
    path = photos / "blue/blue.png"
    before = path.stat()
    path.chmod(0o600)
    encoder.calls.clear()
    ask(str(path))
    assert "encode" not in encoder.calls
    path.write_bytes((photos / "red/red.png").read_bytes().ljust(before.st_size, b"\0"))
    os.utime(path, ns=(0, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert names(ask(str(path)))[0] == "red.png"


def test_an_image_from_outside_is_encoded(ask, photos, tmp_path):
    copy = tmp_path / "mine.png"
    copy.write_bytes((photos / "blue" / "blue.png").read_bytes())
    assert names(ask("./mine.png"))[0] == "blue.png"
    assert ask("./mine.png").hits[0].score == pytest.approx(1, abs=1e-2)


def test_references_are_the_last_results(ask):
    first = ask("dog")
    again = ask("#2", references=tuple(hit.path for hit in first.hits))
    assert first.hits[1].path not in [hit.path for hit in again.hits]
    with pytest.raises(BadQuery, match="no result #9"):
        ask("#9", references=("/x",))
    with pytest.raises(BadQuery, match="no result #1") as caught:
        ask("#1")
    assert caught.value.hint == "#N stands for a result of the last search at the prompt; search for something first"


@pytest.mark.parametrize("text", ["./nope.png", "dog + ./nope.png"])
def test_a_missing_query_image_is_placed(ask, text):
    with pytest.raises(BadImage, match=r"nope\.png") as caught:
        ask(text)
    assert caught.value.position == text.index("./")
    assert caught.value.hint


def test_a_query_image_that_is_none_is_placed(ask, tmp_path):
    (tmp_path / "text.jpg").write_text("hello")
    with pytest.raises(BadImage, match=r"text\.jpg") as caught:
        ask("dog + ./text.jpg")
    assert caught.value.position == 6


def test_scope_is_the_current_folder_inside_a_root_else_everything(session, photos, tmp_path):
    def found(cwd, **more):
        return set(names(session.search(SearchRequest("dog", cwd=str(cwd), **more))))

    everything = {"red.png", "green.png", "blue.png", "grey.png"}
    assert found(tmp_path) == everything
    assert found(photos) == everything
    assert found(photos / "red") == {"red.png"}
    assert found(photos / "red", folder="*") == everything
    assert found(photos / "red", folder=str(photos / "blue")) == {"blue.png"}
    with pytest.raises(BadPath):
        found(photos, folder="/dev/null/nowhere")


def test_in_with_a_star_is_the_whole_library_whatever_else_narrows_the_search(session, photos):
    everywhere = session.search(SearchRequest("dog in:*", cwd=str(photos / "red"), folder=str(photos / "blue")))
    assert len(everywhere.hits) == 4


def test_where_nothing_is_found_a_search_that_did_not_look_everywhere_says_so(session, photos, tmp_path):
    def told(text, cwd=photos / "red", **more):
        return session.search(SearchRequest(text, cwd=str(cwd), **more)).notices

    below = f" below {photos}/red"
    everywhere = "; in:* searches the whole library"
    assert told("dog min:0.9999") == (f"only photos{below} were searched{everywhere}",)
    assert told("dog after:2099") == (f"no photo{below} matches after:2099-01-01{everywhere}",)
    (photos / "empty").mkdir(exist_ok=True)
    assert told("dog", folder=str(photos / "empty")) == (f"the library has no photo below {photos}/empty{everywhere}",)
    assert told("dog in:nowhere") == (f"no photo matches in:{photos}/red/nowhere",)
    assert "searched" not in "".join((*told("dog min:0.9999", cwd=photos), *told("dog min:0.9999", cwd=tmp_path)))
    assert told("dog") == ()


def test_a_folder_reached_by_a_link_is_the_same_folder(session, photos, tmp_path):
    link = tmp_path / "pictures"
    link.symlink_to(photos, target_is_directory=True)
    by_filter = session.search(SearchRequest(f"dog in:{link}/red", cwd="/"))
    by_cwd = session.search(SearchRequest("dog", cwd=f"{link}/red"))
    assert names(by_filter) == names(by_cwd) == ["red.png"]
    own = session.search(SearchRequest(f"{link}/red/red.png", cwd="/"))
    assert "red.png" not in names(own)


def test_filters_limit_and_floor(ask, photos):
    assert set(names(ask(f"dog in:{photos}/red"))) == {"red.png"}
    assert set(names(ask(f"dog -in:{photos}/red name:*e*"))) == {"green.png", "blue.png", "grey.png"}
    assert len(ask("dog", limit=2).hits) == 2
    assert ask("dog", min_score=0.9999).hits == ()
    assert ask("dog min:0.9999").hits == ()


def test_the_setting_limits_when_nothing_else_does(make_session, session, tmp_path):
    other = make_session(session.catalog.folder, results=1)
    assert len(other.search(SearchRequest("dog", cwd="/")).hits) == 1


def test_new_photos_of_another_process_are_found_without_a_restart(session, make_session, photos, ask):
    from PIL import Image

    ask("dog")
    Image.new("RGB", (20, 20), "yellow").save(photos / "yellow.png")
    for _ in make_session(session.catalog.folder).indexer(IndexOptions()).run([photos]):
        pass
    assert "yellow.png" in names(ask("dog"))
    assert session.status().photos == 5


def test_an_empty_library_says_what_to_do(make_session):
    with pytest.raises(EmptyLibrary) as caught:
        make_session().search(SearchRequest("dog", cwd="/"))
    assert "photomap index" in caught.value.hint


def test_where_time_went_is_told(ask, session):
    assert ask("dog").timings_ms.reload > 0
    assert ask("cat").timings_ms.reload == 0
    session.offload()
    assert ask("bird").timings_ms.reload > 0
    assert session.status().reloads >= 2


def test_a_full_card_still_answers_and_says_so(ask, session, encoder):
    encoder.full = True
    result = ask("dog")
    assert len(result.hits) == 4
    assert "GPU is full" in result.notices[0]
    assert session.status().cpu_fallbacks == 1


def test_a_gpu_that_is_not_used_is_said_with_the_first_query_alone(ask, encoder):
    encoder.info = replace(CPU, spec=encoder.info.spec, notice="the GPU is not used: the driver is too old")
    encoder.fail_next["encode"] = EncoderDied("signal 9")  # so that it is loaded anew
    assert ask("dog").notices[0] == "the GPU is not used: the driver is too old"
    assert ask("cat").notices == ()


def test_an_encoder_that_dies_costs_no_answer(ask, encoder):
    encoder.fail_next["encode"] = EncoderDied("signal 9")
    assert len(ask("dog").hits) == 4


def test_status_answers_during_a_search_and_says_where_the_encoder_is(session, ask, encoder):
    entered, go = encoder.hold("encode")
    asking = in_thread(lambda: ask("dog"))
    assert entered.wait(LONG_SECONDS)
    busy = session.status()
    go.set()
    asking.join(LONG_SECONDS)
    assert (busy.state, busy.busy, busy.offload_in_seconds) == (ResidencyState.VRAM, True, None)
    after = session.status()
    assert 0 < after.offload_in_seconds <= after.idle_timeout_seconds
    assert after.vram_weight_bytes > 0
    session.offload()
    assert session.status().state is ResidencyState.RAM
    assert session.set_idle_timeout(5).idle_timeout_seconds == 5


def test_status_wakes_nothing_and_resets_nothing(session, encoder):
    before = session.status()
    encoder.calls.clear()
    for _ in range(20):
        status = session.status()
    assert encoder.calls == []
    assert status.release_in_seconds <= before.release_in_seconds


def test_records_round_trip(ask, session):
    result = ask("dog")
    again = SearchResult.from_json(result.to_json())
    assert [hit.path for hit in again.hits] == [hit.path for hit in result.hits]
    assert SessionStatus.from_json(session.status().to_json()).state is session.status().state
    download = replace(session.status(), download=(1, 2))
    assert SessionStatus.from_json(download.to_json()).download == (1, 2)


def test_after_close_a_search_fails_clearly(session, ask):
    session.close()
    with pytest.raises(EncoderClosed):
        session.residency.load()


def test_another_encoder_is_refused_with_the_way_out(session):
    folder = session.catalog.folder
    with pytest.raises(EncoderMismatch) as caught:
        Session.open(folder, Settings(), encoder="tiny")
    assert "--rebuild --encoder tiny" in caught.value.hint


def test_a_library_encoded_anew_by_another_encoder_is_not_searched_with_the_old_one(session, ask):
    ask("dog")
    session.catalog.set_encoder(LibraryEncoder("other/tag", 8, "float32"))
    with pytest.raises(EncoderMismatch, match="rebuilt with other/tag") as caught:
        ask("dog")
    assert "restart the session" in caught.value.hint


def test_a_search_whose_rows_become_those_of_other_photos_is_done_again(session, ask, monkeypatch):
    answers = []
    search = session._searcher.search

    def search_and_be_overtaken(*what, **how):
        answers.append(search(*what, **how))
        if len(answers) == 1:
            with session.catalog._database.writing() as connection:
                connection.execute("UPDATE meta SET value = lower(hex(randomblob(16))) WHERE key = 'library_id'")
        return answers[-1]

    monkeypatch.setattr(session._searcher, "search", search_and_be_overtaken)
    assert ask("dog") is answers[1]
    assert len(answers) == 2


def test_opening_starts_no_encoder(session):
    with Session.open(session.catalog.folder, Settings()) as opened:
        assert opened.status().state is ResidencyState.OFF
        assert opened.spec == "fake"


def test_an_offload_is_told_with_its_age(session, ask):
    ask("dog")
    assert session.status().offloaded_seconds_ago is None
    assert "offloaded_seconds_ago" not in session.status().to_json()
    assert session.offload().offloaded_seconds_ago is not None
    assert session.status().to_json()["offloaded_seconds_ago"] >= 0


def test_the_last_error_is_a_sentence_in_the_json_with_its_code_beside_it(session):
    fine = session.status()
    failed = replace(fine, last_error=EncoderFailure("encoder_died", "signal 9"))
    assert (fine.to_json()["last_error"], "last_error_code" in fine.to_json()) == (None, False)
    assert (failed.to_json()["last_error"], failed.to_json()["last_error_code"]) == ("signal 9", "encoder_died")
    for status in (fine, failed):
        assert SessionStatus.from_json(json.loads(json.dumps(status.to_json()))).last_error == status.last_error


def test_exact_is_passed_down(ask, session, monkeypatch):
    asked, search = [], session.vectors.search
    monkeypatch.setattr(session.vectors, "search", lambda *a, exact, **b: asked.append(exact) or search(*a, **b))
    ask("dog", exact=True)
    ask("dog")
    assert asked == [True, False]


def test_what_the_vectors_have_to_say_is_a_notice_once(ask, session):
    row_file = session.catalog.folder / "vectors.f16"
    row_file.write_bytes(b"no rows")
    session.vectors._seen = None
    assert ask("dog").notices == ("vectors.f16 didn't match the library and was rebuilt",)
    assert ask("dog").notices == ()


@pytest.mark.parametrize(("kind", "times"), [("local", 0), ("serve", 1), ("repl", 1)])
def test_a_session_that_stays_compresses_behind_its_searches(ask, session, monkeypatch, kind, times):
    calls = []
    monkeypatch.setattr(session.vectors, "compress_behind", lambda: calls.append(kind))
    session.kind = kind
    ask("dog")
    assert len(calls) == times


def test_an_index_run_on_a_full_card_says_that_the_cpu_encoded(make_session, photos, encoder):
    session = make_session()
    assert session.drain_notices() == ()
    encoder.full = True
    for _ in session.indexer(IndexOptions()).run([photos]):
        pass
    (note,) = session.drain_notices()
    assert "encoded on the CPU" in note
    assert "card full" in note
