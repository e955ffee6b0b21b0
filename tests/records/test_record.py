"""Every record comes back from its JSON as it was, and what is not its JSON is refused in one way."""

import json
import sys
from dataclasses import fields, replace
from typing import get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photomap_cli import records
from photomap_cli.records import BadRecord, Hit, Record, ResidencyState, SearchRequest, SearchResult, Timings
from photomap_cli.records.index import IndexReport
from photomap_cli.records.maps import MapCluster

WRITTEN_ONLY = {IndexReport, records.DuplicateGroup}
TEXTS = st.text(st.characters(codec="utf-8") | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF))
"""Also what stands for the bytes of a file's name that are no UTF-8."""

SPECIAL = {MapCluster: {"id": st.integers(1, 52)}}  # that have a letter


def every_record():
    classes = [each for each in Record.__subclasses__() if getattr(sys.modules[each.__module__], each.__name__) is each]
    return [each for each in classes if each not in WRITTEN_ONLY]  # those without slots are theirs that have them


def made(kind):
    """Return a strategy for records of a kind, of any values that its fields may have."""
    hints = get_type_hints(kind)
    return st.builds(kind, **({each.name: values(hints[each.name]) for each in fields(kind)} | SPECIAL.get(kind, {})))


def values(hint):
    return st.from_type(hint)


st.register_type_strategy(str, TEXTS)
st.register_type_strategy(float, st.floats(-1e9, 1e9))
for one in every_record():
    st.register_type_strategy(one, st.deferred(lambda one=one: made(one)))


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_every_record_comes_back_from_its_json(data):
    for kind in every_record():
        record = data.draw(st.from_type(kind), kind.__name__)
        sent = json.loads(json.dumps(record.to_json()))
        again = kind.from_json(sent)
        assert again.to_json() == record.to_json() == sent
        assert kind.from_json(again.to_json()) == again
        assert all(
            getattr(again, each.name) == getattr(record, each.name)
            for each in fields(kind)
            if not is_rounded(each, kind)
        )


def is_rounded(each, kind):
    hint = str(get_type_hints(kind)[each.name])
    return "digits" in each.metadata or "records" in hint  # or has records whose fields are


@settings(max_examples=10, deadline=None)
@given(st.data())
def test_a_field_of_another_type_too_many_or_missing_is_said(data):
    for kind in every_record():
        sent = data.draw(st.from_type(kind)).to_json()
        told = {name for name, _ in kind.ALSO}
        name = data.draw(st.sampled_from(sorted(sent.keys() - told)))
        for wrong in ({**sent, name: {"a": []}}, {**sent, "colour": "red"}, [sent], None):
            with pytest.raises(BadRecord) as caught:
                kind.from_json(wrong)
            assert len(str(caught.value)) < 200
        needed = [each.name for each in fields(kind) if each.name in sent and not has_default(each)]
        for one in needed:
            with pytest.raises(BadRecord):
                kind.from_json({key: value for key, value in sent.items() if key != one})


def has_default(each):
    return each.default is not each.default_factory  # both are MISSING where there is none


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit": True},
        {"limit": 1.5},
        {"limit": "9"},
        {"exact": 1},
        {"min_score": "0.2"},
        {"min_score": 10**400},
        {"references": "abc"},
        {"references": {"0": "a"}},
        {"references": ["a", 1]},
        {"text": None},
        {"text": b"x"},
    ],
)
def test_nothing_is_taken_for_what_it_is_not(wrong):
    with pytest.raises(BadRecord, match=next(iter(wrong))):
        SearchRequest.from_json({"text": "dog", "cwd": "/", **wrong})


def test_a_whole_number_is_a_float_too_and_a_state_its_name():
    assert SearchRequest.from_json({"text": "dog", "cwd": "/", "min_score": 1}).min_score == 1.0
    assert records.EncoderFailure.from_json({"code": "a", "message": "b"}) == records.EncoderFailure("a", "b")
    with pytest.raises(BadRecord, match="SOMEWHERE"):
        records.SessionStatus.from_json({"state": "SOMEWHERE"})
    assert json.dumps(ResidencyState.RAM) == '"RAM"'


def test_what_there_is_none_of_is_not_told_and_figures_are_rounded():
    hit = Hit(1, "/a.jpg", 0.123456789, None, 4, 3)
    result = SearchResult("dog", "tiny", 1.23456, "local", Timings(encode=0.16), (hit,))
    assert result.to_json() == {
        "query": "dog",
        "encoder": "tiny",
        "count": 1,
        "elapsed_ms": 1.2,
        "served_by": "local",
        "encoded_by": "encoder",
        "timings_ms": {"load": 0.0, "reload": 0.0, "encode": 0.2, "search": 0.0},
        "hits": [{"rank": 1, "path": "/a.jpg", "score": 0.123457, "taken_at": None, "width": 4, "height": 3}],
    }
    more = replace(result, notices=("the card was full",), searched_elsewhere=True, cursor="x").to_json()
    assert {"notices": ["the card was full"], "searched_elsewhere": True, "cursor": "x"}.items() <= more.items()
