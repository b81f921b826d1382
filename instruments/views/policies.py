"""The booking policy of one instrument."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from accounts.views.pages import by_of, edits, sent
from instruments.forms.policies import PolicyForm
from instruments.selectors.managing import instrument_to_manage, load_guide
from instruments.selectors.misfits import Misfit, load_misfits, mark_of
from instruments.selectors.policies import load_policy, policy_versions
from instruments.selectors.qualifications import techniques_at
from instruments.services.policies import policy_set
from instruments.views.guide import onward

MOST_VERSIONS = 50  # on the page; programs read all


@edits
def policy(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Show the rules in sentences, and set them. Which bookings new ones would refuse is shown
    before they are saved; `check` only says that."""
    by = by_of(request)
    instrument = instrument_to_manage(by.actor, instrument_id)
    row = getattr(instrument, "policy", None)
    form = PolicyForm(
        sent(request),
        policy=load_policy(row) if row else None,
        techniques=techniques_at(instrument),
    )
    is_check = "check" in request.POST
    misfits: list[Misfit] = []
    if form.is_bound and form.is_valid():
        misfits = load_misfits(instrument, by.now, policy=form.policy)
        is_seen = not misfits or request.POST.get("seen") == mark_of(misfits)
        if is_seen and not is_check:
            policy_set(
                by,
                instrument_id=instrument.pk,
                policy=form.policy,
                reason=form.cleaned_data["reason"],
            )
            messages.success(request, gettext("Booking policy set."))
            return redirect(onward(instrument, by.now, "policy"))
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
        "guide": load_guide(instrument, by.now, "policy"),
    }
    status = 409 if misfits else 400 if form.errors else 200
    return render(request, "instruments/policy.html", context, status=status)
