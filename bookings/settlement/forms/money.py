"""Forms for recording payments, voiding, confirming, and exchange rates."""

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.shapes import Shape, Text
from accounts.selectors.rows import as_uuid
from bookings.record.domain.money import amount_named
from bookings.record.forms.fields import DayField
from bookings.settlement.domain.statements import MOST_NUMBER, MOST_REMINDED
from bookings.settlement.services.exchange_rates import RATE_DIGITS, RateTerms
from bookings.settlement.services.payments import Paid
from instruments.reading.forms.fields import DecimalField, StyledForm, VersionForm
from instruments.reading.forms.shapes import form_of

PAYMENT_ACTS = {"paid": _("Payment received"), "back": _("Payment reversed")}


class AmountField(DecimalField):
    """An amount as people write it: `504.8`, `1,079.68`, `GBP 504.80`. One that names a currency is refused
    in any other than `currency`."""

    widget = forms.TextInput(attrs={"inputmode": "decimal"})
    currency = ""

    def to_python(self, value: Any) -> Any:
        found = amount_named(value) if isinstance(value, str) else None
        if found is None:
            return super().to_python(value)
        amount, code = found
        if code and code != self.currency:
            says = _("Enter the amount in {currency}.").format(currency=self.currency)
            raise forms.ValidationError(says, code="other-currency")
        return super().to_python(amount)


class InCurrency(VersionForm):
    """A form with an amount in the currency of a paper."""

    def __init__(self, *args: Any, currency: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["amount"].currency = currency


class PaymentForm(InCurrency):
    """A payment that arrived, or one that is taken back."""

    act = forms.ChoiceField(label=_("What happened"), choices=list(PAYMENT_ACTS.items()), initial="paid")
    amount = AmountField(label=_("Amount"), max_digits=18, decimal_places=3, min_value=0)
    paid_on = DayField(label=_("Day"))
    reference = forms.CharField(
        label=_("Reference"),
        required=False,
        max_length=100,
        help_text=_("The bank's reference, or your own."),
    )

    def only_reverses(self) -> None:
        """Offer only to take a payment back, because nothing is left to pay. A form that was sent keeps what
        was chosen, so that sending it again does not do the opposite."""
        if self.is_bound:
            return
        acts: Any = self.fields["act"]
        acts.initial, acts.widget = "back", forms.HiddenInput()

    def paid(self, sign: int) -> Paid:
        """Return the payment as entered. `sign` is -1 for a credit, which the host pays to the payer."""
        data = self.cleaned_data
        amount = data["amount"] * sign
        if data["act"] == "back":
            amount = -amount
        return Paid(amount, data["paid_on"], data["reference"])


class NoticeForm(InCurrency):
    """A payment that the payer has made."""

    amount = AmountField(label=_("Amount"), max_digits=18, decimal_places=3, min_value=0)
    paid_on = DayField(label=_("Day"))
    reference = forms.CharField(
        label=_("Reference"),
        required=False,
        max_length=100,
        help_text=_("The number or text of the transfer, as the host will see it on its bank statement."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Ids of its own, as the page of somebody who is both payer and host also has the form of payments.
        super().__init__(*args, auto_id="id_notice_%s", **kwargs)

    def paid(self) -> Paid:
        data = self.cleaned_data
        return Paid(data["amount"], data["paid_on"], data["reference"])


class VoidBody(Shape):
    reason = Text(500, label=_("Reason"), help_text="The reason, which the payer reads.")


class NoticeRefuseBody(VoidBody):
    pass


class OrderNumberBody(Shape):
    order_number = Text(
        MOST_NUMBER, label=_("Order number"), allow_blank=True, help_text="The payer's; empty takes it off."
    )


class InvoiceNumberBody(Shape):
    invoice_number = Text(
        MOST_NUMBER,
        label=_("Number of the tax invoice"),
        allow_blank=True,
        help_text="Of the fapiao or electronic invoice issued elsewhere; empty takes it off.",
    )


class ConvertBody(Shape):
    exchange_rate = serializers.UUIDField(label=_("Exchange rate"))


class ConfirmBody(Shape):
    region = Text(
        20,
        default="",
        allow_blank=True,
        help_text="Code of the region you confirm for; required if you coordinate both.",
    )


VoidForm, ConvertForm, ConfirmForm = form_of(VoidBody), form_of(ConvertBody), form_of(ConfirmBody)
OrderNumberForm, InvoiceNumberForm = form_of(OrderNumberBody), form_of(InvoiceNumberBody)


class RateForm(StyledForm):
    """An exchange rate to enter: the value of one unit of a currency in another."""

    organisation = forms.ChoiceField(label=_("Organisation"))
    base = forms.CharField(label=_("One unit of"), max_length=3, help_text=_("Such as GBP."))
    quote = forms.CharField(label=_("is worth, in"), max_length=3, help_text=_("Such as CNY."))
    rate = DecimalField(label=_("Rate"), max_digits=20, decimal_places=RATE_DIGITS)
    valid_on = DayField(label=_("On the day"))
    source = forms.CharField(
        label=_("Source"),
        max_length=200,
        help_text=_("The source of the rate, such as a bank or a ministry."),
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


class RemindManyForm(forms.Form):
    """Statements of a list whose payers are reminded at once."""

    chosen = forms.TypedMultipleChoiceField(coerce=UUID)

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        chosen: Any = self.fields["chosen"]
        given = [text for text in data.getlist("chosen")[:MOST_REMINDED] if as_uuid(text)]
        chosen.choices = [(text, text) for text in given]
