"""Limits on how much of an instrument one person, organisation or group may book, and the share
kept for other regions. Counting them: bookings/availability/domain/quotas.py."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from accounts.domain.errors import FieldProblem
from instruments.domain.ratecards import PRICE_GROUPS

SCOPES = ("user", "organisation", "price_group")
MEASURES = ("hours", "bookings")
SPANS = ("day", "week", "month", "upcoming")
MOST_QUOTAS = 20
MOST_LIMIT = 100_000


@dataclass(frozen=True)
class Quota:
    """At most `limit` hours or bookings per local day, ISO week, month, or of what is to come.

    `price_group`: the quota binds that group alone; None: every group.
    """

    scope: str
    unit: str
    per: str
    limit: Decimal
    price_group: str | None = None


@dataclass(frozen=True)
class Share:
    """`percent` of each week is kept for other regions, until `released_minutes` before a slot
    starts."""

    percent: int
    released_minutes: int = 0


def parse_quotas(given: object, problems: list[FieldProblem]) -> tuple[Quota, ...]:
    """The JSON of the API; what is wrong is added to `problems`."""
    if given is None:
        return ()
    if not isinstance(given, list):
        problems.append(FieldProblem("quotas", "not-a-list"))
        return ()
    if len(given) > MOST_QUOTAS:
        problems.append(FieldProblem("quotas", "too-many", {"most": MOST_QUOTAS}))
        return ()
    found = [_quota(f"quotas[{index}]", item, problems) for index, item in enumerate(given)]
    return tuple(quota for quota in found if quota is not None)


_FIELDS = ("scope", "unit", "per", "limit", "price_group")


def _quota(path: str, given: object, problems: list[FieldProblem]) -> Quota | None:
    if not isinstance(given, Mapping):
        problems.append(FieldProblem(path, "not-an-object"))
        return None
    before = len(problems)
    problems += [FieldProblem(f"{path}.{k}", "unknown-field") for k in given if k not in _FIELDS]
    for name, allowed in (("scope", SCOPES), ("unit", MEASURES), ("per", SPANS)):
        if given.get(name) is None:
            problems.append(FieldProblem(f"{path}.{name}", "required"))
        elif given[name] not in allowed:
            numbers = {"allowed": ", ".join(allowed)}
            problems.append(FieldProblem(f"{path}.{name}", "unknown-choice", numbers))
    group = given.get("price_group")
    if group is not None and group not in PRICE_GROUPS:
        problems.append(FieldProblem(f"{path}.price_group", "unknown-price-group"))
    limit = _limit(given.get("limit"), is_whole=given.get("unit") == "bookings")
    if limit is None:
        numbers_: dict[str, str | int] = {"least": 0, "most": MOST_LIMIT}
        problems.append(FieldProblem(f"{path}.limit", "out-of-range", numbers_))
    if len(problems) > before or limit is None:
        return None
    return Quota(given["scope"], given["unit"], given["per"], limit, group)


def _limit(given: object, *, is_whole: bool) -> Decimal | None:
    """Bookings are whole; hours may have two decimals."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    if not 0 <= given <= MOST_LIMIT:  # not a number is neither
        return None
    limit = Decimal(str(given))
    return limit if limit == limit.quantize(Decimal(1 if is_whole else "0.01")) else None


def parse_share(given: object, problems: list[FieldProblem]) -> Share | None:
    """The JSON of the API; what is wrong is added to `problems`."""
    if given is None:
        return None
    if not isinstance(given, Mapping):
        problems.append(FieldProblem("cross_region_share", "not-an-object"))
        return None
    before = len(problems)
    values = {"percent": 0, "released_minutes": 0}
    problems += [
        FieldProblem(f"cross_region_share.{k}", "unknown-field") for k in given if k not in values
    ]
    for name, most in (("percent", 100), ("released_minutes", 525600)):
        value = given.get(name, 0 if name == "released_minutes" else None)
        if type(value) is not int or not 0 <= value <= most:
            numbers: dict[str, str | int] = {"least": 0, "most": most}
            problems.append(FieldProblem(f"cross_region_share.{name}", "out-of-range", numbers))
        else:
            values[name] = value
    return Share(**values) if len(problems) == before else None


def quota_to_json(quota: Quota) -> dict[str, object]:
    """The shape of the API."""
    whole = quota.limit == quota.limit.to_integral_value()
    limit = int(quota.limit) if whole else float(quota.limit)
    shape: dict[str, object] = {
        "scope": quota.scope,
        "unit": quota.unit,
        "per": quota.per,
        "limit": limit,
    }
    return shape | ({"price_group": quota.price_group} if quota.price_group else {})


def share_to_json(share: Share | None) -> dict[str, object] | None:
    """The shape of the API."""
    if share is None:
        return None
    return {"percent": share.percent, "released_minutes": share.released_minutes}
