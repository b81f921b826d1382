"""Nothing outside services, the trail and the outbox's entrance writes; foreign keys follow the
order of the apps."""

import ast
from pathlib import Path

from django.apps import apps
from django.core.management import call_command

ROOT = Path(__file__).parents[2]
APPS = ("accounts", "instruments", "bookings")
MAY_WRITE = {"services", "migrations"}
MAY_WRITE_FILES = {
    "accounts/trail.py",
    "accounts/notifications.py",
    "accounts/models/users.py",
    # Files, not rows.
    "instruments/attachments/adapters/files.py",
    "instruments/attachments/adapters/pictures.py",
}
WRITES = {"bulk_create", "bulk_update", "update_or_create", "get_or_create", "select_for_update"}
ON_QUERYSETS = {"create", "update", "delete"}


def writes(tree):
    """Line and name of each call that writes to the database, as far as it can be told."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        name, receiver = node.func.attr, ast.unparse(node.func.value)
        is_queryset = ".objects" in receiver or ".filter(" in receiver
        if (
            name in WRITES
            or (name in ON_QUERYSETS and is_queryset)
            or (name == "save" and receiver != "super()" and not node.args)  # with one: a document to a file
            or (name == "delete" and not node.args)
        ):
            yield node.lineno, f"{receiver}.{name}"


def test_only_services_write():
    found = []
    for app in APPS:
        for path in (ROOT / app).rglob("*.py"):
            inside = path.relative_to(ROOT)
            if MAY_WRITE.intersection(inside.parts) or str(inside) in MAY_WRITE_FILES:
                continue
            # Locks are taken there and in services alone; a story writes what would take years.
            if inside.name in {"locks.py", "story.py"}:
                continue
            found += [f"{inside}:{line} {call}" for line, call in writes(ast.parse(path.read_text("utf-8")))]
    assert found == []


def test_the_finder_finds():
    tree = ast.parse("row.save()\nModel.objects.filter(pk=1).delete()\nx.objects.create(a=1)")
    assert len(list(writes(tree))) == 3


def test_foreign_keys_follow_the_order_of_the_apps():
    order = {app: index for index, app in enumerate(APPS)}
    for app in APPS:
        for model in apps.get_app_config(app).get_models():
            for field in model._meta.get_fields():
                if not (field.is_relation and field.concrete) or field.related_model is None:
                    continue
                target = field.related_model._meta.app_label
                if target in order:
                    assert order[target] <= order[app], f"{model.__name__}.{field.name}"


def test_every_change_of_a_model_has_its_migration(db):
    # `migrate` would otherwise tell an operator to make one.
    call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)
