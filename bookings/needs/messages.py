"""Why an instrument answers a need, or does not, in the reader's language."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.letters.words import named
from bookings.needs.domain.matching import BROADER, SAME
from bookings.needs.selectors.matches import Answer, Wanted
from bookings.record.domain.money import round_half_up
from instruments.domain.capabilities import Parameters, Requirement
from instruments.messages import required_text

GATES: dict[str, str | Promise] = {
    "technique": _("It has none of the techniques that answer the need."),
    "requirement": _("It does not meet a requirement."),
    "region": _("It is in none of the regions you named."),
    "mode": _("It is offered in none of the ways of working you named."),
    "certificate": _(
        "You need a certificate to work on it alone, and it is offered in no other way."
    ),
    "price": _("Its host has no price for your organisation."),
    "budget": _("It costs more than the budget, or its price cannot be compared with it."),
    "length": _("It cannot be booked for so long or so short a time as you named."),
    "time": _("It has no free time of this length in the window."),
}
PARTS: dict[str, Any] = {
    "fit": _("how well it fits"),
    "time": _("how soon it is free"),
    "cost": _("what you pay"),
    "effort": _("how near it is"),
    "trust": _("how its host keeps to bookings"),
}
LABELS: dict[str, str | Promise] = {
    "soonest": _("soonest"),
    "cheapest": _("cheapest"),
    "closest": _("closest fit"),
}


@dataclass(frozen=True)
class Reason:
    """A part of a match in words. value: between 0 and 1; parameter: what is to be asked, of a
    requirement about which nothing is stated; is_asked: the reader has asked."""

    part: str
    text: str
    value: float
    parameter: str = ""
    is_asked: bool = False


def reasons_of(
    answer: Answer,
    question: Wanted,
    parameters: Parameters,
    awaited: Collection[tuple[UUID, str]] = (),
) -> list[Reason]:
    """Why an instrument is a match, a reason for each part and requirement. `awaited`: instruments
    and the parameters of them that the reader waits to be told."""
    if answer.match is None:
        return []
    parts = answer.match.parts
    return [
        Reason("fit", _technique(answer), answer.match.candidate.nearness),
        *(
            Reason(
                "fit",
                requirement_text(requirement, fits, parameters),
                {"meets": 1.0, "unknown": 0.5}.get(fits, 0.0),
                requirement.parameter if fits == "unknown" else "",
                (answer.instrument.pk, requirement.parameter) in awaited,
            )
            for requirement, fits in answer.fits
        ),
        Reason("time", _time(answer.match.candidate.days or 0), parts["time"]),
        Reason("cost", _cost(answer, question), parts["cost"]),
        Reason("effort", _effort(answer), parts["effort"]),
        *_trust(parts["trust"]),
    ]


def requirement_text(requirement: Requirement, fits: str, parameters: Parameters) -> str:
    """What is required, and whether it is met."""
    name = named(parameters[requirement.parameter]) if requirement.parameter in parameters else ""
    words = {
        "meets": gettext("{parameter}: meets {required}"),
        "fails": gettext("{parameter}: does not reach {required}"),
    }.get(fits, gettext("{parameter}: not stated ({required} needed)"))
    return words.format(parameter=name, required=required_text(requirement, parameters))


def _technique(answer: Answer) -> str:
    nearness = answer.match.candidate.nearness if answer.match else 0
    if nearness == SAME:
        return gettext("has a technique that answers the need")
    if nearness == BROADER:
        return gettext("filed under a broader technique: ask whether it fits")
    return gettext("has a neighbouring technique: ask whether it fits")


def _time(days: int) -> str:
    if not days:
        return gettext("free on the first day you named")
    return ngettext(
        "free {days} working day after the first day you named",
        "free {days} working days after the first day you named",
        days,
    ).format(days=days)


def _cost(answer: Answer, question: Wanted) -> str:
    quote = answer.offer.quote
    if quote is None:
        return gettext("priced on request")
    values: dict[str, Any] = {
        "price": _money(quote.payable, quote.currency),
        "covered": _money(quote.covered, quote.currency),
    }
    text = gettext("you pay {price}").format(**values)
    if quote.covered:
        text = gettext("you pay {price}; a voucher covers {covered}").format(**values)
    if answer.payable is None:
        return gettext("{cost}; no exchange rate to compare it by").format(cost=text)
    if question.budget is not None:
        budget = _money(question.budget, question.currency)
        return gettext("{cost}, of your {budget}").format(cost=text, budget=budget)
    return text


def _money(amount: Decimal, currency: str) -> str:
    return f"{currency} {round_half_up(amount, currency):,f}"


def _trust(kept: float) -> Iterator[Reason]:
    percent = round(100 * kept)
    if percent < 100:  # of the others there is nothing to say
        text = gettext("its host kept {percent} % of bookings and requests")
        yield Reason("trust", text.format(percent=percent), kept)


def _effort(answer: Answer) -> str:
    effort = answer.match.candidate.effort if answer.match else "travel"
    region = named(answer.instrument.region)
    return {
        "city": gettext("in {region}, as you are"),
        "region": gettext("in {region}, in your region"),
        "sent": gettext("in {region}: no need to travel"),
        "travel": gettext("in {region}: you would travel"),
    }[effort].format(region=region)
