"""The search form of the catalogue, and the filters for ratings."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.domain.currencies import MINOR_DIGITS
from accounts.domain.errors import Invalid
from accounts.models import Organisation
from bookings.browsing.messages import RATINGS
from bookings.record.forms.fields import DayField, of_our_time
from bookings.record.messages import sentence
from instruments.reading.forms.fields import DecimalField, StyledForm
from instruments.register.models import Instrument
from instruments.search.domain.search import Criteria
from instruments.vocabulary.domain.needs import LONGEST_NEED
from instruments.vocabulary.domain.parameters import Requirement, requirements_of
from instruments.vocabulary.selectors.needs import load_parameters

_LIMIT: dict[str, Any] = {
    "required": False,
    "min_value": 0,
    "decimal_places": 4,
    "widget": forms.NumberInput({"step": "any"}),
}


class SpecsField(forms.Field):
    """Requirements, each given as `CODE:LOW:HIGH` under the same parameter name."""

    widget = forms.MultipleHiddenInput

    def clean(self, value: list[str] | None) -> tuple[Requirement, ...]:
        specs = [spec for spec in value or () if spec.strip()]
        if not specs:
            return ()
        try:
            return requirements_of(specs, load_parameters())
        except Invalid as refused:
            problem = refused.problems[0]
            raise forms.ValidationError(sentence(problem.code, problem.numbers)) from None


class CatalogueForm(forms.Form):
    """The catalogue's search: text, facets, and free time in the reader's time zone."""

    q = forms.CharField(label=_("Search"), required=False, max_length=LONGEST_NEED)
    # What of the text is meant, and what not (codes with commas between). They count for the text
    # they were chosen for: `about` is that text where a form sends them on.
    term = forms.CharField(required=False, max_length=60)
    without = forms.CharField(required=False, max_length=600)
    about = forms.CharField(required=False, max_length=LONGEST_NEED)
    technique = forms.CharField(required=False, max_length=60)
    region = forms.CharField(required=False, max_length=20)
    host = forms.CharField(required=False, max_length=40)
    facility = forms.UUIDField(required=False)
    maker = forms.CharField(required=False, max_length=250)
    spec = SpecsField(required=False)
    kind = forms.ChoiceField(required=False, choices=[("", _("any")), *Instrument.Kind.choices])
    service_mode = forms.ChoiceField(
        label=_("Service"), required=False, choices=[("", _("any")), *Instrument.ServiceMode.choices]
    )
    free_from = forms.DateTimeField(label=_("Free from"), required=False)
    free_until = forms.DateTimeField(label=_("until"), required=False)
    minutes = forms.TypedChoiceField(
        label=_("for"),
        required=False,
        coerce=int,
        empty_value="",
        choices=[(m, m) for m in (30, 60, 120, 180, 240, 360, 480)],
    )
    max_price = DecimalField(label=_("Maximum list rate per hour"), max_digits=12, **_LIMIT)
    max_payable = DecimalField(label=_("Maximum price for this length"), max_digits=14, **_LIMIT)
    currency = forms.ChoiceField(
        label=_("Currency"),
        required=False,
        choices=[("", "–"), *((code, code) for code in sorted(MINOR_DIGITS))],
    )
    organisation = forms.CharField(required=False, max_length=40)
    sort = forms.ChoiceField(
        label=_("Order"),
        required=False,
        choices=[("", _("best match")), ("name", _("name")), ("price", _("price to pay"))],
    )

    def __init__(self, *args: Any, payer: Organisation | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.own_currency = payer.region.currency if payer else ""

    def clean_free_from(self) -> datetime | None:
        given = self.cleaned_data["free_from"]
        return of_our_time(given) if given else None

    def clean_free_until(self) -> datetime | None:
        given = self.cleaned_data["free_until"]
        return of_our_time(given) if given else None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        data["currency"] = data.get("currency") or self.own_currency
        for name in ("max_price", "max_payable"):
            if data.get(name) is not None and not data["currency"]:
                self.add_error(name, _("Choose the currency."))
        if data.get("about") and data["about"] != data.get("q"):
            data["term"] = data["without"] = ""
        data["without"] = tuple(filter(None, data.get("without", "").split(",")))
        if "free_from" in self.errors or "free_until" in self.errors:
            return data
        start, end = data.get("free_from"), data.get("free_until")
        if start and not end:
            data["free_until"] = start + timedelta(days=7)
        elif end and not start:
            self.add_error("free_from", _("Enter a start time."))
        elif start and end and end <= start:
            self.add_error("free_until", sentence("not-after-start"))
        elif start and end and end - start > timedelta(days=60):
            self.add_error("free_until", _("Search at most 60 days at once."))
        return data

    def criteria(self) -> Criteria:
        """Return the criteria of the search. A field that could not be parsed is left out, and its error is
        shown on the form."""
        data = self.cleaned_data
        start, end = data.get("free_from"), data.get("free_until")
        return Criteria(
            text=data.get("q", ""),
            technique=data.get("technique", ""),
            region=data.get("region", ""),
            host=data.get("host", ""),
            facility=data.get("facility"),
            maker=data.get("maker", ""),
            service_mode=data.get("service_mode", ""),
            kind=data.get("kind", ""),
            free_from=start if start and end else None,
            free_until=end if start and end else None,
            minutes=data.get("minutes") or 60,
            max_price=data.get("max_price"),
            max_payable=data.get("max_payable"),
            currency=data.get("currency", "") if self.wants_price else "",
            sort=data.get("sort", ""),
            term=data.get("term", ""),
            without=data.get("without", ()),
            specs=data.get("spec", ()),
        )

    @property
    def wants_price(self) -> bool:
        """Return whether a price limits the search."""
        names = ("max_price", "max_payable")
        return any(self.cleaned_data.get(name) is not None for name in names)


class RatingsForm(StyledForm):
    """Filters for the list of ratings; days are in the instrument's time zone."""

    rating = forms.TypedChoiceField(
        label=_("Rating"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", _("all")), *RATINGS.items()],
    )
    since = DayField(label=_("From"), required=False)
    until = DayField(label=_("Until"), required=False)
