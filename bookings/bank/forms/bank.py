"""Forms of bank files, of the formats that read them, and of acts on transactions."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.shapes import Choice, Flag, ListOf, Shape, Text, Whole
from accounts.models import Organisation
from accounts.selectors.rows import as_uuid
from bookings.bank.domain.files import COLUMNS
from bookings.bank.models import BankMapping
from bookings.bank.services.files import MappingTerms
from bookings.bank.services.matches import MOST_ASIDE
from bookings.record.domain.money import minor_digits, round_half_up
from bookings.settlement.forms.money import AmountField, InCurrency
from instruments.reading.forms.fields import StyledForm
from instruments.reading.forms.shapes import form_of


class BankFileForm(StyledForm):
    """A bank's file to read, and the format that reads it if it is CSV."""

    organisation = forms.ChoiceField(label=_("Organisation"))
    file = forms.FileField(
        label=_("File"),
        widget=forms.FileInput(attrs={"accept": ".xml,.sta,.mt940,.940,.txt,.csv"}),
        help_text=_("CAMT.053, MT940 or CSV, at most 10 MB and 5,000 transactions."),
    )
    mapping = forms.ChoiceField(
        label=_("Format of a CSV file"), required=False, help_text=_("CAMT.053 and MT940 files need none.")
    )
    is_other_account = forms.BooleanField(
        label=_("The account may be one that was not used before"), required=False
    )

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        organisations: Sequence[Organisation],
        mappings: Sequence[BankMapping],
    ) -> None:
        super().__init__(data, files)
        self.choose_organisation(organisations)
        fields: Any = self.fields
        fields["mapping"].choices = [("", "–"), *((str(each.pk), each.name) for each in mappings)]
        if not mappings:  # what is wrong with it is then said of the whole form
            del fields["mapping"]

    @property
    def lacks_format(self) -> bool:
        """Return whether the file is CSV and no format reads it."""
        return any(one.code == "no-format" for each in self.errors.values() for one in each.as_data())


def _column(label: Any) -> Text:
    return Text(80, default="", allow_blank=True, label=label, help_text="Name of the column with it.")


class BankFormatBody(Shape):
    name = Text(80, label=_("Name"), style={"help": _("Such as the bank's name.")})
    delimiter = Choice(BankMapping.Delimiter.choices, default="comma", label=_("Columns are divided by"))
    encoding = Choice(BankMapping.Encoding.choices, default="utf-8", label=_("Encoding of text"))
    date_format = Text(
        20,
        default="YYYY-MM-DD",
        label=_("Days are written as"),
        style={"help": _("YYYY or YY is the year, MM the month, DD the day: 03.04.2026 is DD.MM.YYYY.")},
    )
    is_decimal_comma = Flag(default=False, label=_("Amounts have a decimal comma (1.079,68)"))
    skipped_lines = Whole(
        min_value=0, max_value=50, default=0, label=_("Lines above the line with the names of the columns")
    )
    account = Text(
        64, default="", allow_blank=True, label=_("Account"), style={"help": _("If no column states it.")}
    )
    currency = Text(
        3,
        default="",
        allow_blank=True,
        label=_("Currency"),
        style={"help": _("Such as CNY; if no column states it.")},
    )
    column_booked_on = Text(80, label=_("Day of booking"), help_text="Name of the column with it.")
    column_amount = _column(_("Amount with its sign"))
    column_debit = _column(_("Amount that went out"))
    column_credit = _column(_("Amount that came in"))
    column_currency = _column(_("Currency"))
    column_account = _column(_("Own account"))
    column_name = _column(_("Name of the other side"))
    column_counter_account = _column(_("Account of the other side"))
    column_reference = _column(_("Reference of the payer"))
    column_purpose = _column(_("Payment text"))
    column_bank_reference = _column(_("Number given by the bank"))


def terms_of(data: dict[str, Any]) -> MappingTerms:
    """Return the terms that a body or a form states."""
    columns = {name: data.pop(f"column_{name}", "") for name in COLUMNS}
    return MappingTerms(columns=columns, **data)


class BankAsideBody(Shape):
    reason = Text(500, label=_("Why it pays no statement"), help_text="Such as an internal transfer.")


class BankAsideManyBody(BankAsideBody):
    transactions = ListOf(child=serializers.UUIDField(), max_length=MOST_ASIDE)


class BankBookBody(Shape):
    number = Whole(min_value=0, max_value=20, default=0, help_text="Place of the proposal, from 0 on.")


FormatForm, AsideForm, BookForm = form_of(BankFormatBody), form_of(BankAsideBody), form_of(BankBookBody)


class AsideManyForm(StyledForm):
    """The transactions of a page that are set aside together, and why."""

    reason = forms.CharField(label=_("Why they pay no statement"), max_length=500)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.chosen: list[UUID] = []

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        given: Any = self.data
        self.chosen = [pk for text in given.getlist("chosen") if (pk := as_uuid(text))]
        return data


class CreditForm(InCurrency):
    """How much of a payer's credit is used on a statement."""

    amount = AmountField(label=_("Amount"), max_digits=18, decimal_places=3, min_value=0)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="id_credit_%s", **kwargs)


class HandForm(InCurrency):
    """The statements that a transaction pays, as a person chose them, each with an amount; and who keeps the
    rest as credit, or, where money `is_out`, whose credit it paid out."""

    amount = AmountField(
        label=_("Keep as credit"), max_digits=18, decimal_places=3, min_value=0, required=False,
        help_text=_("How much of the rest, if any."),
    )  # fmt: skip
    payer = forms.ChoiceField(label=_("Credit of"), required=False)

    def __init__(
        self,
        data: Any = None,
        *,
        payers: Sequence[tuple[str, str]],
        currency: str,
        is_out: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(data, currency=currency, **kwargs)
        fields: Any = self.fields
        fields["payer"].choices = [("", "–"), *payers]
        if is_out:
            fields["amount"].label = _("Credit paid out")
            fields["amount"].help_text = _("How much of it paid a payer's credit out, if any.")
        self.chosen: list[tuple[UUID, Any]] = []
        self.typed: dict[str, str] = {}  # statement -> what stands beside it, also if it is no amount

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        given: Any = self.data
        one = AmountField(max_digits=18, decimal_places=3, min_value=0, required=False)
        currency = one.currency = self.fields["amount"].currency  # type: ignore[attr-defined]
        for text in given.getlist("statement") if hasattr(given, "getlist") else ():
            self.typed[text] = given.get(f"amount_{text}", "")
            try:
                amount = one.clean(given.get(f"amount_{text}", ""))
                pk = UUID(text)
            except (forms.ValidationError, ValueError) as wrong:
                is_other = getattr(wrong, "code", "") == "other-currency"
                amount, pk = None, None
                code = "bad-amount-by-hand" if is_other else "bad-amount-of-statement"
            else:
                code = "bad-amount-of-statement"
            if pk and amount and round_half_up(amount, currency) == amount:
                self.chosen.append((pk, amount))
                continue
            params = {"text": given.get(f"amount_{text}", "")[:40] or "–", "decimals": minor_digits(currency)}
            self.add_error(None, forms.ValidationError(code, code=code, params=params))
        return data
