"""The drawing that stands for an instrument without a photo."""

import pytest

from config.pages.drawings import SHAPES
from instruments.attachments.domain.drawings import DRAWINGS, OTHER, drawing_of
from instruments.vocabulary.adapters.vocabularies import shipped
from instruments.vocabulary.domain.techniques import above

PARENTS = {term.code: term.parents for term in shipped()}


@pytest.mark.parametrize(
    ("technique", "drawing"),
    [
        ("local-cryo-em", "electron-microscopy"),
        ("PaNET01113", "light-microscopy"),
        ("PaNET01318", "probe-microscopy"),
        ("PaNET01101", "diffraction"),
        ("PaNET01195", "spectroscopy"),
        ("local-icp-ms", "mass-spectrometry"),
        ("local-lc", "chromatography"),
        ("local-solid-nmr", "resonance"),
        ("local-fmri", "resonance"),
        ("local-long-read", "sequencing"),
        ("local-mass-cytometry", "cytometry"),
        ("local-fatigue", "mechanics"),
        ("local-dry-etching", "fabrication"),
        ("PaNET01208", "tomography"),
        ("PaNET01217", "beamline"),
        ("local-gpu-cluster", "computing"),
        ("local-telescope", "other"),
    ],
)
def test_a_technique_is_drawn_as_its_family(technique: str, drawing: str) -> None:
    assert drawing_of([technique, *above(technique, PARENTS)]) == drawing


def test_without_a_technique_it_is_an_instrument() -> None:
    assert drawing_of([]) == "other"


def test_every_technique_of_the_table_is_one_of_the_vocabulary() -> None:
    assert [code for code, _ in DRAWINGS if code not in PARENTS] == []


def test_every_drawing_is_there_and_stands_for_something() -> None:
    assert {drawing for _, drawing in DRAWINGS} | {OTHER} == set(SHAPES)
