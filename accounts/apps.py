from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.adapters import allauth, checks, federation, limits  # noqa: PLC0415  models are loaded only now

        allauth.connect()
        federation.connect()
        limits.connect()
        checks.connect()
