"""The wrapper of commands: settings as units read them, as their user, from any folder."""

import os
import pwd
import subprocess
import sys
from pathlib import Path
from tempfile import gettempdir

import pytest

from config.operations.commands import environment_file, settings_of

ROOT = Path(__file__).parents[3]


def test_a_file_of_settings_is_read_as_systemd_reads_it():
    assert environment_file(
        "# MAIL_HOST=no\n"
        " ; nor this\n"
        "no line\n"
        "SITE_URL=https://x.example \n"
        'MAIL_FROM="Instrument Commons <no-reply@x.example>"\n'
        "SECRET_KEY='a $HOME \"b\" \\c'\n"
        'MAIL_PASSWORD="a\\"b\\\\c\\d$e" \n'
        "TIME_ZONE=Asia/\\\nShanghai\n"
        "DATABASE_URL=postgresql://a:b%20c@h/d?x=1&y=#2\n"
        'SIGN_IN_OIDC=\'[{"id": "uni",\n "name": "University"}]\'\r\n'
        "EMPTY=\n"
        "SITE_URL=https://y.example"
    ) == {
        "SITE_URL": "https://y.example",
        "MAIL_FROM": "Instrument Commons <no-reply@x.example>",
        "SECRET_KEY": 'a $HOME "b" \\c',
        "MAIL_PASSWORD": 'a"b\\c\\d$e',
        "TIME_ZONE": "Asia/Shanghai",
        "DATABASE_URL": "postgresql://a:b%20c@h/d?x=1&y=#2",
        "SIGN_IN_OIDC": '[{"id": "uni",\n "name": "University"}]',
        "EMPTY": "",
    }
    example = environment_file((ROOT / "deploy/instrument-commons.env").read_text("utf-8"))
    assert example["MAIL_FROM"] == "Instrument Commons <no-reply@instruments.example.org>"


@pytest.fixture
def etc(tmp_path):
    """A folder of settings as deploy/README.md makes it, but for readers besides root."""
    text = "DATABASE_URL=web\nMETRICS_TOKEN=t\nMETRICS_TOKEN_FILE=/f\nSECRET_KEY=k\n"
    (tmp_path / "instrument-commons.env").write_text(text)
    for name in ("owner", "backup", "restore"):
        (tmp_path / f"{name}.env").write_text(f"DATABASE_URL={name}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "database", "command"),
    [
        (["doctor"], "web", ["doctor"]),
        (["migrate", "--plan"], "owner", ["migrate", "--plan"]),
        (["backup", "there"], "backup", ["backup", "there"]),
        (["restore", "there"], "restore", ["restore", "there"]),
        (["--with", "owner", "check"], "owner", ["check"]),
        ([], "web", []),
    ],
)
def test_each_command_has_the_settings_of_its_unit_and_no_others(etc, monkeypatch, words, database, command):
    monkeypatch.setenv("MAIL_HOST", "of whoever calls")
    env, rest = settings_of(words, etc)
    assert (env["DATABASE_URL"], env["SECRET_KEY"], rest) == (database, "k", command)
    assert not {"METRICS_TOKEN", "METRICS_TOKEN_FILE", "MAIL_HOST"} & env.keys()


WHO = """
import os, sys
mask = os.umask(0)
print(os.getuid(), oct(mask), os.getcwd(), os.environ["SECRET_KEY"], *sys.argv[1:])
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root becomes another user")
def test_root_calls_it_from_any_folder_and_the_user_of_the_units_runs_it(etc, tmp_path_factory):
    release, elsewhere = tmp_path_factory.mktemp("release"), tmp_path_factory.mktemp("elsewhere")
    # Those of pytest are its user's own; each process of a run has one more.
    private = [
        folder for folder in release.parents if folder.is_relative_to(Path(gettempdir()) / "pytest-of-root")
    ]
    for folder in (*private, release, elsewhere, etc):
        folder.chmod(0o755)
    (release / "manage.py").write_text(WHO)
    for name, target in (
        ("manage", ROOT / "deploy/manage"),
        ("config", ROOT / "config"),
        ("venv", Path(sys.prefix)),
    ):
        if name == "manage":
            (release / name).write_bytes(target.read_bytes())
            (release / name).chmod(0o755)
        else:
            (release / name).symlink_to(target)
    (release.parent / "in-use").symlink_to(release)
    (etc / "instrument-commons.env").chmod(0o600)
    nobody = pwd.getpwnam("nobody")

    def called(*words, user=None, **env):
        given = {"PATH": os.environ["PATH"], "INSTRUMENT_COMMONS_ETC": str(etc)} | env
        return subprocess.run(
            [release.parent / "in-use/manage", *words], env=given, cwd=elsewhere, user=user,
            text=True, capture_output=True, check=False,
        )  # fmt: skip

    done = called("setup", "site file.yaml", INSTRUMENT_COMMONS_USER="nobody", SECRET_KEY="another")
    assert done.stdout.split() == [
        *(str(nobody.pw_uid), "0o27", str(elsewhere), "k", "setup", "site", "file.yaml")
    ], done.stderr
    missing = called("doctor", INSTRUMENT_COMMONS_USER="nobody-at-all")
    assert (missing.returncode, missing.stderr.startswith("There is no user nobody-at-all")) == (1, True)
    denied = called("doctor", user=nobody.pw_uid)
    assert (denied.returncode, denied.stderr.count("\n")) == (1, 1)
    assert "instrument-commons.env cannot be read (Permission denied): call it as root." in denied.stderr
    # As in a container, where the environment has all.
    (etc / "instrument-commons.env").unlink()
    given = called("doctor", DATABASE_URL="x", SECRET_KEY="of the container")
    assert given.stdout.split()[3:] == ["of", "the", "container", "doctor"]
