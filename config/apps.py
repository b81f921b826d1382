from django.apps import AppConfig

from config.celery import app as celery_app

__all__ = ["ProjectConfig", "celery_app"]  # imported so that every process has the one Celery app


class ProjectConfig(AppConfig):
    """Template tags and commands of the project itself."""

    name = "config"
    label = "project"
