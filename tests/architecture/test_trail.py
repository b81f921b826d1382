"""Every service that changes something writes to the trail in the same transaction.

Read from the source: from each function that nothing else in `services/` calls, everything it
may come to is looked through; where that writes, it must also come to `trail.record…`. What no
service calls but is written to all the same is named below, with the reason.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from accounts.areas import areas
from accounts.work import effects
from tests.architecture.test_writes import APPS, ROOT, writes

type Name = tuple[str, str]  # file, function

# What is not a change of anybody's record.
WITHOUT = {
    "idempotent": "answers kept for a day, so that a request sent twice is carried out once",
    "mails_carry_out": "letters of the outbox, whose causes are in the trail",
    "records_remove": "what has been kept as long as the one table says",
    "feed_refresh": "computed from opening hours, bookings and prices, whose changes are in the trail",
    "texts_forget": "the term that its module states; the texts are gone from then on",
    "token_touch": "when a token was last used",
    "directory_writing": "when a directory came; what it does is recorded by what carries it out",
    "demo_address_vouch": "the demonstration alone",
    "demand_searched": "counted for statistics",
    "statements_remind": "when the timetable reminded of a statement; the messages are in the outbox",
    "searches_tell": "what somebody was told of; the mail is in the outbox",
    "hosts_review": "counted from bookings, which are in the trail",
    "calendar_extend": "computed from opening hours, whose change is in the trail",
    "register_file": "the index of the search",
    "register_refile": "the same",
    "holidays_follow": "computed from a region's holiday calendar, whose change is in the trail",
    "searches_follow": "a code that others changed, which is in the trail",
    "hours_roll_up": "computed from sessions and closures",
    "session_renew": "the same session under another key",
    "exports_work": "files of figures, whose asking is in the trail",
    "run_begin": "when the timetable's jobs ran",
    "run_end": "the same",
    "messages_read": "what somebody has read in their own inbox",
    "messages_opened": "the same, by opening what a message is about",
    "thread_read": "what somebody has read of a conversation",
    "bundles_work": "files that were asked for; asking is in the trail",
    "calendar_read": "when a person is busy elsewhere, which is nobody else's affair",
    "upload_begin": "files on their way, which the seal names in the trail",
    "upload_write": "the same",
    "reservation_answer_file": "a file on its way, which the answers name in the trail",
    "view_save": "how somebody likes to see a list, which is nobody else's affair",
    "view_delete": "the same",
    "list_create": "which instruments somebody keeps for themselves, which is nobody else's affair",
    "list_rename": "the same",
    "list_delete": "the same",
    "entry_keep": "the same",
    "entry_note": "the same",
    "entry_remove": "the same",
    "star_remove": "the same",
    "trail_seal_now": "seals are the trail's own",
}


def services() -> dict[Name, ast.FunctionDef]:
    found = {}
    for app in APPS:
        for path in (ROOT / app).rglob("services/**/*.py"):
            if "demo" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.FunctionDef):
                    found[str(path.relative_to(ROOT)), node.name] = node
    return found


FUNCTIONS = services()
NAMED: dict[str, list[Name]] = {}
for name in FUNCTIONS:
    NAMED.setdefault(name[1], []).append(name)


def called_by(name: Name) -> set[Name]:
    """What a function names; of functions of one name those of its own file, or all."""
    found: set[Name] = set()
    for node in ast.walk(FUNCTIONS[name]):
        word = node.id if isinstance(node, ast.Name) else getattr(node, "attr", None)
        if word in NAMED:
            own = [other for other in NAMED[word] if other[0] == name[0]]
            found |= set(own or NAMED[word])
    return found - {name}


CALLS = {name: called_by(name) for name in FUNCTIONS}


def reached(start: Name) -> Iterator[Name]:
    seen, ahead = set(), [start]
    while ahead:
        here = ahead.pop()
        if here not in seen:
            seen.add(here)
            yield here
            ahead += CALLS[here]


def called_for_others() -> set[str]:
    """Name what carries out effects, whose causes are in the trail, and what closing an account or an
    organisation calls, which records."""
    for_areas = [f for area in areas() for f in (*area.forgets, *(each.closes for each in area.merges))]
    called = [f for f in (*effects().values(), *for_areas) if f]
    return {name for f in called for name in (f.__name__, *f.__code__.co_names)}


def test_every_service_that_writes_records() -> None:
    inner = set().union(*CALLS.values(), *(NAMED.get(name, ()) for name in called_for_others()))
    silent = set()
    for name in FUNCTIONS.keys() - inner:
        parts = [FUNCTIONS[part] for part in reached(name)]
        does_write = any(True for part in parts for _ in writes(part))
        if does_write and not any("trail.record" in ast.unparse(part) for part in parts):
            silent.add(name[1])
    assert silent - WITHOUT.keys() == set()


def test_the_finder_finds() -> None:
    assert len(FUNCTIONS) > 400
    service = next(name for name in FUNCTIONS if name[1] == "reservation_cancel")
    assert len(list(reached(service))) > 5
    assert Path(service[0]).name == "reservations.py"
