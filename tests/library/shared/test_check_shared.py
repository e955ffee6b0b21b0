"""scripts/check_shared.py finds nothing where nothing differs, and what a server loses when it loads a library."""

from __future__ import annotations

import check_shared
import pytest


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(check_shared, "QUERIES", 5)
    monkeypatch.setattr("time.sleep", lambda seconds: None)


def test_a_server_that_keeps_everything_has_no_faults(where_to, quick, client, capsys):
    before = client.call("list_collections")
    assert check_shared.check(where_to, 300) == 0
    assert "released and loaded: vectors read back: 300" in capsys.readouterr().out
    assert client.call("list_collections") == before


def test_a_server_that_loses_photos_when_it_loads_them_is_found_out(where_to, quick, capsys, monkeypatch):
    def lose(tried):
        rows = tried._library.facts.rows()
        tried._library.writes.commit_batch([], rows[: len(rows) // 2].tolist())

    monkeypatch.setattr(check_shared.Try, "reload", lose)
    assert check_shared.check(where_to, 300) >= 3
    assert "FAULT  FLAT, released and loaded: vectors read back: 150" in capsys.readouterr().out
