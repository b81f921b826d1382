"""Pages for moving an organisation to another region from a given day on."""

from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import WrongState
from accounts.domain.roles import By, Place
from accounts.forms import MoveForm, MoveWithdrawForm
from accounts.permissions import actor_of, require
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import organisation_by_id, sharing_regions
from accounts.services.organisation_moves import CAPABILITY, move_decide, move_withdraw
from accounts.views.pages import act, chooses, edits, in_full, shown


@edits
@chooses("decide", "withdraw")
def move(request: HttpRequest, organisation_id: UUID, choice: str) -> HttpResponse:
    """Show the moves of an organisation; decide a move or withdraw it."""
    actor = actor_of(request.user)
    organisation = organisation_by_id(organisation_id)
    require(actor, CAPABILITY, place_of(organisation))
    regions = [
        region
        for region in sharing_regions().order_by("name", "code")
        if region.pk != organisation.region_id
        and actor.may(CAPABILITY, Place(None, frozenset(region.lineage)))
    ]
    moves = list(
        organisation.moves.filter(withdrawn_at=None)
        .select_related("from_region", "region")
        .order_by("-starts_on")
    )
    ahead = next((row for row in moves if row.carried_out_at is None), None)
    form = MoveForm(request.POST or None, regions=regions, organisation=organisation)
    withdrawal = MoveWithdrawForm(request.POST or None, organisation=organisation)
    is_withdrawal = choice == "withdraw"

    def work(by: By, data: dict[str, Any]) -> None:
        if not is_withdrawal:
            move_decide(
                by,
                organisation_id=organisation.pk,
                region=next(r for r in regions if str(r.pk) == data["region"]),
                starts_on=data["starts_on"],
            )
        elif ahead:
            move_withdraw(by, organisation_id=organisation.pk, move_id=ahead.pk)
        else:
            raise WrongState(state="withdrawn", wanted="withdrawn")

    return act(
        request,
        partial(
            shown,
            request,
            "accounts/organisation_move.html",
            organisation=organisation,
            moves=moves,
            ahead=ahead,
            form=form,
            withdrawal=withdrawal,
            regions=regions,
        ),
        work,
        to=reverse("accounts:organisation-move", args=[organisation.pk]),
        done=gettext("The move is withdrawn.") if is_withdrawal else gettext("The move is scheduled."),
        form=withdrawal if is_withdrawal else form,
        name="withdrawal" if is_withdrawal else "form",
        shows=in_full,
    )
