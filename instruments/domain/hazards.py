"""What can be dangerous about a sample: classes, by code."""

from collections.abc import Iterable

from accounts.domain.errors import invalid

# The nine of the pictograms of the Globally Harmonized System (GHS01 to GHS09), then what these
# do not say and instruments suffer from.
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
    """The classes named, each once and in our order; `Invalid` where one is unknown."""
    named = set(codes)
    if not named <= set(HAZARDS):
        raise invalid(field, "unknown-choice", allowed=", ".join(HAZARDS))
    return tuple(hazard for hazard in HAZARDS if hazard in named)
