"""A form for a rate card: prices, and rows for bands, tiers, options and cancellation."""

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.text import slugify
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.domain.currencies import MINOR_DIGITS
from instruments.rates.domain.ratecards import (
    CAPPED,
    KEPT,
    LONGEST_NAME,
    PRICE_GROUPS,
    STANDARD,
    RateCardValues,
    check_rate_card,
    to_json,
)
from instruments.rates.messages import PRICE_GROUP_LABELS
from instruments.reading.domain.clock import clock
from instruments.reading.forms import fields
from instruments.register.models import Instrument

# kind of row -> list on the card, least number of rows
LISTS = {
    "way": ("usage", 3),
    "band": ("bands", 4),
    "tier": ("tiers", 3),
    "option": ("options", 4),
    "step": ("cancellation", 4),
}
WORDS = {
    "way": _("Way of working {n}"),
    "band": _("Band {n}"),
    "tier": _("Tier {n}"),
    "option": _("Option {n}"),
    "step": _("Step {n}"),
}
# Terms of a way of working that the form shows; others that a draft has stay as they are.
WAY_TERMS = ("minimum_minutes", "billing_increment_minutes", "daily_cap_minutes", "setup_fee")
# field of a card's list -> the form field that shows it
NAMES = {"after_minutes": "after", "notice_minutes": "notice", "holidays": "weekdays"}
HOLIDAYS = "holidays"


def decimal_field(label: Any, *, most: int = 10**9, places: int = 4) -> fields.DecimalField:
    return fields.DecimalField(
        label=label,
        required=False,
        min_value=0,
        max_value=most,
        decimal_places=places,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )


def _band_fields() -> dict[str, forms.Field]:
    days = [(str(day), WEEKDAYS_ABBR[day - 1]) for day in range(1, 8)]
    return {
        **_named_fields(),
        "weekdays": forms.MultipleChoiceField(
            label=_("Days"),
            required=False,
            choices=[*days, (HOLIDAYS, _("public holidays"))],
            widget=forms.CheckboxSelectMultiple,
        ),
        "opens": fields.WallClockField(label=_("From")),
        "closes": fields.WallClockField(label=_("To")),
        "multiplier": decimal_field(_("Rate ×"), most=1000),
    }


def _tier_fields() -> dict[str, forms.Field]:
    return {
        "after": fields.HoursField(label=_("After hours")),
        "multiplier": decimal_field(_("Rate ×"), most=1000),
    }


def _option_fields() -> dict[str, forms.Field]:
    return {
        **_named_fields(),
        "unit": forms.ChoiceField(
            label=_("Charged"), required=False, choices=[("hour", _("by the hour")), ("each", _("each"))]
        ),
        "price": decimal_field(_("Price")),
        "subsidised": forms.BooleanField(label=_("vouchers cover it"), required=False),
        "when": forms.ChoiceField(
            label=_("When"),
            required=False,
            choices=[
                ("offered", _("asked for with the booking")),
                ("required", _("part of every price")),
                ("on_use", _("added at check-out")),
            ],
        ),
        "quantity": decimal_field(_("Quantity in the price")),
        "modes": _modes_field(),
    }


def _named_fields() -> dict[str, forms.Field]:
    return {
        "code": forms.CharField(label=_("Code"), required=False, max_length=50),
        "name": forms.CharField(label=_("Name in English"), required=False, max_length=LONGEST_NAME),
        "name_zh": forms.CharField(label=_("Name in Chinese"), required=False, max_length=LONGEST_NAME),
    }


def _modes_field() -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=_("Ways of working"),
        required=False,
        choices=Instrument.ServiceMode.choices,
        widget=forms.CheckboxSelectMultiple,
    )


class MoreField(forms.JSONField):
    """A hidden field for what a row states beyond the fields of the form, as JSON; an empty text is
    nothing."""

    def prepare_value(self, value: Any) -> Any:
        return "" if value is None else super().prepare_value(value)


def _way_fields() -> dict[str, forms.Field]:
    return {
        "modes": _modes_field(),
        "unit": forms.ChoiceField(label=_("Charged"), required=False, choices=UNITS),
        **{f"rate_{group}": decimal_field(PRICE_GROUP_LABELS[group]) for group in PRICE_GROUPS},
        "minimum_minutes": _minutes(_("Minimum charge, in minutes"), 0, 527040),
        "billing_increment_minutes": _minutes(_("Rounded up to multiples of, in minutes"), 1, 1440),
        "daily_cap_minutes": _minutes(_("Maximum charge a day, in minutes"), 1, 1500),
        "setup_fee": decimal_field(_("Set-up fee")),
        "more": MoreField(required=False, widget=forms.HiddenInput),
    }


def _step_fields() -> dict[str, forms.Field]:
    return {
        "notice": fields.HoursField(label=_("Hours ahead")),
        "percent": decimal_field(_("Costs percent"), most=100),
    }


def _minutes(label: Any, least: int, most: int, help_text: Any = "") -> forms.IntegerField:
    return forms.IntegerField(
        label=label, required=False, min_value=least, max_value=most, help_text=help_text
    )


UNITS = [("hour", _("by the hour")), ("sample", _("by the sample"))]
ROWS = {
    "way": _way_fields,
    "band": _band_fields,
    "tier": _tier_fields,
    "option": _option_fields,
    "step": _step_fields,
}
NEEDED: dict[str, Sequence[str]] = {
    "way": ("modes",),
    "band": ("code", "weekdays", "opens", "closes", "multiplier"),
    "tier": ("after", "multiplier"),
    "option": ("code", "price"),
    "step": ("notice", "percent"),
}
SILENT = {"unit", "subsidised", "when", "more"}  # these alone do not make a row count as filled in
AS_JSON: dict[str, Any] = {
    "way": lambda row: {
        **(row["more"] if isinstance(row["more"], dict) else {}),
        "modes": row["modes"],
        "unit": row["unit"] or "hour",
        "rates": {
            group: decimal_text(rate) for group in PRICE_GROUPS if (rate := row[f"rate_{group}"]) is not None
        },
        **{
            name: decimal_text(value) if name == "setup_fee" else value
            for name in WAY_TERMS
            if (value := row[name]) is not None
        },
    },
    "band": lambda row: {
        **_names(row),
        "weekdays": [int(day) for day in row["weekdays"] if day != HOLIDAYS],
        "holidays": HOLIDAYS in row["weekdays"],
        "opens": row["opens"],
        "closes": row["closes"],
        "multiplier": decimal_text(row["multiplier"]),
    },
    "tier": lambda row: {"after_minutes": row["after"], "multiplier": decimal_text(row["multiplier"])},
    "option": lambda row: {
        **_names(row),
        "unit": row["unit"] or "hour",
        "price": decimal_text(row["price"]),
        "subsidised": bool(row["subsidised"]),
        "when": row["when"] or "offered",
        "modes": row["modes"],
        "quantity": None if row["quantity"] is None else decimal_text(row["quantity"]),
    },
    "step": lambda row: {"notice_minutes": row["notice"], "percent": decimal_text(row["percent"])},
}


def rows_of(card: RateCardValues) -> dict[str, dict[str, Any]]:
    """Return the lists of a card as rows of the form, by name: `band_0` and so on."""
    told: dict[str, dict[str, Any]] = {}
    rows: Any = to_json(card).get("usage", ())
    for n, (way, row) in enumerate(zip(card.usage, rows, strict=True)):
        more = {name: row[name] for name in way.stated if name not in WAY_TERMS or row[name] is None}
        told[f"way_{n}"] = {
            "modes": list(way.modes),
            "unit": way.unit,
            **{f"rate_{group}": rate for group, rate in way.rates.items()},
            **{name: way.stated.get(name) for name in WAY_TERMS},
            "more": more or None,
        }
    for n, band in enumerate(card.bands):
        days = [str(day) for day in band.weekdays] + ([HOLIDAYS] if band.holidays else [])
        told[f"band_{n}"] = {
            "code": band.code,
            "name": band.name,
            "name_zh": band.name_zh,
            "weekdays": days,
            "opens": clock(band.opens),
            "closes": clock(band.closes),
            "multiplier": band.multiplier,
        }
    tiers = card.tiers
    if tiers and tiers[0].multiplier == 1:
        tiers = tiers[1:]  # the form adds it again
    for n, tier in enumerate(tiers):
        told[f"tier_{n}"] = {"after": _hours(tier.after_minutes), "multiplier": tier.multiplier}
    for n, option in enumerate(card.options):
        told[f"option_{n}"] = {
            **{name: getattr(option, name) for name in ("code", "name", "name_zh", "unit", "price")},
            **{name: getattr(option, name) for name in ("subsidised", "when", "quantity")},
            "modes": list(option.modes),
        }
    for n, step in enumerate(card.cancellation):
        told[f"step_{n}"] = {"notice": _hours(step.notice_minutes), "percent": step.percent}
    return told


def _hours(minutes: int) -> str:
    return f"{(Decimal(minutes) / 60).normalize():f}"


def is_told(value: Any) -> bool:
    return not (value is None or value is False or value in ("", []))


def _names(row: dict[str, Any]) -> dict[str, str]:
    return {"code": _code(row["code"]), "name": row["name"] or "", "name_zh": row["name_zh"] or ""}


def _code(text: str) -> str:
    """Return a text that was typed as a code: spaces become dashes."""
    return re.sub(r"\s+", "-", text.strip())


def _made_code(name: str, otherwise: str, taken: Collection[str]) -> str:
    """Return a code that is not taken for a row without one: made from its English name, else `otherwise`."""
    code = slugify(name)[:40] or otherwise
    return f"{code}-{otherwise}" if code in taken else code


def decimal_text(value: Decimal | None, empty: str = "0") -> str:
    return empty if value is None else f"{value:f}"


MOST_ROWS = 50


class RateCardForm(fields.StyledForm):
    """A rate card in rows of fields `<kind>_<n>_<field>`; an empty row is ignored. A valid form sets
    `card`."""

    currency = forms.ChoiceField(label=_("Currency"), choices=[(code, code) for code in sorted(MINOR_DIGITS)])
    rate_unit = forms.ChoiceField(label=_("Charged"), choices=UNITS)
    valid_from = fields.DayField(label=_("First day"), widget=fields.day_input())
    valid_until = fields.DayField(
        label=_("Until (exclusive)"),
        required=False,
        widget=fields.day_input(),
        help_text=_("The first day on which it no longer applies. Empty: until a newer one."),
    )
    billing_increment_minutes = _minutes(
        _("Rounded up to multiples of, in minutes"),
        1,
        1440,
        _("For example, 15: every quarter of an hour begun is charged."),
    )
    minimum_minutes = _minutes(_("Minimum charge, in minutes"), 0, 527040)
    daily_cap_minutes = _minutes(
        _("Maximum charge a day, in minutes"), 1, 1500, _("Later minutes of the day are free.")
    )
    setup_fee = decimal_field(_("Set-up fee"))
    tax_percent = decimal_field(_("Tax, in percent"), most=100)
    charge_basis = forms.ChoiceField(
        label=_("What is charged"),
        choices=[
            ("reserved", _("the time reserved")),
            ("used", _("the time used, from check-in to check-out")),
            ("greater", _("the time reserved, plus any use beyond it")),
        ],
    )
    no_show_percent = decimal_field(_("No-show fee, in percent"), most=100)

    def __init__(
        self,
        data: Any = None,
        *,
        card: RateCardValues | None = None,
        currency: str = "",
        first_day: date | None = None,
        last_day: date | None = None,
    ) -> None:
        initial: dict[str, Any] = {
            "currency": currency,
            "rate_unit": "hour",
            "valid_from": first_day,
            "valid_until": last_day,
            "billing_increment_minutes": 15,
            "minimum_minutes": 0,
            "charge_basis": "reserved",
            "no_show_percent": 100,
        }
        rows = rows_of(card) if card else {}
        counts = {
            kind: (
                fields.count_of(data, f"{kind}_rows", least=least, most=MOST_ROWS)
                if data is not None
                else max(least, 1 + sum(name.startswith(f"{kind}_") for name in rows))
            )
            for kind, (_list, least) in LISTS.items()
        }
        if card:
            initial |= {n: getattr(card, n) for n in self.base_fields if not n.startswith("valid")}
            initial |= {f"rate_{group}": rate for group, rate in card.rates.items()}
            initial |= {f"training_{group}": rate for group, rate in (card.training or {}).items()}
        initial |= {f"{at}_{key}": item for at, row in rows.items() for key, item in row.items()}
        initial |= {f"{kind}_rows": n for kind, n in counts.items()}
        super().__init__(data, initial=initial)
        self.ranges = {kind: range(n) for kind, n in counts.items()}
        self.columns = {kind: tuple(make()) for kind, make in ROWS.items()}
        for group in PRICE_GROUPS:
            self.add(f"rate_{group}", decimal_field(PRICE_GROUP_LABELS[group]))
            self.add(f"training_{group}", decimal_field(PRICE_GROUP_LABELS[group]))
        for kind, numbers in self.ranges.items():
            self.add(f"{kind}_rows", forms.IntegerField(widget=forms.HiddenInput, required=False))
            for n in numbers:
                for name, field in ROWS[kind]().items():
                    self.add(f"{kind}_{n}_{name}", field)
        self.places: dict[str, str] = {}
        self.given: dict[str, Any] = {}

    # What the page shows

    def preview(self) -> RateCardValues | None:
        """Return a card with the rates and bands typed so far, whatever else is wrong; None if they are wrong
        themselves."""
        self.is_valid()
        given = self.given
        one = {
            "rate_unit": given.get("rate_unit") or "hour",
            "rates": given.get("rates") or {PRICE_GROUPS[0]: "0"},
        }
        card, _problems = check_rate_card(
            {
                "currency": given.get("currency") or "CNY",
                "valid_from": "2026-01-01",  # any date: it does not affect the week
                "bands": given.get("bands", []),
            }
            | ({"usage": given["usage"]} if given.get("usage") else one)
        )
        return card

    def rates(self) -> list[Any]:
        return [self[f"rate_{group}"] for group in PRICE_GROUPS]

    def training(self) -> list[Any]:
        """Return the fields with the price of a place in a course."""
        return [self[f"training_{group}"] for group in PRICE_GROUPS]

    @property
    def has_training(self) -> bool:
        """Say whether the price of a place in a course is stated, or wrong."""
        return any(bound.errors or is_told(bound.value()) for bound in self.training())

    def ways(self) -> Iterator[dict[str, Any]]:
        for row in self.rows("way"):
            yield row | {
                "rates": [row[f"rate_{group}"] for group in PRICE_GROUPS],
                "terms": [row[name] for name in WAY_TERMS],
            }

    def rows(self, kind: str) -> Iterator[dict[str, Any]]:
        for n in self.ranges[kind]:
            yield {"n": n + 1} | {name: self[f"{kind}_{n}_{name}"] for name in self.columns[kind]}

    @property
    def shown(self) -> dict[str, bool]:
        """Return, by kind of list, whether it is shown expanded because it has rows with content or
        errors."""
        return {
            kind: any(
                bound.errors or (name not in SILENT and is_told(bound.value()))
                for row in self.rows(kind)
                for name, bound in row.items()
                if name != "n"
            )
            for kind in self.ranges
        }

    def bands(self) -> Iterator[dict[str, Any]]:
        return self.rows("band")

    def tiers(self) -> Iterator[dict[str, Any]]:
        return self.rows("tier")

    def options(self) -> Iterator[dict[str, Any]]:
        return self.rows("option")

    def steps(self) -> Iterator[dict[str, Any]]:
        return self.rows("step")

    # What was typed

    def place_of(self, path: str) -> str | None:
        if path == "rates":
            return "rate_internal"
        if path.startswith("rates."):
            return path.replace("rates.", "rate_")
        if path.startswith("training"):
            return path.replace("training.rates.", "training_") if "." in path else "training_internal"
        if path == "usage":
            return "way_0_modes"
        match = re.fullmatch(r"(\w+\[\d+\])(?:\.(\w+).*)?", path)
        if match is None or match[1] not in self.places:
            return path
        at = self.places[match[1]]
        name = match[2] or self.columns[at.partition("_")[0]][0]
        if name == "rates":
            return f"{at}_rate_{path.rpartition('.')[2].replace('rates', PRICE_GROUPS[0])}"
        return f"{at}_{NAMES.get(name, name)}"

    def clean(self) -> None:
        data = super().clean() or self.cleaned_data
        given: dict[str, Any] = {
            "currency": data.get("currency"),
            "rate_unit": data.get("rate_unit"),
            "valid_from": _iso(data.get("valid_from")),
            "valid_until": _iso(data.get("valid_until")),
            "rates": _by_group(data, "rate"),
            "billing_increment_minutes": data.get("billing_increment_minutes") or 1,
            "minimum_minutes": data.get("minimum_minutes") or 0,
            "daily_cap_minutes": data.get("daily_cap_minutes"),
            "setup_fee": decimal_text(data.get("setup_fee") or Decimal(0)),
            "tax_percent": decimal_text(data.get("tax_percent") or Decimal(0)),
            "charge_basis": data.get("charge_basis"),
            "no_show_percent": decimal_text(data.get("no_show_percent"), "100"),
            "training": {"rates": training} if (training := _by_group(data, "training")) else None,
        }
        for kind, (name, _least) in LISTS.items():
            given[name] = self._list(data, kind, name)
        if given["usage"]:
            given["rate_unit"] = None
            given["rates"] = given["rates"] or None
        self.given = given
        rates_are_wrong = any(f"rate_{group}" in self.errors for group in PRICE_GROUPS)
        if not given["rates"] and not given["usage"] and not rates_are_wrong:
            self.add_error("rate_internal", gettext("At least one price group needs a rate."))
        # All that is wrong is said at once; what is said of a field already is not said again.
        card, problems = check_rate_card(given)
        said = set(self.errors) | ({"rate_internal"} if rates_are_wrong else set())
        self.refuse([problem for problem in problems if self.place_of(problem.field) not in said])
        if card is not None and not self.errors:
            self.card = card

    @property
    def faults(self) -> list[tuple[Any, str]]:
        """Return the fields with errors, in the order of the page, each with its words."""
        return [(self[name], self._words(name)) for name in self.fields if name in self.errors]

    def _words(self, name: str) -> str:
        """Return the label of a field; for one of a row with the words for the row."""
        label = str(self.fields[name].label)
        kind, _, rest = name.partition("_")
        number = rest.partition("_")[0]
        if kind not in WORDS or not number.isdigit():
            return label
        return gettext("{row}, {field}").format(row=str(WORDS[kind]).format(n=int(number) + 1), field=label)

    def _list(self, data: dict[str, Any], kind: str, name: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        given = {str(data.get(f"{kind}_{n}_code") or "") for n in self.ranges[kind]}
        codes = {STANDARD, KEPT, CAPPED} | given
        for n in self.ranges[kind]:
            at = f"{kind}_{n}"
            row = {key: data.get(f"{at}_{key}") for key in self.columns[kind]}
            if not row.get("code") and (row.get("name") or row.get("name_zh")):
                row["code"] = made = _made_code(row["name"] or "", f"{kind}-{n + 1}", codes)
                codes.add(made)
            told = {key for key, value in row.items() if is_told(value)}
            if not told - SILENT:
                continue
            needed = ["name" if key == "code" else key for key in NEEDED[kind] if key not in told]
            for key in needed:
                if f"{at}_{key}" not in self.errors:
                    self.add_error(f"{at}_{key}", gettext("This field is required."))
            if needed:
                continue
            item = AS_JSON[kind](row)
            if kind == "tier" and not items and item["after_minutes"] > 0:
                items.append({"after_minutes": 0, "multiplier": "1"})
            self.places[f"{name}[{len(items)}]"] = at
            items.append(item)
        return items


def _by_group(data: dict[str, Any], name: str) -> dict[str, str]:
    """Return the amounts typed for the price groups into the fields of a name."""
    return {
        group: decimal_text(rate)
        for group in PRICE_GROUPS
        if (rate := data.get(f"{name}_{group}")) is not None
    }


def _iso(value: date | None) -> str | None:
    return value.isoformat() if value else None
