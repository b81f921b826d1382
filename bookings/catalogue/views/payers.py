"""For whom a page is: the organisation that pays, and the reader's standing there."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.domain.roles import Actor
from accounts.models import Organisation
from accounts.selectors.memberships import organisations_of, place_of
from instruments.models import Instrument


def payer_of(actor: Actor, named: str | None) -> tuple[Organisation | None, list[Organisation]]:
    """The organisation a page is for, by code or id, and those to choose from. The first of
    several, until the reader chooses: a page, unlike a program, can show which it took. One
    statement."""
    choices = list(organisations_of(actor)) if actor.user_id else []
    chosen = (one for one in choices if named in {one.code, str(one.pk)})
    return next(chosen, choices[0] if choices else None), choices


@dataclass(frozen=True)
class Standing:
    """What the reader may do here: book for themselves, for others, set rules aside for them."""

    may_book: bool
    for_others: bool
    may_override: bool


def may_book_for(actor: Actor, payer: Organisation) -> bool:
    """Whether the booking form is the reader's, for themselves or for others."""
    place = place_of(payer)
    return actor.may("book", place) or actor.may("book-for-members", place)


def standing_of(actor: Actor, payer: Organisation | None, instrument: Instrument) -> Standing:
    if payer is None:
        return Standing(may_book=False, for_others=False, may_override=False)
    for_others = actor.may("book-for-members", place_of(payer))
    return Standing(
        may_book=actor.may("book", place_of(payer)),
        for_others=for_others,
        may_override=for_others
        and actor.may("manage-instruments", place_of(instrument.organisation)),
    )


def no_organisation(
    request: HttpRequest, payer: Organisation | None, instrument: Instrument | None = None
) -> HttpResponse:
    """The page for who may not book for the payer, or belongs to no organisation."""
    context = {"instrument": instrument, "payer": payer}
    return render(request, "bookings/reserving/no_organisation.html", context, status=403)
