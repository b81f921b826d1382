"""Whatever the trail can tell has a name: acts, and the kinds of records they are done to."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest
from django.apps import apps
from django.utils import translation

from bookings.audit.acts import act_choices, group_name, kind_name
from bookings.audit.acts import acts as acts_named
from bookings.audit.domain.audit import MOVES
from bookings.audit.selectors.trail_records import called_of, records
from bookings.models import AnswerSheet, Reservation, WaitingWish
from bookings.reserving.domain.moves import EXTEND, MOVE, SHORTEN
from bookings.reviews.domain.reviews import ACTS as REVIEWS
from instruments.managing.models import DuplicateVerdict
from instruments.managing.services.publishing import ACTS as PUBLISHING
from tests.factories.cast import Cast, reserve

ROOT = Path(__file__).parents[3]
ACT = re.compile(r"[a-z_-]+\.[a-z_-]+")
# What follows a dot that is not written out.
FOLLOWS = {
    "reservation.": {*Reservation.State.values, MOVE, EXTEND, SHORTEN},
    "purchase-case.": {name.replace("_", "-") for name in REVIEWS},
    "exception.": {state for follow in MOVES.values() for state in follow},
    "duplicates.": set(DuplicateVerdict.Verdict.values),
    "instrument.": set(PUBLISHING),
    "accessrequest.": {"approve", "reject", "withdraw"},
    "joinrequest.": {"approve", "reject"},
    "directoryperson.": {"add", "change", "remove"},
    "organisationrequest.": {"create", "approve", "reject", "withdraw"},
    "provider.": {"create", "update", "delete"},
    "answers.": {AnswerSheet.State.ANSWERED, AnswerSheet.State.SKIPPED},
    "action.": {"verify", "return", "withdraw"},
    "waiting.": set(WaitingWish.State.values) - {WaitingWish.State.WAITING},
}
# Files, events of webhooks, effects of the demonstration, names of allauth and of a signature: no
# acts.
OTHERS = re.compile(
    r".*\.(json|csv|yaml|ttf|pdf|py|xlsx)|audit\.finding-follow-up|charge\.made|reservation\.moved|letter\.send|mail\.confirmed"
    r"|accounts\.known-browser|allauth\.account|administrator\.email"
    r"|alarm\.(raised|risen)|batch\.(offered|lapsed)|plan\.(entered|dropped)"
)
EFFECTS = {"Effect", "connect", "told"}
# Rows that no act is ever done to by themselves: parts of others, counters, queues, what is
# computed, what is kept about reading.
NEVER = {
    "agreementmember", "attachment", "availabilityitem", "bankmatch", "bookingpolicy", "bookingsread",
    "busytime", "capability", "capabilityquestion", "correction", "countercycle", "dirtyday",
    "dirtymonths", "dispute", "earmark", "facilitybookings", "facilityday", "facilitylead",
    "facilitymonth", "facilityuse", "facilityyear", "fetching", "findingfile",
    "hoststorage", "resultfile", "resultterms", "receipt", "keeprequest",
    "addresschange", "deletion", "directory",
    "factorreset", "viewing", "faultnote", "hostrecord", "idempotencykey", "installation", "importchunk",
    "importedbooking", "importrow",
    "houserulesacceptance",
    "instrumentday", "instrumentlist", "instrumentmonth", "instrumentyear", "listentry",
    "savedview", "samplestep", "bookedsample", "safetysheet", "samplephoto", "samplereceiving",
    "comment", "commentfile", "event", "proposedtime", "threadread",
    "suggestion", "bidslot", "answerfile",
    "casestep", "casecomparison", "casefollowup",
    "organisationmove", "pasthost", "pursetransfer",
    "instrumentdayuse", "jobrun", "journalline", "lease", "ledgerentry",
    "message", "meterreading", "occupancy", "openwindow",
    "payment", "paymentnotice", "policyversion", "posting", "provenance", "questionasker", "quote",
    "ratecard", "rollup", "schedule", "scheduleassignment",
    "scheduleday", "seal", "sealedentry", "searchentry", "searchgroup",
    "searchmatch", "sessionrating", "instrumentrating", "searchword",
    "settlementline", "statementcounter", "statementline",
    "trailbundle", "trailentry", "trailtext", "unmetdemand", "unsealedentry", "usagesession",
    "waitingoffer", "webhookattempt", "webhookdelivery",
}  # fmt: skip


def acts_written() -> dict[str, set[str]]:
    """Every string of services and adapters that looks like an act, with the files that say it;
    `reservation.` of one that is put together."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(
        path
        for app in ("accounts", "instruments", "bookings")
        for room in ("services", "adapters")
        for path in (ROOT / app).rglob(f"{room}/**/*.py")
    ):
        tree, passed = ast.parse(path.read_text("utf-8")), set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                if getattr(node.func, "id", getattr(node.func, "attr", "")) in EFFECTS:
                    passed |= {id(part) for part in ast.walk(node)}
            elif isinstance(node, ast.JoinedStr):
                first = node.values[0]
                text = first.value if isinstance(first, ast.Constant) else ""
                if re.fullmatch(r"[a-z_-]+\.", text) and id(node) not in passed:
                    found[text].add(path.name)
                passed |= {id(part) for part in node.values}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and id(node) not in passed:
                text = str(node.value)
                if ACT.fullmatch(text) and not OTHERS.fullmatch(text):
                    found[text].add(path.name)
    return found


def test_every_act_has_a_name() -> None:
    written = acts_written()
    put_together = {act for act in written if act.endswith(".")}
    assert put_together <= set(FOLLOWS), "say in FOLLOWS what may follow"
    acts = (set(written) - put_together) | {
        f"{prefix}{last}" for prefix, lasts in FOLLOWS.items() for last in lasts
    }
    assert len(acts) > 150
    assert acts - set(acts_named()) == set()
    # And is found in the choices of the trail's page, once, in a group with a name.
    prefixes = {act.partition(".")[0] for act in acts_named()}
    assert [prefix for prefix in prefixes if group_name(prefix) == prefix] == []
    offered = [code for _, codes in act_choices()[1:] for code, _ in codes]
    assert sorted(offered) == sorted([*acts_named(), *(f"{prefix}." for prefix in prefixes)])


def test_every_kind_of_record_has_a_name_in_both_languages() -> None:
    for app in ("accounts", "instruments", "bookings"):
        for kind, model in apps.get_app_config(app).models.items():
            if model._meta.auto_created or kind in NEVER:
                continue
            assert kind in records(), f"{kind}: what is one of them called?"
            with translation.override("en"):
                english = kind_name(kind)
            with translation.override("zh-hans"):
                chinese = kind_name(kind)
            assert english != kind
            assert re.search(r"[\u4e00-\u9fff]", chinese), (kind, english, chinese)


def test_records_of_many_kinds_are_named_in_one_statement(
    cast: Cast, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    instrument = cast.instrument(name="Microscope", name_zh="显微镜")
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 14:00", instrument=instrument)
    wang = cast.people["wang"]
    host = instrument.organisation
    asked = [
        ("reservation", made.pk), ("instrument", instrument.pk), ("user", wang.pk),
        ("organisation", host.pk), ("region", host.region_id), ("statement", made.pk),
    ]  # fmt: skip
    with django_assert_num_queries(1):
        names = called_of(asked)
    assert names["reservation", made.pk].name == "Microscope"
    assert names["reservation", made.pk].name_zh == "显微镜"
    assert names["reservation", made.pk].at == made.start_at
    assert names["user", wang.pk].name == str(wang)
    assert names["organisation", host.pk].name == host.name
    assert ("statement", made.pk) not in names
    # Each kind's columns fit the others': all of them together are one statement still.
    with django_assert_num_queries(1):
        assert called_of([(kind, made.pk) for kind in records()]) == {
            ("reservation", made.pk): names["reservation", made.pk]
        }
