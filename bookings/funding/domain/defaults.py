"""Choose the funding sources that pay for a booking unless its person says otherwise (docs/fees.md)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bookings.funding.domain.funding import Share


@dataclass(frozen=True)
class Default:
    """The shares that are chosen beforehand, and whether the person chose them themselves; `lapsed` are the
    codes of sources that would have come first, and can pay no longer."""

    shares: tuple[Share, ...] = ()
    is_own: bool = False
    lapsed: tuple[str, ...] = ()


NO_DEFAULT = Default()


def chosen(own: Sequence[Share], given: Sequence[Share], usable: Collection[str]) -> Default:
    """Return the default of a person: their own, if each of its sources is usable; otherwise the one that
    was given to them, on the same condition; otherwise none. A default of several sources counts as a whole,
    since the other sources were not meant to pay all of it."""
    lapsed: list[str] = []
    for shares, is_own in ((own, True), (given, False)):
        gone = [share.source for share in shares if share.source not in usable]
        if shares and not gone:
            return Default(tuple(shares), is_own, tuple(lapsed))
        lapsed += [code for code in gone if code not in lapsed]
    return Default(lapsed=tuple(lapsed))
