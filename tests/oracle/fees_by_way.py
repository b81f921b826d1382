"""What a booking costs, written from the design's page on fees without reading
`bookings/pricing/domain/fees.py`: the rules taken literally, minute by minute, on the JSON that cards and
requests are made of. Two things that the page leaves open are as the code has them: an option asked for 0
times has no line, and where the clock changes bands are like opening hours (docs/availability.md)."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_FLOOR, Context, Decimal, localcontext
from typing import Any
from zoneinfo import ZoneInfo

D = Decimal
HALF = D("0.5")
DAY = 1440  # minutes
WITHOUT_CENTS = ("JPY", "KRW")
# What a row of `usage` states takes the place of what the card states.
OF_ROW = {
    "minimum_minutes": 0,
    "billing_increment_minutes": 1,
    "bands": (),
    "tiers": (),
    "daily_cap_minutes": None,
    "setup_fee": "0",
}
MODE, GROUP, OPTION = "mode-not-priced", "audience-not-served", "option-not-for-mode"
OTHER = "refused"  # by a code that the page does not name

Json = Mapping[str, Any]
Line = dict[str, Any]


def refusals(asked: Json) -> set[str]:
    """The codes by which a request may be refused; none where it has a price."""
    found = set()
    row = _row(asked)
    if row is None:
        found.add(MODE)
    elif asked["price_group"] not in row["rates"]:
        found.add(GROUP)
    options = {option["code"]: option for option in asked["card"].get("options", ())}
    for when, codes in {"offered": asked["options"], "on_use": asked["added"]}.items():
        for code in codes:
            if code in options and not _is_for(options[code], asked["service_mode"]):
                found.add(OPTION)
            elif code not in options or _when(options[code]) != when:
                found.add(OTHER)
    return found


def charged(asked: Json, used: tuple[str, str] | None, added: Mapping[str, str]) -> Json | None:
    """The request that is priced after use: of its period, by the card's basis, with what was added on use;
    None where it cannot be charged without the times of use."""
    basis = asked["card"].get("charge_basis", "reserved")
    start, end = asked["start"], asked["end"]
    if basis != "reserved":
        if used is None:
            return None
        end = used[1] if basis == "used" else max(end, used[1], key=datetime.fromisoformat)
        start = used[0] if basis == "used" else start
    return {**asked, "start": start, "end": end, "added": added}


def price(asked: Json) -> dict[str, Any]:
    """The price of a request that is not refused: its lines and its sums."""
    with localcontext(Context(prec=60)):
        return _price(asked)


def _price(asked: Json) -> dict[str, Any]:
    card, row = asked["card"], _row(asked)
    assert row is not None
    currency, group = card["currency"], asked["price_group"]
    rate = D(row["rates"][group])
    if row.get("unit") == "sample":
        billed = 0
        count = D(asked["quantity"])
        amount = _rounded(count * rate, currency)
        usage = [{"kind": "usage", "code": "sample", "quantity": count, "rate": rate, "amount": amount}]
    else:
        billed, usage = _by_the_hour(asked, row, rate, currency)
    setup = D(row["setup_fee"])
    setups: list[Line] = [{"kind": "setup", "amount": setup}] if setup else []
    options = list(_options(asked, billed, currency))
    agreements: list[Line] = []
    percent = D(asked["agreement_discount_percent"])
    if group == "partner" and percent:
        base = _sum(usage)
        amount = -_rounded(percent * base / 100, currency)
        agreements = [{"kind": "agreement", "percent": percent, "base": base, "amount": amount}]

    lines = usage + setups + options + agreements
    subtotal = _sum(lines)
    tax_percent = D(0) if group == "internal" else D(card.get("tax_percent", "0"))  # one legal person
    tax = _rounded(tax_percent * subtotal / 100, currency)
    of_use = _sum(usage) + _sum(agreements) + setup
    supported = [option["code"] for option in card.get("options", ()) if option.get("subsidised")]
    eligible = of_use + _sum([line for line in options if line["code"] in supported])
    voucher, covered = _voucher(asked["grants"], eligible, currency)
    return {
        "billed_minutes": billed,
        "lines": lines,
        "subtotal": subtotal,
        "tax": tax,
        "total": subtotal + tax,
        "eligible": eligible,
        "voucher": voucher,
        "covered": covered,
        "payable": subtotal + tax - covered,
        "base": of_use,  # of a fee for cancelling
    }


def _row(asked: Json) -> dict[str, Any] | None:
    """The terms of the way of working; None where it has no price."""
    card = asked["card"]
    whole = {term: card.get(term, default) for term, default in OF_ROW.items()}
    if "usage" not in card:
        return whole | {"unit": card.get("rate_unit", "hour"), "rates": card["rates"]}
    for row in card["usage"]:
        if asked["service_mode"] in row["modes"]:
            return whole | row
    return None


def _by_the_hour(asked: Json, row: Json, rate: Decimal, currency: str) -> tuple[int, list[Line]]:
    zone = ZoneInfo(asked["timezone"])
    start, end = (int(datetime.fromisoformat(asked[name]).timestamp() // 60) for name in ("start", "end"))
    increment = row["billing_increment_minutes"]
    billed = max(row["minimum_minutes"], -(-(end - start) // increment) * increment)
    charged: Counter[tuple[str, Decimal, int]] = Counter()  # in order of first appearance
    of_day: Counter[date] = Counter()
    windows = list(_windows(row["bands"], asked, zone))
    free = 0
    for position in range(billed):
        minute = start + min(position, max(end - start - 1, 0))
        shown = datetime.fromtimestamp(minute * 60, zone)
        cap = row["daily_cap_minutes"]
        if cap is not None and of_day[shown.date()] >= cap:
            free += 1
            continue
        of_day[shown.date()] += 1
        code, multiplier = next(
            ((code, times) for opens, closes, code, times in windows if opens <= minute < closes),
            ("standard", D(1)),
        )
        reached = [tier for tier in row["tiers"] if tier["after_minutes"] <= position]
        of_tier = D(reached[-1]["multiplier"]) if reached else D(1)
        charged[code, multiplier * of_tier, len(reached)] += 1
    lines: list[Line] = [
        {
            "kind": "usage",
            "code": code,
            "minutes": minutes,
            "rate": rate,
            "multiplier": multiplier,
            "amount": _rounded(rate * multiplier * minutes / 60, currency),
        }
        for (code, multiplier, _), minutes in charged.items()
    ]
    if free:
        lines.append({"kind": "usage", "code": "capped", "minutes": free, "amount": D(0)})
    return billed, lines


def _windows(bands: list[Json], asked: Json, zone: ZoneInfo) -> Iterator[tuple[int, int, str, Decimal]]:
    """When the bands are open, the first of the list first: from and to which minute, by what multiplier."""
    first, last = (datetime.fromisoformat(asked[name]).astimezone(zone).date() for name in ("start", "end"))
    for band in bands:
        opens, closes = (int(band[at][:2]) * 60 + int(band[at][3:]) for at in ("opens", "closes"))
        closes += DAY if closes <= opens else 0
        for number in range(-2, (last - first).days + 2):
            day = first + timedelta(number)
            is_holiday = band.get("holidays", False) and day.isoformat() in asked["public_holidays"]
            if is_holiday or day.isoweekday() in band.get("weekdays", ()):
                multiplier = D(band["multiplier"])
                yield min(_shown(day, opens, zone)), max(_shown(day, closes, zone)), band["code"], multiplier


def _shown(day: date, at: int, zone: ZoneInfo) -> list[int]:
    """When the clock shows so many minutes after the midnight of a day: twice where it is put back over them;
    where it is put forward over them, when the clock from before would."""
    wall = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=at)
    offsets = {(wall + timedelta(days)).astimezone(zone).utcoffset() or timedelta() for days in (-1, 1)}
    shown = [
        wall - offset for offset in offsets if (wall - offset).astimezone(zone).utcoffset() == offset
    ] or [wall - min(offsets)]
    return [int(instant.timestamp()) // 60 for instant in shown]


def _options(asked: Json, billed: int, currency: str) -> Iterator[Line]:
    options = [
        option for option in asked["card"].get("options", ()) if _is_for(option, asked["service_mode"])
    ]
    hours = (D(billed) / 60).quantize(D("0.0001"))  # never a tie
    for when in ("required", "offered", "on_use"):
        for option in options:
            if _when(option) != when:
                continue
            if when == "required":
                stated = option.get("quantity", "billed")
                quantity = hours if stated == "billed" else D(stated)
            else:
                of = asked["options"] if when == "offered" else asked["added"]
                quantity = D(of.get(option["code"], "0"))
                if not quantity:  # not asked for
                    continue
            cost = D(option["price"])
            amount = _rounded(quantity * cost, currency)
            yield {
                "kind": "option",
                "code": option["code"],
                "quantity": quantity,
                "price": cost,
                "amount": amount,
            }


def _is_for(option: Json, mode: str) -> bool:
    return not option.get("modes") or mode in option["modes"]


def _when(option: Json) -> str:
    return str(option.get("when", "offered"))


def _voucher(grants: list[Json], eligible: Decimal, currency: str) -> tuple[str | None, Decimal]:
    """The code of the grant that covers most, of equals the one that expires first, and what it covers."""
    best: tuple[Decimal, str, str] | None = None
    for grant in grants:
        covers = min(_rounded(D(grant["percent"]) * eligible / 100, currency), D(grant["remaining"]))
        if grant["cap_per_booking"] is not None:
            covers = min(covers, D(grant["cap_per_booking"]))
        rank = (-covers, grant["expires"] or "9999-12-31", grant["code"])
        if covers > 0 and (best is None or rank < best):
            best = rank
    return (None, D(0)) if best is None else (best[2], -best[0])


def _rounded(amount: Decimal, currency: str) -> Decimal:
    """Half-up to the minor unit, of amounts that are not negative."""
    units = D(1) if currency in WITHOUT_CENTS else D(100)
    return (amount * units + HALF).to_integral_value(ROUND_FLOOR) / units


def _sum(lines: list[Line]) -> Decimal:
    return sum((line["amount"] for line in lines), D(0))
