"""Run `manage.py restore FOLDER`: restore a backup into an empty database and media folder."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.operations.backups import BackupFailed, backup_check, backup_restore


class Command(BaseCommand):
    help = (
        "Restore a backup into the empty database and the empty media folder of the settings, then "
        "check the result against its manifest: row counts, migrations, files and the trail. Run "
        "migrate afterwards if the code is newer than the backup."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="the folder of the backup")
        parser.add_argument("--check", action="store_true", help="only check that its files are complete")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["check"]:
                paper = backup_check(options["folder"])
                by = f" by version {paper['version']}" if "version" in paper else ""
                self.stdout.write(f"Complete; made at {paper['made_at']}{by}.")
                return
            done = backup_restore(options["folder"])
        except BackupFailed as failed:
            code = f" ({failed.code})" if failed.code else ""
            raise CommandError(f"{failed}{code}") from None
        self.stdout.write(f"{done.rows} rows and {done.files} files were restored. {done.trail}")
        if done.bucket:
            self.stdout.write(f"Uploads are not in this backup: they were in the bucket {done.bucket}.")
        if done.missing:
            self.stdout.write(f"{len(done.missing)} files were already missing when it was made.")
