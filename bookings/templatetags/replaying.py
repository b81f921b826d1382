"""The lines of a charge that was computed again, in words."""

from collections.abc import Mapping

from django import template
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bookings.charging.domain.replay_steps import ReplayStep
from instruments.rates.messages import rate_name

register = template.Library()

LABELS = {
    "setup": _("Set-up fee"),
    "training": _("Place in a course"),
    "agreement": _("Agreement between the regions"),
    "bid": _("Bid below the rate card"),
    "subtotal": _("Subtotal"),
    "tax": _("Tax"),
    "total": _("Total"),
    "payable": _("To pay"),
    "base": _("Amount that the percentage applies to"),
    "fee": _("Fee"),
    "shortening": _("For shortening at short notice"),
    "waiver": _("Waived by a correction"),
    "melted": _("Reduced: others used the time"),
}
USAGE = {
    "standard": _("Use"),
    "kept": _("Use of guaranteed hours"),
    "capped": _("Use beyond the daily cap"),
    "sample": _("Samples"),
}


@register.filter
def step_label(step: ReplayStep) -> str:
    """Return the name of a line of a charge that was computed again."""
    if step.kind == "usage":
        label = USAGE.get(step.code)
        return str(label) if label else gettext("Use, {band}").format(band=rate_name(step))
    if step.kind == "voucher":
        return gettext("Voucher {code}").format(code=step.code) if step.code else gettext("Voucher")
    if step.kind == "option":
        return rate_name(step)
    return str(LABELS.get(step.kind, step.kind))


@register.filter
def step_sum(step: ReplayStep, currency: str) -> str:
    """Return how a line's amount is computed: `200.00 × 0.5 × 135 / 60 = 225, rounded to CNY 225.00`."""
    text = _product(step)
    if not text:
        return ""
    if step.exact is not None:
        text += f" = {step.exact}"
    is_rounded = step.exact not in (None, step.recomputed) and step.kind != "voucher"
    if is_rounded and step.recomputed is not None and not _is_same(step):
        text += gettext(", rounded to {amount}").format(amount=step.recomputed)
    return text


def _is_same(step: ReplayStep) -> bool:
    """Say whether rounding changed nothing but the zeros at the end."""
    exact, rounded = str(step.exact), str(step.recomputed)
    if "." in rounded:
        rounded = rounded.rstrip("0").rstrip(".")
    return exact == rounded


def _product(step: ReplayStep) -> str:
    of = step.of
    match step.kind:
        case "usage" if step.code == "capped":
            return gettext("{minutes} min, free").format(minutes=of.get("minutes", ""))
        case "usage" if "minutes" in of:
            return gettext("{rate} an hour × {multiplier} × {minutes} min / 60").format(**of)
        case "usage" | "option" if "quantity" in of:
            return f"{of['quantity']} × {of.get('rate') or of.get('price', '')}"
        case "agreement" | "bid":
            return gettext("−{percent} % of {base}").format(**of)
        case "fee" if "second_thought" in of:
            return gettext("free: cancelled within ten minutes of being made")
        case "fee" if "notice" in of:
            return gettext("{percent} % of {base}, with {notice} min notice").format(**of)
        case "melted" | "tax" if "left" in of:
            return gettext("{whole} × {left} / {minutes} min not used by others − {whole}").format(**of)
        case "waiver" if "percent" in of:
            return gettext("{percent} % before tax").format(**of)
        case "tax" | "fee" if "percent" in of:
            return gettext("{percent} % of {base}").format(**of)
        case "voucher" if "percent" in of:
            return _voucher(of)
        case "voucher" if "base" in of:
            return gettext("no voucher covers any of {base}").format(**of)
        case _ if "reversed" in of:
            return gettext("reverses {amount}").format(amount=of["reversed"])
    return ""


def _voucher(of: Mapping[str, str]) -> str:
    if "cap" in of:
        text = gettext("{percent} % of {base}, at most {cap} a booking, with {left} left")
        return text.format(**of)
    return gettext("{percent} % of {base}, with {left} left").format(**of)
