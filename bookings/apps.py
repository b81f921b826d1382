from django.apps import AppConfig


class BookingsConfig(AppConfig):
    name = "bookings"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Read the manifests of the areas, now that the models are loaded."""
        from accounts.areas import areas_load  # noqa: PLC0415
        from bookings.areas import PACKAGES  # noqa: PLC0415

        areas_load(PACKAGES)
