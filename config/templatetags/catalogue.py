"""Render what the catalogue repeats a hundred times on a page: cards and prices from stencils, free starts
and values of facets by themselves; templates for them would take ten times as long."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote_plus
from zoneinfo import ZoneInfo

from django import template
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from accounts.letters.words import brief_words, is_chinese, named, zone_name
from accounts.views.pages import address_of
from bookings.catalogue.selectors.catalogue import Offer
from bookings.catalogue.selectors.needs import ReasonShown
from bookings.pricing.domain.quotes import Quote
from config.pages.stencils import PK, fill
from config.templatetags.display import day, duration, made_by, money, parameters, rfc3339, time_of_day
from config.templatetags.display import facet as facet_name
from instruments.attachments.selectors.attachments import Picture
from instruments.rates.domain.ratecards import Option
from instruments.register.models import Instrument
from instruments.templatetags.managing import titled

register = template.Library()


class Reader(NamedTuple):
    """A reader as a stencil knows them."""

    is_authenticated: bool


@register.simple_tag(takes_context=True)
def cards(context: Any, rows: Iterable[Any], is_near: bool = False) -> SafeString:
    """Render the instruments of a page as cards: rows of an instrument, its offer and, if they are near an
    answer (`is_near`), the reason why they are shown; of others the page has the `reasons`. What else a card
    shows is in the page's context by instrument: see views/catalogue.py."""
    page, minutes = context.flatten(), context["form"]["minutes"].value()
    mode, payer = page["criteria"].service_mode, page["payer"]
    query = ""
    if len(page["payers"]) > 1 or mode or minutes:
        query = parameters(organisation=payer.code if payer else "", minutes=minutes, service_mode=mode)
    page["own_currency"] = payer.region.currency if payer else ""
    drawn = []
    for instrument, offer, *why in rows:
        reason = why[0] if why else page["reasons"].get(instrument.pk)
        drawn.append(_card(page, instrument, offer, reason, is_near, query))
    return mark_safe("".join(drawn))  # noqa: S308  # each is


def _card(
    page: dict[str, Any],
    instrument: Instrument,
    offer: Offer,
    reason: ReasonShown | None,
    is_near: bool,
    query: str,
) -> SafeString:
    pk, zone, blocked = instrument.pk, instrument.facility.time_zone, page["blocked"].get(instrument.pk)
    has_price = offer.rate is not None
    form = {
        "user": Reader(page["user"].is_authenticated),
        "starred": (PK,) if pk in page["starred"] else (),
        "chosen": (PK,) if pk in page["chosen"] else (),
        "mark": page["marks"].get(pk),
        "reason": reason and _kind(reason, page),
        "is_near": is_near,
        "has_price": has_price,
        "is_blocked": blocked is not None,
        "is_free": bool(offer.starts),
    }
    texts = {
        "pk": pk,
        "address": address_of("bookings:instrument", pk) + query,
        "choose_address": page["choose_address"],
        "name": named(instrument),
        "host": named(instrument.organisation),
        "region": named(instrument.region),
        "picture": picture(page["pictures"].get(pk)),
        "made_by": made_by(instrument),
        "term": facet_name(reason.term) if reason and reason.term else "",
        "technique": facet_name(reason.technique) if reason and reason.technique else "",
        "price": price(offer, page["own_amounts"].get(pk), page["own_currency"]) if has_price else "",
        "held": _held(page, instrument),
        "until": day(blocked.last_day) if blocked else "",
        "length": duration(offer.minutes),
        "zone": zone_name(zone),
        "slots": _slots(page, instrument, offer, zone) if offer.starts and not blocked else "",
    }
    return fill("bookings/browsing/card.html", form, texts)


def _kind(reason: ReasonShown, page: dict[str, Any]) -> str:
    """Return which sentence says why an instrument is shown."""
    if reason.term:
        return "term"
    if reason.technique:
        return "technique"
    return "words" if page["reading"].is_unknown else "misses"


def _held(page: dict[str, Any], instrument: Instrument) -> str:
    """Render the times of an instrument that the reader holds; hardly any card has one."""
    held = page["held"].get(instrument.pk)
    if not held:
        return ""
    context = {name: page.get(name) for name in ("csrf_token", "reader_zone")} | {"instrument": instrument}
    with timezone.override(ZoneInfo(instrument.facility.time_zone)):
        return mark_safe(  # noqa: S308  # a template's
            "".join(
                render_to_string(
                    "bookings/catalogue/held.html",
                    context
                    | {"hold": hold.pk, "address": address}
                    | {"start": hold.start_at, "end": hold.end_at, "until": hold.deadline_at},
                )
                for hold, address in held
            )
        )


def _slots(page: dict[str, Any], instrument: Instrument, offer: Offer, zone: str) -> SafeString:
    return slots(
        page | {"instrument": instrument},
        offer.starts,
        zone=zone,
        minutes=offer.minutes,
        quantity=offer.quantity,
        service_mode=page["criteria"].service_mode,
    )


@register.simple_tag
def price(offer: Offer, own: Any = None, own_currency: str = "") -> SafeString:
    """Render what somebody would pay by an offer; `own`: the same in the reader's currency, if another."""
    return price_of(
        offer.quote,
        offer.rate,
        offer.currency,
        offer.rate_unit,
        offer.minutes,
        samples=offer.samples,
        voucher=offer.voucher,
        minimum=offer.minimum_minutes,
        on_top=offer.on_top,
        way=offer.way,
        own=own,
        own_currency=own_currency,
    )


@register.simple_tag
def price_of(
    quote: Quote | None,
    rate: Any,
    currency: str,
    unit: str,
    minutes: int | None,
    *,
    samples: int = 1,
    voucher: Any = None,
    minimum: int | None = None,
    on_top: Sequence[Option] = (),
    way: str = "",
    own: Any = None,
    own_currency: str = "",
) -> SafeString:
    """Render a price as a quote, or else by its rate; `voucher`: the grant that pays a part, if it may be
    named."""
    has_own = quote is not None and own is not None and bool(own_currency)
    has_least = bool(minimum and minutes is not None and minimum > minutes and unit != "sample")
    paid_by = "" if quote is None or not quote.voucher else "named" if voucher else "another"
    form = {
        "unit": unit,
        "samples": samples if unit == "sample" else 1,
        "way": way,
        "quoted": quote is not None,
        "has_own": has_own,
        "paid_by": paid_by,
        "has_least": has_least,
    }
    by_quote = quote is not None and unit != "sample"
    texts = {
        "length": duration(minutes) if by_quote and minutes is not None else "",
        "payable": money(quote.payable, quote.currency) if quote else "",
        "own": money(own, own_currency) if has_own else "",
        "covered": money(quote.covered, quote.currency) if quote and paid_by else "",
        "voucher": named(voucher),
        "rate": "" if quote or rate is None else money(rate, currency),
        "least": duration(minimum) if has_least and minimum else "",
        "on_top": _on_top(on_top, currency) if on_top else "",
    }
    return fill("bookings/catalogue/price.html", form, texts)


def _on_top(options: Sequence[Option], currency: str) -> SafeString:
    """Render the options by the hour that a price does not include, which few have."""
    return render_to_string("bookings/catalogue/on_top.html", {"on_top": options, "currency": currency})


@register.simple_tag
def picture(shown: Picture | None) -> str:
    """Render the first photo of an instrument, small, or the drawing of what is done with it."""
    if shown is None:
        return ""
    if shown.photo is None:
        return fill("instruments/picture.html", {"drawn": shown.drawing}, {})
    return fill("instruments/picture.html", {}, {"pk": shown.photo, "title": titled(shown)})


@register.simple_tag(takes_context=True)
def slots(
    context: Any, starts: Iterable[datetime], *, zone: str = "", short: bool = False, **given: Any
) -> SafeString:
    """Render the free starts of the instrument as links to the booking form or, for readers who may not book,
    to the page that says what to do; `slot_page` is the address of another page to link to. `minutes`,
    `service_mode` and `quantity` default to those of the page. `zone` is the time zone of the labels, if not
    the active one; `short` labels give the time of the day only."""
    payer = context.get("payer")
    view = "bookings:book" if context.get("may_book") else "bookings:instrument"
    address = context.get("slot_page") or address_of(view, context["instrument"].pk)
    names = ("minutes", "service_mode", "quantity")
    values = {name: given.get(name, context.get(name, "")) for name in names}
    rest = parameters(
        minutes=values["minutes"],
        organisation=payer.code if payer else "",
        service_mode=values["service_mode"],
        quantity=values["quantity"],
    ).replace("?", "&", 1)
    more = escape(rest)
    labelled = time_of_day if short else brief_words
    links = []
    with timezone.override(ZoneInfo(zone) if zone else timezone.get_current_timezone()):
        for start in starts:
            at = rfc3339(start)
            links.append(
                f'<a class="slot" data-start="{at}" href="{address}?start={quote_plus(at)}{more}">'
                f"{escape(labelled(start))}</a>"
            )
    return mark_safe("\n".join(links))  # noqa: S308  # escaped above


@register.simple_tag
def options(choices: Iterable[tuple[Any, Any]], chosen: Any) -> SafeString:
    """Render the options of a select that has many, such as all currencies."""
    lines = []
    for value, label in choices:
        mark = " selected" if value == chosen else ""
        lines.append(f'<option value="{escape(value)}"{mark}>{escape(label)}</option>')
    return mark_safe("\n".join(lines))  # noqa: S308  # escaped


@register.simple_tag(takes_context=True)
def branches(context: Any, facet: dict[str, Any]) -> SafeString:
    """Render the values of a facet as a tree of links, each to the first page of the present search with that
    value."""
    params = context["request"].GET.copy()
    for name in (facet["name"], "page"):
        params.pop(name, None)
    query = escape(f"?{params.urlencode()}&{facet['name']}=" if params else f"?{facet['name']}=")
    in_chinese = is_chinese()  # looked up once for hundreds of them

    def link(item: Any) -> str:
        here = ' aria-current="true"' if item.code == facet["chosen"] else ""
        label = escape((in_chinese and item.name_zh) or item.name or item.code)
        return (
            f'<a href="{query}{quote_plus(item.code)}"{here}>{label}</a>'
            f' <span class="text-secondary">{item.count}</span>'
        )

    def listed(tree: Iterable[Any]) -> str:
        lines = []
        for branch in tree:
            line = link(branch.item)
            if branch.below:
                opened = " open" if branch.is_open else ""
                line = f"<details{opened}><summary>{line}</summary>{listed(branch.below)}</details>"
            lines.append(f"<li>{line}</li>")
        return f'<ul class="branches">{"".join(lines)}</ul>'

    return mark_safe(listed(facet["branches"]))  # noqa: S308  # escaped above
