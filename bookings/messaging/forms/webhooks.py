"""Input about webhooks: shape only."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import FieldProblem
from accounts.letters.words import named
from accounts.models import Organisation
from bookings.messaging.domain.webhooks import EVENTS
from bookings.messaging.models import WebhookEndpoint
from bookings.record.messages import sentence
from instruments.messages import harvest_sentence

EVENT_NAMES = {
    "reservation.requested": _("a booking is requested"),
    "reservation.confirmed": _("a booking is confirmed"),
    "reservation.rejected": _("a request is declined"),
    "reservation.moved": _("a booking has another time"),
    "reservation.cancelled": _("a booking is cancelled"),
    "reservation.expired": _("a request expires"),
    "reservation.displaced": _("a booking is displaced by a closure"),
    "reservation.no_show": _("a booking was not used"),
    "reservation.completed": _("a session has ended"),
    "reservation.commented": _("somebody wrote a comment on a booking"),
    "charge.made": _("something is charged"),
    "charge.disputed": _("a charge is disputed"),
    "charge.final": _("a disputed charge is final"),
    "charge.corrected": _("a charge is corrected"),
    "statement.issued": _("a statement is issued"),
    "statement.replaced": _("a statement replaces another"),
    "statement.overdue": _("a statement is overdue"),
    "instrument.published": _("an instrument is published"),
    "instrument.changed": _("a published record changes"),
}


class WebhookForm(forms.Form):
    """Where, and of what. With `endpoint` it is changed, else made for one of `organisations`."""

    organisation = forms.ChoiceField(label=_("Organisation"))
    address = forms.CharField(
        label=_("Address"),
        max_length=1000,
        widget=forms.URLInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("It must begin with https:// and be open to the internet."),
    )
    description = forms.CharField(label=_("What is it for?"), max_length=200, required=False)
    events = forms.MultipleChoiceField(
        label=_("Notify when"),
        choices=[(event, EVENT_NAMES[event]) for event in EVENTS],
        widget=forms.CheckboxSelectMultiple,
    )
    is_active = forms.BooleanField(label=_("Switched on"), required=False)

    def __init__(
        self,
        *args: Any,
        organisations: Sequence[Organisation] = (),
        endpoint: WebhookEndpoint | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if endpoint is None:
            del self.fields["is_active"]
            field: Any = self.fields["organisation"]
            field.choices = [(str(one.pk), named(one)) for one in organisations]
            return
        del self.fields["organisation"]
        for name in ("address", "description", "events"):
            self.fields[name].initial = getattr(endpoint, name)
        self.fields["is_active"].initial = endpoint.state == WebhookEndpoint.State.ACTIVE

    def refuse(self, problems: Sequence[FieldProblem]) -> None:
        for problem in problems:
            say = harvest_sentence if problem.field == "address" else sentence
            name = problem.field if problem.field in self.fields else None
            self.add_error(name, say(problem.code, problem.numbers))
