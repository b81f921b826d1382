"""Words as they are compared: stems, and what is mistyped."""

import pytest

from instruments.vocabulary.domain.words import nearest, stem


def test_a_stem_is_shared_by_kin_and_not_by_others() -> None:
    for kin in (
        ["spectrometer", "spectroscopy", "spectrometry", "spectrometers"],
        ["microscope", "microscopy", "microscopes"],
        ["cytometer", "cytometry"],
        ["diffraction", "diffractometer"],
        ["tomography", "tomograph"],
    ):
        assert len({stem(word) for word in kin}) == 1
    assert len({stem(w) for w in ("microscope", "spectroscope", "cytometer", "tomograph")}) == 4


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("microscpe", "microscope"),
        ("mircoscope", "microscope"),
        ("spektrometer", "spectrometer"),
        ("zeis", "zeiss"),
        ("abcdefgh", None),
        ("xyss", None),
    ],
)
def test_a_mistyped_word(typed: str, meant: str | None) -> None:
    known = [("microscope", 9), ("microscopy", 3), ("spectrometer", 5), ("zeiss", 2), ("zero", 8)]
    assert nearest(typed, known) == meant
