"""Define booking policies, the rules by which an instrument is booked. Names are those of the API.

Quotas are counted in bookings/availability/domain/quotas.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from accounts.domain.errors import FieldProblem, Invalid, unknown_fields
from instruments.policy.domain.hazards import hazards_in
from instruments.rates.domain.ratecards import PRICE_GROUPS
from instruments.reading.domain.clock import clock, read_clock
from instruments.reading.domain.reading import MOST_ITEMS

SCOPES = ("user", "organisation", "price_group")
MEASURES = ("hours", "bookings")
SPANS = ("day", "week", "month", "upcoming")
MOST_QUOTAS = 20
GROUPS = ("certified", "organisation", "region")
MOST_GROUP_HOURS = 20
LONGEST_CODE = 60
MOST_LIMIT = 100_000


@dataclass(frozen=True)
class Quota:
    """A limit of hours or bookings per local day, ISO week or month, or among upcoming bookings.

    `price_group`: the only group to which the quota applies; None: all groups.
    """

    scope: str
    unit: str
    per: str
    limit: Decimal
    price_group: str | None = None


@dataclass(frozen=True)
class Share:
    """The percentage of each week that is kept for other regions, until `released_minutes` before a slot
    starts."""

    percent: int
    released_minutes: int = 0


@dataclass(frozen=True)
class GroupHours:
    """Hours open only to a group. On some ISO weekdays, from `opens` to `closes` in minutes of the
    instrument's wall clock (on the next day if not after `opens`), only some people may book: holders of the
    `certificate` (`instrument`, or the code of a technique), the host organisation's own, or its region's."""

    days: tuple[int, ...]
    opens: int
    closes: int
    who: str
    certificate: str = ""


def parse_group_hours(given: object, problems: list[FieldProblem]) -> tuple[GroupHours, ...]:
    """Read hours open only to groups from the JSON of the API; problems are added to `problems`."""
    if given is None:
        return ()
    if not isinstance(given, list):
        problems.append(FieldProblem("group_hours", "not-a-list"))
        return ()
    if len(given) > MOST_GROUP_HOURS:
        problems.append(FieldProblem("group_hours", "too-many", {"most": MOST_GROUP_HOURS}))
        return ()
    rules = [_group_hours(f"group_hours[{n}]", item, problems) for n, item in enumerate(given)]
    return tuple(rule for rule in rules if rule is not None)


def _group_hours(path: str, given: object, problems: list[FieldProblem]) -> GroupHours | None:
    if not isinstance(given, Mapping):
        problems.append(FieldProblem(path, "not-an-object"))
        return None
    before = len(problems)
    names = GroupHours.__dataclass_fields__
    problems += unknown_fields(given, names, path)
    days = given.get("days")
    if not isinstance(days, list) or len(days) > 7:
        days = []
    if not days or any(day not in range(1, 8) for day in days):
        problems.append(FieldProblem(f"{path}.days", "not-a-weekday"))
        days = []
    opens, closes = (read_clock(given.get(name), is_end=name == "closes") for name in ("opens", "closes"))
    for name, minute in (("opens", opens), ("closes", closes)):
        if minute is None:
            problems.append(FieldProblem(f"{path}.{name}", "not-a-time"))
    who, certificate = given.get("who"), given.get("certificate") or ""
    if who not in GROUPS:
        numbers: dict[str, str | int] = {"allowed": ", ".join(GROUPS)}
        problems.append(FieldProblem(f"{path}.who", "unknown-choice", numbers))
    elif not isinstance(certificate, str) or len(certificate) > LONGEST_CODE:
        problems.append(FieldProblem(f"{path}.certificate", "not-a-text"))
    elif who == "certified" and not certificate:
        problems.append(FieldProblem(f"{path}.certificate", "required"))
    if len(problems) > before or opens is None or closes is None:
        return None
    certificate = certificate if who == "certified" else ""
    return GroupHours(tuple(sorted({int(d) for d in days})), opens, closes, str(who), certificate)


def group_hours_to_json(rule: GroupHours) -> dict[str, object]:
    """Convert hours open only to a group to the JSON of the API."""
    shape: dict[str, object] = {
        "days": list(rule.days),
        "opens": clock(rule.opens),
        "closes": clock(rule.closes),
        "who": rule.who,
    }
    return shape | ({"certificate": rule.certificate} if rule.certificate else {})


def parse_quotas(given: object, problems: list[FieldProblem]) -> tuple[Quota, ...]:
    """Read the quotas from the JSON of the API; problems are added to `problems`."""
    if given is None:
        return ()
    if not isinstance(given, list):
        problems.append(FieldProblem("quotas", "not-a-list"))
        return ()
    if len(given) > MOST_QUOTAS:
        problems.append(FieldProblem("quotas", "too-many", {"most": MOST_QUOTAS}))
        return ()
    quotas = [_quota(f"quotas[{index}]", item, problems) for index, item in enumerate(given)]
    return tuple(quota for quota in quotas if quota is not None)


_FIELDS = ("scope", "unit", "per", "limit", "price_group")


def _quota(path: str, given: object, problems: list[FieldProblem]) -> Quota | None:
    if not isinstance(given, Mapping):
        problems.append(FieldProblem(path, "not-an-object"))
        return None
    before = len(problems)
    problems += unknown_fields(given, _FIELDS, path)
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
    """Return a limit: a whole number of bookings, or hours with at most two decimals; None if it is not
    one."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    if not 0 <= given <= MOST_LIMIT:  # also refuses NaN
        return None
    limit = Decimal(str(given))
    return limit if limit == limit.quantize(Decimal(1 if is_whole else "0.01")) else None


def _whole(name: str, given: object, least: int, most: int, problems: list[FieldProblem]) -> int | None:
    """Return a whole number within bounds; otherwise add a problem to `problems` and return None."""
    if type(given) is int and least <= given <= most:
        return given
    problems.append(FieldProblem(name, "out-of-range", {"least": least, "most": most}))
    return None


def parse_share(given: object, problems: list[FieldProblem]) -> Share | None:
    """Read the share from the JSON of the API; problems are added to `problems`."""
    if given is None:
        return None
    if not isinstance(given, Mapping):
        problems.append(FieldProblem("cross_region_share", "not-an-object"))
        return None
    before = len(problems)
    values = {"percent": 0, "released_minutes": 0}
    problems += unknown_fields(given, values, "cross_region_share")
    for name, most in (("percent", 100), ("released_minutes", 525600)):
        value = given.get(name, 0 if name == "released_minutes" else None)
        values[name] = _whole(f"cross_region_share.{name}", value, 0, most, problems) or 0
    return Share(**values) if len(problems) == before else None


def quota_to_json(quota: Quota) -> dict[str, object]:
    """Convert a quota to the JSON of the API."""
    whole = quota.limit == quota.limit.to_integral_value()
    limit = int(quota.limit) if whole else float(quota.limit)
    shape: dict[str, object] = {"scope": quota.scope, "unit": quota.unit, "per": quota.per, "limit": limit}
    return shape | ({"price_group": quota.price_group} if quota.price_group else {})


def share_to_json(share: Share | None) -> dict[str, object] | None:
    """Convert a share to the JSON of the API."""
    if share is None:
        return None
    return {"percent": share.percent, "released_minutes": share.released_minutes}


APPROVALS = ("automatic", "manual", "first-time", "cross-region")
DEFAULT_HORIZON_DAYS = 60
LONGEST = 1440


@dataclass(frozen=True)
class Policy:
    """The rules by which an instrument is booked, all lengths in minutes; see docs/availability.md,
    "Rules"."""

    slot_minutes: int = 30
    min_minutes: int = 30
    max_minutes: int = LONGEST
    setup_minutes: int = 0
    teardown_minutes: int = 0
    notice_minutes: int = 0
    horizon_days: Mapping[str, int] = field(default_factory=dict)
    approval: str = "automatic"
    approval_minutes: int = 2880
    check_in_minutes: int | None = None
    offer_minutes: int = 120
    units: int = 1
    # The certificate needed to operate the instrument alone: "" none, "instrument" one for this instrument,
    # else the code of a technique.
    qualification: str = ""
    quotas: tuple[Quota, ...] = ()
    cross_region_share: Share | None = None
    # Classes of hazard that samples must not have.
    refused_hazards: tuple[str, ...] = ()
    group_hours: tuple[GroupHours, ...] = ()

    @property
    def usual_minutes(self) -> int:
        """Return the length offered first: an hour if that is allowed, else the shortest."""
        return 60 if self.allows(60) else self.min_minutes

    @property
    def lengths(self) -> tuple[int, ...]:
        """Return the lengths to choose from: at first every slot, then wider steps, and the longest last."""
        every = range(self.min_minutes, self.max_minutes + 1, self.slot_minutes)
        first = [m for m in every if m <= 240 or m % 120 == 0 or m == self.min_minutes][:24]
        return (*first, *(() if self.max_minutes in first else (self.max_minutes,)))

    def allows(self, minutes: int) -> bool:
        """Say whether a booking may take this many minutes."""
        return self.min_minutes <= minutes <= self.max_minutes and minutes % self.slot_minutes == 0

    def horizon_for(self, price_group: str) -> int:
        """Return how many days ahead a price group may book; 60 if the policy does not name it."""
        return self.horizon_days.get(price_group, DEFAULT_HORIZON_DAYS)


# field -> least, most
_RANGES = {
    "slot_minutes": (1, LONGEST),
    "min_minutes": (1, 44640),
    "max_minutes": (1, 44640),
    "setup_minutes": (0, LONGEST),
    "teardown_minutes": (0, LONGEST),
    "notice_minutes": (0, 525600),
    "approval_minutes": (1, 44640),
    "check_in_minutes": (1, LONGEST),
    "offer_minutes": (1, 44640),
    "units": (1, 500),
}
FIELDS = (
    *_RANGES,
    "horizon_days",
    "approval",
    "qualification",
    "quotas",
    "cross_region_share",
    "refused_hazards",
    "group_hours",
)


def parse_policy(data: object) -> Policy:
    """Read a policy from the JSON of the API; absent fields take their defaults. `Invalid` names each wrong
    field."""
    if not isinstance(data, Mapping):
        raise Invalid([FieldProblem("", "not-an-object")])
    problems = unknown_fields(data, FIELDS)
    values: dict[str, int] = {}
    for name, (least, most) in _RANGES.items():
        if data.get(name) is not None:
            whole = _whole(name, data[name], least, most, problems)
            values |= {} if whole is None else {name: whole}
    slot = values.get("slot_minutes", 30)
    shortest = values.setdefault("min_minutes", slot)
    longest = values.setdefault("max_minutes", max(LONGEST // slot * slot, shortest))
    problems += [
        FieldProblem(name, "not-a-multiple", {"slot_minutes": slot})
        for name in ("min_minutes", "max_minutes")
        if values[name] % slot
    ]
    if longest < shortest:
        problems.append(FieldProblem("max_minutes", "less-than-min", {"min_minutes": shortest}))
    approval = data.get("approval")
    if approval is None:
        approval = "automatic"
    if not isinstance(approval, str) or approval not in APPROVALS:
        problems.append(FieldProblem("approval", "unknown-value"))
    horizon = _horizon(data.get("horizon_days"), problems)
    qualification = data.get("qualification")
    if qualification is None:
        qualification = ""
    if not isinstance(qualification, str):
        problems.append(FieldProblem("qualification", "not-a-text"))
    elif len(qualification) > LONGEST_CODE:
        problems.append(FieldProblem("qualification", "too-long", {"most": LONGEST_CODE}))
    quotas = parse_quotas(data.get("quotas"), problems)
    share = parse_share(data.get("cross_region_share"), problems)
    hazards = parse_hazards(data.get("refused_hazards"), problems)
    group_hours = parse_group_hours(data.get("group_hours"), problems)
    if problems:
        raise Invalid(problems)
    return Policy(
        **{"slot_minutes": slot} | values,
        horizon_days=horizon,
        approval=str(approval),
        qualification=str(qualification).strip(),
        quotas=quotas,
        cross_region_share=share,
        refused_hazards=hazards,
        group_hours=group_hours,
    )


def parse_hazards(given: object, problems: list[FieldProblem]) -> tuple[str, ...]:
    """Read classes of hazard from the JSON of the API; problems are added to `problems`."""
    if given is None:
        return ()
    if not isinstance(given, list | tuple):
        problems.append(FieldProblem("refused_hazards", "not-a-list"))
        return ()
    if len(given) > MOST_ITEMS:
        problems.append(FieldProblem("refused_hazards", "too-many", {"most": MOST_ITEMS}))
        return ()
    try:
        return hazards_in(map(str, given), "refused_hazards")
    except Invalid as refused:
        problems += refused.problems
        return ()


def _horizon(given: object, problems: list[FieldProblem]) -> dict[str, int]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        problems.append(FieldProblem("horizon_days", "not-an-object"))
        return {}
    horizon: dict[str, int] = {}
    problems += unknown_fields(given, PRICE_GROUPS, "horizon_days")
    for group, days in given.items():
        if group in PRICE_GROUPS:
            horizon[group] = _whole(f"horizon_days.{group}", days, 0, 730, problems) or 0
    return horizon


def policy_to_json(policy: Policy) -> dict[str, object]:
    """Convert a policy to the JSON of the API, with every field."""
    return {name: getattr(policy, name) for name in _RANGES} | {
        "horizon_days": {group: policy.horizon_for(group) for group in PRICE_GROUPS},
        "approval": policy.approval,
        "qualification": policy.qualification or None,
        "quotas": [quota_to_json(quota) for quota in policy.quotas],
        "cross_region_share": share_to_json(policy.cross_region_share),
        "refused_hazards": list(policy.refused_hazards),
        "group_hours": [group_hours_to_json(rule) for rule in policy.group_hours],
    }
