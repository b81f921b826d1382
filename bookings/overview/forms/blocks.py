"""The form to block a person, or an organisation at whose cost they book."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.letters.words import named
from accounts.models import Organisation, User
from instruments.policy.domain.blocks import MOST_TEXT, USUAL, BlockTerms
from instruments.reading.forms.fields import DayField, StyledForm, day_input
from instruments.register.models import Facility


class BlockForm(StyledForm):
    """A block: the person or payer, the place, the last day, the reason, and who answers objections."""

    whom = forms.ChoiceField(label=_("Whom to block"))
    where = forms.ChoiceField(label=_("Where"))
    last_day = DayField(label=_("Last day"), widget=day_input())
    reason = forms.CharField(
        label=_("Reason"),
        max_length=MOST_TEXT,
        help_text=_("Those blocked read it, by mail and when booking."),
    )
    contact = forms.EmailField(
        label=_("Whom to write to"),
        max_length=254,
        help_text=_("The mail address for objections: that of a manager or of the facility."),
    )

    def __init__(
        self,
        data: Any = None,
        *,
        person: User,
        payers: Sequence[Organisation],
        hosts: Sequence[Organisation],
        facilities: Sequence[Facility],
        today: date,
        contact: str,
    ) -> None:
        """Offer the person and the payers, all of each host and each of its facilities."""
        self.payers = {str(each.pk): each for each in payers}
        self.places: dict[str, tuple[Organisation, Facility | None]] = {}
        choices = []
        for host in hosts:
            self.places[str(host.pk)] = host, None
            choices.append((str(host.pk), _("all instruments of {host}").format(host=named(host))))
            for site in (each for each in facilities if each.organisation_id == host.pk):
                self.places[str(site.pk)] = host, site
                choices.append((str(site.pk), named(site)))
        super().__init__(data, initial={"last_day": today + USUAL, "contact": contact})
        self.person = person
        fields: Any = self.fields
        whole = _("everybody of {payer}, at its cost")
        fields["whom"].choices = [
            ("person", str(person)),
            *((pk, whole.format(payer=named(each))) for pk, each in self.payers.items()),
        ]
        fields["where"].choices = choices

    def place_of(self, path: str) -> str | None:
        return {"user": "whom", "organisation": "whom", "facility": "where"}.get(path, path)

    def block(self) -> dict[str, Any]:
        """Return the arguments that the service takes."""
        data = self.cleaned_data
        host, facility = self.places[data["where"]]
        payer = self.payers.get(data["whom"])
        return {
            "host": host,
            "facility": facility,
            "user": None if payer else self.person,
            "organisation": payer,
            "terms": BlockTerms(data["reason"], data["last_day"], data["contact"]),
        }
