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
from instruments.models import Facility, Instrument

# Word: the model whose row it names; of which there are most, if it shall be the largest.
WORDS = {
    "agreement": ("bookings.Agreement", "members"),
    "attachment": ("instruments.Attachment", ""),
    "bundle": ("bookings.TrailBundle", ""),
    "capability": ("instruments.Capability", ""),
    "chain": ("bookings.Chain", ""),
    "charge": ("bookings.Charge", ""),
    "closure": ("bookings.Closure", ""),
    "course": ("instruments.Course", "sessions"),
    "course-session": ("instruments.CourseSession", "enrolments"),
    "led-session": ("instruments.CourseSession", "enrolments"),
    "enrolment": ("instruments.Enrolment", ""),
    "exception": ("bookings.AuditException", ""),
    "export": ("bookings.HoursExport", ""),
    "feed": ("bookings.CalendarFeed", ""),
    "finding": ("bookings.AuditFinding", ""),
    "grant": ("bookings.VoucherGrant", "charges"),
    "harvest": ("instruments.Harvest", "fetchings"),
    "import": ("instruments.Import", "rows"),
    "invitation": ("accounts.Invitation", ""),
    "join-request": ("accounts.JoinRequest", ""),
    "list": ("bookings.InstrumentList", "entries"),
    "list-entry": ("bookings.ListEntry", ""),
    "mapping": ("instruments.ImportMapping", ""),
    "measurand": ("instruments.Measurand", ""),
    "membership": ("accounts.Membership", ""),
    "message": ("accounts.Message", ""),
    "missing": ("accounts.OrganisationRequest", ""),
    "need": ("bookings.Need", ""),
    "notice": ("bookings.PaymentNotice", ""),
    "occurrence": ("bookings.Reservation", ""),
    "parameter": ("instruments.Parameter", ""),
    "programme": ("bookings.VoucherProgramme", "grants"),
    "qualification": ("instruments.Qualification", ""),
    "question": ("instruments.CapabilityQuestion", "askers"),
    "replayed": ("bookings.Charge", ""),
    "reservation": ("bookings.Reservation", ""),
    "role": ("accounts.RoleGrant", ""),
    "sample": ("bookings.AuditSample", ""),
    "series": ("bookings.Series", ""),
    "settlement": ("bookings.Settlement", "lines"),
    "source": ("bookings.FundingSource", ""),
    "statement": ("bookings.Statement", "lines"),
    "technique": ("instruments.Technique", "instruments"),
    "trail-entry": ("accounts.TrailEntry", ""),
    "unrecorded": ("bookings.UsageSession", ""),
    "webhook": ("bookings.WebhookEndpoint", "deliveries"),
    "wish": ("bookings.WaitingWish", ""),
}
# What a row must be besides, and what of it an address names where that is not its key.
SUCH = {
    "occurrence": {"series__isnull": False},
    "unrecorded": {"is_assumed": True},
    "reservation": {"state": "confirmed"},
}
FIRST = {"reservation": "-start_at", "charge": "-created_at"}
NAMED_BY = {"measurand": "code", "parameter": "code", "technique": "code"} | {
    "unrecorded": "reservation_id"
}


def _rows(word: str) -> Any:
    return apps.get_model(WORDS[word][0]).objects.filter(**SUCH.get(word, {}))


@cache
def _are_any(word: str) -> bool:
    return bool(_rows(word).order_by()[:1])


@dataclass(frozen=True)
class People:
    """One person of each role; the host with most instruments and its busiest one, the organisation
    that pays most, the country of the host with all its regions."""

    users: dict[str, User]
    host: Organisation
    payer: Organisation
    country: Region
    regions: list[Any]
    instruments: list[Instrument]


def _most(rows: Any, of: str, first: int = 1) -> list[Any]:
    """The values of a field that most rows have."""
    return list(rows.values_list(of, flat=True).annotate(n=Count("*")).order_by("-n", of)[:first])


def _payer() -> Any:
    """The organisation that pays for most: of a few thousand statements, or else, in a sample of
    some fifty thousand rows, of charges or reservations."""
    if Statement.objects.exists():
        return _most(Statement.objects.all(), "payer")[0]
    model = Charge if Charge.objects.exists() else Reservation
    table = model._meta.db_table
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
    regions = list(
        Region.objects.filter(Q(pk=country.pk) | Q(parent=country) | Q(parent__parent=country))
    )
    busy = _most(payer.reservations.filter(**of_late), "user")[0]
    users = {"researcher": User.objects.get(pk=busy)}
    others = User.objects.exclude(pk=users["researcher"].pk).order_by("email")
    users["finance"] = others.filter(memberships__organisation=payer)[0]
    hosting = others.filter(memberships__organisation=host).exclude(pk=users["finance"].pk)
    users |= dict(
        zip(("manager", "coordinator", "auditor", "administrator"), hosting[:4], strict=True)
    )
    for role, places in (
        ("manager", {"organisation": host}),
        ("finance", {"organisation": payer}),
        ("coordinator", {"region": country}),
        ("auditor", {"region": country}),
        ("administrator", {}),
    ):
        RoleGrant.objects.get_or_create(
            user=users[role], role=role, revoked_at=None, **places,
            defaults={"granted_at": timezone.now()},
        )  # fmt: skip
    instruments = [Instrument.objects.get(pk=pk) for pk in busiest]
    return People(users, host, payer, country, regions, instruments)


class Records(dict[str, str]):
    """Ids by word, for one role; each is looked for when it is asked for first. KeyError: there is
    no such record."""

    def __init__(self, role: str, people: People) -> None:
        self.role, self.people = role, people
        pays = role in {"researcher", "finance"}
        self.organisation = people.payer if pays else people.host
        host, (instrument, *others) = people.host, people.instruments
        facilities = Facility.objects.filter(organisation=host).annotate(n=Count("instruments"))
        super().__init__(
            {
                "instrument": str(instrument.pk),
                "asks-first": str((others or [instrument])[0].pk),
                "service-mode": instrument.service_modes[0],
                "draft-card": str(instrument.rate_cards.latest("version").version),
                "facility": str(facilities.order_by("-n")[0].pk),
                "fudan": str(self.organisation.pk),
                "host-code": host.code,
                "anhui": str(people.country.pk),
                "region-code": people.country.code,
                "member": str(people.users["researcher"].pk),
                "size": "small",
                "section": "instruments",
            }
        )

    def __missing__(self, word: str) -> str:
        if word == "feed-token":
            self[word] = feed_token(self["feed"])
        elif word == "invitation-token":
            self[word] = invitation_token(self["invitation"])
        elif word == "unsubscribe-token":
            person = self.people.users["researcher"]
            self[word] = unsubscribe_address(person, ["reminder"]).split("/")[-2]
        elif word in WORDS:
            self[word] = self._largest(word)
        else:
            raise KeyError(word)
        return self[word]

    def items(self) -> Any:
        """Words that were looked for; `filled` replaces them in a query."""
        return super().items()

    def _largest(self, word: str) -> str:
        if not _are_any(word):
            raise KeyError(word)
        rows, named_by, most = _rows(word), NAMED_BY.get(word, "pk"), WORDS[word][1]
        # Ordered by its key a large table would be searched from its end for the rare ones.
        order = [FIRST[word]] if word in FIRST else []
        if most:
            rows, order = rows.annotate(most=Count(most)), ["-most", "pk"]
        for lookup, value in [*self._own(), ("pk__isnull", False)]:
            try:
                largest = rows.filter(**{lookup: value}).order_by(*order)[:1]
                for row in largest.values_list(named_by, flat=True):
                    return str(row)
            except FieldError:
                continue
        raise KeyError(word)

    def _own(self) -> list[tuple[str, Any]]:
        """What a record of the role has, the narrowest first."""
        people = self.people
        host, payer = people.host, people.payer
        if self.role == "researcher":
            me = people.users["researcher"]
            own = ("user", "reservation__user", "owner", "member")
            return [(name, me) for name in own] + [("organisation", payer)]
        if self.role == "finance":
            names = ("payer", "statement__payer", "organisation", "reservation__organisation")
            return [(name, payer) for name in names]
        if self.role == "manager":
            names = (
                "host", "reservation__host", "statement__host",
                "instrument__facility__organisation", "course__organisation",
                "session__course__organisation", "organisation",
            )  # fmt: skip
            return [("instrument", people.instruments[0])] + [(name, host) for name in names]
        if self.role in {"coordinator", "auditor"}:
            names = (
                "host_region", "reservation__host_region", "first", "region",
                "organisation__region", "members__region",
            )  # fmt: skip
            return [(f"{name}__in", people.regions) for name in names]
        return []
