import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.models.keys
from accounts.models.steps import Stepwise


class Migration(Stepwise):
    """Findings get a day of follow-up, the statement that no answer was received, agreed actions and files;
    auditors get reports of a year and working papers as files."""

    safe = {"constraint-missing-not-valid": "findings are few: the scan takes no time"}

    dependencies = [
        ("accounts", "0020_bank_fields"),
        ("bookings", "0068_risk_of_exceptions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditAction",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.models.keys.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("text", models.TextField(max_length=2000)),
                ("due_date", models.DateField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("agreed", "agreed"),
                            ("done", "done, to be verified"),
                            ("verified", "verified"),
                            ("withdrawn", "withdrawn"),
                        ],
                        default="agreed",
                        max_length=9,
                    ),
                ),
                ("made_at", models.DateTimeField()),
                ("note", models.TextField(blank=True, max_length=5000)),
                ("done_at", models.DateTimeField(null=True)),
                ("reason", models.TextField(blank=True, max_length=5000)),
                ("decided_at", models.DateTimeField(null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "decided_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "done_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "finding",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="actions",
                        to="bookings.auditfinding",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"verbose_name": "agreed action"},
        ),
        migrations.CreateModel(
            name="AuditPaper",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.models.keys.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("working", "being written"),
                            ("done", "ready"),
                            ("failed", "failed"),
                        ],
                        default="waiting",
                        max_length=7,
                    ),
                ),
                ("file", models.CharField(blank=True, max_length=200)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("worked_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "subject",
                    models.CharField(
                        choices=[
                            ("year", "report of a year"),
                            ("finding", "working papers of a finding"),
                            ("sample", "working papers of a sample"),
                            ("period", "working papers of a period"),
                        ],
                        max_length=7,
                    ),
                ),
                (
                    "format",
                    models.CharField(
                        choices=[("pdf", "PDF"), ("docx", "DOCX"), ("xlsx", "XLSX"), ("zip", "ZIP")],
                        max_length=4,
                    ),
                ),
                ("language", models.CharField(default="en", max_length=10)),
                ("since", models.DateField(null=True)),
                ("until", models.DateField(null=True)),
                ("digest", models.CharField(blank=True, max_length=64)),
                ("parts_total", models.PositiveIntegerField(default=0)),
                ("parts_done", models.PositiveIntegerField(default=0)),
                (
                    "finding",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="bookings.auditfinding",
                    ),
                ),
                (
                    "region",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.region",
                    ),
                ),
                (
                    "sample",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="bookings.auditsample",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"verbose_name": "paper"},
        ),
        migrations.CreateModel(
            name="FindingFile",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.models.keys.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(choices=[("photo", "photo"), ("document", "document")], max_length=10),
                ),
                ("title", models.CharField(max_length=250)),
                ("media_type", models.CharField(max_length=40)),
                ("size", models.PositiveIntegerField()),
                ("digest", models.CharField(max_length=64)),
                ("is_of_auditor", models.BooleanField()),
                ("added_at", models.DateTimeField()),
                (
                    "action",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="files",
                        to="bookings.auditaction",
                    ),
                ),
                (
                    "added_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "finding",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="files",
                        to="bookings.auditfinding",
                    ),
                ),
            ],
            options={"verbose_name": "file of a finding"},
        ),
        migrations.AddField(
            model_name="auditfinding", name="follow_up_date", field=models.DateField(null=True)
        ),
        migrations.AddField(
            model_name="auditfinding",
            name="no_answer",
            field=models.TextField(blank=True, db_default="", max_length=5000),
        ),
        migrations.AddField(
            model_name="auditfinding", name="no_answer_at", field=models.DateTimeField(null=True)
        ),
        migrations.AddField(
            model_name="auditfinding",
            name="no_answer_by",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="auditfinding",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("no_answer", ""),
                    models.Q(("no_answer_at__isnull", False), ("no_answer_by__isnull", False)),
                    _connector="OR",
                ),
                name="finding_no_answer_is_dated",
            ),
        ),
        migrations.AddIndex(
            model_name="auditaction",
            index=models.Index(
                condition=models.Q(("state__in", ["agreed", "done"])), fields=["due_date"], name="action_due"
            ),
        ),
        migrations.AddConstraint(
            model_name="auditaction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "withdrawn"), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="action_withdrawn_with_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="auditaction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["done", "verified"]), _negated=True),
                    ("done_at__isnull", False),
                    _connector="OR",
                ),
                name="action_done_is_dated",
            ),
        ),
        migrations.AddConstraint(
            model_name="auditaction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["verified", "withdrawn"]), _negated=True),
                    ("decided_at__isnull", False),
                    _connector="OR",
                ),
                name="action_decided_is_dated",
            ),
        ),
        migrations.AddIndex(
            model_name="auditpaper",
            index=models.Index(
                condition=models.Q(("state__in", ["waiting", "working"])),
                fields=["created_at"],
                name="paper_to_do",
            ),
        ),
        migrations.AddIndex(
            model_name="auditpaper", index=models.Index(fields=["user", "-created_at"], name="paper_user")
        ),
        migrations.AddConstraint(
            model_name="auditpaper",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("finding", None),
                        ("region__isnull", False),
                        ("sample", None),
                        ("since__isnull", False),
                        ("subject__in", ["year", "period"]),
                        ("until__gt", models.F("since")),
                    ),
                    models.Q(
                        ("finding__isnull", False), ("region", None), ("sample", None), ("subject", "finding")
                    ),
                    models.Q(
                        ("finding", None), ("region", None), ("sample__isnull", False), ("subject", "sample")
                    ),
                    _connector="OR",
                ),
                name="paper_of_one_subject",
            ),
        ),
    ]
