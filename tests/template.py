"""A database with all tables, which each test process copies instead of migrating its own."""

import hashlib
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

import psycopg
from django.apps import apps
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "commons_template_"
LOCK = 20_261_125  # of whoever looks for the template or makes it


def template_database(server: dict[str, object]) -> str:
    """Its name; made anew when a migration has changed, which removes the one before."""
    name = PREFIX + _digest()
    making = name + "_making"
    user, password = quote(str(server["USER"])), quote(str(server["PASSWORD"]))
    at = f"postgresql://{user}:{password}@{server['HOST']}:{server['PORT']}"
    with psycopg.connect(f"{at}/postgres", autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        found = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [PREFIX + "%"])
        there = {row[0] for row in found}
        if name not in there:
            for old in there:
                connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(old)))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(making)))
            env = os.environ | {"DATABASE_URL": f"{at}/{making}"}
            subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=env, check=True)
            connection.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(making), sql.Identifier(name))
            )
    return name


def _digest() -> str:
    """Of what the tables follow from: the migrations of ours, and Django's and allauth's by
    their versions."""
    read = hashlib.sha256()
    for package in ("django", "django-allauth"):
        read.update(version(package).encode())
    for config in apps.get_app_configs():
        folder = Path(config.path) / "migrations"
        if ROOT in folder.parents and ".venv" not in folder.parts:
            for path in sorted(folder.glob("*.py")):
                read.update(path.name.encode() + path.read_bytes())
    return read.hexdigest()[:20]
