"""Seals: what they prove, and what is named when whoever holds the database rewrites it."""

import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from accounts import trail
from accounts.domain import seals as rules
from accounts.domain.canonical import canonical_json
from accounts.domain.errors import Invalid
from accounts.domain.roles import PLATFORM, By
from accounts.models import RoleGrant, Seal, SealedEntry, TrailEntry, TrailText, UnsealedEntry
from accounts.models.keys import new_id
from accounts.selectors.guards import migrated_triggers
from accounts.selectors.seals import Range, bundle_lines, proof_of, seals_like
from accounts.selectors.verification import Problem, TrailWrong, trail_found_right, trail_verify
from accounts.services.seals import seals_tell, trail_seal
from tests.factories.cast import Cast
from tests.flows.installation import documented

# Ids of entries are of the time they are made at, so they are written and sealed now.
NOW = datetime.now(UTC).replace(microsecond=0)
VERIFIER = Path(__file__).parents[3] / "bookings/static/bookings/verify_bundle.py"


def write(cast: Cast, count: int, *, reason: str = "") -> list[TrailEntry]:
    return [
        trail.record(
            By(cast.actor("zhao"), NOW + timedelta(seconds=n)),
            "instrument.test",
            cast.microscope,
            after={"n": n, "名": "新\u2028\U0001f52c"},
            reason=reason,
            places=((), cast.anhui.lineage),
        )
        for n in range(count)
    ]


@pytest.fixture(scope="module")
def sealed(shared_cast: Cast) -> tuple[Cast, list[TrailEntry]]:
    """Two seals: what made the cast, and nine entries with reasons."""
    trail_seal(now=NOW)
    entries = write(shared_cast, 9, reason="because")
    trail_seal(now=NOW + timedelta(minutes=5))
    return shared_cast, entries


@pytest.fixture
def triggers_off(db: None) -> Iterator[None]:
    """As a superuser may; all of it is taken back."""
    with transaction.atomic():
        sql("SET LOCAL session_replication_role = replica")
        yield
        transaction.set_rollback(True)


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def told_by_bundle(tmp_path: Path, *words: str, wanted: Range | None = None) -> str:
    """What the verifier says of a bundle of all, run alone and apart from the platform."""
    path = tmp_path / "bundle.jsonl"
    path.write_bytes(b"".join(bundle_lines(wanted or Range(), site="https://x", now=NOW)))
    return told(path, *words)


def told(path: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-I", str(VERIFIER), str(path), *words], capture_output=True, text=True
    )
    assert done.returncode == (0 if done.stdout.startswith("RIGHT") else 1), done.stderr
    return done.stdout


# The arithmetic


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40), st.data())
def test_a_path_leads_to_the_root_of_rfc_9162(digests: list[bytes], data: st.DataObject) -> None:
    def tree(part: list[bytes]) -> bytes:  # as RFC 9162, 2.1.1 writes it down
        if len(part) == 1:
            return hashlib.sha256(b"\x00" + part[0]).digest()
        k = 1
        while k * 2 < len(part):
            k *= 2
        return hashlib.sha256(b"\x01" + tree(part[:k]) + tree(part[k:])).digest()

    top = rules.root(digests)
    assert top == tree(digests)
    position = data.draw(st.integers(0, len(digests) - 1))
    found = rules.path(digests, position)
    place = {"position": position, "count": len(digests), "path_": found}
    assert rules.leads_to(top, digest=digests[position], **place)
    assert not rules.leads_to(top, digest=bytes(31) + b"\x07", **place)


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@given(_values)
def test_three_ways_to_canonical_json_agree(value: Any) -> None:
    import importlib.util

    import rfc8785

    spec = importlib.util.spec_from_file_location("verify_bundle", VERIFIER)
    assert spec is not None and spec.loader is not None
    alone = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(alone)
    assert canonical_json(value) == rfc8785.dumps(value) == alone.canonical(value)


# Sealing


def test_every_entry_is_sealed_once_and_the_chain_holds(sealed: Any, db: None) -> None:
    assert SealedEntry.objects.count() == TrailEntry.objects.count()
    assert not UnsealedEntry.objects.exists()
    first, second = Seal.objects.order_by("number")
    assert (first.number, first.previous, second.number) == (1, None, 2)
    assert bytes(second.previous) == bytes(first.digest)
    assert trail_seal(now=NOW) == []
    found = trail_verify()
    assert found.problems == []
    assert (found.seals, found.entries, found.unsealed) == (2, TrailEntry.objects.count(), 0)


def test_the_database_refuses_to_change_seals(sealed: Any, db: None) -> None:
    for statement in (
        "UPDATE accounts_seal SET count = 1",
        "DELETE FROM accounts_sealedentry",
        "TRUNCATE accounts_sealedentry",
        "UPDATE accounts_trailtext SET content = '{}'",
        "TRUNCATE accounts_trailtext",
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            sql("SET CONSTRAINTS ALL IMMEDIATE")
            sql(statement)


def test_a_role_that_owns_no_table_cannot_switch_the_guards_off(sealed: Any, db: None) -> None:
    for statements in documented("of_test"):
        sql(statements)
    sql("SET LOCAL ROLE of_test_web")
    denied = r"permission denied|must be owner"
    try:
        write(sealed[0], 1, reason="it can write")
        trail_seal(now=NOW)
        TrailText.objects.filter(content__reason="it can write").delete()
        for statement in (
            "ALTER TABLE accounts_trailentry DISABLE TRIGGER ALL",
            "DROP TRIGGER trailentry_append_only ON accounts_trailentry",
            "SET session_replication_role = replica",
            "UPDATE accounts_trailentry SET action = 'x'",
            "DELETE FROM accounts_seal",
            "TRUNCATE accounts_sealedentry",
            "DROP TABLE accounts_seal",
        ):
            with pytest.raises(DatabaseError, match=denied), transaction.atomic():
                sql(statement)
    finally:
        sql("RESET ROLE")


# Proofs and bundles


def test_a_proof_is_checked_without_the_platform(sealed: Any, db: None, tmp_path: Path) -> None:
    proof = proof_of(sealed[1][4])
    assert proof is not None
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(proof, indent=1), "utf-8")
    assert told(path).startswith("RIGHT")
    proof["entry"]["after"]["n"] = 5
    path.write_text(json.dumps(proof), "utf-8")
    assert f"entry {sealed[1][4].pk} was changed" in told(path)


def test_a_bundle_is_whole_seals_and_shows_what_its_reader_may_see(
    sealed: Any, db: None, tmp_path: Path
) -> None:
    cast = sealed[0]
    text = told_by_bundle(tmp_path, wanted=Range(NOW + timedelta(seconds=3), None))
    assert text.startswith("RIGHT: 9 entries in 1 seals")  # nine, though only six were asked for
    limited = Range(regions=[cast.shanghai.pk], region_codes=["CN-SH"])
    lines = [json.loads(line) for line in bundle_lines(limited, site="https://x", now=NOW)]
    shown = [line["entry"] for line in lines if line.get("entry")]
    assert shown and all(str(cast.shanghai.pk) in entry["regions"] for entry in shown)
    assert told_by_bundle(tmp_path, wanted=limited).startswith("RIGHT")
    everything = [json.loads(line) for line in bundle_lines(Range(), site="https://x", now=NOW)]
    everything[5] = {"kind": "entry", "seal": 1, "position": 3, "withheld": True}
    path = tmp_path / "bundle.jsonl"
    path.write_text("\n".join(map(json.dumps, everything)), "utf-8")
    assert told(path).startswith("WRONG: an entry of seal 1, position 3 was removed")


def test_erased_text_leaves_the_proof(sealed: Any, db: None, tmp_path: Path) -> None:
    gone = sealed[1][2].pk
    TrailText.objects.filter(pk=gone).delete()
    erased(sealed[0], reasons=1, texts=[gone])
    found = trail_verify()
    assert (found.problems, found.forgotten) == ([], 1)
    assert "1 with erased text" in told_by_bundle(tmp_path)


def erased(cast: Cast, **said: Any) -> None:
    """The entry that an erasure leaves."""
    trail.record(By(PLATFORM, NOW), "user.erase", cast.people["alice"], after={"mentions": 0, **said})


def test_texts_that_no_erasure_names_are_missed(sealed: Any, db: None) -> None:
    """Erasures named how many until they named which: so many are accounted for, no more, and none
    that was written later."""
    cast, entries = sealed
    erased(cast, reasons=1)
    TrailText.objects.filter(pk=entries[2].pk).delete()
    assert (trail_verify().problems, trail_verify().forgotten) == ([], 1)
    (late,) = write(cast, 1, reason="later")
    TrailText.objects.filter(pk=late.pk).delete()
    assert trail_verify().problems == [Problem(0, 0, "text-removed", str(late.pk))]
    TrailText.objects.filter(pk=entries[5].pk).delete()
    assert trail_verify().problems == [
        Problem(2, 2, "text-removed", str(entries[2].pk)),
        Problem(2, 5, "text-removed", str(entries[5].pk)),
        Problem(0, 0, "text-removed", str(late.pk)),
    ]
    assert str(trail_verify().problems[0]) == (
        f"entry {entries[2].pk} has lost its free text, and no erasure says so (seal 2, position 2)"
    )


# Somebody who holds the database

_INSERT = """
INSERT INTO accounts_trailentry (id, at, actor_id, action, object_type, object_id,
    organisation_ids, region_ids, before, after, request_id, text_digest, digest)
SELECT gen_random_uuid(), at, actor_id, action, object_type, object_id, organisation_ids,
    region_ids, before, after, request_id, NULL, digest FROM accounts_trailentry WHERE id = %s
"""


def _change(e: list[TrailEntry]) -> None:
    sql("UPDATE accounts_trailentry SET after = '{\"n\": 7}' WHERE id = %s", e[4].pk)


def _change_everywhere(e: list[TrailEntry]) -> None:
    """The entry with its digest, and the digest in its place of the seal."""
    entry = TrailEntry.objects.get(pk=e[4].pk)
    entry.after = {"n": 7}
    digest = hashlib.sha256(trail.canonical(entry)).digest()
    sql("UPDATE accounts_trailentry SET after = '{\"n\": 7}', digest = %s WHERE id = %s",
        digest, e[4].pk)  # fmt: skip
    sql("UPDATE accounts_sealedentry SET digest = %s WHERE entry_id = %s", digest, e[4].pk)


def _delete(e: list[TrailEntry]) -> None:
    sql("DELETE FROM accounts_trailentry WHERE id = %s", e[4].pk)


def _delete_with_place(e: list[TrailEntry]) -> None:
    _delete(e)
    sql("DELETE FROM accounts_sealedentry WHERE entry_id = %s", e[4].pk)


def _insert(e: list[TrailEntry]) -> None:
    sql(_INSERT, e[4].pk)


def _reorder(e: list[TrailEntry]) -> None:
    for pk, place in ((e[4].pk, 40), (e[6].pk, 4), (e[4].pk, 6)):
        sql("UPDATE accounts_sealedentry SET position = %s WHERE entry_id = %s", place, pk)


def _text(e: list[TrailEntry]) -> None:
    sql('UPDATE accounts_trailtext SET content = \'{"reason": "x"}\' WHERE entry_id = %s', e[4].pk)


def _actor(e: list[TrailEntry]) -> None:
    sql("UPDATE accounts_trailentry SET actor_id = NULL WHERE id = %s", e[4].pk)


PLACE = "(seal 2, position 4)"


@pytest.mark.parametrize(
    ("tamper", "code", "position", "words"),
    [
        (_change, "changed", 4, "entry {4} was changed"),
        (_actor, "changed", 4, "entry {4} was changed"),
        (_change_everywhere, "changed", 4, "entry {4} was changed"),
        (_delete, "removed", 4, "entry {4} was removed"),
        (_delete_with_place, "removed", 4, "was removed"),
        (_reorder, "moved", 4, "entry {6} was moved"),
        (_text, "text-changed", 4, "entry {4} has a different reason"),
    ],
)
def test_both_verifiers_name_the_place(
    sealed: Any, triggers_off: None, tmp_path: Path, tamper: Any, code: str, position: int,
    words: str,
) -> None:  # fmt: skip
    entries = sealed[1]
    tamper(entries)
    first = trail_verify().problems[0]
    assert (first.code, first.seal, first.position) == (code, 2, position)
    wanted = words.format(*(entry.pk for entry in entries))
    assert wanted.replace("entry ", "", 1) in f"{first.entry} {first}"
    heard = told_by_bundle(tmp_path)
    assert wanted in heard and PLACE in heard


def test_an_entry_that_came_past_the_platform_is_named(
    sealed: Any, triggers_off: None, tmp_path: Path
) -> None:
    before = set(TrailEntry.objects.values_list("pk", flat=True))
    _insert(sealed[1])
    (new,) = set(TrailEntry.objects.values_list("pk", flat=True)) - before
    assert [str(p) for p in trail_verify().problems] == [f"entry {new} was added (in no seal)"]
    assert f"entry {new} was added" in told_by_bundle(tmp_path)
    # With a place in a seal it is named there.
    sql("INSERT INTO accounts_sealedentry (entry_id, seal_id, position, digest)"
        " SELECT id, 2, 9, digest FROM accounts_trailentry WHERE id = %s", new)  # fmt: skip
    assert Problem(2, 9, "changed", str(new)) in trail_verify().problems
    assert f"entry {new} was added (seal 2, position 9)" in told_by_bundle(tmp_path)


@pytest.mark.parametrize(
    ("statement", "place", "words"),
    [
        ("UPDATE accounts_seal SET at = at - interval '1 day' WHERE number = 2",
         (2, "seal"), "seal 2 does not match its digest"),
        ("UPDATE accounts_seal SET root = digest WHERE number = 1", (1, "seal"), "seal 1 does not match"),
        ("UPDATE accounts_seal SET digests = overlay(digests placing '\\x00'::bytea from 40)"
         " WHERE number = 2", (2, "seal"), "seal 2 does not lead to its root"),
        ("DELETE FROM accounts_seal WHERE number = 1", (1, "chain"), "seal 1 was removed"),
    ],
)  # fmt: skip
def test_seals_are_held_against_each_other(
    sealed: Any, triggers_off: None, tmp_path: Path, statement: str, place: Any, words: str
) -> None:
    sql(statement)
    first = trail_verify().problems[0]
    assert (first.seal, first.code) == place
    assert words in told_by_bundle(tmp_path)


def test_history_rewritten_whole_is_betrayed_by_a_digest_that_was_mailed(
    sealed: Any, triggers_off: None, tmp_path: Path
) -> None:
    known = bytes(Seal.objects.get(number=2).digest)
    words = ("--seal", "2", "--digest", known.hex())
    right = told_by_bundle(tmp_path, *words)
    assert "The seal you know is among them" in right and "kept elsewhere" not in right
    assert f"Newest seal: 2, sealed {NOW + timedelta(minutes=5):%Y-%m-%dT%H:%M}" in right
    assert known.hex() in right
    asked = told_by_bundle(tmp_path)
    assert known.hex() in asked and "Compare it with the one that was mailed to auditors" in asked
    assert "/trail/seals/" in asked
    older = ("--seal", "1", "--digest", bytes(Seal.objects.get(number=1).digest).hex())
    assert "after seal 1 is held by no digest" in told_by_bundle(tmp_path, *older)
    _change_everywhere(sealed[1])
    sql("DELETE FROM accounts_sealedentry WHERE seal_id = 2")
    sql("DELETE FROM accounts_seal WHERE number = 2")
    for entry in sealed[1]:
        UnsealedEntry.objects.create(entry_id=entry.pk)
    trail_seal(now=NOW + timedelta(minutes=5))
    assert trail_verify().problems == []
    rewritten = Problem(2, 0, "chain", "does not match the digest known outside")
    assert trail_verify(known=[(2, known)]).problems == [rewritten]
    said = io.StringIO()
    with pytest.raises(CommandError, match="1 places"):
        call_command("verify_trail", f"--expect=2:{known.hex()}", stderr=said)
    assert str(rewritten) in said.getvalue()
    assert seals_like(f"2:{known.hex()}") == []
    assert "history was rewritten" in told_by_bundle(tmp_path, *words)


def _dated_back(cast: Cast, days: int, *, is_id_old: bool) -> str:
    """An entry as the platform would have written it some days ago, inserted past it."""
    then = NOW - timedelta(days=days)
    (new,) = write(cast, 1)
    entry = TrailEntry.objects.get(pk=new.pk)
    fresh = new_id()
    moment = int(then.timestamp() * 1000) << 80
    entry.pk = UUID(int=moment | fresh.int & (2**80 - 1)) if is_id_old else fresh
    entry.at = then
    entry.digest = hashlib.sha256(trail.canonical(entry)).digest()
    TrailEntry.objects.bulk_create([entry])
    return str(entry.pk)


@pytest.mark.parametrize("is_id_old", [True, False])
def test_an_entry_dated_back_is_named_before_and_after_it_is_sealed(
    sealed: Any, db: None, is_id_old: bool
) -> None:
    """It only adds, so no guard refuses it, and the next seal takes it in."""
    new = _dated_back(sealed[0], 270, is_id_old=is_id_old)
    assert trail_verify().problems == [Problem(0, 0, "misdated", new)]
    trail_seal(now=NOW + timedelta(minutes=10))
    (problem,) = trail_verify().problems
    assert (problem.seal, problem.code, problem.entry) == (3, "misdated", new)
    assert f"entry {new} was written at a different time than it says (seal 3" in str(problem)


def test_an_id_of_the_future_is_named(sealed: Any, db: None) -> None:
    """It would keep the nightly rules from reading anything before it."""
    new = _dated_back(sealed[0], -2, is_id_old=True)
    trail_seal(now=NOW + timedelta(minutes=10))
    assert [(p.code, p.entry) for p in trail_verify().problems] == [("misdated", new)]


def test_what_waited_long_for_its_seals_is_as_it_should_be(
    sealed: Any, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was sealed for three days; then full seals follow each other, the last a minute
    after the others."""
    for module in ("accounts.services.seals", "accounts.selectors.verification"):
        monkeypatch.setattr(f"{module}.MOST", 9)
    trail_seal(now=NOW - timedelta(days=3))
    write(sealed[0], 20)
    with monkeypatch.context() as once:
        once.setattr("accounts.services.seals.SealFacts", None)
        with pytest.raises(TypeError):
            trail_seal(now=NOW)
    assert len(trail_seal(now=NOW + timedelta(minutes=3))) == 3
    assert trail_verify().problems == []


# Guards


@pytest.mark.parametrize(
    ("statement", "code", "names"),
    [
        ("DROP TRIGGER trailentry_append_only ON accounts_trailentry", "guard",
         ["trailentry_append_only on accounts_trailentry"]),
        ("ALTER TABLE bookings_posting DISABLE TRIGGER posting_balanced", "guard",
         ["posting_balanced on bookings_posting"]),
        ("ALTER TABLE accounts_seal ENABLE REPLICA TRIGGER seal_no_truncate", "guard",
         ["seal_no_truncate on accounts_seal"]),
        # The name is there, on another table.
        ("DROP TRIGGER seal_append_only ON accounts_seal; CREATE TRIGGER seal_append_only BEFORE"
         " UPDATE OR DELETE ON accounts_region FOR EACH ROW EXECUTE FUNCTION trail_refuse()",
         "guard", ["seal_append_only on accounts_seal"]),
        # It is there, and does nothing, or not always.
        ("CREATE OR REPLACE TRIGGER grant_still_within_budget AFTER UPDATE ON bookings_vouchergrant"
         " FOR EACH ROW WHEN (NEW.amount < OLD.amount) EXECUTE FUNCTION grant_within_budget()",
         "guard", ["grant_still_within_budget on bookings_vouchergrant"]),
        ("CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS"
         " 'BEGIN RETURN coalesce(NEW, OLD); END'", "guard",
         [f"{name} on bookings_{name.split('_')[0]}" for name in (
             "accountrule_append_only", "accountrule_no_truncate", "bankcredit_append_only",
             "bankcredit_no_truncate", "journalline_append_only", "journalline_no_truncate",
             "journalmonth_append_only", "journalmonth_no_truncate",
             "ledgerentry_append_only", "ledgerentry_no_truncate", "posting_append_only",
             "posting_no_truncate", "pursetransfer_append_only", "pursetransfer_no_truncate")]),
        ("CREATE OR REPLACE TRIGGER trailtext_no_update BEFORE UPDATE ON accounts_trailtext"
         " FOR EACH ROW WHEN (OLD.salt IS NULL) EXECUTE FUNCTION trail_refuse()", "guard",
         ["trailtext_no_update on accounts_trailtext"]),
        ("CREATE OR REPLACE TRIGGER trailtext_no_update BEFORE INSERT ON accounts_trailtext"
         " FOR EACH ROW EXECUTE FUNCTION trail_refuse()", "guard",
         ["trailtext_no_update on accounts_trailtext"]),
        ("CREATE TRIGGER quiet BEFORE INSERT ON accounts_seal FOR EACH ROW"
         " EXECUTE FUNCTION trail_refuse()", "bypass", ["the trigger quiet on accounts_seal"]),
        ("CREATE RULE quiet AS ON UPDATE TO accounts_seal DO INSTEAD NOTHING", "bypass",
         ["the rule quiet on accounts_seal"]),
        ("ALTER TABLE bookings_posting ENABLE ROW LEVEL SECURITY", "bypass",
         ["row security on bookings_posting"]),
        ("DO $$BEGIN EXECUTE format('ALTER DATABASE %%I SET session_replication_role = replica',"
         " current_database()); END$$", "bypass", ["the setting session_replication_role=replica"]),
        ("ALTER TABLE bookings_statement DROP CONSTRAINT statement_number", "guard",
         ["statement_number on bookings_statement"]),
        ("DROP INDEX charge_one_in_force", "guard", ["charge_one_in_force on bookings_charge"]),
        ("ALTER TABLE bookings_charge DROP CONSTRAINT charge_sums; ALTER TABLE bookings_charge"
         " ADD CONSTRAINT charge_sums CHECK (total < 0) NOT VALID", "guard",
         ["charge_sums on bookings_charge"]),
    ],
)  # fmt: skip
def test_a_guard_that_is_gone_off_or_other_is_named(
    sealed: Any, db: None, statement: str, code: str, names: list[str]
) -> None:
    assert trail_verify().problems == []
    sql(statement)
    assert [(p.code, p.entry) for p in trail_verify().problems] == [(code, n) for n in names]


def test_a_foreign_key_that_is_switched_off_is_named(sealed: Any, db: None) -> None:
    sql("ALTER TABLE bookings_charge DISABLE TRIGGER ALL")
    names = [p.entry for p in trail_verify().problems]
    names.remove("charge_modified on bookings_charge")
    assert names and all(
        name.startswith("foreign key RI_") and name.endswith(" on bookings_charge") for name in names
    )


def test_every_trigger_of_the_database_is_one_of_the_migrations(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT t.tgname, c.relname FROM pg_trigger t JOIN pg_class c"
                       " ON c.oid = t.tgrelid WHERE NOT t.tgisinternal")  # fmt: skip
        assert set(cursor.fetchall()) == set(migrated_triggers())
    assert len(migrated_triggers()) >= 14


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_rolegrant SET role = 'finance' WHERE id = %s",
        "UPDATE accounts_rolegrant SET revoked_at = now() WHERE id = %s",
        "DELETE FROM accounts_rolegrant WHERE id = %s",
    ],
)
def test_a_role_changed_past_the_platform_is_named(sealed: Any, db: None, statement: str) -> None:
    grant = RoleGrant.objects.filter(role="manager").first()
    assert grant is not None
    sql(statement, grant.pk)
    (problem,) = trail_verify().problems
    assert (problem.code, problem.entry) == ("role", str(grant.pk))
    assert str(problem) == f"the role {grant.pk} differs from what the trail says"


def test_a_role_nobody_granted_is_named(sealed: Any, db: None) -> None:
    grant = RoleGrant.objects.create(user=sealed[0].people["alice"], role="administrator", granted_at=NOW)
    assert trail_verify().problems == [Problem(0, 0, "role", str(grant.pk))]


# Digests that lie outside


@pytest.mark.parametrize("is_chained_anew", [True, False])
def test_a_history_rewritten_or_cut_off_is_betrayed_by_what_was_mailed(
    sealed: Any, triggers_off: None, is_chained_anew: bool
) -> None:
    """Nobody types a digest: those that went to auditors by mail are held against the chain."""
    sql("SET LOCAL session_replication_role = origin")
    assert seals_tell(now=NOW) == 1
    sql("SET LOCAL session_replication_role = replica")
    for entry in sealed[1] if is_chained_anew else []:
        UnsealedEntry.objects.create(entry_id=entry.pk)
    sql("DELETE FROM accounts_sealedentry WHERE seal_id = 2")
    sql("DELETE FROM accounts_seal WHERE number = 2")
    if is_chained_anew:
        _change_everywhere(sealed[1])
        trail_seal(now=NOW + timedelta(minutes=5))
    else:
        sql("DELETE FROM accounts_trailtext WHERE entry_id = ANY(%s)", [e.pk for e in sealed[1]])
        sql("DELETE FROM accounts_trailentry WHERE id = ANY(%s)", [e.pk for e in sealed[1]])
    assert trail_verify().problems == [Problem(2, 0, "chain", "does not match the digest known outside")]


@pytest.mark.parametrize("text", ["7", "7:ab", "x:" + "ab" * 32, "7:" + "zz" * 32, "1" * 10])
def test_what_is_no_seal_is_refused(db: None, text: str) -> None:
    with pytest.raises(Invalid) as refused:
        seals_like(text)
    assert [(p.field, p.code) for p in refused.value.problems] == [("seal", "not-a-seal")]
    with pytest.raises(CommandError, match="NUMBER:DIGEST"):
        call_command("verify_trail", f"--expect={text}")


def test_the_commands(sealed: Any, triggers_off: None, tmp_path: Path) -> None:
    said, path = io.StringIO(), tmp_path / "trail.jsonl.gz"
    write(sealed[0], 1)
    for entry in TrailEntry.objects.filter(sealed=None):
        UnsealedEntry.objects.create(entry_id=entry.pk)  # as the trigger does, where it is on
    call_command("export_trail", path, stdout=said)
    assert told(path).startswith(f"RIGHT: {TrailEntry.objects.count()} entries in 3 seals")
    call_command("seal_trail", stdout=said)
    call_command("verify_trail", stdout=said)
    newest = Seal.objects.get(number=3)
    named = f"{newest.at:%Y-%m-%dT%H:%M:%SZ}, SHA-256 {newest.digest.hex()}"
    assert f"newest seal is 3, of {named}" in said.getvalue()
    assert "Compare it with the last one that was sent" in said.getvalue()
    for number, words in ((3, "It is the expected one"), (2, "after it is not covered by")):
        held = bytes(Seal.objects.get(number=number).digest).hex()
        call_command("verify_trail", f"--expect={number}:{held}", stdout=(hears := io.StringIO()))
        assert words in hears.getvalue() and "Compare" not in hears.getvalue()
    assert "Everything was sealed already." in said.getvalue()
    assert f"{TrailEntry.objects.count()} entries in 3 seals are unchanged" in said.getvalue()
    with pytest.raises(CommandError):
        call_command("export_trail", path, since="yesterday")
    _change(sealed[1])
    with pytest.raises(CommandError, match="1 places"):
        call_command("verify_trail", stderr=said)
    assert f"entry {sealed[1][4].pk} was changed (seal 2, position 4)" in said.getvalue()


def test_the_nightly_job_fails_where_something_is_wrong(sealed: Any, triggers_off: None) -> None:
    trail_found_right()
    _delete(sealed[1])
    with pytest.raises(TrailWrong, match=f"entry {sealed[1][4].pk} was removed.*1 in all"):
        trail_found_right()
