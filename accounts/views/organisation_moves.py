"""Moving an organisation to another region from a day on."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from accounts.domain.errors import Invalid, WrongState, WrongVersion
from accounts.domain.roles import By, Place
from accounts.forms import MoveForm, MoveWithdrawForm
from accounts.permissions import actor_of, require
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import organisation_by_id, sharing_regions
from accounts.services.organisation_moves import CAPABILITY, move_decide, move_withdraw


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """The moves of an organisation, and deciding one or taking it back."""
    now, actor = timezone.now(), actor_of(request.user)
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
    refused, status = None, 200
    if request.method == "POST":
        status = 400
        try:
            if request.POST.get("act") == "withdraw" and withdrawal.is_valid() and ahead:
                move_withdraw(By(actor, now), organisation_id=organisation.pk, move_id=ahead.pk)
                messages.success(request, gettext("The move is withdrawn."))
                return redirect("accounts:organisation-move", organisation.pk)
            if request.POST.get("act") != "withdraw" and form.is_valid():
                move_decide(
                    By(actor, now),
                    organisation_id=organisation.pk,
                    region=next(r for r in regions if str(r.pk) == form.cleaned_data["region"]),
                    starts_on=form.cleaned_data["starts_on"],
                )
                messages.success(request, gettext("The move is decided."))
                return redirect("accounts:organisation-move", organisation.pk)
        except (Invalid, WrongState, WrongVersion) as problem:
            refused, status = problem, 400 if isinstance(problem, Invalid) else 409
    context = {
        "organisation": organisation,
        "moves": moves,
        "ahead": ahead,
        "form": form,
        "withdrawal": withdrawal,
        "regions": regions,
        "refused": refused,
    }
    return render(request, "accounts/organisation_move.html", context, status=status)
