"""Marking payments, voiding, confirming, and rates."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.record.forms.fields import DayField
from bookings.settlement.services.exchange_rates import RATE_DIGITS, RateTerms
from bookings.settlement.services.payments import Paid
from instruments.forms.fields import StyledForm


class VersionForm(StyledForm):
    """With the version of the record that was read."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)


class PaymentForm(VersionForm):
    """What came in, or what of it is taken back."""

    act = forms.ChoiceField(
        label=_("What happened"),
        choices=[("paid", _("Payment received")), ("back", _("Payment reversed"))],
        initial="paid",
    )
    amount = forms.DecimalField(label=_("Amount"), max_digits=18, decimal_places=3, min_value=0)
    paid_on = DayField(label=_("Day"))
    reference = forms.CharField(
        label=_("Reference"),
        required=False,
        max_length=100,
        help_text=_("The bank's, or your own."),
    )

    def paid(self, sign: int) -> Paid:
        """`sign`: -1 for a credit, which is paid the other way."""
        data = self.cleaned_data
        amount = data["amount"] * sign
        if data["act"] == "back":
            amount = -amount
        return Paid(amount, data["paid_on"], data["reference"])


class NoticeForm(VersionForm):
    """What the payer has paid."""

    amount = forms.DecimalField(label=_("Amount"), max_digits=18, decimal_places=3, min_value=0)
    paid_on = DayField(label=_("Day"))
    reference = forms.CharField(
        label=_("Reference"),
        required=False,
        max_length=100,
        help_text=_("What the bank shows the host: the transfer's number or text."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Beside the form of payments on the page of who is both payer and host.
        super().__init__(*args, auto_id="id_notice_%s", **kwargs)

    def paid(self) -> Paid:
        data = self.cleaned_data
        return Paid(data["amount"], data["paid_on"], data["reference"])


class VoidForm(VersionForm):
    """Why a statement is voided."""

    reason = forms.CharField(label=_("Reason"), max_length=500)


class ConvertForm(VersionForm):
    """At which of the payer's rates a statement is shown."""

    rate = forms.UUIDField(label=_("Exchange rate"))


class ConfirmForm(VersionForm):
    """For which region a settlement is confirmed."""

    region = forms.CharField(required=False, max_length=20, widget=forms.HiddenInput)


class RateForm(StyledForm):
    """What one unit of a currency is worth in another."""

    organisation = forms.ChoiceField(label=_("Organisation"))
    base = forms.CharField(label=_("One unit of"), max_length=3, help_text=_("Such as GBP."))
    quote = forms.CharField(label=_("is worth, in"), max_length=3, help_text=_("Such as CNY."))
    rate = forms.DecimalField(label=_("Rate"), max_digits=20, decimal_places=RATE_DIGITS)
    valid_on = DayField(label=_("On the day"))
    source = forms.CharField(
        label=_("Source"), max_length=200, help_text=_("Whose rate it is: a bank, a ministry.")
    )

    def __init__(self, data: Any = None, *, organisations: Any, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        fields: Any = self.fields
        fields["organisation"].choices = [(one.code, str(one)) for one in organisations]
        for name in ("base", "quote"):
            fields[name].widget.attrs["autocapitalize"] = "characters"

    def terms(self) -> RateTerms:
        data = self.cleaned_data
        base, quote = data["base"].upper(), data["quote"].upper()
        return RateTerms(base, quote, data["rate"], data["valid_on"], data["source"])
