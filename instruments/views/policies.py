"""The booking policy of one instrument."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from accounts.domain.roles import By
from accounts.permissions import actor_of
from instruments.forms import PolicyForm
from instruments.selectors.managing import instrument_to_manage, load_guide
from instruments.selectors.misfits import Misfit, load_misfits, mark_of
from instruments.selectors.policies import load_policy, policy_versions
from instruments.selectors.qualifications import techniques_at
from instruments.services.policies import policy_set
from instruments.views.guide import onward

MOST_VERSIONS = 50  # on the page; programs read all


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def policy(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """The rules in sentences. Which bookings new ones would refuse is shown before they are
    saved; `check` only says that."""
    now, actor = timezone.now(), actor_of(request.user)
    instrument = instrument_to_manage(actor, instrument_id)
    row = getattr(instrument, "policy", None)
    form = PolicyForm(
        request.POST if request.method == "POST" else None,
        policy=load_policy(row) if row else None,
        techniques=techniques_at(instrument),
    )
    is_check = "check" in request.POST
    misfits: list[Misfit] = []
    if form.is_bound and form.is_valid():
        misfits = load_misfits(instrument, now, policy=form.policy)
        is_seen = not misfits or request.POST.get("seen") == mark_of(misfits)
        if is_seen and not is_check:
            policy_set(
                By(actor, now),
                instrument_id=instrument.pk,
                policy=form.policy,
                reason=form.cleaned_data["reason"],
            )
            messages.success(request, gettext("Booking policy set."))
            return redirect(onward(instrument, now, "policy"))
    context = {
        "form": form,
        "instrument": instrument,
        "is_suggestion": row is None,
        "misfits": misfits,
        "seen": mark_of(misfits),
    }
    if is_check:
        return render(request, "instruments/affected.html", context)
    context |= {
        "policy": load_policy(row) if row else None,
        "versions": list(policy_versions(instrument.pk)[:MOST_VERSIONS]) if row else [],
        "guide": load_guide(instrument, now, "policy"),
    }
    status = 409 if misfits else 400 if form.errors else 200
    return render(request, "instruments/policy.html", context, status=status)
