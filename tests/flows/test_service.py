"""Between the request and the result: a firm of Anhui sends samples to Fudan in Shanghai.

Hu Bo of Hefei Optics announces three samples and one that is refused until he says otherwise; one
is lost on the way. Chen Jing asks, proposes another time, and he takes it. He accepts the house
rules, answers before and after, and a counter warns. The results come over two broken connections,
are collected by a link, which is revoked; and a dispute that they never came meets the receipt.
"""

import hashlib
import io
import json
from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlencode
from zipfile import ZipFile

import pytest
from django.test import Client
from pypdf import PdfReader

from accounts.domain.roles import PLATFORM, By
from accounts.models import Message, TrailEntry
from accounts.selectors.verification import trail_verify
from accounts.services.seals import trail_seal
from bookings.models import (
    BookedSample,
    Charge,
    CollectLink,
    Comment,
    CounterCycle,
    Dispute,
    HandOff,
    MeterReading,
    Receipt,
    Reservation,
    ResultFile,
    SampleItem,
    SampleStep,
    UsageSession,
)
from bookings.overview.services.effects import effects_carry_out
from bookings.results.services.uploads import files_check
from bookings.usage.services.counters import counters_review
from instruments.house_rules.models.house_rules import HouseRulesAcceptance
from instruments.managing.services.publishing import instrument_publication
from instruments.managing.services.registry import facility_create, instrument_create
from instruments.opening.domain.opening import parse_hours
from instruments.opening.services.opening import opening_hours_set
from instruments.policy.domain.policies import parse_policy
from instruments.policy.services.policies import policy_set
from instruments.rates.domain.ratecards import parse_rate_card
from instruments.rates.services.ratecards import rate_card_create
from tests.factories.api import clock, program  # noqa: F401
from tests.factories.cast import CARD, NOW, WEEKDAYS, at
from tests.factories.results import PIECE, TUS, begin, send
from tests.flows.reader import Page

D = Decimal
SPECTRUM = bytes(range(256)) * 40
NOTES = "峰位 532 nm\n".encode()
WISH = {
    "start": "2026-03-10T10:00:00+08:00", "end": "2026-03-10T12:00:00+08:00",
    "service_mode": "assisted", "purpose": {"code": "research"},
}  # fmt: skip
PRICE = (D("1123.60"), D("1123.60"))  # 2 h at 480, set-up 100, 6 % tax


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def raman(cast):
    """Fudan's instrument, which accepts nothing magnetic; charged by what was reserved."""
    chen = By(cast.actor("chen"), NOW)
    facility = facility_create(
        By(PLATFORM, NOW),
        organisation=cast.fudan,
        name="Nano centre",
        name_zh="纳米中心",
        time_zone="Asia/Shanghai",
        address="220 Handan Road",
    )
    row = instrument_create(
        chen,
        facility=facility,
        techniques=[cast.technique],
        name="Raman microscope",
        description="Spectra.",
        manufacturers=[{"name": "Maker"}],
        model="One",
        service_modes=["assisted"],
    )
    opening_hours_set(chen, instrument_id=row.pk, hours=parse_hours(WEEKDAYS))
    policy = {"slot_minutes": 30, "max_minutes": 480, "refused_hazards": ["magnetic"]}
    policy_set(chen, instrument_id=row.pk, policy=parse_policy(policy))
    rate_card_create(chen, instrument_id=row.pk, card=parse_rate_card(CARD), publish=True)
    return instrument_publication(chen, instrument_id=row.pk, act="publish")


class Broken:
    """A body of which the connection brings only a part."""

    def __init__(self, content):
        self.left = content

    def read(self, size=-1):
        piece, self.left = self.left[:size], self.left[size:]
        if not piece:
            raise OSError("gone")
        return piece

    readline = read


def break_off(who, where, offset, came, stated):
    """Send a piece of so many bytes of which only the first come; its answer reaches nobody."""
    headers = {name.replace("_", "-"): value for name, value in PIECE.items()}
    headers |= {"Authorization": f"Bearer {who.token}", "Upload-Offset": str(offset)}
    kind = headers.pop("Content-Type")
    Client().generic(
        "PATCH", where, headers=headers,
        **{"wsgi.input": Broken(came), "CONTENT_LENGTH": str(stated), "CONTENT_TYPE": kind},
    )  # fmt: skip


def carry_out(now):
    while effects_carry_out(now=now):
        pass


def told(cast, name, kind):
    """How often somebody was told of a kind of thing."""
    return Message.objects.filter(user=cast.people[name], kind=kind).count()


def bytes_of(client, address, **headers):
    answer = client.get(address, headers=headers)
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def acts_of(*names):
    rows = TrailEntry.objects.filter(action__in=names).values_list("action", flat=True)
    counts = dict.fromkeys(names, 0)
    for name in rows:
        counts[name] += 1
    return counts


def test_a_firm_of_anhui_and_its_results_from_shanghai(cast, raman, program, clock):  # noqa: F811
    hu, chen = program("hu"), program("chen")

    # What the instrument asks and counts: all of it set by its manager.
    here = f"instruments/{raman.pk}/"
    assert chen.put(here + "house-rules/", {"text": "Gloves."}).body["version"] == 1
    meter = chen.post(here + "meters/", {"name": "Laser hours", "unit": "h"}).body["id"]
    chen.post(f"meters/{meter}/readings/", {"value": "1000"})
    tube = {"meter": meter, "name": "Laser tube", "limit": "100", "warn_percent": 90}
    assert chen.post(here + "counters/", tube).body["standing"] == "fine"
    before = [{"key": "safe", "kind": "yes_no", "label": "Laser off?", "required": True}]
    after = [
        {"key": "hours", "kind": "meter", "label": "Laser hours", "meter": meter, "required": True},
        {"key": "note", "kind": "text", "label": "Anything unusual?"},
    ]
    promised = {"due_days": 5, "keep_days": 90, "modes": ["assisted"]}
    assert chen.put(here + "result-terms/", promised).body == promised
    for moment, fields in (("before", before), ("after", after)):
        asked = chen.put(here + "questionnaires/", {"moment": moment, "questions": fields})
        assert asked.status == 200

    # Three samples; one is magnetic, which the instrument does not accept.
    clock += timedelta(minutes=5)
    items = [
        hu.post("samples/", {"name": name, "hazards": hazards, "amount": "5 mg"})
        for name, hazards in (("Film A", []), ("Film B", ["toxic"]), ("Film C", ["magnetic"]))
    ]
    assert [item.status for item in items] == [201, 201, 201]
    ids = [item.body["id"] for item in items]
    codes = [item.body["code"] for item in items]
    wish = WISH | {"instrument": str(raman.pk), "sample_items": ids}
    refused = hu.post("reservations/", wish | {"house_rules": 1})
    assert (refused.status, refused.code) == (422, "hazard-not-accepted")
    (refusal,) = refused.body["refusals"]
    assert (refusal["hazard"], refusal["sample"]) == (
        "magnetic", f"{codes[2][:4]}-{codes[2][4:]}",
    )  # fmt: skip
    assert not Reservation.objects.exists() and not BookedSample.objects.exists()
    assert not HouseRulesAcceptance.objects.exists()
    changed = hu.put(f"samples/{ids[2]}/", {"name": "Film C", "amount": "5 mg", "hazards": []})
    assert (changed.status, changed.body["hazards"]) == (200, [])
    refused = hu.post("reservations/", wish)
    assert (refused.status, refused.refusals) == (422, ["house-rules-not-accepted"])
    assert not Reservation.objects.exists() and not BookedSample.objects.exists()
    made = hu.post("reservations/", wish | {"house_rules": 1})
    assert (made.status, made.body["state"]) == (201, "confirmed")
    booking = Reservation.objects.get()
    quote = booking.quotes.get()
    assert (quote.total, quote.payable) == PRICE
    assert sorted(str(row.sample_id) for row in booking.sample_items.all()) == sorted(ids)
    assert HouseRulesAcceptance.objects.get().user == cast.hu

    # Labels: one page each, with what is read and what is scanned.
    roll = hu.get(f"samples/labels/?samples={','.join(ids)}&layout=roll")
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(roll.body)).pages]
    printed = [f"{code[:4]}-{code[4:]}" for code in codes]
    assert [[text for text in printed if text in page] for page in pages] == [[p] for p in printed]
    sheet = PdfReader(io.BytesIO(hu.get(f"samples/labels/?samples={','.join(ids)}").body)).pages
    assert len(sheet) == 1
    assert [text for text in printed if text in sheet[0].extract_text()] == printed
    assert chen.get(f"samples/labels/?samples={ids[0]}").status == 200

    # On their way; two arrive, one is lost.
    clock.now = at("2026-03-06 09:00")
    parcel = {"samples": ids, "state": "shipped", "carrier": "SF Express", "tracking": "SF1001"}
    sent = hu.post("samples/steps/", parcel).body["results"]
    assert [row["steps"][-1]["tracking"] for row in sent] == ["SF1001"] * 3
    carry_out(clock.now)
    assert told(cast, "chen", "sample.shipped") == 1
    clock.now = at("2026-03-09 09:00")
    assert sorted(row["id"] for row in chen.get("samples/?waits=arriving").body["results"]) == (sorted(ids))
    received = chen.post("samples/steps/", {"samples": ids[:2], "state": "received"})
    assert [row["steps"][-1]["place"] for row in received.body["results"]] == ["Nano centre"] * 2
    steps = SampleStep.objects.count()
    lost = chen.post(f"samples/{ids[2]}/steps/", {"state": "lost"})
    assert lost.problems == [("note", "required")]
    mixed = chen.post("samples/steps/", {"samples": ids, "state": "in_work"})
    assert (mixed.status, mixed.code) == (409, "sample-step")
    assert SampleStep.objects.count() == steps
    assert sorted(SampleItem.objects.values_list("state", flat=True)) == (["received", "received", "shipped"])
    lost = chen.post(f"samples/{ids[2]}/steps/", {"state": "lost", "note": "The box was open."})
    assert (lost.status, lost.body["state"]) == (200, "lost")
    carry_out(clock.now)
    assert told(cast, "hu", "sample.received") == 1
    assert told(cast, "hu", "sample.lost") == 1
    message = Message.objects.get(user=cast.hu, kind="sample.lost")
    assert message.link == f"/samples/{codes[2]}/"

    # The operator asks, and proposes another time; too late for him to move it for nothing.
    clock.now = at("2026-03-09 13:00")
    talk = f"reservations/{booking.pk}/conversation/"
    asked = chen.post(talk, {"text": "Film C is lost. Shall we measure the other two?"})
    assert (asked.status, asked.body["waits_for"]) == (201, "requester")
    answered = hu.post(talk, {"text": "Yes, please."})
    assert answered.body["waits_for"] == "host"
    clock.now = at("2026-03-09 14:00")
    period = {"start": "2026-03-11T14:00:00+08:00", "end": "2026-03-11T16:00:00+08:00"}
    closed = {"start": "2026-03-11T19:00:00+08:00", "end": "2026-03-11T21:00:00+08:00"}
    comments = Comment.objects.count()
    assert chen.post(talk + "proposals/", closed).status == 422
    assert Comment.objects.count() == comments
    own = hu.get(f"reservations/{booking.pk}/move/?{urlencode(period)}").body
    assert own["cancelling_costs_at_least"] == "100"  # if he moves it himself
    proposed = chen.post(talk + "proposals/", period | {"text": "The laser is realigned."})
    assert (proposed.status, proposed.body["state"]) == (201, "open")
    proposal = f"proposals/{proposed.body['id']}/"
    assert chen.post(proposal + "accept/").status == 403
    preview = hu.get(proposal + "move/").body
    price = {"amount": "1123.60", "currency": "CNY"}
    assert [preview[n] for n in ("old_payable", "new_payable", "refusals")] == [price, price, []]
    assert preview["cancelling_costs_at_least"] == "0"
    carry_out(clock.now)
    assert told(cast, "hu", "conversation.proposed") == 1
    taken = hu.post(proposal + "accept/")
    assert (taken.status, taken.body["state"]) == (200, "accepted")
    assert hu.post(proposal + "accept/").code == "proposal-decided"
    booking.refresh_from_db()
    assert (booking.start_at, booking.end_at, booking.state) == (
        at("2026-03-11 14:00"), at("2026-03-11 16:00"), "confirmed",
    )  # fmt: skip
    newest = booking.quotes.order_by("created_at").last()
    assert (newest.total, newest.payable) == PRICE
    carry_out(clock.now)
    assert not Charge.objects.exists()  # no late fee
    assert told(cast, "chen", "conversation.accepted") == 1

    # The rules change meanwhile: they, and the questions, are asked at check-in.
    changed = chen.put(here + "house-rules/", {"text": "Gloves, goggles."}, If_Match='"1"')
    assert (changed.status, changed.body["version"]) == (200, 2)
    clock.now = at("2026-03-11 14:00")
    one = f"reservations/{booking.pk}/"
    for body, code in (
        ({"answers": {"safe": True}}, "house-rules-not-accepted"),
        ({"answers": {"safe": True}, "house_rules": 1}, "house-rules-not-accepted"),
        ({"house_rules": 2}, "questions-open"),
    ):
        refused = hu.post(one + "check-in/", body)
        assert (refused.status, refused.refusals) == (422, [code])
    wrong = hu.post(one + "check-in/", {"house_rules": 2, "answers": {"safe": "perhaps"}})
    assert wrong.status == 400
    assert not UsageSession.objects.exists()
    assert HouseRulesAcceptance.objects.filter(user=cast.hu).count() == 1
    checked_in = hu.post(one + "check-in/", {"house_rules": 2, "answers": {"safe": True}})
    assert (checked_in.status, checked_in.body["state"]) == (200, "in_use")
    chen.post("samples/steps/", {"samples": ids[:2], "state": "in_work"})

    # After: the reading is asked for, cannot go down, and warns once.
    clock.now = at("2026-03-11 16:00")
    refused = hu.post(one + "check-out/", {})
    assert (refused.status, refused.refusals) == (422, ["questions-open"])
    below = hu.post(one + "check-out/", {"answers": {"hours": "999"}})
    assert below.problems == [("answers.hours", "reading-below-last")]
    assert MeterReading.objects.count() == 1
    checked_out = hu.post(one + "check-out/", {"samples": 2, "answers": {"hours": "1095.5"}})
    assert (checked_out.status, checked_out.body["state"]) == (200, "completed")
    sheets = hu.get(one + "questions/").body["sheets"]
    assert [(s["state"], s["answers"]) for s in sheets] == [
        ("answered", {"safe": True}), ("answered", {"hours": "1095.5"}), (None, {}),  # nothing when booking
    ]  # fmt: skip
    carry_out(clock.now)
    (counter,) = chen.get(here + "meters/").body["counters"]
    assert (D(counter["used"]), counter["standing"]) == (D("95.5"), "near")
    assert counters_review(now=clock.now) == 0
    carry_out(clock.now)
    assert told(cast, "chen", "counter.near") == 1
    cycle = CounterCycle.objects.get()
    assert (cycle.warned_at, cycle.reached_at, cycle.closure) == (clock.now, None, None)
    measured = chen.post("samples/steps/", {"samples": ids[:2], "state": "measured"})
    assert [row["state"] for row in measured.body["results"]] == ["measured"] * 2

    # The charge: what was agreed, once.
    charge = Charge.objects.get()
    assert (charge.kind, charge.total, charge.payable) == ("use", *PRICE)

    # The results come by themselves as expected; their upload breaks twice.
    clock.now = at("2026-03-12 09:00")
    (expected,) = chen.get(f"results/?reservation={booking.pk}").body["results"]
    assert (expected["state"], expected["due_at"]) == ("expected", "2026-03-16T08:00:00Z")
    hand_off = HandOff.objects.get()
    assert begin(hu, hand_off, "spectrum.bin", len(SPECTRUM)).status == 403
    assert not ResultFile.objects.exists()
    digest = hashlib.sha256(SPECTRUM).hexdigest()
    begun = begin(chen, hand_off, "spectrum.bin", len(SPECTRUM), sha256=digest)
    where, half = begun.headers["Location"], len(SPECTRUM) // 2
    break_off(chen, where, 0, SPECTRUM[: half // 2], half)
    assert chen.send("HEAD", where, **TUS).headers["Upload-Offset"] == str(half // 2)
    again = send(chen, where, 0, SPECTRUM[:half])
    assert (again.status, again.code, again.body["offset"]) == (409, "offset-differs", half // 2)
    assert ResultFile.objects.get().received == half // 2
    assert send(chen, where, half // 2, SPECTRUM[half // 2 : half]).status == 204
    clock += timedelta(hours=5)
    break_off(chen, where, half, SPECTRUM[half : half + 100], half)
    told_offset = chen.send("HEAD", where, **TUS).headers["Upload-Offset"]
    assert told_offset == str(half + 100)
    assert send(chen, where, half + 100, SPECTRUM[half + 100 :]).status == 204
    assert begin(chen, hand_off, "notes/峰.txt", len(NOTES)).status == 201
    notes = ResultFile.objects.get(path="notes/峰.txt")
    early = chen.post(f"results/{hand_off.pk}/seal/")
    assert (early.status, early.code, early.body["count"]) == (409, "files-not-ready", 2)
    hand_off.refresh_from_db()
    assert (hand_off.state, hand_off.manifest_digest) == ("uploading", "")
    assert send(chen, f"uploads/{notes.pk}/", 0, NOTES).status == 204
    assert files_check(now=clock.now) == 1
    sealed = chen.post(f"results/{hand_off.pk}/seal/").body
    assert [(f["path"], f["size"], f["sha256"]) for f in sealed["manifest"]] == [
        ("notes/峰.txt", len(NOTES), hashlib.sha256(NOTES).hexdigest()),
        ("spectrum.bin", len(SPECTRUM), digest),
    ]
    assert hu.get(f"results/{hand_off.pk}/package/").code == "not-collectable"
    released = chen.post(f"results/{hand_off.pk}/release/", {"note": "Baseline not removed."})
    assert released.body["state"] == "released"
    carry_out(clock.now)
    assert told(cast, "hu", "results.ready") == 1

    # Collected by a link, without signing in; revoked, it is dead at the next request.
    clock += timedelta(hours=1)
    link = hu.post(
        "result-links/",
        {"result": str(hand_off.pk), "label": "Dr Li", "expires_at": "2026-03-20T00:00:00+08:00"},
    ).body
    stranger, collect = Client(), "/collect/" + link["address"].rpartition("/collect/")[2]
    page = Page(stranger.get(collect))
    assert "spectrum.bin" in page.text and "Baseline not removed." in page.text
    for file, content in (("spectrum.bin", SPECTRUM), ("notes/峰.txt", NOTES)):
        row = ResultFile.objects.get(path=file)
        assert bytes_of(stranger, f"{collect}{row.pk}/") == content
    crate = json.loads(ZipFile(io.BytesIO(bytes_of(stranger, f"{collect}package/"))).read(
        f"results-{hand_off.pk.hex[-8:]}/data/ro-crate-metadata.json"
    ))  # fmt: skip
    things = {e["name"]: e["identifier"] for e in crate["@graph"] if e["@type"] == "Thing"}
    assert things == {"Film A": printed[0], "Film B": printed[1]}  # not the one that was lost
    collected_at = clock.now
    whole, *receipts = sorted(
        hu.get(f"results/{hand_off.pk}/receipts/").body["results"], key=lambda r: r["path"]
    )
    assert (whole["path"], whole["reached"]) == ("", whole["size"])
    assert sorted((r["path"], r["link"], r["reached"], r["size"]) for r in receipts) == [
        ("notes/峰.txt", "Dr Li", len(NOTES), len(NOTES)),
        ("spectrum.bin", "Dr Li", len(SPECTRUM), len(SPECTRUM)),
    ]
    assert [r["completed_at"] for r in receipts] == ["2026-03-12T07:00:00Z"] * 2
    hand_off.refresh_from_db()
    assert (hand_off.state, hand_off.collected_at) == ("collected", collected_at)
    assert hu.delete(f"result-links/{link['id']}/").status == 204
    spectrum = ResultFile.objects.get(path="spectrum.bin")
    for address in (collect, f"{collect}{spectrum.pk}/", f"{collect}package/"):
        assert stranger.get(address).status_code == 404
    assert CollectLink.objects.get().revoked_at == clock.now
    assert Receipt.objects.count() == 3

    # "The results never came": the host, and the charge's page, know better.
    clock.now = at("2026-03-13 09:00")
    disputed = hu.post(f"charges/{charge.pk}/dispute/", {"reason": "The results never came."})
    assert (disputed.status, disputed.body["state"]) == (200, "disputed")
    lin = Client()
    lin.force_login(cast.lin)
    page = Page(lin.get(f"/money/charges/{charge.pk}/"))
    for words in ("The results never came.", "Dr Li", "spectrum.bin", hand_off.manifest_digest):
        assert words in page.text
    assert "12 Mar 2026, 15:00" in page.text
    verdict = {"verdict": "reject", "answer": "Collected on 12 March at 15:00, by your link."}
    assert hu.post(f"charges/{charge.pk}/settle/", verdict).status == 403
    assert Dispute.objects.get().state == "open"
    rejected = program("lin").post(f"charges/{charge.pk}/settle/", verdict)
    assert (rejected.status, rejected.body["state"]) == (200, "final")
    dispute = Dispute.objects.get()
    assert (dispute.state, dispute.settled_by) == ("rejected", cast.lin)
    assert Charge.objects.get().payable == PRICE[1]

    # The samples go home; the lost one stays lost.
    back = {"samples": ids[:2], "state": "return_shipped", "carrier": "SF", "tracking": "SF2002"}
    assert chen.post("samples/steps/", back).status == 200
    clock.now = at("2026-03-16 09:00")
    home = hu.post("samples/steps/", {"samples": ids[:2], "state": "returned"})
    assert [row["state"] for row in home.body["results"]] == ["returned"] * 2
    assert [s["state"] for s in home.body["results"][0]["steps"]] == [
        "announced", "shipped", "received", "in_work", "measured", "return_shipped", "returned",
    ]  # fmt: skip
    assert SampleItem.objects.get(pk=ids[2]).state == "lost"
    kept = hu.post(f"samples/{ids[0]}/leave/", {"reservation": str(booking.pk)})
    assert kept.status == 409 and booking.sample_items.count() == 3

    # All of it is in the trail, and the trail is whole.
    assert acts_of(
        "sample.announce", "sample.change", "sample.join", "sample.step",
        "conversation.propose", "conversation.accept", "houserules.accept", "answers.answered",
        "handoff.expect", "handoff.seal", "handoff.release",
        "collectlink.make", "collectlink.revoke",
        "charge.dispute", "charge.dispute-reject",
    ) == {
        "sample.announce": 3, "sample.change": 1, "sample.join": 3, "sample.step": 14,
        "conversation.propose": 1, "conversation.accept": 1, "houserules.accept": 2,
        "answers.answered": 2, "handoff.expect": 1, "handoff.seal": 1, "handoff.release": 1,
        "collectlink.make": 1, "collectlink.revoke": 1, "charge.dispute": 1,
        "charge.dispute-reject": 1,
    }  # fmt: skip
    seal = TrailEntry.objects.get(action="handoff.seal")
    assert seal.after["manifest_digest"] == hand_off.manifest_digest
    trail_seal(now=clock.now)
    verified = trail_verify(processes=1)
    # Ids are of the day on which this runs.
    assert {problem.code for problem in verified.problems} <= {"misdated"}
    assert verified.entries == TrailEntry.objects.count()
