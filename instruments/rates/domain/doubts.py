"""Find what a rate card says that its author hardly means; nothing here forbids it."""

from collections.abc import Sequence
from dataclasses import dataclass

from instruments.rates.domain.ratecards import PRICE_GROUPS, REQUIRED, Option, RateCardValues


@dataclass(frozen=True)
class Doubt:
    """Something doubtful: its kind, and the way of working, price group or option that it is about."""

    kind: str
    mode: str = ""
    group: str = ""
    option: Option | None = None


def doubts_of(card: RateCardValues, offered: Sequence[str]) -> list[Doubt]:
    """Return what is doubtful about a card of an instrument that offers these ways of working."""
    found = []
    if card.usage:
        priced = {mode for row in card.usage for mode in row.modes}
        served = {group for row in card.usage for group in row.rates}
        found += [Doubt("not-offered", mode) for mode in sorted(priced.difference(offered))]
        found += [Doubt("not-priced", mode) for mode in offered if mode not in priced]
        found += [
            Doubt("no-rate", row.modes[0], group)
            for row in card.usage
            for group in PRICE_GROUPS
            if group in served and group not in row.rates
        ]
    for option in card.options:
        if option.when != REQUIRED:
            continue
        if not option.modes and len(offered) > 1 and "self" in offered:
            found.append(Doubt("for-all", option=option))
        if option.quantity is None and option.unit == "each":
            found.append(Doubt("each-without-number", option=option))
        elif option.quantity is None:
            units = {card.for_mode(mode).rate_unit for mode in offered if option.is_for(mode)}
            if "sample" in units:
                found.append(Doubt("free-by-sample", option=option))
    return found
