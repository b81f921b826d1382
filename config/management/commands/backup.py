"""manage.py backup FOLDER"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.operations.backups import BackupFailed, backup_make


class Command(BaseCommand):
    help = (
        "Makes a backup in a folder of its own there: the database (of one moment, while people "
        "go on working), uploaded files unless they are in a bucket, and a paper with checksums "
        "and row counts."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="where backups lie")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            folder = backup_make(options["folder"], now=timezone.now())
        except BackupFailed as failed:
            raise CommandError(str(failed)) from None
        self.stdout.write(str(folder))
        if settings.MEDIA_BUCKET:
            self.stderr.write(
                f"Uploads are not in it: they are in the bucket {settings.MEDIA_BUCKET}, whose "
                "versions or copies keep them."
            )
