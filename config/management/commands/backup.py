"""Run `manage.py backup FOLDER`: make a backup in a new subfolder."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.operations.backups import BackupFailed, backup_make


class Command(BaseCommand):
    help = (
        "Make a backup in a new subfolder: the database (as of one moment, while people continue to "
        "work), uploaded files unless they are in a bucket, and a manifest with checksums and row "
        "counts."
    )
    requires_system_checks = ()  # which load all pages, and say nothing of a backup

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="the folder that contains the backups")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            folder = backup_make(options["folder"], now=timezone.now())
        except BackupFailed as failed:
            raise CommandError(str(failed)) from None
        self.stdout.write(str(folder))
        if settings.MEDIA_BUCKET:
            self.stderr.write(
                f"The backup does not contain uploads: they are in the bucket {settings.MEDIA_BUCKET}, "
                "which needs its own versions or copies."
            )
