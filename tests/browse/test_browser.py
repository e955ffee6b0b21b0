"""What the run of the gallery changes in the process, and gives back."""

from __future__ import annotations

import sys

import pytest

from photomap_cli.browse import browser


def test_keys_wait_less_for_other_threads_while_the_gallery_runs_and_as_before_afterwards():
    before = sys.getswitchinterval()
    with browser._keys_first():
        assert sys.getswitchinterval() == pytest.approx(browser.SWITCH_SECONDS)
    assert sys.getswitchinterval() == pytest.approx(before)
