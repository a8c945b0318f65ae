"""The page of faults is what the command says."""

import pytest

from examples import gallery
from tests.support.foreign.floats import FAULTS

PAGE = gallery.PAGE.read_text()


def test_every_fault_has_a_section():
    assert set(gallery.EXHIBITS) == set(FAULTS)
    assert PAGE.count("\n## ") == len(FAULTS)


@pytest.mark.parametrize("fault", ["negative_zero_lost", "tininess_after_rounding"])
def test_sections_are_what_is_said_today(fault, monkeypatch):
    monkeypatch.setattr(gallery, "EXHIBITS", {fault: gallery.EXHIBITS[fault]})
    (section,) = gallery.sections()
    assert section in PAGE
