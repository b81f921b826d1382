"""The page of how long records are kept."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from accounts.domain.roles import Place
from accounts.permissions import actor_of, require
from accounts.views.pages import act, edits
from bookings.privacy.forms.periods import PeriodForm
from bookings.privacy.selectors.periods import entered_periods, load_kept
from bookings.privacy.services.periods import period_add


@edits
def periods(request: HttpRequest) -> HttpResponse:
    """List how long records are kept; administrators enter another period from a day on."""
    require(actor_of(request.user), "administer", Place(None))
    today = timezone.now().date()
    form = PeriodForm(request.POST if request.method == "POST" else None, initial={"valid_from": today})

    def page(status: int = 200, **more: object) -> HttpResponse:
        held = load_kept(today)
        words = {each.kind: each.words for each in held}
        context = {
            "kept": held,
            "entered": [(row, words.get(row.kind, row.kind)) for row in entered_periods()],
            "form": form,
            **more,
        }
        return render(request, "bookings/privacy/periods.html", context, status=status)

    return act(
        request,
        page,
        lambda by, data: period_add(by, **data),
        to=reverse("bookings:holding-periods"),
        done=gettext("The period is entered. What is older is removed in the night after."),
        form=form,
    )
