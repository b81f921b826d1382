"""Choose a drawing for an instrument that has no photo, by its techniques."""

from collections.abc import Collection

# A technique and the drawing for it and for all narrower ones. The first one that an instrument has
# counts, so that specific techniques come before those that many instruments have.
DRAWINGS = (
    ("PaNET01101", "diffraction"),
    ("PaNET01102", "diffraction"),
    ("local-hrxrd", "diffraction"),
    ("PaNET00101", "beamline"),
    ("PaNET01242", "beamline"),
    ("PaNET01217", "beamline"),
    ("PaNET01114", "beamline"),
    ("local-flow", "cytometry"),
    ("local-sequencing", "sequencing"),
    ("local-pcr", "sequencing"),
    ("local-microarray", "sequencing"),
    ("local-nmr", "resonance"),
    ("local-mri", "resonance"),
    ("local-epr", "resonance"),
    ("PaNET01268", "mass-spectrometry"),
    ("local-chromatography", "chromatography"),
    ("local-electrophoresis", "chromatography"),
    ("local-field-flow", "chromatography"),
    ("PaNET01223", "fabrication"),
    ("local-fib", "fabrication"),
    ("local-deposition", "fabrication"),
    ("local-etching", "fabrication"),
    ("local-ion-implantation", "fabrication"),
    ("local-bonding", "fabrication"),
    ("PaNET01145", "electron-microscopy"),
    ("PaNET01148", "probe-microscopy"),
    ("PaNET01179", "light-microscopy"),
    ("local-laser-microdissection", "light-microscopy"),
    ("local-histology", "light-microscopy"),
    ("PaNET01129", "tomography"),
    ("PaNET01285", "tomography"),
    ("local-ultrasound", "tomography"),
    ("PaNET01196", "beamline"),
    ("local-ion-beam", "beamline"),
    ("local-ion-irradiation", "beamline"),
    ("local-gamma-irradiation", "beamline"),
    ("local-ultrafast-laser", "beamline"),
    ("local-plasma", "beamline"),
    ("PaNET01022", "diffraction"),
    ("PaNET01082", "diffraction"),
    ("PaNET01184", "diffraction"),
    ("local-hpc", "computing"),
    ("local-quantum-computer", "computing"),
    ("local-thermal", "mechanics"),
    ("local-calorimetry", "mechanics"),
    ("local-fatigue", "mechanics"),
    ("local-nanoindentation", "mechanics"),
    ("local-rheology", "mechanics"),
    ("local-thermomechanical", "mechanics"),
    ("local-vibration", "mechanics"),
    ("local-texture-analysis", "mechanics"),
    ("PaNET01069", "light-microscopy"),
    ("PaNET01125", "spectroscopy"),
    ("PaNET01111", "spectroscopy"),
    ("PaNET01090", "spectroscopy"),
    ("PaNET01121", "spectroscopy"),
)
OTHER = "other"


def drawing_of(techniques: Collection[str]) -> str:
    """Return the name of a drawing for an instrument with these techniques, which include all broader
    ones."""
    codes = set(techniques)
    return next((drawing for code, drawing in DRAWINGS if code in codes), OTHER)
