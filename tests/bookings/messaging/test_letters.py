"""Every kind of message as its reader gets it, in both languages, against the files in letters/.

    UPDATE_LETTERS=1 make test ARGS="tests/bookings/messaging/test_letters.py"

writes them anew, to be read before they are committed.
"""

import os
import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from django.utils import translation

from accounts import letters as people
from accounts.letters import Letter, digest_mail, mail_of, method_of
from accounts.models import Message, OutboxMessage, User
from bookings.audit.notifications import audit
from bookings.catalogue.selectors.equivalents import load_nearest
from bookings.messaging.notifications import (
    KINDS,
    OF_SERIES,
    compose,
    records,
    searches,
    training,
    webhooks,
)
from bookings.models import (
    Agreement,
    AuditFinding,
    Charge,
    PaymentNotice,
    Reservation,
    SavedSearch,
    Settlement,
    Statement,
    UsageSession,
    WebhookDelivery,
    WebhookEndpoint,
)
from bookings.pricing.selectors.agreements import members_of
from bookings.settlement.notifications import papers
from instruments import notifications as harvests
from instruments.models import Fetching, Harvest
from tests.factories.cast import NOW, reserve
from tests.factories.qualifications import certify
from tests.factories.things import money_things
from tests.factories.training import course, enrol, session

pytestmark = pytest.mark.django_db
FOLDER = Path(__file__).parent / "letters"
LANGUAGES = ("en", "zh-hans")
STATES = {
    "requested": "requested",
    "to-decide": "requested",
    "lapsing": "requested",
    "series-requested": "requested",
    "series-to-decide": "requested",
    "offer": "held",
    "cancelled": "cancelled",
    "series-cancelled": "cancelled",
    "rejected": "rejected",
    "expired": "expired",
    "displaced": "displaced",
    "no-show": "no_show",
    "completed": "completed",
    "poor-rating": "completed",
    "overrun": "in_use",
} | {kind: "completed" for kind, words in KINDS.items() if words.about_charge}
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def world(shared_cast):
    cast = shared_cast
    cast.people = {name: User.objects.get(pk=user.pk) for name, user in cast.people.items()}
    cast.wang.time_zone = "Europe/London"
    cast.booked = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    cast.later = reserve(cast, "2026-03-11 10:00", "2026-03-11 12:00")
    cast.charge = Charge.objects.get(pk=money_things(cast)["charge"])
    cast.enrolment = enrol(cast, session(cast, course(cast)))
    return cast


def about_booking(kind):
    def made(cast, reader):
        one = cast.booked
        one.refresh_from_db()
        one.state, one.version = STATES.get(kind, "confirmed"), 3
        one.deadline_at = NOW + timedelta(hours=2)
        if kind in {"cancelled", "rejected", "displaced", "series-cancelled"}:
            one.reason = "The pump <failed> & leaks"
            one.ended_at = NOW
            one.is_ended_by_host = kind in {"rejected", "displaced"}
        more = {}
        if kind == "poor-rating":
            UsageSession(reservation=one, rating=2, remarks="The stage <drifts> & jumps")
        if kind in OF_SERIES:
            cast.later.state, cast.later.version = one.state, 2
            more["many"] = [one, cast.later]
        if KINDS[kind].about_charge:
            more["about"] = cast.charge
        if kind == "displaced":
            more["nearest"] = load_nearest(one, NOW)
        return compose(kind, one, reader, **more)

    return made


def about_people(kind):
    def made(cast, reader):
        context = {"link": "/organisations/"}
        if kind in {"asked", "organisation-asked"}:
            context["text"] = "I work on batteries."
        if kind == "invitation":
            context = {
                "link": "/invitations/abc/",
                "until": NOW + timedelta(days=14),
                "sender": cast.people["sun"],
                "sender_organisation": cast.ustc,
                "roles": ["researcher", "finance"],
            }
        if kind == "second":
            context["role"] = "finance"
        if kind in {"moves", "merged"}:
            context["facts"] = lambda: {
                "region": people._named(cast.shanghai),
                "from_region": people._named(cast.anhui),
                "day": people.day_words(date(2026, 4, 1)),
                "into": people._named(cast.fudan),
            }
        if kind == "bank-account":
            context |= {"account_before": "…1234", "account_after": "…9876", "changed_at": NOW}
        if kind in {"rejected", "organisation-rejected", "left", "ended"}:
            context["reason"] = "Nobody knows you"
        return people._letter(kind, reader, cast.ustc, cast.people["sun"], context)

    return made


def about_paper(kind):
    def made(cast, reader):
        if kind == "agreement":
            one = Agreement.objects.latest("proposed_at")
            return papers._agreement_letter(one, members_of(one.pk), reader)
        if kind == "settlement":
            return papers._settlement_letter(Settlement.objects.latest("month"), reader)
        statement = Statement.objects.select_related("host", "payer").latest("month")
        statement.replaces = statement if kind == "replaced" else None
        notice = PaymentNotice(
            statement=statement, amount=100, currency="CNY", paid_on=NOW.date(), reference="T <1>",
            reason="No transfer of <100> & none like it" if kind == "notice-refused" else "",
        )  # fmt: skip
        more = [notice] if kind in papers.NOTICES else []
        return papers._statement_letter(kind, statement, reader, *more)

    return made


def about_training(kind):
    def made(cast, reader):
        taught = cast.enrolment.session.course
        context = {"link": "/training/", "reason": "", "zone": "Asia/Shanghai"}
        if kind == "expiring":
            certificate = certify(cast, cast.microscope)
            context |= {"bookings": [cast.later], "until": certificate.valid_until or NOW.date()}
            return training._letter(kind, reader, None, certificate, context)
        context["session"] = cast.enrolment.session
        if kind == "cancelled":
            context["reason"] = "The trainer is ill"
        return training._letter(kind, reader, taught, taught, context)

    return made


def about_record(kind):
    def made(cast, reader):
        context = {"instruments": [cast.microscope], "missing": (), "link": "/manage/"}
        if kind == "submitted":
            context["missing"] = ("picture",)
        if kind == "returned":
            context["reason"] = "Who made it?"
        return records._letter(kind, reader, context)

    return made


def about_search(cast, reader):
    search = SavedSearch(user=reader, name="TEM", criteria={}, created_at=NOW)
    return searches._letter(search, [cast.microscope], reader)


def about_harvest(cast, reader):
    harvest = Harvest(name="Register", address="https://lab.example/list.csv", failures=5)
    fetching = Fetching(harvest=harvest, at=NOW, problem={"code": "host-unknown", "numbers": {}})
    return harvests._letter(fetching, reader)


def about_seal(cast, reader):
    link = "https://commons.example/audit/seals/"
    return audit._letter(reader, {"number": 7, "digest": "ab" * 32, "at": NOW, "link": link})


def about_finding(kind):
    def made(cast, reader):
        finding = AuditFinding(
            organisation=cast.ustc, severity="high", title="Rules set aside without a reason",
            due_date=date(2026, 3, 19), raised_by=cast.people["auditor"],
        )  # fmt: skip
        return audit._about_finding(kind, finding, reader)

    return made


def about_webhook(cast, reader):
    endpoint = WebhookEndpoint(
        address="https://lab.example/hooks", organisation=cast.ustc, disabled_because="failing"
    )
    return webhooks._letter(WebhookDelivery(endpoint=endpoint), reader)


LETTERS = {
    **{f"mail.{kind}": about_booking(kind) for kind in KINDS},
    **{f"people.{kind}": about_people(kind) for kind in people.KINDS},
    **{f"statement.{kind}": about_paper(kind) for kind in [*papers.KINDS, *papers.NOTICES]},
    "agreement.to-sign": about_paper("agreement"),
    "settlement.drawn": about_paper("settlement"),
    **{f"training.{kind}": about_training(kind) for kind in training.KINDS},
    **{f"record.{kind}": about_record(kind) for kind in records.KINDS},
    "search.matches": about_search,
    "harvest.paused": about_harvest,
    "hook.disabled": about_webhook,
    "audit.seal": about_seal,
    **{f"audit.finding-{kind}": about_finding(kind) for kind in audit.FINDINGS},
}
GATHERED = ("mail.to-decide", "people.asked", "record.stale")
# Whom each is for; the others are for the person of the booking.
READERS = {
    "statement": "lin",
    "agreement": "xu",
    "settlement": "coordinator",
    "record": "zhao",
    "harvest": "zhao",
    "hook": "zhao",
    "audit": "auditor",
    "people": "sun",
}


def reader_of(kind, cast, language):
    topic = kind.partition(".")
    is_host = topic[0] == "mail" and KINDS[topic[2]].to_host
    name = "zhao" if is_host or kind in {"people.asked", "people.left"} else "wang"
    reader = cast.people[READERS.get(topic[0], name)]
    reader.language = language
    return reader


def shown(mail):
    """A mail as a text to be read: what varies from run to run is numbered."""
    names = ("To", "Subject", "List-Unsubscribe", "List-Unsubscribe-Post")
    message = mail.message()
    parts = [f"{name}: {message[name]}" for name in names if message[name]]
    parts += ["", mail.body.rstrip()]
    for content, kind in mail.alternatives:
        if kind == "text/calendar":
            parts += ["", f"---- text/calendar; method={method_of(content)} ----"]
            content = content.replace("\r\n ", "").replace("\r\n", "\n")
        else:
            parts += ["", f"---- {kind} ----"]
        parts.append(content.strip())
    text = re.sub(r"/messages/stop/[^/]+/", "/messages/stop/TOKEN/", "\n".join(parts)) + "\n"
    # The styles are the frame's (letters.STYLES), the same everywhere.
    text = re.sub(r'\s+style="[^"]+"', "", text)
    known = {}
    return ID.sub(lambda found: known.setdefault(found[0], f"ID-{len(known) + 1}"), text)


def check(name, text):
    path = FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_LETTERS"):
        FOLDER.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", sorted(LETTERS))
def test_a_letter_reads_as_it_was_read_before(world, settings, kind, language):
    settings.SITE_URL = "https://commons.example"
    settings.DEFAULT_FROM_EMAIL = "Instrument Commons <commons@commons.example>"
    reader = reader_of(kind, world, language)
    letter: Letter = LETTERS[kind](world, reader)
    with translation.override(language):
        mail = mail_of(
            letter.subject,
            letter.text,
            letter.html,
            to=reader.email,
            name="letter",
            topics=[letter.topic],
            person=reader,
            calendar=letter.calendar,
        )
    assert letter.kind == kind and 'style=""' not in letter.html
    check(f"{kind}.{language}", shown(mail))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_a_letter_has_days_and_states_in_words_and_times_with_their_zone(path):
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"BEGIN:VCALENDAR.*?END:VCALENDAR|https?://\S+", "", text, flags=re.S)
    assert not re.findall(r"\b\d{4}-\d\d(?:-\d\d)?\b|\bUTC\b|\b1 [a-z]+s\b", text)
    states = Reservation.State.values + Statement.State.values + Settlement.State.values
    assert not [state for state in states if "_" in state and state in text]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", sorted(people.SIGN_IN_MAILS))
def test_a_mail_of_signing_in_reads_as_it_was_read_before(world, settings, kind, language):
    settings.SITE_URL = "https://commons.example"
    sun = world.people["sun"]
    User.objects.filter(pk=sun.pk).update(language=language)
    EmailAddress.objects.get_or_create(user=sun, email=sun.email)
    payload = {
        "mail": kind,
        "email": sun.email,
        "user": None if kind.startswith("unknown_account") else str(sun.pk),
        "language": language,
        "code": "QX7-K2M" if kind == "login_code" else "",
        "facts": {"provider": "ORCID", "deleted_email": "old@ustc.example"},
    }
    payload["facts"] |= {"from_email": "old@ustc.example", "to_email": sun.email}
    if not re.match(
        "login_code|email_confirmation|password_reset_key|.*_account$|account_already|admin|unknown",
        kind,
    ):
        payload["facts"] |= {
            "timestamp": NOW.isoformat(), "ip": "198.51.100.7", "user_agent": "Firefox <140>",
        }  # fmt: skip
    mail = people.sign_in_mail(OutboxMessage(payload={"private": payload}, created_at=NOW), NOW)
    text = re.sub("(confirm-email|reset/key)/[^/]+/", r"\1/KEY/", shown(mail))
    check(f"sign-in.{kind}.{language}", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_digest_reads_as_it_was_read_before(world, settings, language):
    settings.SITE_URL = "https://commons.example"
    settings.DEFAULT_FROM_EMAIL = "Instrument Commons <commons@commons.example>"
    reader = reader_of("mail.to-decide", world, language)
    found = [
        Message(
            user=reader, topic=letter.topic, subject=letter.subject, link=letter.link,
            created_at=NOW,
        )
        for letter in (LETTERS[kind](world, reader) for kind in GATHERED)
    ]  # fmt: skip
    check(f"digest.{language}", shown(digest_mail(found, reader, "digest")))


def test_nothing_is_kept_that_nobody_sends():
    kept = {path.name for path in FOLDER.glob("*.txt")}
    mails = [f"sign-in.{kind}" for kind in people.SIGN_IN_MAILS]
    assert kept == {f"{k}.{c}.txt" for k in [*LETTERS, *mails, "digest"] for c in LANGUAGES}
