"""Django's settings: safe by default, and all taken from the environment (config/env.py).

Only the launcher sets `LOCAL_MODE`, together with bundled servers on loopback: it enables the demonstration
accounts, the mail page and plain http. Without it secrets are required and cookies travel over https only.
"""

import os
import ssl
import sys
from datetime import timedelta
from pathlib import Path

import structlog
from django.utils.csp import CSP
from django.utils.translation import gettext_lazy as _
from kombu import Exchange, Queue
from whitenoise.compress import Compressor

from config import env, sign_in
from config.operations.logs import mask_line

ROOT = env.ROOT
env.begin()
VERSION = env.version()
LOCAL_MODE = env.flag("LOCAL_MODE")
DEBUG = env.debug(LOCAL_MODE)
SECRET_KEY = env.secret_key(LOCAL_MODE)
# Keys before it, which count until sessions, links and secrets made under them have ended.
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
SITE_URL, ALLOWED_HOSTS = env.site(LOCAL_MODE)
# Where browsers reach the process of uploads, if not by the site's own address.
UPLOADS_URL = env.origin("UPLOADS_URL")
# The licence of what anybody may read by programs: records, figures, free times. Empty: none is stated.
OPEN_DATA_LICENCE = env.address("OPEN_DATA_LICENCE")
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS", SITE_URL if UPLOADS_URL or not LOCAL_MODE else "")

INSTALLED_APPS = [
    "config.apps.ProjectConfig",
    "bookings",
    "instruments",
    "accounts",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django.contrib.sitemaps",
    "allauth",
    "allauth.account",
    "allauth.idp.oidc",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.socialaccount.providers.orcid",
    "allauth.socialaccount.providers.saml",
    "allauth.usersessions",
    "rest_framework",
    "drf_spectacular",
    "django_htmx",
    "django_structlog",
]

MIDDLEWARE = [
    "config.operations.metrics.MetricsMiddleware",
    "config.web.middleware.KeepingMiddleware",
    "config.web.middleware.OtherSitesMiddleware",
    "config.operations.health.ProbeMiddleware",
    "config.web.middleware.ProxyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "accounts.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "config.web.middleware.MaintenanceMiddleware",
    "config.web.middleware.StrangersMiddleware",  # before the next, which reads the body
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.web.looking.LookingMiddleware",
    "accounts.middleware.ZoneMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "config.web.middleware.CutShortMiddleware",
    "config.web.middleware.CountsMiddleware",
    "config.web.middleware.MethodMiddleware",
    "config.web.middleware.RefusalMiddleware",
    "accounts.middleware.SecondFactorMiddleware",
    "accounts.middleware.LeavingMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

_LOADERS = ["config.pages.loaders.Filesystem", "config.pages.loaders.AppDirectories"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "config" / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.csp",
                "config.pages.context.page",
            ],
            "builtins": ["config.templatetags.display", "config.templatetags.components"],
            # Without Django's own cache, so that a saved template is seen at once.
            "loaders": _LOADERS if DEBUG else [("django.template.loaders.cached.Loader", _LOADERS)],
        },
    }
]

# What holds in each session of the database: a lock that is not had within seconds is answered as
# busy, never waited for until the reader gives up; compiling a query takes longer than running
# ours. A pooler hands no such options on: behind one the role has them (docs/operations.md, "A
# pooler"), and `doctor` looks at what is in force.
DATABASE_SESSION = {"lock_timeout": "10s", "idle_in_transaction_session_timeout": "1min", "jit": "off"}
_OPTIONS = {
    "application_name": "instrument-commons",
    # A statement asked again on a connection is not planned again (docs/decisions/0006).
    "server_side_binding": True,
    "prepare_threshold": 3,
    "options": " ".join(f"-c {name}={value}" for name, value in DATABASE_SESSION.items()),
}
_KEPT = {
    "ATOMIC_REQUESTS": False,
    "CONN_MAX_AGE": env.number("DATABASE_CONN_MAX_AGE", 60),
    "CONN_HEALTH_CHECKS": True,
}
DATABASES = {"default": env.database(env.text("DATABASE_URL"), _OPTIONS) | _KEPT}
# From which some doors read (accounts/replica.py), and by how many seconds it may be behind.
REPLICA_URL = env.text("DATABASE_REPLICA_URL", "")
DATABASE_REPLICA_MOST_LAG = env.number("DATABASE_REPLICA_MOST_LAG", 10, least=3)
if REPLICA_URL:
    _options = _OPTIONS | {
        "application_name": "instrument-commons-reads",
        # A page waits for it before it turns to the primary.
        "connect_timeout": 2,
        "tcp_user_timeout": 5_000,
    }
    DATABASES["replica"] = env.database(REPLICA_URL, _options, "DATABASE_REPLICA_URL") | _KEPT
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.redis("REDIS_URL")
CELERY_BROKER_URL = env.redis("CELERY_BROKER_URL", REDIS_URL)
if CELERY_BROKER_URL.startswith("rediss:"):
    CELERY_BROKER_USE_SSL = {"ssl_cert_reqs": ssl.CERT_REQUIRED}
if LOCAL_MODE:
    env.require_bundled(*filter(None, (env.text("DATABASE_URL"), REPLICA_URL, REDIS_URL, CELERY_BROKER_URL)))
DOCTOR = "config.operations.doctor"  # what examines the installation, for pages and a job of lower apps
CACHES = {"default": {"BACKEND": "config.web.caches.Cache", "LOCATION": REDIS_URL}}
SESSION_ENGINE = "config.web.sessions"

# People
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.adapters.allauth.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
ACCOUNT_ADAPTER = "accounts.adapters.allauth.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_SIGNUP_FORM_CLASS = "accounts.forms.SignUpForm"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_CHANGE_EMAIL = True  # one person, one address
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_PREVENT_ENUMERATION = True
# A campus signs in behind one address: what is asked for is limited there only far above that.
# Passwords that fail: accounts/adapters/limits.py and docs/decisions/0008.
ACCOUNT_RATE_LIMITS = {
    "login": "600/m/ip",
    "signup": "60/m/ip",
    "reset_password": "60/m/ip,5/m/key,20/d/key",
    "reset_password_from_key": "60/m/ip",
    "request_login_code": "200/m/ip",
    "login_failed": "5/5m/key",  # codes of a second factor
    "password_browser": "10/5m/key,30/h/key,100/d/key",
    "password_here": "5/5m/key,10/h/key,20/d/key",
    "password_account": "50/h/key,200/d/key",
    "password_address": "30/m/ip,300/h/ip",
    "code_here": "3/m/key,15/h/key",
    "code_account": "30/h/key",
}
ACCOUNT_FORMS = {
    "request_login_code": "accounts.adapters.limits.CodeForm",
    "signup": "accounts.adapters.allauth.InvitedForm",
}
MFA_RATE_LIMITS = {"webauthn_login": "600/m/ip"}
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 600  # mail takes its time
# Whose address counts: that of the visitor, not of our own proxy.
ALLAUTH_TRUSTED_PROXY_COUNT = env.number("PROXIES", 1 if env.flag("BEHIND_TLS_PROXY") else 0)
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "http" if LOCAL_MODE else "https"
MFA_ADAPTER = "accounts.adapters.second_factor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# A passkey always asks for a finger, a face or its PIN: it stands in for the password too.
MFA_WEBAUTHN_USER_VERIFICATION = "required"
# Who decides or accounts for others has to have a second factor; a demonstration asks nobody.
SECOND_FACTOR_REQUIRED = not LOCAL_MODE
SOCIALACCOUNT_ADAPTER = "accounts.adapters.federation.FederationAdapter"
SOCIALACCOUNT_PROVIDERS = sign_in.providers()
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False  # an address is no key
SOCIALACCOUNT_REAUTHENTICATION_REQUIRED = True
USERSESSIONS_TRACK_ACTIVITY = False
# Programs fetch short tokens by OAuth 2.1 as often as they need them (bookings/programs).
# What a client of theirs gets for itself, allauth gives; what it gets for people, bookings/programs.
IDP_OIDC_ACCESS_TOKEN_EXPIRES_IN = 3600
IDP_OIDC_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "bookings:home"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"

# Language and time
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [ROOT / "config" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
# What visitors read times in whose browser has not said its own (unset: that of the first region),
# and nightly jobs go by (unset: UTC).
USUAL_TIME_ZONE = env.zone("TIME_ZONE", "")

# Files
STATIC_URL = "/static/"
# A release brings them collected.
_COLLECTED = ROOT / ("static" if (ROOT / "VERSION").is_file() else ".local/static")
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(_COLLECTED)))
STATICFILES_DIRS = [ROOT / "config" / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "config.files.finders.NamedFilesFinder",
]
# Where front-end packages lie, and the only files of them that are served.
NODE_MODULES = ROOT / "node_modules"
NODE_FILES = {
    "@tabler/core/dist/css/tabler.min.css": "vendor/tabler.min.css",
    "@event-calendar/build/dist/event-calendar.min.css": "vendor/event-calendar.min.css",
    "@event-calendar/build/dist/event-calendar.min.js": "vendor/event-calendar.min.js",
    "tus-js-client/dist/tus.min.js": "vendor/tus.min.js",
    # Reads QR codes where a browser cannot; the second is a module that the first imports.
    "qr/decode.js": "vendor/qr/decode.js",
    "qr/index.js": "vendor/qr/index.js",
    # Bars, lines and pies; and with maps of heat and flows, a third heavier.
    "echarts/dist/echarts.common.min.js": "vendor/echarts.common.min.js",
    "echarts/dist/echarts.min.js": "vendor/echarts.min.js",
    "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2": "vendor/inter-latin.woff2",
    # Named in the files above, so the manifest must know them; only debuggers ask for them.
    "@tabler/core/dist/css/tabler.min.css.map": "vendor/tabler.min.css.map",
    "@event-calendar/build/dist/event-calendar.min.js.map": "vendor/event-calendar.min.js.map",
    "tus-js-client/dist/tus.min.js.map": "vendor/tus.min.js.map",
}
# Photos, documents, exports: served by views that know who may see them, never by their path.
# In a bucket, or else in a folder.
_bucket = env.bucket(LOCAL_MODE)
MEDIA_BUCKET = str(_bucket["bucket_name"]) if _bucket else ""
# Who sends results to those who collect them (docs/results.md).
RESULTS_FROM = env.results_from(bool(_bucket))
# A GeoJSON file of boundaries that is drawn behind the map; coasts until an operator names one.
MAP_BOUNDARIES = env.text("MAP_BOUNDARIES", "")
MEDIA_ROOT = Path(env.text("MEDIA_ROOT", str(ROOT / ".local" / "media")))
# While there is this file, nothing can be changed (`manage.py maintenance on --file`).
# Not in the release's folder, which the service may not write and which changes at an upgrade.
_state = ROOT / ".local" if LOCAL_MODE else Path("/var/lib/instrument-commons")
MAINTENANCE_FILE = env.text("MAINTENANCE_FILE", str(_state / "maintenance.json"))
DATA_UPLOAD_MAX_NUMBER_FILES = 30  # of any address; most take fewer (config/files/uploads.py)
# Results that are handed over: what a host may keep unless an administrator says otherwise, and the
# largest file, in bytes.
RESULTS_QUOTA = env.number("RESULTS_QUOTA_GB", 500) << 30
RESULTS_MOST_BYTES = env.number("RESULTS_MOST_GB", 100) << 30
# Who moves fewer bytes in so many seconds holds a thread for nothing; nought: nobody does.
TRANSFER_LEAST_SECONDS = env.number("TRANSFER_LEAST_SECONDS", 60)
TRANSFER_LEAST_BYTES = env.number("TRANSFER_LEAST_BYTES", 60_000)
# Files that are sent or taken at a time, of a process; nought: as many as there are threads. An
# address may be that of many people: one of them does not take all that it has.
TRANSFERS_PER_LINK = env.number("TRANSFERS_PER_LINK", 4)
TRANSFERS_PER_ADDRESS = env.number("TRANSFERS_PER_ADDRESS", 8)
STORAGES = {
    "default": {"BACKEND": "config.files.buckets.Bucket", "OPTIONS": _bucket}
    if _bucket
    else {"BACKEND": "config.files.storages.Folder"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "config.files.statics.StaticFiles"
    },
}
WHITENOISE_USE_FINDERS = DEBUG  # from where they lie, by their plain names
# Only under names that tell what is in them, so that a browser asks for none twice.
WHITENOISE_KEEP_ONLY_HASHED_FILES = not DEBUG
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")

# Where backups lie, for `doctor` to look at; empty: elsewhere.
BACKUP_FOLDER = env.text("BACKUP_FOLDER", "/var/lib/instrument-commons-backups")

# Mail. The launcher leaves it in a folder where the mail page reads it.
LOCAL_MAIL = Path(env.text("LOCAL_MAIL", str(ROOT / ".local" / "mail")))
DEFAULT_FROM_EMAIL = env.sender()
MAILERS = {
    "default": {"BACKEND": "config.mail.backend.FolderBackend", "OPTIONS": {"folder": LOCAL_MAIL}}
    if LOCAL_MODE
    else {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": env.mail()}
}

# Addresses that people give are called only where they are public. Tests call this machine.
CALLS_LOOPBACK = env.flag("CALLS_LOOPBACK")

# Safety
SECURE_CSP = {
    "default-src": [CSP.SELF],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF, *([UPLOADS_URL] if UPLOADS_URL else [])],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = not LOCAL_MODE
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = env.flag("SSL_REDIRECT", not LOCAL_MODE)
SECURE_REDIRECT_EXEMPT = [r"^metrics$"]  # probes are answered before (config/operations/health.py)
SECURE_HSTS_SECONDS = 0 if LOCAL_MODE else env.number("HSTS_SECONDS", 31536000)
SILENCED_SYSTEM_CHECKS = ["security.W021"]  # browsers' preload list: the domain's owner decides
SECURE_HSTS_INCLUDE_SUBDOMAINS = not LOCAL_MODE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("BEHIND_TLS_PROXY") else None
CSRF_FAILURE_VIEW = "config.pages.errors.csrf"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
STRANGERS_MOST = 65_536  # bytes of a body of somebody who is not signed in, of whatever kind
# Files go to disk beyond 2.5 MB; one that says it is larger than any import is not taken at all.
FILE_UPLOAD_HANDLERS = [
    "config.files.uploads.Bounded",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.BearerAuthentication",
        "accounts.api.authentication.BrowserAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.api.authentication.Scoped"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.api.parsers.StrictJSONParser"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "accounts.api.schema.EndpointSchema",
    "DEFAULT_FILTER_BACKENDS": [],
    "DEFAULT_THROTTLE_CLASSES": [
        "accounts.api.throttling.Strangers",
        "accounts.api.throttling.People",
        "accounts.api.throttling.Writers",
        "accounts.api.throttling.Addresses",
    ],
    "DEFAULT_THROTTLE_RATES": {
        "anon": env.rate("THROTTLE_ANONYMOUS", "600/min"),
        "user": env.rate("THROTTLE_USER", "3000/min"),
        "writes": env.rate("THROTTLE_WRITES", "600/min"),
        "address": env.rate("THROTTLE_ADDRESS", "12000/min"),
        "guesses": "60/min",  # of links to results, from one address
    },
    # An address a client writes about itself is believed only of our own proxy.
    "NUM_PROXIES": env.number("PROXIES", 1 if env.flag("BEHIND_TLS_PROXY") else 0),
    "EXCEPTION_HANDLER": "config.api.problems.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
    "COERCE_DECIMAL_TO_STRING": True,
    "DATETIME_FORMAT": "iso-8601",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Instrument Commons",
    "LICENSE": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    "DESCRIPTION": "Everything a screen can do, a program can do: the same services stand behind both.",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "SORT_OPERATIONS": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # Words of one language in several places would each get an invented name.
    "POSTPROCESSING_HOOKS": [],
}

# Clock
CELERY_TASK_IGNORE_RESULT = True
# What waits for servers of others, or reads what they answer, has queues of its own: a worker reads
# all of them in turn, or those it is started for (`-Q`).
CELERY_TASK_QUEUES = [
    Queue(name, Exchange("celery"), routing_key=name) for name in ("celery", "letters", "calls")
]
CELERY_TASK_ROUTES = {
    "bookings.tasks.deliver_messages": {"queue": "letters"},
    "bookings.tasks.make_calls": {"queue": "calls"},
    "bookings.tasks.read_calendars": {"queue": "calls"},
    "instruments.tasks.work_harvests": {"queue": "calls"},
}
# A job is acknowledged when it is done: one whose worker died is given to another, which does
# no harm, as each asks what is due and not yet done.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker as long as it takes
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_TIMEZONE = USUAL_TIME_ZONE or "UTC"
# When beat last began what: after a restart it makes up for what it missed.
CELERY_BEAT_SCHEDULE_FILENAME = env.text("BEAT_FILE", str(ROOT / ".local" / "celerybeat-schedule"))
# Below the visibility timeout: no job is given to a second worker while the first is at it.
CELERY_TASK_SOFT_TIME_LIMIT = 3300
CELERY_TASK_TIME_LIMIT = 3600
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 7200,
    "socket_connect_timeout": 2,
    "socket_timeout": 5,
    "max_retries": 0,
}

# Numbers for Prometheus: only for who brings this token. Web processes count into files there,
# and alone make the folder (config/operations/metrics.py): a command may write nowhere.
METRICS_TOKEN = env.text("METRICS_TOKEN", "")
METRICS_FOLDER = Path(env.text("METRICS_FOLDER", str(ROOT / ".local" / "metrics")))
if METRICS_TOKEN:
    # Read when prometheus_client is first imported.
    os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(METRICS_FOLDER))

# Errors and traces, for who asks for them (config/operations/observability.py)
SENTRY = env.sentry()
OTLP = env.otlp()
if OTLP is None:
    # redis-py loads it wherever it is installed: 4 MB and a tenth of a second, for nothing.
    sys.modules.setdefault("opentelemetry", None)  # type: ignore[arg-type]

# How long things stand
TOKEN_LIFETIME = timedelta(days=90)

# Hours: public figures are hidden where fewer organisations stand behind them.
PUBLIC_LEAST_ORGANISATIONS = env.number("PUBLIC_LEAST_ORGANISATIONS", 3)

# Logs: one line an event, as text for people or as JSON for machines.
_stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.filter_by_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        _stamp,
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "lines": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.LogfmtRenderer() if LOCAL_MODE else structlog.processors.JSONRenderer(),
                mask_line,
            ],
            "foreign_pre_chain": [
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.add_log_level,
                _stamp,
                structlog.processors.format_exc_info,
            ],
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
    "root": {"handlers": ["console"], "level": env.log_level()},
    # Whoever starts granian with --access-log gets its lines through here, too.
    "loggers": {
        "granian.access": {"handlers": ["console"], "level": "INFO", "propagate": False},
        # It writes lines of bank files, with names and accounts, where it understands none of them.
        "mt940": {"level": "CRITICAL", "propagate": False},
        # It tells of the tokens it makes, at a level that nobody may switch on.
        "oauthlib": {"level": "WARNING"},
    },
}

env.end()
