"""What is said of a purchase case, in the reader's language."""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.letters.words import named
from bookings.reviews.domain import reviews as rules
from bookings.reviews.models import ReviewScheme

GROUNDS: dict[str, str | Promise] = {
    "none-fits": _("No instrument within reach meets the requirements"),
    "area-full": _("The instruments that fit are full on average"),
    "spare-short": _("The hours that fitting instruments have to spare are fewer than are needed"),
    "unmet-demand": _("Others in the area could not have the hours they wanted"),
    "above-break-even": _("At the hours needed an own instrument is cheaper than sharing"),
    "area-not-full": _("The instruments that fit are not full on average"),
    "usable-by-sharing": _("At least one instrument that fits can be used by sharing"),
    "hosts-cover": _("Willing hosts have enough hours to spare for all that is needed"),
    "below-break-even": _("At the hours needed sharing is cheaper than an own instrument"),
    "split": _("The applicant has another case of this class within twelve months"),
    "one-model": _("The requirements leave one model only"),
}
BARRED: dict[str, str | Promise] = {
    "own-organisation": _("belongs to the applicant"),
    "host-of-compared": _("belongs to the host of a compared instrument"),
    "declared": _("has declared an interest"),
}
FITS: dict[str, str | Promise] = {
    "meets": _("meets"),
    "fails": _("fails"),
    "unknown": _("not stated"),
}
DONE: dict[str, str | Promise] = {
    "check": _("The case is checked. Submit it when it is final."),
    "reopen": _("The case is a draft again."),
    "submit": _("The case is submitted, and its comparison is frozen."),
    "withdraw": _("The case is withdrawn."),
    "ask_hosts": _("The hosts are asked."),
    "review": _("The review has begun."),
    "order": _("The case says that it is ordered."),
}


def grounds_said(codes: Iterable[str], scheme: ReviewScheme) -> list[str]:
    """What grounds are called: those of the figures, and those of a scheme."""
    own = {row["code"]: named(SimpleNamespace(**row)) for row in scheme.grounds}
    return [str(GROUNDS.get(code) or own.get(code, code)) for code in codes]


def grounds_to_choose(scheme: ReviewScheme) -> list[tuple[str, list[tuple[str, str]]]]:
    """The grounds of a decision under two heads: for the purchase, and against it."""
    sides = {"for": _("For the purchase"), "against": _("Against the purchase")}
    codes: list[tuple[str, str]] = [
        *((row["code"], row["side"]) for row in scheme.grounds),
        *rules.GROUNDS.items(),
    ]
    chosen: list[tuple[Any, list[tuple[str, str]]]] = []
    for side, label in sides.items():
        mine = [code for code, of in codes if of == side]
        chosen.append((label, list(zip(mine, grounds_said(mine, scheme), strict=True))))
    return chosen
