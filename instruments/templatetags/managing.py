"""Template tags for managers' pages: opening hours, missing items, weekdays, limits."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Actor
from accounts.letters.words import listed, named
from instruments.attachments.models import Attachment
from instruments.attachments.selectors.attachments import Picture
from instruments.capabilities.models import Capability
from instruments.exchange.forms.imports import term_label
from instruments.exchange.messages import (
    APART,
    FIELD_LABELS,
    KEPT,
    STATEMENT_FIELDS,
    STATEMENT_RESULTS,
    file_sentence,
    harvest_sentence,
    row_sentences,
)
from instruments.exchange.models import Fetching, ImportTerm
from instruments.house_rules.models import HouseRules
from instruments.opening.domain.opening import OpeningHours, Override, parse_hours
from instruments.opening.forms.opening import weekday_name
from instruments.policy.domain.policies import GroupHours, Policy, Quota, parse_policy
from instruments.policy.forms.policies import MEASURES, SCOPES, SPANS
from instruments.policy.messages import GROUP_LABELS, HAZARD_LABELS
from instruments.policy.models import PolicyVersion
from instruments.policy.selectors.policies import refused_hazards
from instruments.rates.domain.ratecards import PRICE_GROUPS
from instruments.rates.messages import PRICE_GROUP_LABELS
from instruments.reading.domain.clock import clock
from instruments.register.models import Instrument
from instruments.training.forms.qualifications import technique_choices
from instruments.vocabulary.domain.parameters import DOWN, UP, readable
from instruments.vocabulary.models import Technique
from instruments.vocabulary.selectors.needs import load_parameters

register = template.Library()


@register.filter
def rules_text(rules: HouseRules) -> str:
    """Return the house rules in the reader's language, or in the other if there are none in it."""
    texts = [rules.text, rules.text_zh]
    if (get_language() or "").startswith("zh"):
        texts.reverse()
    return next(filter(None, texts), "")


@register.filter
def lacking(code: str) -> str:
    """Return the name of a missing item of the publishing checklist."""
    words = {
        "name": gettext("name"),
        "description": gettext("description"),
        "manufacturers": gettext("maker"),
        "service-modes": gettext("how it can be used"),
        "opening-hours": gettext("opening hours"),
        "policy": gettext("booking policy"),
        "rate-card": gettext("rate card in force"),
    }
    return words.get(code, code)


@register.filter
def raising(code: str) -> str:
    """Return the name of what a record lacks for the next quality mark."""
    words = {
        "name-in-both": gettext("a Chinese name"),
        "model": gettext("the model"),
        "techniques": gettext("a technique"),
        "telling-description": gettext("a description of two sentences or more"),
        "address": gettext("the address of the facility"),
        "contact": gettext("a contact at the facility"),
        "photo": gettext("a photo"),
        "description-in-both": gettext("the description in both languages"),
        "identifier": gettext("a lasting identifier, such as a DOI or Handle"),
        "serial-number": gettext("a serial or inventory number"),
        "date": gettext("when it was acquired or commissioned"),
        "measured-variables": gettext("what it measures, or its type"),
        "confirmation": gettext("a confirmation that it is up to date"),
    }
    return words.get(code) or lacking(code)


@register.filter
def alike(code: str) -> str:
    """Return the reason why two records look alike, in words."""
    words = {
        "serial-number": gettext("The same serial number"),
        "inventory-number": gettext("The same inventory number"),
        "maker-model-site": gettext("The same maker and model at the same site"),
    }
    return words.get(code, code)


@register.filter
def numbers_of(instrument: Instrument) -> str:
    """Return an instrument's serial and inventory numbers as a list in words."""
    kinds = {"SerialNumber", "InventoryNumber"}
    items = (i for i in instrument.alternate_identifiers if i.get("identifier_type") in kinds)
    return listed(i.get("identifier", "") for i in items)


@register.filter
def manages(actor: Actor) -> bool:
    """Return whether a person manages any instrument."""
    return bool(actor.scope_where("manage-instruments"))


@register.simple_tag
def data_block(data: Any) -> SafeString:
    """Write linked data as a JSON-LD block, which browsers do not run as a script. Nothing in the data can
    end the block: `<`, `>` and `&` are written as JSON escapes."""
    text = json.dumps(data, ensure_ascii=False).translate(_ESCAPES)
    return format_html('<script type="application/ld+json">{}</script>', mark_safe(text))  # noqa: S308


_ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


@register.filter
def documents(attachments: list[Attachment]) -> list[Attachment]:
    return [item for item in attachments if item.kind == Attachment.Kind.DOCUMENT]


@register.filter
def first_photo(attachments: list[Attachment]) -> Attachment | None:
    return next((item for item in attachments if item.kind == Attachment.Kind.PHOTO), None)


@register.filter
def more_photos(attachments: list[Attachment]) -> list[Attachment]:
    """Return all photos of an instrument but the first."""
    return [item for item in attachments if item.kind == Attachment.Kind.PHOTO][1:]


@register.filter
def titled(attachment: Attachment | Picture) -> str:
    """Return the title of a photo or document, in the reader's language if it has one."""
    is_chinese = (get_language() or "").startswith("zh")
    first, second = attachment.title, attachment.title_zh
    return (second or first) if is_chinese else (first or second)


@register.filter
def mark_label(mark: str) -> str:
    """Return the name of a quality mark."""
    words = {"bronze": gettext("bronze"), "silver": gettext("silver"), "gold": gettext("gold")}
    return words.get(mark, "")


@register.filter
def stated(capability: Capability) -> str:
    """Return the values of a capability in the unit in which they were stated: `0.5 – 30 kV`."""
    if not capability.is_available:
        return gettext("not available")
    terms = load_parameters().get(capability.parameter.code)
    unit = f" {capability.unit}" if capability.unit else ""

    def told(value: Decimal) -> str:
        return readable(terms.shown(value, capability.unit) if terms else value)

    low, high = capability.minimum, capability.maximum
    if low is not None and high is not None:
        return f"{told(low)} – {told(high)}{unit}" if low != high else f"{told(low)}{unit}"
    if low is not None:
        words = "{value}" if capability.parameter.direction == DOWN else gettext("from {value}")
        return words.format(value=told(low) + unit)
    words = "{value}" if capability.parameter.direction == UP else gettext("up to {value}")
    return words.format(value=told(high) + unit) if high is not None else ""


@register.filter
def technique_named(instrument: Instrument, code: str) -> str:
    """Return the name, in the reader's language, of one of the instrument's techniques; for any other
    technique its code."""
    return dict(technique_choices(list(instrument.techniques.all()))).get(code, code)


@register.filter
def in_words(quota: Quota) -> str:
    """Return a quota in words: `each person: at most 10 hours a week`."""
    template = gettext("{who}: at most {limit} {unit} {per}")
    if quota.price_group:
        template = gettext("{who}: at most {limit} {unit} {per} ({group})")
    return template.format(
        who=dict(SCOPES)[quota.scope],
        limit=f"{quota.limit.normalize():f}",
        unit=dict(MEASURES)[quota.unit],
        per=dict(SPANS)[quota.per],
        group=PRICE_GROUP_LABELS.get(quota.price_group or "", ""),
    )


@register.filter
def group_words(rule: GroupHours) -> str:
    """Return hours open only to a group in words: `Mon, Tue 22:00–06:00: only holders of a certificate`."""
    days = listed([weekday_name(day) for day in rule.days])
    if len(rule.days) == 7:
        days = gettext("every day")
    return gettext("{days} {opens}–{closes}: {who}").format(
        days=days, opens=clock(rule.opens), closes=clock(rule.closes), who=GROUP_LABELS[rule.who]
    )


@register.filter
def horizons(policy: Policy) -> list[tuple[int, str]]:
    """Return (days ahead, names of price groups) for each horizon; the names are empty if all groups have the
    same."""
    groups: dict[int, list[str]] = {}
    for group in PRICE_GROUPS:
        groups.setdefault(policy.horizon_for(group), []).append(str(PRICE_GROUP_LABELS[group]))
    return [(d, listed(names) if len(groups) > 1 else "") for d, names in groups.items()]


@dataclass(frozen=True)
class Change:
    """A version of a policy, with the sentences that it added and removed."""

    row: PolicyVersion
    added: list[SafeString]
    removed: list[SafeString]


@register.filter
def changes_of(rows: Sequence[PolicyVersion], instrument: Instrument) -> list[Change]:
    """Return the changes that each of an instrument's policy versions made; `rows` are all versions, the
    newest first."""
    told = [rules_of(row, instrument) for row in rows]
    return [
        Change(row, [s for s in new if s not in old], [s for s in old if s not in new])
        for row, new, old in zip(rows, told, [*told[1:], []], strict=True)
    ]


@register.filter
def rules_of(row: PolicyVersion, instrument: Instrument) -> list[SafeString]:
    """Return the sentences of `rules.html` for a version of the policy."""
    values = {"policy": parse_policy(row.policy), "instrument": instrument}
    html = render_to_string("instruments/rules.html", values)
    return [mark_safe(item) for item in re.findall(r"<li>\s*(.*?)\s*</li>", html, re.DOTALL)]  # noqa: S308


@register.filter
def weekly_lines(hours: OpeningHours) -> list[dict[str, str]]:
    """Return the weekly hours in words, equal days together: `Monday – Friday` `09:00–17:00`."""
    times = []
    for day in range(1, 8):
        rules = [r for r in hours.weekly if r.weekday == day]
        words = []
        for rule in rules:
            text = f"{clock(rule.opens)}–{clock(rule.closes)}"
            if rule.valid_from or rule.valid_until:
                first, last = rule.valid_from or "…", rule.valid_until or "…"
                text += f" ({first} – {last})"
            words.append(text)
        times.append((day, listed(words)))
    lines = []
    for text, group in groupby(times, key=lambda pair: pair[1]):
        days = [day for day, _text in group]
        name = weekday_name(days[0])
        if len(days) > 1:
            name += f" – {weekday_name(days[-1])}"
        lines.append({"days": name, "times": text or gettext("closed")})
    return lines


@register.filter
def windows_of(override: Override) -> str:
    """Return the hours of one dated exception in words, with its reason."""
    pieces = [f"{clock(opens)}–{clock(closes)}" for opens, closes in override.windows]
    words = listed(pieces) or gettext("closed")
    if not override.reason:
        return words
    return gettext("{hours} ({reason})").format(hours=words, reason=override.reason)


@register.filter
def coming(hours: OpeningHours, today: Any) -> list[Override]:
    """Return the dated exceptions of opening hours from `today` on."""
    return [override for override in hours.overrides if override.last >= today]


@register.filter
def hazards_named(codes: Iterable[str]) -> str:
    """Return the names of classes of hazard as a list in words."""
    return listed(str(HAZARD_LABELS.get(code, code)) for code in codes)


@register.filter
def hazards_refused(instrument: Instrument) -> str:
    """Return the names of the hazards that an instrument or its facility does not accept."""
    return hazards_named(refused_hazards(instrument))


def hazards_taken(instrument: Instrument, *, is_whole: bool) -> str:
    """Say which hazards of samples an instrument accepts (by name if `is_whole`) and which it does not."""
    refused = refused_hazards(instrument)
    if not refused:
        text = gettext("{instrument} accepts all of these.")
    elif is_whole:
        text = gettext("{instrument} accepts: {accepted}. It does not accept: {refused}.")
    else:
        text = gettext("{instrument} accepts all but: {refused}.")
    accepted = hazards_named(code for code in HAZARD_LABELS if code not in refused)
    return text.format(instrument=named(instrument), accepted=accepted or "–", refused=hazards_named(refused))


@register.filter
def field_label(name: str) -> str:
    """Return the label of a field of the record."""
    return str(FIELD_LABELS.get(name, name))


@register.simple_tag
def given_value(field: str, value: Any, techniques: Mapping[str, Technique]) -> str:
    """Return a value that a row of a file gives to a field, in words: known terms by their names."""
    if field == "techniques":
        return listed(named(techniques[code]) if code in techniques else code for code in value)
    if field == "service_modes":
        return listed(str(term_label(field, mode)) for mode in value)
    return str(term_label(field, value)) if field == "kind" else shown(value)


@register.filter
def kept_because(code: str) -> str:
    """Return why a difference is not taken over; for an empty code, why a row gets a facility of its own."""
    return str(KEPT.get(code, code) if code else APART)


@register.filter
def row_problem(problem: dict[str, Any]) -> str:
    """Return the sentence that says why a row is refused."""
    return row_sentences(problem["code"], problem["numbers"], problem.get("more", ()))


@register.filter
def file_problem(problem: dict[str, Any]) -> str:
    """Return the sentence that says why a file is refused."""
    return file_sentence(problem["code"], problem["numbers"])


@register.filter
def harvest_problem(problem: dict[str, Any]) -> str:
    """Return the sentence that says why fetching the file of a harvest failed."""
    return harvest_sentence(problem["code"], problem["numbers"])


@register.filter
def remembered(row: ImportTerm) -> str:
    """Return what a remembered value of files means, in words."""
    if not row.term:
        return gettext("a new facility of this name") if row.field == "facility" else gettext("left out")
    return str(term_label(row.field, row.term))


@register.filter
def statement_result(result: str) -> str:
    """Return what becomes of a row of a table of capabilities in words."""
    return str(STATEMENT_RESULTS[result])


@register.filter
def statement_field(field: str) -> str:
    """Return the label of a field of a table of capabilities."""
    return str(STATEMENT_FIELDS.get(field, field))


@register.filter
def outcome(code: str) -> str:
    """Return the label of the outcome of fetching a file."""
    return str(Fetching.Outcome(code).label)


@register.filter
def instant(text: str) -> datetime:
    """Return the instant that a text in RFC 3339 gives."""
    return datetime.fromisoformat(text)


@register.filter
def shown(value: Any) -> str:
    """Return a value of a record as a short text; a dash if it is empty."""
    match value:
        case None | "" | []:
            return "–"
        case list():
            text = "; ".join(shown(item) for item in value)
        case {"weekly": _}:
            lines = weekly_lines(parse_hours(value))
            text = "; ".join(f"{line['days']} {line['times']}" for line in lines)
        case dict():
            text = str(value.get("name") or value.get("identifier") or value.get("date") or "–")
        case _:
            text = str(value)
    return text if len(text) <= 160 else f"{text[:157]} …"


# The tabs of managing: the first page of each, and its label. The addresses of pages below begin the same.
TABS = [
    ("instruments:manage", _("Instruments")),
    ("instruments:facilities", _("Facilities")),
    ("instruments:courses", _("Courses")),
    ("bookings:hosted", _("Bookings")),
    ("bookings:blocks", _("Blocked")),
    ("bookings:faults", _("Faults")),
    ("bookings:labels", _("Labels")),
    ("bookings:kiosks", _("Kiosks")),
    ("instruments:imports", _("Import and export")),
    ("instruments:harvests", _("Harvests")),
    ("bookings:import", _("Import bookings")),
    ("bookings:duplicates", _("Likely duplicates")),
    ("bookings:webhooks", _("Webhooks")),
]
# Those of what concerns a whole organisation, which a role for a facility or an instrument does not reach.
OF_THE_WHOLE = {
    "bookings:blocks", "instruments:imports", "instruments:harvests", "bookings:import",
    "bookings:duplicates", "bookings:webhooks", "bookings:kiosks",
}  # fmt: skip


@register.inclusion_tag("components/tabs.html", takes_context=True)
def manage_tabs(context: dict[str, Any]) -> dict[str, Any]:
    """Return the tabs of a manager's pages, the current one marked; none for people who manage nothing."""
    match = context["request"].resolver_match
    here = match.view_name if match else ""
    actor = context["actor"]
    if not manages(actor):
        return {"tabs": []}
    scope = actor.scope_where("manage-instruments")
    hidden = set() if scope.organisations else OF_THE_WHOLE
    if not (scope.organisations or scope.facilities):
        hidden = hidden | {"instruments:facilities"}
    return {
        "tabs_label": gettext("Manage"),
        "tabs": [
            {"url": reverse(name), "label": label, "is_here": here == name}
            for name, label in TABS
            if name not in hidden
        ],
    }
