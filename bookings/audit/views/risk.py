"""The page of the weights by which exceptions are ranked."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from accounts.domain.errors import NotPermitted
from accounts.permissions import actor_of
from accounts.views.pages import act, edits
from bookings.audit.domain.risk import FIRST, weight_on
from bookings.audit.forms.risk import WeightForm
from bookings.audit.selectors.risk import entered_weights, load_weights
from bookings.audit.services.risk import weight_add


@edits
def weights(request: HttpRequest) -> HttpResponse:
    """List the weights of the rules and those that were entered; administrators enter one from a day on."""
    actor = actor_of(request.user)
    enters = actor.has("administrator")
    if not enters and (request.method == "POST" or not actor.has("auditor")):
        raise NotPermitted
    today = timezone.now().date()
    form = WeightForm(request.POST if request.method == "POST" else None, initial={"valid_from": today})

    def page(status: int = 200, **more: object) -> HttpResponse:
        held = load_weights()
        context = {
            "weights": sorted(((rule, weight_on(held, rule, today)) for rule in FIRST), key=lambda w: -w[1]),
            "entered": entered_weights(),
            "enters": enters,
            "audits": actor.has("auditor"),
            "form": form,
            **more,
        }
        return render(request, "bookings/audit/weights.html", context, status=status)

    return act(
        request,
        page,
        lambda by, data: weight_add(by, **data),
        to=reverse("bookings:risk-weights"),
        done=gettext("The weight is entered. Exceptions found from that day on are ranked by it."),
        form=form,
    )
