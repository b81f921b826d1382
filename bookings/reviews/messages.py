"""Texts about purchase cases, in the reader's language."""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words
from accounts.letters.words import named
from bookings.reviews.domain import reviews as rules
from bookings.reviews.models import ReviewScheme

GROUNDS: dict[str, str | Promise] = {
    "none-fits": _("No instrument within reach meets the requirements"),
    "area-full": _("Suitable instruments are full on average"),
    "spare-short": _("Suitable instruments have fewer spare hours than are needed"),
    "unmet-demand": _("Others in the area could not get the hours they wanted"),
    "above-break-even": _("For the hours needed, buying is cheaper than sharing"),
    "area-not-full": _("Suitable instruments are not full on average"),
    "usable-by-sharing": _("At least one suitable instrument can be shared"),
    "hosts-cover": _("Willing hosts have enough spare hours for all that is needed"),
    "below-break-even": _("For the hours needed, sharing is cheaper than buying"),
    "split": _("The applicant has another case of this class within twelve months"),
    "one-model": _("Only one model meets the requirements"),
}
BARRED: dict[str, str | Promise] = {
    "own-organisation": _("belongs to the applicant"),
    "host-of-compared": _("belongs to the host of a compared instrument"),
    "declared": _("has declared an interest"),
}
FITS: dict[str, str | Promise] = {"meets": _("meets"), "fails": _("fails"), "unknown": _("not stated")}


def grounds_said(codes: Iterable[str], scheme: ReviewScheme) -> list[str]:
    """Return the names of the grounds with these codes: the general ones, and those of a scheme."""
    own = {row["code"]: named(SimpleNamespace(**row)) for row in scheme.grounds}
    return [str(GROUNDS.get(code) or own.get(code, code)) for code in codes]


def grounds_to_choose(scheme: ReviewScheme) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the grounds that a scheme offers for a decision, in two groups: for the purchase, and against
    it."""
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


# Why a request is refused, by the code of the answer.
REFUSALS: dict[str, Sentence] = {
    "own-case": _("You were involved in this, so another auditor must decide."),
    "unknown-scheme": _("There is no such review scheme for the applicant."),
    "not-of-scheme": _("The review scheme does not cover this."),
    "class-too-large": _(
        "More than {most} instruments would have to be compared: choose a narrower technique."
    ),
    "unknown-ground": _("There is no such ground."),
    "grounds-contradict": _("“{ground}” and “{other}” contradict each other. Choose one of them."),
    "asked-already": _("This person has already been asked."),
    "not-within-two-years": _("Choose a day from today on, within two years."),
    "not-of-applicant": _("This instrument does not belong to the applicant."),
    "in-future": _("This day has not come yet."),
    "not-a-scheme": _("This is not a review scheme."),
    "not-json": _("Line {line}, character {column}: this is not JSON."),
    "not-a-scheme-line": _("Line {line}: the value of “{column}” is not one that a scheme can have."),
    "not-a-scheme-columns": _("A scheme states exactly these, null where it says nothing: {columns}."),
    "same-scheme": _("This changes nothing in the newest version of the scheme."),
    "case-not-so-far": _("The state of the case does not allow this."),
    "nobody-to-ask": _("No other host has an instrument that may fit. Begin the review."),
    "too-few-opinions": _("A decision needs more opinions: {given} of {needed} have been given."),
    "no-promise": _("No host has promised hours."),
    "nothing-to-pool": _("These two cases do not fill one instrument together."),
    "appealed-already": _("There has already been an appeal against a decision on this case."),
    "too-late-to-appeal": _("An appeal was possible until {until}."),
    "opinion-given": _("You have already given your opinion."),
    "interest-not-declared": _("Declare first whether you have an interest in the case."),
    "no-rate-card": _("No rate by the hour is in force on this day: leave the price empty."),
    "other-currency": _("The rate card of the instrument is in {currency}."),
    "barred": _("You may not give an opinion on this case."),
}

# The names of acts in the trail.
ACTS: dict[str, Words] = {
    "purchase-case.create": _("Purchase case begun"),
    "purchase-case.change": _("Purchase case changed"),
    "purchase-case.check": _("Purchase case checked"),
    "purchase-case.reopen": _("Purchase case made a draft again"),
    "purchase-case.submit": _("Purchase case submitted, comparison frozen"),
    "purchase-case.ask-hosts": _("Hosts asked for hours"),
    "purchase-case.review": _("Review of a purchase case begun"),
    "purchase-case.approve": _("Purchase approved"),
    "purchase-case.approve-with-conditions": _("Purchase approved with conditions"),
    "purchase-case.share-instead": _("Sharing decided instead of a purchase"),
    "purchase-case.pool": _("Joint purchase decided"),
    "purchase-case.refuse": _("Purchase refused"),
    "purchase-case.appeal": _("Appeal against a decision on a purchase"),
    "purchase-case.withdraw": _("Purchase case withdrawn"),
    "purchase-case.order": _("Purchase ordered"),
    "purchase-case.put-in-service": _("Purchased instrument in service"),
    "purchase-case.follow-up": _("Purchase case followed up"),
    "host-pledge.answer": _("Host answered about hours"),
    "host-pledge.keep": _("Promise of a host became guaranteed hours"),
    "case-expert.ask": _("Expert asked about a purchase case"),
    "case-expert.declare": _("Expert's declaration of interests"),
    "case-expert.give": _("Opinion on a purchase case given"),
    "review-scheme.load": _("Review scheme loaded"),
}
