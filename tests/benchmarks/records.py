"""People with each role in a world that a builder made, and the records that make an address
largest for them: by the words of the permission table, as its own test fills them."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldError
from django.db import connection
from django.db.models import Count, Q
from django.utils import timezone

from accounts.letters.mails import unsubscribe_address
from accounts.models import Organisation, Region, RoleGrant, User
from accounts.selectors.joining import invitation_token
from bookings.messaging.selectors.feeds import feed_token
from bookings.models import Charge, Reservation, Statement
from instruments.register.models import Facility, Instrument

MODELS = {model.__name__.lower(): model for model in apps.get_models()}
# Words that are not the names of models.
NAMES = {
    "bundle": "TrailBundle", "exception": "AuditException", "export": "HoursExport",
    "feed": "CalendarFeed", "finding": "AuditFinding", "grant": "VoucherGrant",
    "led-session": "CourseSession", "list": "InstrumentList", "mapping": "ImportMapping",
    "missing": "OrganisationRequest", "notice": "PaymentNotice", "occurrence": "Reservation",
    "programme": "VoucherProgramme", "question": "CapabilityQuestion", "replayed": "Charge",
    "role": "RoleGrant", "sample": "AuditSample", "source": "FundingSource",
    "unrecorded": "UsageSession", "webhook": "WebhookEndpoint", "wish": "WaitingWish",
}  # fmt: skip
# Of what the largest one has most; which comes first, where that matters; what one must be
# besides; what of it an address names, where that is not its key.
MOST = {
    "agreement": "members", "course": "sessions", "course-session": "enrolments",
    "led-session": "enrolments", "grant": "charges", "harvest": "fetchings", "import": "rows",
    "list": "entries", "programme": "grants", "settlement": "lines", "statement": "lines",
    "technique": "instruments", "webhook": "deliveries",
}  # fmt: skip
FIRST = {"reservation": "-start_at", "charge": "-created_at"}
SUCH = {
    "occurrence": {"series__isnull": False},
    "unrecorded": {"is_assumed": True},
    "reservation": {"state": "confirmed"},
}
NAMED_BY = {"unrecorded": "reservation_id"} | dict.fromkeys(("measurand", "parameter", "technique"), "code")
# Which lookups make a record somebody's own: the narrowest first.
OWN = {
    "researcher": ("user", "reservation__user", "owner"),
    "payer": ("payer", "statement__payer", "organisation", "reservation__organisation"),
    "host": (
        "host", "reservation__host", "statement__host", "instrument__facility__organisation",
        "course__organisation", "session__course__organisation", "organisation",
    ),
    "regions": (
        "host_region", "reservation__host_region", "first", "region", "organisation__region",
        "members__region",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class People:
    """One person of each role; the host with most instruments and its two busiest ones, the
    organisation that pays for most, the country of the host with all its regions."""

    users: dict[str, User]
    host: Organisation
    payer: Organisation
    country: Region
    regions: list[Region]
    instruments: list[Instrument]


def _most(rows: Any, of: str, first: int = 1) -> list[Any]:
    """The values of a field that most rows have."""
    return list(rows.values_list(of, flat=True).annotate(n=Count("*")).order_by("-n", of)[:first])


def _payer() -> Any:
    """The organisation that pays for most: of all statements, or else of a sample of some fifty
    thousand charges or reservations."""
    if Statement.objects.exists():
        return _most(Statement.objects.all(), "payer")[0]
    table = (Charge if Charge.objects.exists() else Reservation)._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [table])
        share = min(100, 5_000_000 / max(1, cursor.fetchone()[0]))
        cursor.execute(
            f"SELECT organisation_id FROM {table} TABLESAMPLE SYSTEM ({share}) REPEATABLE (1)"
            " GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
        )
        return cursor.fetchone()[0]


def cast() -> People:
    """Give each role to somebody who fits it; to be rolled back."""
    host = Organisation.objects.get(pk=_most(Instrument.objects, "facility__organisation")[0])
    payer = Organisation.objects.get(pk=_payer())
    of_late = {"start_at__gt": timezone.now() - timedelta(days=60)}
    busiest = _most(host.hosted_reservations.filter(**of_late), "instrument", 2)
    country = host.region
    while country.parent:
        country = country.parent
    within = Q(pk=country.pk) | Q(parent=country) | Q(parent__parent=country)
    busy = _most(payer.reservations.filter(**of_late), "user")[0]
    users = {"researcher": User.objects.get(pk=busy)}
    others = User.objects.exclude(pk=busy).order_by("email")
    users["finance"] = others.filter(memberships__organisation=payer)[0]
    others = others.exclude(pk=users["finance"].pk)
    inside = others.filter(memberships__organisation=host)[:4]
    hosting = [*inside, *others.exclude(memberships__organisation=host)[:4]][:4]
    for user, (role, place) in zip(
        [users["finance"], *hosting],
        {
            "finance": {"organisation": payer},
            "manager": {"organisation": host},
            "coordinator": {"region": country},
            "auditor": {"region": country},
            "administrator": {},
        }.items(),
        strict=True,
    ):
        users[role] = user
        given = {"user": user, "role": role, "revoked_at": None} | place
        RoleGrant.objects.get_or_create(**given, defaults={"granted_at": timezone.now()})
    instruments = [Instrument.objects.get(pk=pk) for pk in busiest]
    return People(users, host, payer, country, list(Region.objects.filter(within)), instruments)


class Records(dict[str, str]):
    """Ids by word, for one role; each is looked for when it is asked for first. KeyError: there is
    no such record."""

    def __init__(self, role: str, people: People) -> None:
        first, last = people.instruments[0], people.instruments[-1]
        facilities = Facility.objects.filter(organisation=people.host)
        pays = role in {"researcher", "finance"}
        super().__init__(
            {
                "instrument": str(first.pk),
                "asks-first": str(last.pk),
                "service-mode": first.service_modes[0],
                "draft-card": str(first.rate_cards.latest("version").version),
                "facility": str(facilities.annotate(n=Count("instruments")).order_by("-n").first().pk),
                "fudan": str((people.payer if pays else people.host).pk),
                "host-code": people.host.code,
                "anhui": str(people.country.pk),
                "region-code": people.country.code,
                "member": str(people.users["researcher"].pk),
                "size": "small",
                "section": "instruments",
            }
        )
        self._person = people.users["researcher"]
        me = [(name, self._person) for name in OWN["researcher"]]
        payer = [(name, people.payer) for name in OWN["payer"]]
        regions = [(f"{name}__in", people.regions) for name in OWN["regions"]]
        host = [("instrument", first), *((name, people.host) for name in OWN["host"])]
        own = {"researcher": me + payer, "finance": payer, "manager": host}
        own |= dict.fromkeys(("coordinator", "auditor"), regions)
        self._own = [*own.get(role, ()), ("pk__isnull", False)]

    def __missing__(self, word: str) -> str:
        if word == "feed-token":
            self[word] = feed_token(self["feed"])
        elif word == "invitation-token":
            self[word] = invitation_token(self["invitation"])
        elif word == "unsubscribe-token":
            self[word] = unsubscribe_address(self._person, ["reminder"]).split("/")[-2]
        else:
            self[word] = self._largest(word)
        return self[word]

    def _largest(self, word: str) -> str:
        if not _are_any(word):
            raise KeyError(word)
        rows, named_by, most = _rows(word), NAMED_BY.get(word, "pk"), MOST.get(word)
        # Ordered by its key a large table would be searched from its end for the rare ones.
        order = [FIRST[word]] if word in FIRST else []
        if most:
            rows, order = rows.annotate(most=Count(most)), ["-most", "pk"]
        for lookup, value in self._own:
            try:
                largest = rows.filter(**{lookup: value}).order_by(*order)[:1]
                for row in largest.values_list(named_by, flat=True):
                    return str(row)
            except FieldError:
                continue
        raise KeyError(word)


def _rows(word: str) -> Any:
    name = NAMES.get(word, word.replace("-", "")).lower()
    return MODELS[name].objects.filter(**SUCH.get(word, {}))


@cache
def _are_any(word: str) -> bool:
    return bool(_rows(word).order_by()[:1])
