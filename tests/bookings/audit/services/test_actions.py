"""Actions agreed on findings, their files and reminders, and when a finding may be closed."""

from datetime import date, timedelta
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from django.core import mail
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import translation

from accounts.domain.errors import Invalid, NotFound, NotPermitted, Refused, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.models import Membership, TrailEntry
from bookings.audit.models import AuditAction, AuditFinding, FindingFile
from bookings.audit.selectors.actions import (
    action_for,
    actions_late,
    actions_to_do,
    actions_to_verify,
    file_for,
    findings_to_follow_up,
)
from bookings.audit.selectors.papers import finding_report
from bookings.audit.services import actions
from bookings.audit.services.findings import (
    Raised,
    finding_close,
    finding_follow_up,
    finding_raise,
    finding_reply,
    finding_return,
    finding_unanswered,
)
from bookings.overview.services.effects import effects_carry_out
from tests.accounts.pages import page_of
from tests.factories.attachments import PDF
from tests.factories.cast import NOW, Cast

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
DUE = date(2026, 4, 1)


def by(cast: Cast, who: str, days: int = 0) -> By:
    return By(cast.actor(who), NOW + days * DAY)


@pytest.fixture
def finding(cast: Cast) -> AuditFinding:
    raised = Raised("low", "Rules set aside", "Without a reason.", organisation="ustc")
    return finding_raise(by(cast, "auditor"), raised=raised)


def agreed(cast: Cast, finding: AuditFinding, who: str = "auditor", **values: Any) -> AuditAction:
    given = {"text": "Train them", "owner": "sun@ustc.example", "due_date": DUE} | values
    return actions.action_add(by(cast, who), finding_id=finding.pk, **given)


def refused(work: Any, code: str, kind: type[Refused] = WrongState) -> None:
    with pytest.raises(kind) as caught:
        work()
    problems = getattr(caught.value, "problems", None)
    assert (problems[0].code if problems else caught.value.code) == code


def test_never_closed_without_an_answer(cast: Cast, finding: AuditFinding) -> None:
    def close(days: int = 0) -> AuditFinding:
        return finding_close(by(cast, "auditor", days), finding_id=finding.pk, evidence="Seen")

    def state(days: int) -> AuditFinding:
        statement = "Asked three times."
        return finding_unanswered(by(cast, "auditor", days), finding_id=finding.pk, statement=statement)

    refused(close, "finding-unanswered")
    refused(lambda: state(0), "answer-not-due")
    with pytest.raises(NotPermitted):
        finding_unanswered(by(cast, "zhao", 90), finding_id=finding.pk, statement="We said nothing.")
    refused(
        lambda: finding_unanswered(by(cast, "auditor", 90), finding_id=finding.pk, statement=" "),
        "required",
        Invalid,
    )
    assert AuditFinding.objects.get().no_answer == ""
    row = state(90)
    assert (row.no_answer, row.no_answer_at, row.state) == (
        "Asked three times.", NOW + 90 * DAY, "open",
    )  # fmt: skip
    assert close(90).state == "closed"
    refused(lambda: state(91), "wrong-state")


def test_not_closed_with_open_actions_nor_before_its_follow_up(cast: Cast, finding: AuditFinding) -> None:
    first, second = agreed(cast, finding), agreed(cast, finding, "zhao", text="Correct the card")
    finding_reply(by(cast, "zhao"), finding_id=finding.pk, reply="It was urgent.")

    def close(days: int = 0) -> AuditFinding:
        return finding_close(by(cast, "auditor", days), finding_id=finding.pk, evidence="Seen")

    refused(close, "actions-unfinished")
    actions.action_withdraw(by(cast, "auditor"), action_id=second.pk, reason="No card any more")
    actions.action_done(by(cast, "sun"), action_id=first.pk, note="Trained")
    refused(close, "actions-unfinished")
    actions.action_verify(by(cast, "auditor"), action_id=first.pk)
    finding_follow_up(by(cast, "auditor"), finding_id=finding.pk, follow_up_date=(NOW + 30 * DAY).date())
    refused(close, "follow-up-ahead")
    assert not findings_to_follow_up(cast.actor("auditor"), NOW).exists()
    assert findings_to_follow_up(cast.actor("auditor"), NOW + 30 * DAY).exists()
    assert not findings_to_follow_up(cast.actor("zhao"), NOW + 30 * DAY).exists()
    assert close(30).state == "closed"
    refused(lambda: agreed(cast, finding), "wrong-state")
    refused(
        lambda: actions.finding_attach(by(cast, "auditor"), finding_id=finding.pk, files=[("a.pdf", PDF)]),
        "wrong-state",
    )


def test_the_audited_side_leaves_room_for_the_auditor(
    cast: Cast, finding: AuditFinding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bookings.audit.domain.actions.MOST_OF_AUDITED", 2)
    monkeypatch.setattr("bookings.audit.domain.actions.MOST_ACTIONS", 3)
    monkeypatch.setattr("bookings.audit.domain.actions.MOST_EVER", 4)
    mine = [agreed(cast, finding, "zhao") for _ in range(2)]
    refused(lambda: agreed(cast, finding, "zhao"), "too-many-actions")
    agreed(cast, finding)
    refused(lambda: agreed(cast, finding), "too-many-actions")
    actions.action_withdraw(by(cast, "auditor"), action_id=mine[0].pk, reason="Not needed")
    agreed(cast, finding)  # a withdrawn one takes no room
    for row in AuditAction.objects.filter(state="agreed"):
        actions.action_withdraw(by(cast, "auditor"), action_id=row.pk, reason="Not needed")
    refused(lambda: agreed(cast, finding, "zhao"), "too-many-actions")  # four already
    agreed(cast, finding)


def test_an_action_from_its_owner_to_its_verification(cast: Cast, finding: AuditFinding) -> None:
    row = agreed(cast, finding)
    sun = cast.actor("sun")
    assert [each.pk for each in actions_to_do(sun, NOW)] == [row.pk]
    refused(lambda: actions.action_verify(by(cast, "auditor"), action_id=row.pk), "wrong-state")
    with pytest.raises(NotPermitted):
        actions.action_done(by(cast, "auditor"), action_id=row.pk, note="Done")
    done = actions.action_done(by(cast, "sun"), action_id=row.pk, note="Done", files=[("list.pdf", PDF)])
    assert (done.state, done.done_by_id, done.files.get().is_of_auditor) == ("done", cast.sun.pk, False)
    assert [each.pk for each in actions_to_verify(cast.actor("auditor"), NOW)] == [row.pk]
    assert not actions_to_verify(cast.actor("zhao"), NOW).exists()
    for who in ("sun", "zhao"):
        with pytest.raises(NotPermitted):
            actions.action_verify(by(cast, who), action_id=row.pk)
    back = actions.action_return(
        by(cast, "auditor"), action_id=row.pk, reason="Two are missing", due_date=DUE + 9 * DAY
    )
    assert (back.state, back.due_date, back.reason) == ("agreed", DUE + 9 * DAY, "Two are missing")
    actions.action_done(by(cast, "zhao"), action_id=row.pk, note="All now")
    assert actions.action_verify(by(cast, "auditor"), action_id=row.pk, reason="Seen").state == "verified"
    refused(lambda: actions.action_withdraw(by(cast, "auditor"), action_id=row.pk, reason="x"), "wrong-state")
    told = TrailEntry.objects.filter(object_id=row.pk).order_by("id").values_list("action", flat=True)
    assert list(told) == [
        "action.agree", "action.done", "action.return", "action.done", "action.verify",
    ]  # fmt: skip


def test_who_may_be_named_and_by_whom(cast: Cast, finding: AuditFinding) -> None:
    refused(lambda: agreed(cast, finding, owner="wang@fudan.example"), "not-one-of-theirs", Invalid)
    refused(lambda: agreed(cast, finding, owner="nobody"), "not-one-of-theirs", Invalid)
    refused(lambda: agreed(cast, finding, text=" "), "required", Invalid)
    refused(lambda: agreed(cast, finding, text="x" * 2001), "too-long", Invalid)
    refused(lambda: agreed(cast, finding, due_date=date(2026, 1, 1)), "in-the-past", Invalid)
    for who in ("wang", "chen", "coordinator", "sun"):
        with pytest.raises(NotFound):
            agreed(cast, finding, who)
    assert not AuditAction.objects.exists()
    row = agreed(cast, finding)
    with pytest.raises(NotPermitted):
        agreed(cast, finding, "sun")
    with pytest.raises(NotPermitted):
        actions.action_change(by(cast, "zhao"), action_id=row.pk, due_date=DUE + DAY)
    stale = By(cast.actor("zhao"), NOW, 7)
    with pytest.raises(WrongVersion):
        actions.action_change(stale, action_id=row.pk, owner="zhao@ustc.example")
    changed = actions.action_change(by(cast, "zhao"), action_id=row.pk, owner="zhao@ustc.example")
    assert changed.owner == cast.zhao
    with pytest.raises(NotFound):
        action_for(cast.actor("sun"), row.pk)


def test_an_owner_who_left_sees_nothing_any_more(cast: Cast, finding: AuditFinding) -> None:
    row = agreed(cast, finding)
    assert action_for(cast.actor("sun"), row.pk)
    Membership.objects.filter(user=cast.sun).update(ended_at=NOW)
    with pytest.raises(NotFound):
        action_for(cast.actor("sun"), row.pk)
    mail.outbox.clear()
    actions.actions_remind(now=NOW + 60 * DAY)
    effects_carry_out(now=NOW + 60 * DAY)
    assert {address for letter in mail.outbox for address in letter.to} >= {"zhao@ustc.example"}
    assert "sun@ustc.example" not in {address for letter in mail.outbox for address in letter.to}


def test_an_auditor_does_not_verify_their_own(cast: Cast, finding: AuditFinding) -> None:
    row = agreed(cast, finding)
    AuditAction.objects.filter(pk=row.pk).update(state="done", done_at=NOW, done_by=cast.auditor, note="x")
    with pytest.raises(Refused):
        actions.action_verify(by(cast, "auditor"), action_id=row.pk)
    assert AuditAction.objects.get().state == "done"


def test_owners_are_reminded_and_both_sides_told_when_it_is_late(cast: Cast, finding: AuditFinding) -> None:
    agreed(cast, finding)

    def told(days: int) -> dict[str, list[str]]:
        now = NOW + days * DAY
        for _ in range(2):
            actions.actions_remind(now=now)
            effects_carry_out(now=now)
        letters = {
            name: [m.subject for m in mail.outbox if m.to == [address]]
            for name, address in (("sun", "sun@ustc.example"), ("auditor", cast.auditor.email))
        }
        mail.outbox.clear()
        return letters

    first = told(0)["sun"]
    assert [subject.partition(",")[0] for subject in first] == ["An action for you: Rules set aside"]
    until = (DUE - NOW.date()).days
    assert told(until - 8)["sun"] == []
    assert [s.partition(":")[0] for s in told(until - 6)["sun"]] == ["Action soon due"]
    assert told(until)["sun"] == []
    assert not actions_late(cast.actor("auditor"), NOW + until * DAY).exists()
    late = told(until + 1)
    assert [s.partition(":")[0] for s in late["sun"]] == ["Action overdue"]
    assert [s.partition(":")[0] for s in late["auditor"]] == ["Action of USTC overdue"]
    assert actions_late(cast.actor("auditor"), NOW + (until + 1) * DAY).exists()
    assert told(until + 2)["sun"] == []
    assert len(told(until + 8)["sun"]) == 1


def test_files_are_checked_and_kept_from_strangers(cast: Cast, finding: AuditFinding, client: Client) -> None:
    attach = actions.finding_attach
    svg = ("a.svg", b"<svg onload='alert(1)'/>")
    refused(
        lambda: attach(by(cast, "zhao"), finding_id=finding.pk, files=[svg]), "unknown-office-file", Invalid
    )
    many = [("a.pdf", PDF)] * 5
    refused(lambda: attach(by(cast, "zhao"), finding_id=finding.pk, files=many), "too-many", Invalid)
    with pytest.raises(NotFound):
        attach(by(cast, "wang"), finding_id=finding.pk, files=[("a.pdf", PDF)])
    other = agreed(cast, finding_raise(
        by(cast, "auditor"), raised=Raised("low", "Other", "t", organisation="ustc"))
    )  # fmt: skip
    with pytest.raises(NotFound):
        attach(by(cast, "zhao"), finding_id=finding.pk, files=[("a.pdf", PDF)], action_id=other.pk)
    assert not FindingFile.objects.exists()
    assert not default_storage.exists("attachments") or default_storage.listdir("attachments")[1] == []
    attach(by(cast, "zhao"), finding_id=finding.pk, files=[("../plan <1>.pdf", PDF)])
    attach(by(cast, "auditor"), finding_id=finding.pk, files=[("seen.pdf", PDF)])
    theirs, ours = FindingFile.objects.order_by("added_at", "id")
    assert (theirs.is_of_auditor, ours.is_of_auditor) == (False, True)
    client.force_login(cast.auditor)
    answer = client.get(f"/audit/files/{theirs.pk}/file/")
    assert answer["Content-Disposition"].startswith("attachment; ")
    assert (answer["X-Content-Type-Options"], answer["Content-Type"]) == ("nosniff", "application/pdf")
    assert "sandbox" in answer["Content-Security-Policy"]
    for who in ("wang", "sun", "coordinator"):
        with pytest.raises(NotFound):
            file_for(cast.actor(who), theirs.pk)


def test_the_page_of_both_sides(cast: Cast, finding: AuditFinding, client: Client) -> None:
    page = f"/audit/findings/{finding.pk}/"
    client.force_login(cast.auditor)
    html = page_of(client.post(page + "agree/", {"text": "Typed before", "owner": "x@y.example"}), 400)
    assert "Typed before</textarea>" in html
    fields = {"text": "Train them", "owner": "Sun (sun@ustc.example)", "due_date": "2026-04-01"}
    assert client.post(page + "agree/", fields).status_code == 302
    row = AuditAction.objects.get()
    html = page_of(client.post(page + "close/", {"evidence": "Kept evidence"}), 409)
    assert "Kept evidence" in html and "answer" in html
    client.force_login(cast.sun)
    assert "Train them" in page_of(client.get(page))
    assert "Train them" in page_of(client.get("/audit/actions/?waits=actions"))
    done = f"/audit/actions/{row.pk}/attachments/"
    assert "invalid-feedback" in page_of(client.post(done, {"note": ""}), 400)
    assert client.post(done, {"note": "All came."}).status_code == 302
    client.force_login(cast.auditor)
    assert "All came." in page_of(client.get(page))
    back = f"/audit/actions/{row.pk}/return/"
    assert "invalid-feedback" in page_of(client.post(back, {"reason": ""}), 400)
    assert client.post(f"/audit/actions/{row.pk}/verify/", {}).status_code == 302
    assert client.post(f"/audit/actions/{row.pk}/verify/", {}).status_code == 409
    client.force_login(cast.wang)
    assert client.get(page).status_code == 404
    assert "Train them" not in page_of(client.get("/audit/actions/"))


def test_closing_is_offered_where_it_is_possible(cast: Cast, finding: AuditFinding, client: Client) -> None:
    page, form = f"/audit/findings/{finding.pk}/", "Close the finding</button>"
    client.force_login(cast.auditor)
    day = finding.due_date + timedelta(days=1)
    html = page_of(client.get(page))
    assert form not in html and f"From {day} on you can state that no answer was received" in html
    finding_reply(by(cast, "zhao"), finding_id=finding.pk, reply="It was urgent.")
    row = agreed(cast, finding)
    html = page_of(client.get(page))
    assert form not in html and "1 action is neither verified nor withdrawn." in html
    actions.action_withdraw(by(cast, "auditor"), action_id=row.pk, reason="Done before")
    AuditFinding.objects.update(follow_up_date=date(2190, 1, 1))
    html = page_of(client.get(page))
    assert form not in html and "Its follow-up is on 2190-01-01" in html
    AuditFinding.objects.update(follow_up_date=None)
    assert form in page_of(client.get(page))


def test_each_answer_and_each_return_stands_in_order_with_name_and_day(
    cast: Cast, finding: AuditFinding, client: Client
) -> None:
    said = [("zhao", "It was urgent."), ("auditor", "Prove it."), ("gao", "Here is the list.")]
    for number, (who, text) in enumerate(said):
        if who == "auditor":
            finding_return(by(cast, who, number), finding_id=finding.pk, note=text, due_date=None)
        else:
            finding_reply(by(cast, who, number), finding_id=finding.pk, reply=text)
    for reader in ("zhao", "auditor"):
        client.force_login(cast.people[reader])
        answer = client.get(f"/audit/findings/{finding.pk}/")
        steps = answer.context["steps"]
        assert [step.reason for step in steps] == [text for _, text in said]
        assert [step.person for step in steps] == [str(cast.people[who]) for who, _ in said]
        html = page_of(answer)
        places = [html.index(text) for _, text in said]
        assert places == sorted(places)
    report = finding_report(AuditFinding.objects.get(), NOW)
    assert [each.notes[0] for each in report.sections if each.code.startswith("step-")] == [
        text for _, text in said
    ]


def test_a_closed_finding_is_not_called_as_hours_without_opening() -> None:
    with translation.override("zh-hans"):
        assert str(AuditFinding.State.CLOSED.label) == "已关闭"


def test_a_spreadsheet_is_a_proof_that_is_only_saved(
    cast: Cast, finding: AuditFinding, client: Client
) -> None:
    stream = BytesIO()
    openpyxl.Workbook().save(stream)
    row = agreed(cast, finding)
    proof = [("../card.xlsx", stream.getvalue()), ("list", stream.getvalue())]
    actions.action_done(by(cast, "sun"), action_id=row.pk, note="Done", files=proof)
    first, second = FindingFile.objects.order_by("title")
    assert (first.title, second.title, first.kind) == ("card.xlsx", "list.xlsx", "document")
    client.force_login(cast.auditor)
    answer = client.get(f"/audit/files/{first.pk}/file/")
    assert answer["Content-Disposition"] == 'attachment; filename="card.xlsx"'
    assert (answer["X-Content-Type-Options"], answer["Content-Type"]) == (
        "nosniff",
        "application/octet-stream",
    )
    assert b"".join(answer.streaming_content) == stream.getvalue()
    assert "XLSX" in page_of(client.get(f"/audit/findings/{finding.pk}/"))


def test_the_owner_is_chosen_among_the_members(cast: Cast, finding: AuditFinding, client: Client) -> None:
    """The organisation's finance and the auditor are offered its members by name, and nobody else."""
    other = cast.people["wang"]
    name = cast.people["sun"].name
    for who in ("gao", "auditor"):
        client.force_login(cast.people[who])
        form = client.get(f"/audit/findings/{finding.pk}/").context["agree_form"]
        address = form.fields["owner"].widget.attrs["data-choose"]
        assert address == "/choices/people/?member_of=ustc"
        assert "sun@ustc.example" in client.get(f"{address}&q={name}").content.decode()
        assert other.email not in client.get(f"{address}&q={other.name}").content.decode()
    client.force_login(cast.people["gao"])
    sent = {"text": "Train them", "owner": name, "due_date": "2026-04-01", "version": finding.version}
    answer = client.post(f"/audit/findings/{finding.pk}/agree/", sent)
    assert answer.status_code == 302, page_of(answer)
    assert AuditAction.objects.get().owner == cast.people["sun"]
    # Nobody is told who belongs to an organisation that has no finding of theirs.
    client.force_login(cast.people["lin"])
    assert "sun@" not in client.get(f"/choices/people/?member_of=ustc&q={name}").content.decode()
