"""The filters of the list of postings that are chosen by names."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms import OrganisationField
from accounts.models import Organisation
from bookings.record.forms.working import MonthField
from instruments.reading.forms.fields import StyledForm


class PostingFilterForm(StyledForm):
    """Host, payer, month and currency of postings; codes in the address are understood too."""

    host = OrganisationField(label=_("Host"), required=False)
    payer = OrganisationField(label=_("Payer"), required=False)
    month = MonthField(label=_("Month"), required=False)
    currency = forms.CharField(label=_("Currency"), required=False, max_length=3)

    def clean_host(self) -> str:
        """Return the code of the host that was chosen."""
        return _code(self.cleaned_data["host"])

    def clean_payer(self) -> str:
        """Return the code of the payer that was chosen."""
        return _code(self.cleaned_data["payer"])

    def clean_currency(self) -> str:
        """Return the currency in capitals."""
        text: str = self.cleaned_data["currency"]
        return text.strip().upper()


def _code(organisation: Organisation | None) -> str:
    return organisation.code if organisation else ""
