"""Forms for webhooks, which check shape only."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import FieldProblem
from accounts.letters.words import named
from accounts.models import Organisation
from bookings.messaging.models import WebhookEndpoint
from bookings.messaging.selectors.webhooks import all_events
from bookings.record.messages import sentence
from instruments.exchange.messages import harvest_sentence


class WebhookForm(forms.Form):
    """The address and events of a webhook, and whether it is switched on."""

    address = forms.CharField(
        label=_("Address"),
        max_length=1000,
        widget=forms.URLInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("The address must begin with https:// and be reachable from the internet."),
    )
    description = forms.CharField(label=_("What is it for?"), max_length=200, required=False)
    events = forms.MultipleChoiceField(
        label=_("Notify when"),
        choices=lambda: [(event.code, event.words) for event in all_events().values()],
        widget=forms.CheckboxSelectMultiple,
    )
    is_active = forms.BooleanField(label=_("Switched on"), required=False)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def refuse(self, problems: Sequence[FieldProblem]) -> None:
        for problem in problems:
            say = harvest_sentence if problem.field == "address" else sentence
            name = problem.field if problem.field in self.fields else None
            self.add_error(name, say(problem.code, problem.numbers))


def _moment() -> forms.DateTimeInput:
    return forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class ReplayForm(forms.Form):
    """The period whose deliveries are sent again."""

    since = forms.DateTimeField(label=_("From"), widget=_moment())
    until = forms.DateTimeField(label=_("Until"), widget=_moment())
    only_failed = forms.BooleanField(label=_("Only those that failed"), required=False, initial=True)

    def refuse(self, problems: Sequence[FieldProblem]) -> None:
        for problem in problems:
            name = problem.field if problem.field in self.fields else None
            self.add_error(name, sentence(problem.code, problem.numbers))


class NewWebhookForm(WebhookForm):
    """A new webhook, for one of several organisations."""

    organisation = forms.ChoiceField(label=_("Organisation"))
    is_active = version = None  # type: ignore[assignment]  # as Django leaves a field out
    field_order = ["organisation"]

    def __init__(self, *args: Any, organisations: Sequence[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["organisation"]
        field.choices = [(str(one.pk), named(one)) for one in organisations]


def initial_of(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """Return the initial values of the form that changes a webhook."""
    initial = {name: getattr(endpoint, name) for name in ("address", "description", "events", "version")}
    return initial | {"is_active": endpoint.state == WebhookEndpoint.State.ACTIVE}
