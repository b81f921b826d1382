"""Storage of static files under names that tell what is in them."""

from whitenoise.storage import CompressedManifestStaticFilesStorage

# A module of the QR reader names another, which lies beside it under such a name too.
_IMPORT = (r"""(?P<matched>from '(?P<url>\./[^']+)')""", "from '%(url)s'")


class StaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """The compressed files, with the imports between the modules of the QR reader rewritten."""

    patterns = (*CompressedManifestStaticFilesStorage.patterns, ("vendor/qr/*.js", (_IMPORT,)))
