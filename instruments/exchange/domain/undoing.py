"""Decide what of an import can be undone, from values alone."""

from dataclasses import dataclass

from instruments.exchange.domain.fields import ALTERNATE_IDENTIFIERS, DATES, INSTRUMENT_FIELDS

# Attributes of a record that get their old values back. What an instrument can do, its hours and the contacts
# of its facility are stored elsewhere, with a history of their own, and stay.
RESTORED = (
    *(
        name
        for name in INSTRUMENT_FIELDS
        if name not in {*DATES, *ALTERNATE_IDENTIFIERS, "techniques", "capabilities"}
    ),
    *("owners", "dates", "related_identifiers", "alternate_identifiers"),
)


@dataclass(frozen=True)
class Standing:
    """How an instrument that an import made stands today. `used`: the name of what refers to it, a booking,
    a rate card or a photo, if anything does."""

    publication: str
    version: int
    used: str = ""


def reason_to_stay(standing: Standing) -> tuple[str, dict[str, str]]:
    """Return why a draft that an import made cannot be deleted, with the numbers of the sentence
    (undo-published, undo-used, undo-edited); an empty code if it can."""
    if standing.publication != "draft":
        return "undo-published", {}
    if standing.used:
        return "undo-used", {"what": standing.used}
    if standing.version > 1:
        return "undo-edited", {}
    return "", {}
