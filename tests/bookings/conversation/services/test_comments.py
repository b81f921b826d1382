"""Writing, withdrawing, resolving; who may, and what is kept of it."""

import hashlib
from datetime import timedelta
from functools import partial

import pytest
from allauth.account.models import EmailAddress
from django.db import transaction

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState
from accounts.domain.roles import PLATFORM, By
from accounts.models import Message, OutboxMessage, TrailEntry, TrailText
from accounts.services.memberships import role_grant
from bookings.conversation.domain import threads as rules
from bookings.conversation.models import Comment, CommentFile, ProposedTime, Thread
from bookings.conversation.selectors.subjects import SUBJECTS
from bookings.conversation.selectors.threads import comment_file_by_id, conversation_by_id, threads_waiting
from bookings.conversation.services.comments import (
    comment_withdraw,
    thread_read,
    thread_reopen,
    thread_resolve,
)
from bookings.models import Reservation
from bookings.needs.services.needs import need_share, need_unshare
from bookings.overview.services.effects import effects_carry_out
from bookings.privacy.selectors.persons import load_person
from bookings.privacy.services.persons import person_close
from bookings.reserving.services.holds import hold_take
from instruments.attachments.domain import attachments
from tests.factories.attachments import PDF, picture
from tests.factories.buckets import stored
from tests.factories.cast import NOW, at, reserve
from tests.factories.conversations import leave, propose, say
from tests.factories.needs import need_of
from tests.factories.samples import announce, join

pytestmark = pytest.mark.django_db
in_either_storage = pytest.mark.usefixtures("either_storage")
OUTSIDERS = ("alice", "sun", "hu", "auditor", "coordinator", "xu", "admin")
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _uploads(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def booked(cast):
    return reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")


def read_by(cast, row, who="wang", now=NOW):
    return conversation_by_id(cast.actor(who), row._meta.model_name, row.pk, now)


def waits_for(cast, *people):
    return {who: threads_waiting(cast.actor(who)).count() for who in people}


def counts():
    return [model.objects.count() for model in (Thread, Comment, CommentFile, TrailEntry, OutboxMessage)]


def test_a_question_waits_for_the_host_and_an_answer_for_the_person(cast, booked):
    asked = say(cast, booked, text=" Is it there?\r\nSoon? ")
    assert (asked.side, asked.text) == ("requester", "Is it there?\nSoon?")
    assert waits_for(cast, "zhao", "wang", "chen", "gao", "sun") == {
        "zhao": 1, "wang": 0, "chen": 0, "gao": 0, "sun": 0,
    }  # fmt: skip
    answered = say(cast, booked, "zhao", "Yes.")
    assert answered.side == "host"
    assert waits_for(cast, "zhao", "wang", "chen") == {"zhao": 0, "wang": 1, "chen": 0}
    thread = Thread.objects.get()
    assert (thread.waits_for, thread.version) == ("requester", 3)
    assert [c.text for c in read_by(cast, booked).comments] == ["Is it there?\nSoon?", "Yes."]


def test_the_trail_has_the_digest_and_never_the_text(cast, booked):
    say(cast, booked, text="A secret of ours", files=[("plan.pdf", PDF)])
    entry = TrailEntry.objects.get(action="conversation.comment")
    assert entry.after["digest"] == hashlib.sha256(b"A secret of ours").hexdigest()
    assert entry.after["files"] == [hashlib.sha256(PDF).hexdigest()]
    assert set(entry.organisation_ids) == {cast.fudan.pk, cast.ustc.pk}
    assert "secret" not in str(entry.after)
    assert not TrailText.objects.filter(entry=entry).exists()


@pytest.mark.parametrize("who", OUTSIDERS)
def test_whoever_takes_no_part_reads_and_writes_nothing(cast, booked, who):
    comment = say(cast, booked, files=[("a.pdf", PDF)])
    before = counts()
    by, pk = By(cast.actor(who), NOW), booked.pk
    for act in (
        lambda: say(cast, booked, who),
        lambda: read_by(cast, booked, who),
        lambda: comment_file_by_id(by.actor, CommentFile.objects.get().pk),
        lambda: comment_withdraw(by, comment_id=comment.pk),
        lambda: thread_resolve(by, kind="reservation", subject_id=pk),
        lambda: thread_reopen(by, kind="reservation", subject_id=pk),
        lambda: thread_read(by, kind="reservation", subject_id=pk),
    ):
        with pytest.raises(NotFound):
            act()
    assert counts() == before


def test_payers_and_hosts_managers_and_finance_take_part(cast, booked):
    sides = {who: say(cast, booked, who).side for who in ("wang", "chen", "lin", "zhao", "gao")}
    assert sides == {
        "wang": "requester", "chen": "requester", "lin": "requester", "zhao": "host", "gao": "host",
    }  # fmt: skip


def test_a_hosts_manager_is_the_person_of_their_own_booking(cast):
    own = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00", who="sun")
    assert say(cast, own, "zhao").side == "host"
    assert say(cast, own, "sun").side == "requester"


def test_who_left_the_host_or_the_payer_takes_no_part_any_more(cast, booked):
    comment = say(cast, booked, "zhao", files=[("a.pdf", PDF)])
    file = CommentFile.objects.get()
    for who in ("zhao", "chen"):
        leave(cast, who)
        with pytest.raises(NotFound):
            read_by(cast, booked, who)
        with pytest.raises(NotFound):
            comment_file_by_id(cast.actor(who), file.pk)
    with pytest.raises(NotFound):
        comment_withdraw(By(cast.actor("zhao"), NOW), comment_id=comment.pk)
    assert waits_for(cast, "zhao") == {"zhao": 0}
    # It stays the person's booking.
    assert read_by(cast, booked).comments[0].author_id == cast.zhao.pk


def test_who_booked_for_somebody_else_takes_part_while_they_are_with_the_payer(cast):
    span = "2026-03-10 10:00", "2026-03-10 12:00"
    booked = reserve(cast, *span, who="chen", organisation="fudan", on_behalf_of=cast.wang.email)
    say(cast, booked, "zhao")
    people = SUBJECTS["reservation"].people
    assert people(booked, "requester") == [cast.wang, cast.people["chen"]]
    for who in ("chen", "wang"):
        leave(cast, who)
    with pytest.raises(NotFound):
        read_by(cast, booked, "chen")
    assert waits_for(cast, "chen", "wang") == {"chen": 0, "wang": 1}
    booked = Reservation.objects.get(pk=booked.pk)
    assert people(booked, "requester") == [cast.wang]


def test_what_is_only_held_has_no_conversation(cast):
    from tests.factories.cast import Booking, Period

    held = hold_take(
        By(cast.actor("wang"), NOW),
        booking=Booking(
            cast.microscope.pk, Period(at("2026-03-13 10:00"), at("2026-03-13 12:00")), None, "self"
        ),
    )
    with pytest.raises(NotFound):
        say(cast, held)


@pytest.mark.parametrize("by_mail", [True, False])
def test_on_a_need_its_readers_answer_as_hosts(cast, by_mail):
    need = need_of(cast)
    EmailAddress.objects.create(user=cast.zhao, email=cast.zhao.email, verified=True)
    named = cast.zhao.email if by_mail else str(cast.zhao.pk)
    say(cast, need)
    with pytest.raises(NotFound):
        read_by(cast, need, "zhao")
    need_share(By(cast.actor("wang"), NOW), need_id=need.pk, person=named)
    assert waits_for(cast, "zhao", "chen") == {"zhao": 1, "chen": 0}
    assert say(cast, need, "zhao").side == "host"
    assert say(cast, need, "chen").side == "requester"
    need_unshare(By(cast.actor("wang"), NOW), need_id=need.pk, person=named)
    with pytest.raises(NotFound):
        read_by(cast, need, "zhao")
    assert waits_for(cast, "zhao") == {"zhao": 0}


def test_on_a_sample_the_staff_of_its_hosts_answer(cast, booked):
    sample = announce(cast)
    say(cast, sample, kind="sample")
    with pytest.raises(NotFound):
        say(cast, sample, "zhao", kind="sample")
    assert waits_for(cast, "zhao") == {"zhao": 0}
    join(cast, booked, sample)
    assert waits_for(cast, "zhao", "gao", "chen") == {"zhao": 1, "gao": 0, "chen": 0}
    assert say(cast, sample, "zhao", "It was lost.", kind="sample").side == "host"
    assert waits_for(cast, "zhao", "wang") == {"zhao": 0, "wang": 1}
    effects_carry_out(now=NOW + 5 * MINUTE)
    told = Message.objects.filter(topic="conversation")
    assert {(m.user_id, m.link) for m in told} == {
        (person.pk, f"/samples/{sample.code}/#conversation") for person in (cast.zhao, cast.wang)
    }
    for who in ("gao", "sun", "auditor"):
        with pytest.raises(NotFound):
            conversation_by_id(cast.actor(who), "sample", sample.pk, NOW)


def test_on_a_sample_those_answer_who_work_on_its_instrument(cast, booked):
    give = partial(role_grant, By(PLATFORM, NOW), organisation=cast.ustc, role="operator")
    give(user=cast.sun, instrument=booked.instrument_id)
    give(user=cast.hu, instrument=cast.instrument(name="Another").pk)
    sample = announce(cast)
    join(cast, booked, sample)
    say(cast, sample, kind="sample")
    assert waits_for(cast, "zhao", "sun", "hu") == {"zhao": 1, "sun": 1, "hu": 0}
    assert set(SUBJECTS["sample"].people(sample, "host")) == {cast.zhao, cast.sun}
    assert say(cast, sample, "sun", "It was lost.", kind="sample").side == "host"


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"text": " \n"}, "text", "required"),
        ({"text": "x" * 4001}, "text", "too-long"),
        ({"files": [("a.pdf", PDF)] * 5}, "file", "too-many"),
        ({"files": [("a.html", b"<html><script>alert(1)</script>")]}, "file", "unknown-file"),
        ({"files": [("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>")]}, "file",
         "unknown-file"),
        ({"files": [("a.pdf", b"%PDF-1.7 no end")]}, "file", "broken-file"),
        ({"files": [("a.pdf", PDF), ("b.png", b"\x89PNG\r\n\x1a\nrest")]}, "file", "broken-file"),
    ],
)  # fmt: skip
def test_what_is_malformed_changes_nothing_and_leaves_no_file(cast, booked, values, field, code):
    say(cast, booked)
    before, files = counts(), stored()
    with pytest.raises(Invalid) as refused:
        say(cast, booked, **{"text": "x"} | values)
    assert [(p.field, p.code) for p in refused.value.problems] == [(field, code)]
    assert (counts(), stored()) == (before, files)


def test_files_are_counted_over_the_conversation(cast, booked, monkeypatch):

    monkeypatch.setitem(attachments.MOST, "document", 2)
    say(cast, booked, files=[("a.pdf", PDF)])
    files = stored()
    with pytest.raises(Invalid) as refused:
        say(cast, booked, files=[("b.pdf", PDF), ("c.pdf", PDF)])
    assert refused.value.problems[0].code == "too-many-documents"
    assert stored() == files
    say(cast, booked, files=[("b.pdf", PDF)])
    assert CommentFile.objects.count() == 2


@in_either_storage
def test_a_picture_is_encoded_anew(cast, booked):
    say(cast, booked, text="", files=[("grid 1.png", picture(kind="PNG"))])
    (file,) = CommentFile.objects.all()
    assert (file.kind, file.media_type, file.title) == ("photo", "image/webp", "grid 1.png")
    folder = f"attachments/{file.pk.hex[-2:]}"
    assert stored() == [f"{folder}/{file.pk}-{size}.webp" for size in ("large", "small")]


def test_thirty_an_hour_and_five_hundred_in_all(cast, booked, monkeypatch):
    monkeypatch.setattr(rules, "MOST_AN_HOUR", 2)
    for _ in range(2):
        say(cast, booked)
    before = counts()
    with pytest.raises(WrongState, match="too-many-comments"):
        say(cast, booked)
    assert counts() == before
    say(cast, booked, "zhao")
    say(cast, booked, now=NOW + timedelta(hours=1))
    monkeypatch.setattr(rules, "MOST_COMMENTS", 4)
    with pytest.raises(WrongState, match="conversation-full"):
        say(cast, booked, "chen")


@in_either_storage
def test_withdrawn_text_and_files_are_gone_and_the_mark_stays(
    cast, booked, django_capture_on_commit_callbacks
):
    say(cast, booked, "zhao", "First.")
    comment = say(cast, booked, text="Oh", files=[("a.pdf", PDF), ("b.png", picture())])
    by = By(cast.actor("wang"), NOW + 14 * MINUTE)
    with django_capture_on_commit_callbacks(execute=True):
        comment_withdraw(by, comment_id=comment.pk)
    assert stored() == []
    row = Comment.objects.get(pk=comment.pk)
    assert (row.text, row.withdrawn_at, row.files.count()) == ("", by.now, 0)
    assert Thread.objects.get().waits_for == "requester"  # as before it was written
    entry = TrailEntry.objects.get(action="conversation.withdraw")
    assert entry.before["digest"] == hashlib.sha256(b"Oh").hexdigest()
    comment_withdraw(by, comment_id=comment.pk)  # twice is once
    assert TrailEntry.objects.filter(action="conversation.withdraw").count() == 1


def test_withdrawing_too_late_or_what_another_wrote(cast, booked):
    comment = say(cast, booked)
    before = counts()
    with pytest.raises(NotPermitted):
        comment_withdraw(By(cast.actor("zhao"), NOW), comment_id=comment.pk)
    with pytest.raises(NotPermitted):
        comment_withdraw(By(cast.actor("chen"), NOW), comment_id=comment.pk)
    with pytest.raises(WrongState, match="too-late-to-withdraw"):
        comment_withdraw(By(cast.actor("wang"), NOW + 15 * MINUTE), comment_id=comment.pk)
    assert counts() == before
    assert Comment.objects.get().text == "Is the holder there?"


def test_resolved_reopened_and_opened_by_the_next_comment(cast, booked):
    zhao, wang = By(cast.actor("zhao"), NOW), By(cast.actor("wang"), NOW)
    subject = {"kind": "reservation", "subject_id": booked.pk}
    thread_resolve(zhao, **subject)  # there is none
    assert not Thread.objects.exists()
    say(cast, booked)
    thread_resolve(zhao, **subject)
    thread_resolve(wang, **subject)
    thread = Thread.objects.get()
    assert (thread.waits_for, thread.resolved_by_id, thread.version) == ("", cast.zhao.pk, 3)
    assert waits_for(cast, "zhao", "wang") == {"zhao": 0, "wang": 0}
    thread_reopen(zhao, **subject)
    assert waits_for(cast, "zhao", "wang") == {"zhao": 0, "wang": 1}
    thread_resolve(wang, **subject)
    say(cast, booked, "zhao")
    assert waits_for(cast, "zhao", "wang") == {"zhao": 0, "wang": 1}
    say(cast, booked, resolves=True)
    assert waits_for(cast, "zhao", "wang") == {"zhao": 0, "wang": 0}
    acts = TrailEntry.objects.filter(action__in=["conversation.resolve", "conversation.reopen"])
    assert acts.count() == 4


def test_what_is_unread_is_so_for_each_reader(cast, booked):
    say(cast, booked, now=NOW)
    say(cast, booked, "chen", now=NOW + MINUTE)
    unread = {who: read_by(cast, booked, who).unread for who in ("wang", "chen", "zhao", "gao")}
    assert unread == {"wang": 1, "chen": 0, "zhao": 2, "gao": 2}
    thread_read(By(cast.actor("zhao"), NOW + 2 * MINUTE), kind="reservation", subject_id=booked.pk)
    assert [read_by(cast, booked, who).unread for who in ("zhao", "gao")] == [0, 2]


def test_ten_quick_comments_are_one_message_to_the_other_side(cast, booked):
    for n in range(10):
        say(cast, booked, text="The secret", now=NOW + n * timedelta(seconds=10))
    assert OutboxMessage.objects.filter(kind="conversation.commented").count() == 1
    effects_carry_out(now=NOW + 4 * MINUTE)
    assert not Message.objects.filter(topic="conversation").exists()
    effects_carry_out(now=NOW + 5 * MINUTE)
    (message,) = Message.objects.filter(topic="conversation")
    assert message.user_id == cast.zhao.pk
    assert "10 comments" in message.text and "Wang Li" in message.text
    assert "secret" not in message.text
    say(cast, booked, now=NOW + 6 * MINUTE)
    effects_carry_out(now=NOW + 10 * MINUTE)
    assert Message.objects.filter(topic="conversation").count() == 2


def test_nobody_is_told_of_what_was_withdrawn_meanwhile(cast, booked):
    comment = say(cast, booked)
    comment_withdraw(By(cast.actor("wang"), NOW + MINUTE), comment_id=comment.pk)
    effects_carry_out(now=NOW + 5 * MINUTE)
    assert not Message.objects.filter(topic="conversation").exists()


def test_the_answer_is_told_to_the_person_and_to_who_booked_for_them(cast):
    made = reserve(
        cast, "2026-03-10 10:00", "2026-03-10 12:00", who="chen", organisation="fudan",
        on_behalf_of=str(cast.wang.pk),
    )  # fmt: skip
    say(cast, made, "zhao")
    effects_carry_out(now=NOW + 5 * MINUTE)
    told = Message.objects.filter(topic="conversation").values_list("user_id", flat=True)
    assert set(told) == {cast.wang.pk, cast.chen.pk}


def test_a_person_takes_their_comments_along(cast, booked):
    say(cast, booked, text="Mine", files=[("a.pdf", PDF)])
    say(cast, booked, "zhao", "Theirs")
    tables = load_person(cast.wang)
    assert [row["text"] for row in tables["comments"]] == ["Mine"]
    assert [row["title"] for row in tables["comment_files"]] == ["a.pdf"]


@in_either_storage
def test_forgetting_a_person_removes_text_and_files(cast, booked, django_capture_on_commit_callbacks):
    need = need_of(cast)
    say(cast, need, "chen", "About it", files=[("n.pdf", PDF)])
    say(cast, booked, text="Mine", files=[("a.pdf", PDF)])
    proposal = propose(cast, booked, "2026-03-11 10:00", "2026-03-11 12:00", "wang")
    say(cast, booked, "zhao", "Theirs", files=[("b.pdf", PDF)])
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        person_close(user=cast.wang, now=NOW)
    rows = Comment.objects.order_by("created_at", "id")
    assert [(row.text, bool(row.withdrawn_at)) for row in rows] == [
        ("", True), ("", True), ("Theirs", False),
    ]  # fmt: skip
    (file,) = CommentFile.objects.all()
    assert stored() == [f"attachments/{file.pk.hex[-2:]}/{file.pk}-file.pdf"]
    assert ProposedTime.objects.get(pk=proposal.pk).state == "withdrawn"


def test_a_file_is_called_by_its_name_alone(cast, booked):
    name = "..\uff0f\uff0fgrid\u202egpj.exe\u3000"
    comment = say(cast, booked, files=[(name, picture())])
    assert comment.files.get().title == "gridgpj.exe"
