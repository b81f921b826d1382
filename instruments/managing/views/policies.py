"""The page for the booking policy of one instrument."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from accounts.views.pages import by_of, edits, sent
from instruments.managing.selectors.managing import load_guide
from instruments.managing.selectors.misfits import Misfit, load_misfits, mark_of
from instruments.managing.views.guide import onward
from instruments.policy.forms.policies import PolicyForm
from instruments.policy.selectors.policies import load_policy, policy_versions
from instruments.policy.services.policies import policy_set
from instruments.register.selectors.registry import instrument_to_manage
from instruments.training.selectors.qualifications import techniques_at

MOST_VERSIONS = 50  # versions shown on the page; the API lists all


@edits
def policy(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Show the policy in sentences, and set it. The bookings that a new one would refuse are shown before it
    is saved; `check` only lists them."""
    by = by_of(request)
    instrument = instrument_to_manage(by.actor, instrument_id)
    row = getattr(instrument, "policy", None)
    form = PolicyForm(
        sent(request), policy=load_policy(row) if row else None, techniques=techniques_at(instrument)
    )
    is_check = "check" in request.POST
    misfits: list[Misfit] = []
    if form.is_bound and form.is_valid():
        misfits = load_misfits(instrument, by.now, policy=form.policy)
        is_seen = not misfits or request.POST.get("seen") == mark_of(misfits)
        if is_seen and not is_check:
            policy_set(
                by, instrument_id=instrument.pk, policy=form.policy, reason=form.cleaned_data["reason"]
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
