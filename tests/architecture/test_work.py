"""What workers do, as the areas state it."""

import ast
import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from textwrap import dedent

import pytest
from django.db import transaction

from accounts.areas import areas_load
from accounts.domain.jobs import CALLS
from accounts.models import OutboxMessage
from accounts.notifications import Effect, enqueue
from accounts.selectors.messages import all_topics
from accounts.work import effects, jobs, kept, letters, tasks, timetable
from bookings.areas import PACKAGES
from bookings.messaging.selectors.webhooks import all_events, events_by_effect
from bookings.overview.services.effects import effects_carry_out
from config.templatetags.operations import job
from instruments.managing.selectors.misfits import finders, load_misfits
from tests.factories.cast import NOW, Cast

ROOT = Path(__file__).parents[2]
type Calls = dict[str, list[ast.Call]]
METEORITES = {
    "__init__": "",
    "area": """
        from accounts.areas import Area
        from accounts.domain.hooks import HookEvent
        from accounts.domain.jobs import CALLS
        from accounts.domain.messages import Topic
        from instruments.managing.selectors.misfits import finders

        AREA = Area(
            "meteorites",
            topics=(Topic("meteorite", "Meteorites", "one has fallen", 15),),
            lanes={"fall": CALLS},
            events=(HookEvent("meteorite.fallen", "a meteorite falls", 5, ("meteorite.seen",), list, {}),),
            joins=((finders, lambda *about: ["a crater"]),),
        )
        """,
    "tasks": """
        from datetime import timedelta

        from accounts.letters.kinds import Kind, table
        from accounts.work import Job, Kept, Tasks

        HEARD = []
        SEEN = Kind(
            "meteorite.seen", "Seen", topic="meteorite", load=len, readers=list, content=len, template="x"
        )
        TASKS = Tasks(
            jobs=(Job("meteorites.tasks.look", "look up", "Looking up", 60.0, HEARD.append),),
            effects={"fall": lambda row, now: HEARD.append(row.kind) or "done"},
            letters=(table(SEEN),),
            keeps=(Kept("craters", "Craters", timedelta(days=9), "made"),),
        )
        """,
}


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """An area that lies elsewhere and is only named where areas are; what its effects have done."""
    (tmp_path / "meteorites").mkdir()
    for name, text in METEORITES.items():
        (tmp_path / "meteorites" / f"{name}.py").write_text(dedent(text))
    monkeypatch.syspath_prepend(tmp_path)
    before = list(finders)
    areas_load([*PACKAGES, "meteorites"])
    tasks()
    yield sys.modules["meteorites.tasks"].HEARD
    areas_load(PACKAGES)
    for name in ("meteorites", "meteorites.area", "meteorites.tasks"):
        del sys.modules[name]
    assert finders == before and "look up" not in jobs()


@pytest.mark.django_db
def test_a_made_up_area_is_found_everywhere(made_up: list[str], cast: Cast) -> None:
    assert timetable()["look up"]["task"] == "meteorites.tasks.look" and job("look up") == "Looking up"
    assert list(all_topics())[:3] == ["confirmation", "meteorite", "request"]
    assert next(iter(all_events())) == "meteorite.fallen"
    assert [kind.topic for kind in letters()["meteorite.seen"]] == ["meteorite"]
    assert kept()[-1].span == timedelta(days=9)
    assert load_misfits(cast.microscope, NOW) == ["a crater"]
    with transaction.atomic():
        enqueue([Effect("fall.heard", "fall")], now=NOW)
    assert OutboxMessage.objects.get(kind="fall.heard").lane == CALLS
    effects_carry_out(now=NOW, lane=CALLS)
    assert made_up == ["fall.heard"]


def test_no_area_takes_what_another_has() -> None:
    assert (
        len(jobs()) == len({job.task for job in jobs().values()}) == sum(len(each.jobs) for each in tasks())
    )
    assert len(effects()) == sum(len(each.effects) for each in tasks())
    names = [name for each in tasks() for table in each.letters for name in table]
    assert len(names) == len(set(names))
    assert not {kind.partition(".")[0] for kind in letters()} & set(effects())


def test_messages_have_topics_that_people_can_choose_and_events_effects_that_tell_of_them() -> None:
    assert {kind.topic for kinds in letters().values() for kind in kinds} == set(all_topics())
    told = {kind for kind in events_by_effect() if kind.partition(".")[0] not in effects()}
    # Without a letter: those of instruments, sessions that begin or end by themselves, charges of nothing,
    # that become final or are reduced, disputes that are withdrawn, payments, needs, and charges that
    # change as a no-show is removed.
    assert told <= set(letters()) and len(told) == len(events_by_effect()) - 11


def test_each_effect_that_is_enqueued_has_an_area_that_carries_it_out() -> None:
    wanted = set(_enqueued())
    assert len(wanted) > 80 and {"slot.freed", "hours.dirty", "people.invitation"} <= wanted
    unknown = [
        kind for kind in wanted
        if kind.partition(".")[0] not in effects()
        and not any(re.fullmatch(kind, known) for known in letters())
    ]  # fmt: skip
    assert unknown == []


def _enqueued() -> Iterator[str]:
    """Yield the kinds of all effects as patterns, with `.+` for what is not written out."""
    apps = ("accounts", "instruments", "bookings")
    for folder in (path for app in apps for path in (ROOT / app).rglob("services")):
        texts = [path.read_text("utf-8") for path in folder.rglob("*.py")]
        for text in (text for text in texts if "Effect(" in text):
            within = _calls(ast.parse(text))
            for function in ast.walk(ast.parse(text)):
                if isinstance(function, ast.FunctionDef):
                    calls = within.get(function.name, [])
                    for node in _calls(function).get("Effect", []):
                        if not function.name.startswith("_"):  # its neighbours call it, too
                            calls = [
                                c for each in texts for c in _calls(ast.parse(each)).get(function.name, [])
                            ]
                        yield from _patterns(_argument(node, 0, "kind"), function, calls)


def _calls(tree: ast.AST) -> Calls:
    calls: Calls = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            calls.setdefault(getattr(node.func, "id", getattr(node.func, "attr", "")), []).append(node)
    return calls


def _argument(call: ast.Call, position: int, name: str) -> ast.expr:
    named = [keyword.value for keyword in call.keywords if keyword.arg == name]
    return named[0] if named else call.args[position]


def _patterns(value: ast.expr, function: ast.FunctionDef, calls: list[ast.Call]) -> Iterator[str]:
    match value:
        case ast.Constant(str(text)):
            yield text
        case ast.IfExp():
            yield from _patterns(value.body, function, calls)
            yield from _patterns(value.orelse, function, calls)
        case ast.JoinedStr():
            parts = [part.value if isinstance(part, ast.Constant) else ".+" for part in value.values]
            yield "".join(str(part) for part in parts)
        case ast.Name(name):
            given = [argument.arg for argument in function.args.args]
            if name in given:
                for call in calls:
                    yield from _patterns(_argument(call, given.index(name), name), function, calls)
            for node in ast.walk(function):
                if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
                    yield from _patterns(node.value, function, calls)
        case _:
            raise AssertionError(
                f"{function.name}: write the kind out, or its first part: {ast.unparse(value)}"
            )
