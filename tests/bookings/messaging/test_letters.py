"""Every kind of message as its reader gets it, in both languages, against the files in letters/.

    UPDATE_LETTERS=1 make test ARGS="tests/bookings/messaging/test_letters.py"

writes them anew, to be read before they are committed.
"""

import os
import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress

from accounts.domain.roles import By
from accounts.letters import people, sign_in
from accounts.letters.kinds import Content, compose, letters_of
from accounts.letters.mails import Letter, Stranger, digest_mail, mail_of, method_of
from accounts.models import Message, OutboxMessage, User
from accounts.work import letters
from bookings import models
from bookings.audit.notifications import actions, audit
from bookings.bank.models import BankCredit
from bookings.bank.notifications import credits
from bookings.browsing.notifications import searches
from bookings.conversation import notifications as conversations
from bookings.messaging.notifications import reservations, webhooks
from bookings.messaging.notifications.facts import About, host_people
from bookings.pricing.selectors.agreements import members_of
from bookings.programs import notifications as programs
from bookings.programs.services.accounts import account_make
from bookings.samples.notifications import samples
from bookings.samples.notifications.samples import About as SamplesAbout
from bookings.settlement.notifications import papers
from bookings.usage.notifications import blocks, training
from bookings.usage.services.usage import house_rules_record
from instruments.capabilities.notifications import questions
from instruments.capabilities.services.capabilities import question_answer, question_ask
from instruments.exchange.models import Fetching, Harvest
from instruments.exchange.notifications import harvests
from instruments.house_rules.services.house_rules import house_rules_set
from instruments.managing.notifications import records
from instruments.register.models import HostBlock
from tests.factories.capabilities import parameters_of
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
    "no-show-struck": "completed",
    "completed": "completed",
    "poor-rating": "completed",
    "rating-answered": "completed",
    "overrun": "in_use",
    "house-rules-open": "in_use",
    "house-rules-recorded": "in_use",
} | dict.fromkeys(("charged", "disputed", "dispute-settled", "correction-proposed", "corrected"), "completed")
SERIES = {name for name in reservations.KINDS if "series" in name or "imported" in name}
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def world(shared_cast):
    cast = shared_cast
    cast.people = {name: User.objects.get(pk=user.pk) for name, user in cast.people.items()}
    cast.wang.time_zone = "Europe/London"
    cast.booked = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    cast.later = reserve(cast, "2026-03-11 10:00", "2026-03-11 12:00")
    cast.charge = models.Charge.objects.get(pk=money_things(cast)["charge"])
    cast.enrolment = enrol(cast, session(cast, course(cast)))
    parameters_of(cast)
    cast.question, answered = (
        question_ask(By(cast.actor("wang"), NOW), instrument_id=cast.microscope.pk, parameter=parameter)
        for parameter in ("spatial_resolution", "accelerating_voltage")
    )
    cast.answer = question_answer(
        By(cast.actor("zhao"), NOW),
        question_id=answered.pk,
        minimum=Decimal("0.5"),
        maximum=Decimal(30),
        condition="low vacuum",
    )
    cast.answered = answered
    zhao = By(cast.actor("zhao"), NOW)
    house_rules_set(zhao, instrument_id=cast.microscope.pk, text="Wear gloves.", text_zh="")
    house_rules_record(zhao, reservation_id=cast.booked.pk, version=1, means="paper")
    return cast


def about_booking(kind):
    def written(cast, reader):
        one = cast.booked
        one.refresh_from_db()
        state = kind.name.removeprefix("mail.")
        one.state, one.version = STATES.get(state, "confirmed"), 3
        one.deadline_at = NOW + timedelta(hours=2)
        one.struck = "host_fault" if state == "no-show-struck" else ""
        if state in {"cancelled", "rejected", "displaced", "series-cancelled", "no-show-struck"}:
            one.reason = "The pump <failed> & leaks"
            one.ended_at = NOW
            one.is_ended_by_host = state in {"rejected", "displaced"}
        about = About(one, charge=cast.charge if kind.topic == "charge" else None)
        if state == "poor-rating":
            models.UsageSession(reservation=one, rating=2, remarks="The stage <drifts> & jumps")
        if state == "rating-answered":
            rated = models.UsageSession(reservation=one, rating=4)
            models.SessionRating(session=rated, answer="The stage is <mended> & level")
        if kind.name in SERIES:
            cast.later.state, cast.later.version = one.state, 2
            about = About(one, [one, cast.later])
        content = kind.content(about, OutboxMessage(), NOW)
        if state == "cut-short":  # as where nothing else is free
            content = replace(content, context=content.context | {"nearest": []})
        return compose(kind, content, reader)

    return written


def about_people(kind):
    """With words and a context of its own where its rows would take long to make."""

    def written(cast, reader):
        name, words = kind.name.removeprefix("people."), {}
        link, context = "/organisations/", {}
        if name in {"asked", "organisation-asked"}:
            context["text"] = "I work on batteries."
        if name == "invitation":
            link = "/invitations/abc/"
            context = {
                "until": NOW + timedelta(days=14),
                "sender": cast.people["sun"],
                "sender_organisation": cast.ustc,
                "roles": ["researcher", "finance"],
            }
        if name == "second":
            words["role"] = people.ROLE_NAMES["finance"]
        if name == "role-given":
            words["role"] = people.ROLE_NAMES["finance"]
            context |= {"role_given": "finance", "given_by": cast.people["zhao"], "limits": []}
        if name == "access-asked":
            context["access_roles"] = ["finance", "manager"]
            context["refused_page"] = "https://commons.example/requests/"
        if name == "role-ended":
            context["ask_people"] = ["Zhao Min"]
        if name in {"role-ended", "ended", "member-merged"}:
            context["ask_at"] = cast.fudan if name == "member-merged" else cast.ustc
            words["role"] = people.ROLE_NAMES["finance"]
        if name in {"role-ended", "ended", "organisation-closed", "member-merged"}:
            context |= {"ended_by": cast.people["zhao"], "ended_at": NOW}
            context |= {"roles_ended": ["finance"], "limits": []}
        if name in {"moves", "merged", "member-merged"}:
            words = {
                "region": cast.shanghai,
                "from_region": cast.anhui,
                "day": date(2026, 4, 1),
                "into": cast.fudan,
            }
        if name == "bank-account":
            context |= {"account_changes": [("IBAN", "…1234", "…9876")], "changed_at": NOW}
        if name in {"access-declined", "rejected", "organisation-rejected", "left", "ended", "role-ended"}:
            context["reason"] = "Nobody knows you"
        content = people.content_of(cast.ustc, cast.people["sun"], link, words=words, **context)
        if name == "closed":
            content = kind.content(reader, OutboxMessage(), NOW)
            reader = Stranger(reader.email, reader.language, reader.time_zone)
        return compose(kind, content, reader)

    return written


def about_paper(kind):
    def thing(cast):
        if kind.name == "agreement.to-sign":
            agreement = models.Agreement.objects.latest("proposed_at")
            return agreement, members_of(agreement.pk)
        if kind.name == "settlement.drawn":
            return models.Settlement.objects.latest("month")
        statement = models.Statement.objects.select_related("host", "payer").latest("month")
        statement.replaces = statement if kind.name == "statement.replaced" else None
        if kind.name == "statement.internal":
            statement.payer = statement.host
        if "notice" not in kind.name:
            return statement
        return models.PaymentNotice(
            statement=statement, amount=100, currency="CNY", paid_on=NOW.date(), reference="T <1>",
            reason="No transfer of <100> & none like it" if "refused" in kind.name else "",
        )  # fmt: skip

    def written(cast, reader):
        row, told, now = thing(cast), OutboxMessage(kind=kind.name), NOW
        if kind.name == "statement.overdue-several":
            told.payload, now = {"statements": [str(row.pk)]}, NOW + timedelta(days=90)
        return compose(kind, kind.content(row, told, now), reader)

    return written


def about_credit(kind):
    def written(cast, reader):
        name = kind.name.removeprefix("credit.")
        statement = models.Statement.objects.latest("month")
        payment = models.Payment(statement=statement) if name in {"used", "returned"} else None
        balance = Decimal(0) if name in {"taken-back", "returned-by-bank"} else Decimal(90)
        row = BankCredit(
            host=cast.ustc, payer=cast.fudan, currency="CNY", amount=Decimal("-28.50"), balance=balance,
            payment=payment,
        )  # fmt: skip
        return compose(kind, kind.content(row, OutboxMessage(kind=kind.on), NOW), reader)

    return written


def about_training(kind):
    def written(cast, reader):
        place = cast.enrolment
        if kind.name == "training.expiring":
            held = certify(cast, cast.microscope)
            words = {"thing": cast.microscope, "until": held.valid_until or NOW.date()}
            context = {"bookings": [cast.later], "site": ""}
            content = Content(held.pk, "/training/", words, context)
            return compose(kind, content, reader)
        place.session.reason = "The trainer is ill"
        place.organisation = cast.fudan
        place.price = {"result": {"payable": "265.00", "currency": "CNY"}}
        if kind.topic == "charge":
            charge = models.Charge(
                enrolment=place, organisation=cast.fudan, host=cast.ustc, currency="CNY", payable=Decimal(265)
            )
            charged = training.ChargedPlace(place, charge)
            content = kind.content(charged, OutboxMessage(kind=kind.name), NOW)
            return compose(kind, replace(content, link="/money/charges/"), reader)
        content = kind.content(place, OutboxMessage(kind=kind.name), NOW)
        content = replace(content, link="/training/", context=content.context | {"qualification": None})
        return compose(kind, content, reader)

    return written


def about_block(kind):
    def written(cast, reader):
        row = HostBlock(host=cast.ustc, user=cast.wang, reason="The stage <broke>", lift_reason="A mistake")
        row.contact, row.last_day = "zhao@ustc.example", date(2026, 4, 1)
        return compose(kind, kind.content(row, OutboxMessage(kind=kind.name), NOW), reader)

    return written


def about_record(kind):
    def written(cast, reader):
        context = {"instruments": [cast.microscope], "missing": ()}
        if kind.name == "record.submitted":
            context["missing"] = ("picture",)
        if kind.name == "record.returned":
            context["reason"] = "Who made it?"
        words = {"instrument": cast.microscope, "host": cast.microscope.organisation}
        return compose(kind, Content(cast.microscope.pk, "/manage/", words, context), reader)

    return written


def about_search(kind):
    def written(cast, reader):
        search = models.SavedSearch(user=reader, name="TEM", criteria={}, created_at=NOW)
        content = kind.content((search, [cast.microscope]), OutboxMessage(), NOW)
        return compose(kind, content, reader)

    return written


def about_question(kind):
    def written(cast, reader):
        question = cast.question if kind.name == "question.asked" else cast.answered
        told = OutboxMessage(payload={"capability": str(cast.answer.pk)})
        return compose(kind, kind.content(question, told, NOW), reader)

    return written


def about_harvest(kind):
    if kind.name.startswith("question."):
        return about_question(kind)

    def written(cast, reader):
        harvest = Harvest(name="Register", address="https://lab.example/list.csv", failures=5)
        problem = {"code": "host-unknown", "numbers": {}}
        fetching = Fetching(harvest=harvest, at=NOW, problem=problem)
        return compose(kind, kind.content(fetching, OutboxMessage(), NOW), reader)

    return written


def about_audit(kind):
    def written(cast, reader):
        if kind.name == "audit.seal":
            context = {"number": 7, "digest": "ab" * 32, "at": NOW}
            return compose(kind, Content(None, "/audit/seals/", {"number": 7}, context), reader)
        finding = models.AuditFinding(
            organisation=cast.ustc, severity="high", title="Rules set aside without a reason",
            due_date=date(2026, 3, 19), raised_by=cast.people["auditor"],
            state={"replied": "replied", "closed": "closed"}.get(kind.name.rpartition("-")[2], "open"),
        )  # fmt: skip
        if ".action-" in kind.name:
            action = models.AuditAction(
                finding=finding, text="Train the operators", owner=cast.people["zhao"],
                due_date=date(2026, 4, 1), state="agreed",
            )  # fmt: skip
            return compose(kind, kind.content(action, OutboxMessage(), NOW), reader)
        return compose(kind, kind.content(finding, OutboxMessage(), NOW), reader)

    return written


def about_program(kind):
    def written(cast, reader):
        by = By(cast.actor("zhao"), NOW)
        given = {"name": "LIMS", "purpose": "Reports samples", "roles": ["operator"], "scopes": ["read"]}
        account = account_make(by, organisation_id=cast.ustc.pk, **given)
        who = {"by": str(cast.zhao.pk)}
        if kind.name in ("program.look", "program.stopped"):
            account.asked_at, who = NOW, {}
            account.stopped_at = NOW if kind.name == "program.stopped" else None
            account.save()
        if kind.name == "program.allowed":
            who = {"user": str(cast.wang.pk), "client": "Planner", "scopes": "read book"}
        row = OutboxMessage(payload={"account": str(account.pk), **who}, created_at=NOW)
        return compose(kind, kind.content(kind.load(row, NOW), row, NOW), reader)

    return written


def about_webhook(kind):
    def written(cast, reader):
        endpoint = models.WebhookEndpoint(
            address="https://lab.example/hooks", organisation=cast.ustc, disabled_because="failing"
        )
        delivery = models.WebhookDelivery(endpoint=endpoint)
        return compose(kind, kind.content(delivery, OutboxMessage(), NOW), reader)

    return written


def about_conversation(kind):
    def written(cast, reader):
        thread = models.Thread(reservation=cast.booked, waits_for="host", created_at=NOW)
        comments = [models.Comment(thread=thread, author=cast.wang, side="requester", created_at=NOW)] * 3
        proposal = None
        if kind.name != "conversation.commented":
            proposal = models.ProposedTime(
                thread=thread, comment=comments[0], start_at=cast.later.start_at,
                end_at=cast.later.end_at, until=NOW + timedelta(days=3),
                decided_by=None if kind.name.endswith("proposed") else cast.wang,
            )  # fmt: skip
        told = conversations.Told(thread, "requester", comments, proposal)
        return compose(kind, kind.content(told, OutboxMessage(kind=kind.name), NOW), reader)

    return written


def about_sample(kind):
    def written(cast, reader):
        sample, other = (
            models.SampleItem(code=code, name=name, user=cast.people["wang"], organisation=cast.fudan)
            for code, name in (("246MHRCM", "Film <A>"), ("ENL34H45", "薄膜 B"))
        )
        step = models.SampleStep(state="refused", note="The grid <is> broken", carrier="SF", tracking="SF1")
        booked = cast.booked if kind.name == "sample.missing" else None
        step = None if booked else step
        about = SamplesAbout([sample, other], [cast.ustc.pk], step, None, booked)
        return compose(kind, kind.content(about, OutboxMessage(kind=kind.name), NOW), reader)

    return written


LETTERS = {
    name: written(kind)
    for area, written in (
        (reservations, about_booking),
        (people, about_people),
        (papers, about_paper),
        (credits, about_credit),
        (training, about_training),
        (blocks, about_block),
        (records, about_record),
        (searches, about_search),
        (harvests, about_harvest),
        (questions, about_harvest),
        (webhooks, about_webhook),
        (programs, about_program),
        (audit, about_audit),
        (actions, about_audit),
        (conversations, about_conversation),
        (samples, about_sample),
    )
    for name, kind in area.KINDS.items()
}
GATHERED = ("mail.to-decide", "people.asked", "record.stale")
# Whom each is for; the others are for the person of the booking.
READERS = {
    "statement": "lin",
    "credit": "lin",
    "agreement": "xu",
    "settlement": "coordinator",
    "record": "zhao",
    "harvest": "zhao",
    "hook": "zhao",
    "program": "zhao",
    "audit": "auditor",
    "people": "sun",
    "conversation": "zhao",
}


def reader_of(kind, cast, language):
    is_host = kind.startswith("mail.") and reservations.KINDS[kind].readers is host_people
    to_host = {"people.access-asked", "people.asked", "people.left", "question.asked"}
    to_host |= {f"sample.{name}" for name in ("shipped", "cancelled", "hazard", "missing")}
    name = "zhao" if is_host or kind in to_host else "wang"
    if kind != "program.allowed":
        name = READERS.get(kind.partition(".")[0], name)
    reader = cast.people[name]
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
    # The styles are the frame's (mails.STYLES), the same everywhere.
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
    mail = mail_of(letter, letter.person, "letter")
    assert letter.kind == kind and 'style=""' not in letter.html
    check(f"{kind}.{language}", shown(mail))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_a_letter_has_days_and_states_in_words_and_times_with_their_zone(path):
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"BEGIN:VCALENDAR.*?END:VCALENDAR|https?://\S+", "", text, flags=re.S)
    assert not re.findall(r"\b\d{4}-\d\d(?:-\d\d)?\b|\bUTC\b|\b1 [a-z]+s\b", text)
    states = models.Reservation.State.values + models.Statement.State.values + models.Settlement.State.values
    assert not [state for state in states if "_" in state and state in text]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", sorted(sign_in.KINDS))
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
        "login_code|email_confirmation|password_reset_key|.*_account$|account_already|admin|unknown", kind
    ):
        payload["facts"] |= {
            "timestamp": NOW.isoformat(), "ip": "198.51.100.7", "user_agent": "Firefox <140>",
        }  # fmt: skip
    row = OutboxMessage(kind="people.sign-in", payload={"private": payload}, created_at=NOW)
    (letter,) = letters_of(row, NOW, letters())
    mail = mail_of(letter, letter.person, "letter")
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
    mails = [f"sign-in.{kind}" for kind in sign_in.KINDS]
    assert kept == {f"{k}.{c}.txt" for k in [*LETTERS, *mails, "digest"] for c in LANGUAGES}
