"""`install.sh --ask`: what it asks, what it refuses, and what it writes with which modes."""

import os
import shlex
import shutil
import stat
import subprocess
import sys

import yaml

from config import env
from config.operations import first_settings

ANSWERS = """# of our machine
SITE_URL=https://instruments.example.org
SITE_NAME=Sharing of Anhui
ADMINISTRATOR_EMAIL=admin@example.org
MAIL_HOST=smtp.example.org
MAIL_TLS=1
MAIL_USER=commons
MAIL_PASSWORD=it's "$ecret"
TIME_ZONE=Asia/Shanghai
"""


def run(folder, answers, *more):
    """`install.sh --ask -` of an installed release, in an environment without settings: its exit code and
    its words on both streams."""
    release = folder.parent / "release"
    if not release.exists():
        release.mkdir()
        for name, there in {"config": env.ROOT / "config", "deploy": env.ROOT / "deploy", "venv": sys.prefix,
                            "install.sh": env.ROOT / "deploy/install.sh"}.items():  # fmt: skip
            (release / name).symlink_to(there)
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    done = subprocess.run(
        ["sh", str(release / "install.sh"), "--ask", "-", *more],
        input=answers, text=True, capture_output=True, check=False, env=kept | {"SETTINGS": str(folder)},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def values(path):
    lines = path.read_text("utf-8").splitlines()
    pairs = (line.split("=", 1) for line in lines if line and line[0] != "#")
    return {name: "".join(shlex.split(value)) for name, value in pairs}


def test_answers_become_settings_that_processes_read_and_only_root(tmp_path, monkeypatch):
    folder = tmp_path / "etc"
    code, said = run(folder, ANSWERS)
    assert code == 0, said
    assert "manage setup" in said and "manage doctor" in said and "ecret" not in said
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes.pop("setup.yaml") in {0o600, 0o640}
    assert modes == dict.fromkeys(("instrument-commons.env", "owner.env", "backup.env", "roles.sql"), 0o600)
    written = values(folder / "instrument-commons.env")
    for name, value in written.items():
        monkeypatch.setenv(name, value)
    assert env.site(False)[0] == "https://instruments.example.org"
    assert env.mail() | {"timeout": 0} == {
        "host": "smtp.example.org", "port": 587, "username": "commons", "password": "it's \"$ecret\"",
        "use_tls": True, "use_ssl": False, "timeout": 0,
    }  # fmt: skip
    assert env.sender() == "Sharing of Anhui <no-reply@instruments.example.org>"
    assert (env.zone("TIME_ZONE", ""), len(env.secret_key(False))) == ("Asia/Shanghai", 64)
    roles = (folder / "roles.sql").read_text()
    assert "'choose-one'" not in roles and values(folder / "owner.env")["DATABASE_URL"] not in said
    for role, name in first_settings.ROLES.items():
        settings = env.database(values(folder / name)["DATABASE_URL"], {})
        assert settings["USER"] == f"commons_{role}"
        assert f"commons_{role} LOGIN PASSWORD '{settings['PASSWORD']}'" in roles
    first = yaml.safe_load((folder / "setup.yaml").read_text("utf-8"))
    assert first["administrator"] == {"email": "admin@example.org", "name": "Administrator"}

    # Nothing is overwritten unless told, and then the key, passwords and what was added stay.
    with (folder / "instrument-commons.env").open("a", encoding="utf-8") as file:
        file.write("METRICS_TOKEN=added\n")
    written |= {"METRICS_TOKEN": "added"}
    assert run(folder, ANSWERS)[0] == first_settings.REFUSED
    assert values(folder / "instrument-commons.env") == written
    assert run(folder, "MAIL_HOST=post.example.org\n", "--overwrite")[0] == 0
    assert values(folder / "instrument-commons.env") == written | {"MAIL_HOST": "post.example.org"}


def test_all_that_is_wrong_is_named_and_nothing_is_written(tmp_path):
    wrong = ANSWERS.replace("https://", "http://").replace("admin@", "admin at ").replace("Asia/", "Mars/")
    code, said = run(tmp_path / "etc", f"{wrong}MAIL_PORT=many\nDATABASE=postgresql://a:b@c/d\nCOLOUR=red\n")
    assert code == first_settings.WRONG
    for words in (
        "SITE_URL must begin with https://", "ADMINISTRATOR_EMAIL must be", "TIME_ZONE must be a time zone",
        "MAIL_PORT must be", "DATABASE must look like", "COLOUR is not asked for", "Nothing was written.",
    ):  # fmt: skip
        assert words in said
    assert said.count("MAIL_PORT") == 1 and "Traceback" not in said
    code, said = run(tmp_path / "etc", "SITE_NAME=Ours\n")
    assert code == first_settings.WRONG and "SITE_URL is missing" in said
    assert not (tmp_path / "etc").exists()


def test_at_a_terminal_a_question_is_asked_until_its_answer_is_right(tmp_path, monkeypatch, capsys):
    for name in ("MAIL_HOST", "MAIL_TLS", "MAIL_SSL", "MAIL_PORT", "MAIL_USER", "MAIL_FROM", "TIME_ZONE",
                 "DATABASE", "REDIS_URL", "SITE_URL", "SITE_NAME", "ADMINISTRATOR_EMAIL",
                 "ADMINISTRATOR_NAME"):  # fmt: skip
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    typed = iter(["instruments", "https://instruments.example.org", "Ours", "nobody", "a@example.org", ""])
    monkeypatch.setattr("builtins.input", lambda _: next(typed, ""))
    monkeypatch.setattr(first_settings, "getpass", lambda _: "")
    monkeypatch.setattr(sys, "argv", ["ask", str(tmp_path / "etc")])
    assert first_settings.main() == 0
    said = capsys.readouterr().out
    assert said.count("SITE_URL must look like") == said.count("ADMINISTRATOR_EMAIL must be") == 1
    assert values(tmp_path / "etc/instrument-commons.env")["MAIL_PORT"] == "25"
    # Said to be there already, and left.
    assert first_settings.main() == first_settings.REFUSED


def test_a_password_with_marks_reaches_the_database_and_the_shell(tmp_path):
    url = "postgresql://commons_owner:it%27s%20%24x@127.0.0.1:5432/commons?options=a&b=c"
    given = {"SITE_URL": "https://x.example", "SITE_NAME": "x", "ADMINISTRATOR_EMAIL": "a@x.example",
             "ADMINISTRATOR_NAME": "x", "DATABASE": "127.0.0.1:5432/commons?a=1&b=2",
             "REDIS_URL": "redis://:x@127.0.0.1/0"}  # fmt: skip
    made = first_settings.files(given, {"owner.env": {"DATABASE_URL": url}}, "")
    assert "commons_owner LOGIN PASSWORD 'it''s $x'" in made["roles.sql"]
    (tmp_path / "owner.env").write_text(made["owner.env"])
    said = subprocess.run(
        ["sh", "-c", '. ./owner.env && printf %s "$DATABASE_URL"'], cwd=tmp_path, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert said.stdout == "postgresql://commons_owner:it%27s%20%24x@127.0.0.1:5432/commons?a=1&b=2"
    assert said.stderr == ""


def test_files_are_named_from_where_it_is_called(tmp_path):
    release, here = tmp_path / "release", tmp_path / "here"
    (release / "venv/bin").mkdir(parents=True)
    here.mkdir()
    shutil.copy(env.ROOT / "deploy/install.sh", release)
    for name, text in {"granian": "", "python": 'shift 2\necho "$(umask)" "$@"\n'}.items():
        (release / "venv/bin" / name).write_text(f"#!/bin/sh\n{text}")
        (release / "venv/bin" / name).chmod(0o755)
    said = subprocess.run(
        ["sh", "-c", "umask 027; sh ../release/install.sh --ask --overwrite answers"], cwd=here,
        env=os.environ | {"SETTINGS": "etc"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout == f"0022 {here}/etc --overwrite {here}/answers\n"
