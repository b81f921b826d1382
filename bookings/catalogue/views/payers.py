"""Find the organisation that pays on a page, and what the reader may do there."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.domain.roles import Actor
from accounts.models import Organisation
from accounts.selectors.memberships import organisations_of, place_of
from instruments.register.models import Instrument


def payer_of(actor: Actor, named: str | None) -> tuple[Organisation | None, list[Organisation]]:
    """Return the organisation that a page is for, given by code or id, and those to choose from. Until the
    reader chooses, it is the first of several: unlike a program, a page can show which one it took. It takes
    one statement."""
    choices = list(organisations_of(actor)) if actor.user_id else []
    chosen = (one for one in choices if named in {one.code, str(one.pk)})
    return next(chosen, choices[0] if choices else None), choices


@dataclass(frozen=True)
class Standing:
    """The reader's rights here: to book for themselves, to book for others, and to override rules for
    them."""

    may_book: bool
    for_others: bool
    may_override: bool


def may_book_for(actor: Actor, payer: Organisation) -> bool:
    """Return whether the reader may use the booking form, for themselves or for others."""
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
        and actor.may("manage-instruments", place_of(instrument.organisation, instrument)),
    )


def no_organisation(
    request: HttpRequest, payer: Organisation | None, instrument: Instrument | None = None
) -> HttpResponse:
    """Show the page for people who may not book for the payer or belong to no organisation (status 403)."""
    context = {"instrument": instrument, "payer": payer}
    return render(request, "bookings/reserving/no_organisation.html", context, status=403)
