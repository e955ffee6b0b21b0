"""Collapsing: the best of several shots stands for the rest, and a longer list begins like a shorter one."""

from __future__ import annotations

import numpy as np
from cases import cases

from photomap_cli.search.collapse import collapsed

DIM = 24


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def library(seed, scenes, shots):
    """Return vectors of bursts of different length, in no order, and which burst each belongs to."""
    dice = np.random.default_rng(seed)
    centres = unit(dice.normal(size=(scenes, DIM)))
    burst = dice.permutation(np.repeat(np.arange(scenes), dice.integers(1, shots + 1, scenes)))
    noise = unit(dice.normal(size=(len(burst), DIM))) * 0.1
    return unit(centres[burst] + noise).astype(np.float32), burst


class Shelf:
    """Vectors as a search sees them."""

    def __init__(self, vectors, query):
        self.vectors, self.scores = vectors, vectors @ query
        self.order = np.argsort(-self.scores, kind="stable")
        self.fetched = []

    def fetch(self, most):
        self.fetched.append(most)
        return [(int(row), float(self.scores[row])) for row in self.order[:most]]

    def vectors_of(self, rows):
        return {row: self.vectors[row] for row in rows}

    def groups(self, limit, threshold=0.97):
        return collapsed(self.fetch, self.vectors_of, limit=limit, threshold=threshold)


def plainly(shelf, limit, threshold):
    """Return the leading rows as a reader of the rule would find them, one hit after the other over everything."""
    leaders = []
    for row in shelf.order:
        if all(shelf.vectors[row] @ shelf.vectors[leader] < threshold for leader in leaders):
            leaders.append(int(row))
    return leaders[:limit]


@cases("seed", range(20))
def test_the_best_of_each_burst_leads_as_the_plain_rule_says(seed):
    vectors, burst = library(seed, scenes=60, shots=9)
    shelf = Shelf(vectors, unit(np.random.default_rng(seed + 100).normal(size=DIM)).astype(np.float32))
    for limit in (1, 7, 60, 400):
        groups = shelf.groups(limit)
        assert [group[0][0] for group in groups] == plainly(shelf, limit, 0.97)
        scores = [group[0][1] for group in groups]
        assert scores == sorted(scores, reverse=True)
        rows = [row for group in groups for row, _ in group]
        assert len(rows) == len(set(rows))
        assert all(burst[row] == burst[group[0][0]] for group in groups for row, _ in group)


def test_a_longer_list_begins_like_a_shorter_one():
    vectors, _ = library(5, scenes=300, shots=12)
    shelf = Shelf(vectors, vectors[17])
    leaders = [[group[0] for group in shelf.groups(limit)] for limit in (10, 20, 200)]
    assert leaders[1][:10] == leaders[0]
    assert leaders[2][:20] == leaders[1]


def test_a_burst_longer_than_what_is_fetched_at_first_does_not_shorten_the_list():
    dice = np.random.default_rng(1)
    query = unit(dice.normal(size=DIM)).astype(np.float32)
    burst = unit(query + 0.01 * unit(dice.normal(size=(2000, DIM))))
    vectors = np.concatenate((burst, unit(dice.normal(size=(50, DIM))))).astype(np.float32)
    shelf = Shelf(vectors, query)
    groups = shelf.groups(10)
    assert len(groups[0]) == 2000
    assert len(groups) == 10
    assert len(shelf.fetched) > 1


def test_fewer_groups_than_asked_for_end_the_search():
    vectors, burst = library(3, scenes=4, shots=5)
    shelf = Shelf(vectors, vectors[0])
    assert len(shelf.groups(10)) == len(set(burst))
    assert sum(map(len, shelf.groups(10))) == len(vectors)
    assert shelf.groups(10, threshold=0.0001)[0][0] == shelf.fetch(1)[0]


def test_nothing_found_is_no_group_and_rows_that_have_gone_are_left_out():
    assert collapsed(lambda most: [], lambda rows: {}, limit=3, threshold=0.97) == []
    vectors, _ = library(1, scenes=5, shots=1)
    shelf = Shelf(vectors, vectors[0])
    kept = collapsed(shelf.fetch, lambda rows: {row: vectors[row] for row in rows if row != 0}, limit=9, threshold=0.97)
    assert sorted(group[0][0] for group in kept) == [1, 2, 3, 4]
