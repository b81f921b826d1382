"""Define the classes of hazard that a sample can have, by code."""

from collections.abc import Iterable

from accounts.domain.errors import invalid

# The nine classes of the Globally Harmonized System's pictograms (GHS01 to GHS09), then hazards that
# these do not cover but that matter for instruments.
GHS = (
    "explosive",
    "flammable",
    "oxidising",
    "pressurised-gas",
    "corrosive",
    "toxic",
    "irritant",
    "health-hazard",
    "environmental",
)
HAZARDS = (*GHS, "biological", "radioactive", "magnetic", "cryogenic", "nanomaterial")


def hazards_in(codes: Iterable[str], field: str) -> tuple[str, ...]:
    """Return the named classes without repeats, in the standard order. `Invalid` if one is unknown."""
    named = set(codes)
    if not named <= set(HAZARDS):
        raise invalid(field, "unknown-choice", allowed=", ".join(HAZARDS))
    return tuple(hazard for hazard in HAZARDS if hazard in named)
