"""Why an instrument meets a need, or does not, in the reader's language."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words
from accounts.letters.words import named
from bookings.needs.domain.matching import BROADER, SAME
from bookings.needs.selectors.matches import JudgedInstrument, Wanted
from bookings.record.domain.money import round_half_up
from instruments.vocabulary.domain.parameters import Parameters, Requirement
from instruments.vocabulary.messages import required_text

GATES: dict[str, str | Promise] = {
    "technique": _("It has none of the suitable techniques."),
    "requirement": _("It does not meet a requirement."),
    "region": _("It is not in any of the regions you chose."),
    "mode": _("It is not offered in any of the ways of working you chose."),
    "certificate": _("You need a certificate to work on it alone, and it is not offered in any other way."),
    "price": _("Its host has no price for your organisation."),
    "budget": _("It costs more than the budget."),
    "comparison": _("It has no price that could be compared with the budget."),
    "length": _("It cannot be booked for the length you chose."),
    "time": _("It has no free time of this length in the window."),
}
PARTS: dict[str, Any] = {
    "fit": _("how well it fits"),
    "time": _("how soon it is free"),
    "cost": _("what you pay"),
    "effort": _("how near it is"),
    "trust": _("how reliable its host is"),
}
LABELS: dict[str, str | Promise] = {
    "soonest": _("soonest"),
    "cheapest": _("cheapest"),
    "closest": _("closest fit"),
}


@dataclass(frozen=True)
class Reason:
    """A part of a match in words. value: between 0 and 1; parameter: the parameter to ask the host about, if
    the requirement cannot be judged because nothing is stated; is_asked: the reader has asked already."""

    part: str
    text: str
    value: float
    parameter: str = ""
    is_asked: bool = False


def reasons_of(
    answer: JudgedInstrument,
    question: Wanted,
    parameters: Parameters,
    awaited: Collection[tuple[UUID, str]] = (),
) -> list[Reason]:
    """Return why an instrument is a match: a reason for each part and requirement. `awaited`: the parameters,
    by instrument, about which the reader has asked and awaits an answer."""
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
    """Write a requirement, and whether it is met."""
    name = named(parameters[requirement.parameter]) if requirement.parameter in parameters else ""
    words = {
        "meets": gettext("{parameter}: meets {required}"),
        "fails": gettext("{parameter}: does not reach {required}"),
    }.get(fits, gettext("{parameter}: not stated ({required} needed)"))
    return words.format(parameter=name, required=required_text(requirement, parameters))


def _technique(answer: JudgedInstrument) -> str:
    """Return a text that names the technique of a match and what it finds out."""
    nearness = answer.match.candidate.nearness if answer.match else 0
    if answer.technique is None or answer.needed is None:
        return gettext("has a suitable technique")
    names = {"technique": named(answer.technique), "needed": named(answer.needed)}
    if nearness == BROADER:
        text = gettext("filed under {technique}, which is broader than {needed}: ask whether it fits")
    elif nearness != SAME:
        text = gettext("has {technique}, which is related to {needed}: ask whether it fits")
    elif answer.term is not None:
        text = gettext("{term} by {technique}")
        names["term"] = named(answer.term)
    elif answer.technique.code == answer.needed.code:
        text = gettext("has {technique}")
    else:
        text = gettext("has {technique}, a kind of {needed}")
    return text.format(**names)


def _time(days: int) -> str:
    if not days:
        return gettext("free on the first day you named")
    return ngettext(
        "free {days} working day after the first day you named",
        "free {days} working days after the first day you named",
        days,
    ).format(days=days)


def _cost(answer: JudgedInstrument, question: Wanted) -> str:
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
    if percent < 100:  # about the others there is nothing to say
        text = gettext("its host honoured {percent} % of bookings and requests")
        yield Reason("trust", text.format(percent=percent), kept)


def _effort(answer: JudgedInstrument) -> str:
    effort = answer.match.candidate.effort if answer.match else "travel"
    region = named(answer.instrument.region)
    return {
        "city": gettext("in {region}, as you are"),
        "region": gettext("in {region}, in your region"),
        "sent": gettext("in {region}: no need to travel"),
        "travel": gettext("in {region}: you would travel"),
    }[effort].format(region=region)


# Why a request is refused, by the code of the answer.
REFUSALS: dict[str, Sentence] = {
    "no-terms": _(
        "We do not know what measures this: choose a term on the page of the need, "
        "or name hosts and let them read its text."
    ),
    "unknown-term": _("There is no measurand or technique with the code {term}."),
    "too-many-needs": _("You already have {most} needs: withdraw one of them first."),
    "batch-waiting": _("A batch of this region is being placed right now: wait for it."),
    "place-gone": _("This time is no longer held for you."),
    "need-withdrawn": _("This need is withdrawn."),
    "need-met": _("Something is booked for this need, so it can no longer be changed."),
    "wrong-weights": _("Weights are numbers from 0 to 1, and not all of them 0."),
}

# The names of acts in the trail.
ACTS: dict[str, Words] = {
    "need.create": _("Need described"),
    "need.change": _("Need changed"),
    "need.withdraw": _("Need withdrawn"),
    "need.note": _("Reference noted"),
    "need.share": _("Reader of a need added"),
    "need.unshare": _("Reader of a need removed"),
    "batch.start": _("Batch started"),
    "batch.place": _("Batch placed"),
    "batch.offer": _("Time offered by a batch"),
    "batch.accept": _("Time of a batch accepted"),
    "batch.give-back": _("Time of a batch given back"),
    "batch.lapse": _("Time of a batch lapsed"),
    "need.open": _("Another person's need read"),
}
