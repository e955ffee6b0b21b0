import pytest
from cases import cases


@cases("name", ["a", "b"])
@cases(("number", "limit"), [(1, 2), (2, 2), (3, 2)])
def number_below(name, number, limit, spoilt):
    assert number < limit
    assert name != spoilt


def test_every_case_is_tried_and_what_fails_is_named():
    with pytest.raises(AssertionError) as caught:
        number_below(spoilt="b")
    told = str(caught.value)
    assert "'a', line " in told
    assert "'b', line " in told
    assert [f"({number}, 2), line " in told for number in (1, 2, 3)] == [True, True, True]


@cases("number", [1, 2])
def test_fixtures_are_given_as_ever(number, tmp_path):
    assert tmp_path.is_dir()
    assert number


def test_a_test_that_does_not_take_its_cases_or_has_none_is_refused():
    with pytest.raises(AssertionError, match="does not take other"):
        cases("other", [1])(lambda name: None)
    with pytest.raises(AssertionError, match="no cases"):
        cases("name", [])
