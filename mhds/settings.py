"""Settings: one file, environment only. Owns the choice between the embedded default and production (ADR 0002).

*Embedded* (nothing of a production set): SQLite, Celery on the filesystem transport, a directory as object store.
*Production* (any of PRODUCTION_SIGNS set): refuses to start until everything it needs is there, and says what is not.
"""

from __future__ import annotations

from pathlib import Path

from csp.constants import NONE, SELF

from mhds import env
from mhds.errors import ConfigurationError

BASE_DIR = Path(__file__).resolve().parent.parent
SECRETS = ("SECRET_KEY", "MHDS_PEPPER", "MHDS_SIGNING_KEY")  # each may come as NAME_FILE
PRODUCTION_SIGNS = (
    "DATABASE_URL", "CELERY_BROKER_URL", "SECRET_KEY", "SECRET_KEY_FILE", "MHDS_SIGNING_KEY", "MHDS_SIGNING_KEY_FILE",
)  # fmt: skip
PRODUCTION_NEEDS = {
    "DATABASE_URL": "postgresql://user:password@host:5432/mhds",
    "CELERY_BROKER_URL": "redis://host:6379/0",
    "SECRET_KEY": "50 random characters",
    "ALLOWED_HOSTS": "the host names of the site, separated by commas",
    "MHDS_PEPPER": "32 or more random characters, never changed afterwards",
    "MHDS_SIGNING_KEY": "the PEM of a P-256 private key (or MHDS_SIGNING_KEY_FILE)",
    "MHDS_SOURCE_URL": "s3://bucket/prefix of the source objects (list, head and read only)",
}

EMBEDDED = not any(env.text(name) for name in PRODUCTION_SIGNS)
DEBUG = env.flag("DEBUG")
# The whole programme behind one installation that holds invented people: shown on every page, never published to S3.
DEMO = env.flag("MHDS_DEMO")  # or a data directory that holds a demo, see below

if not EMBEDDED:
    _missing = [
        name for name in PRODUCTION_NEEDS if not (env.text(name) or (name in SECRETS and env.text(f"{name}_FILE")))
    ]
    if _missing:
        raise ConfigurationError(
            "a production setting is begun but not complete; missing: " + ", ".join(_missing) + ".",
            hint="Set "
            + "; ".join(f"{name} ({PRODUCTION_NEEDS[name]})" for name in _missing)
            + ". Unset all of "
            + ", ".join(PRODUCTION_SIGNS)
            + " for the embedded default.",
        )
    if not (env.text("MHDS_BUCKET_URL") or env.text("MHDS_DATA_DIR")):
        raise ConfigurationError(
            "neither MHDS_BUCKET_URL nor MHDS_DATA_DIR is set.", hint="Set MHDS_BUCKET_URL=s3://bucket/prefix."
        )
    if DEBUG or env.flag("CELERY_TASK_ALWAYS_EAGER") or env.flag("MHDS_FAILPOINTS"):
        raise ConfigurationError(
            "DEBUG, CELERY_TASK_ALWAYS_EAGER and MHDS_FAILPOINTS are for development only.", hint="Unset them."
        )
    if len(env.secret("SECRET_KEY")) < 32 or len(env.secret("MHDS_PEPPER")) < 16:
        raise ConfigurationError("SECRET_KEY (32 characters) or MHDS_PEPPER (16) is too short.")
    if not env.text("DATABASE_URL").startswith(("postgres://", "postgresql://")):
        raise ConfigurationError("production runs on PostgreSQL only.", hint="DATABASE_URL=postgresql://...")
    if not env.text("CELERY_BROKER_URL").startswith(("redis://", "rediss://")):
        raise ConfigurationError("production runs on Redis only.", hint="CELERY_BROKER_URL=redis://host:6379/0")

# --- where things are -------------------------------------------------------------------------------------------
DATA_DIR = Path(env.text("MHDS_DATA_DIR") or BASE_DIR / ".mhds").resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
DEMO = DEMO or (EMBEDDED and (DATA_DIR / "demo.json").exists())
MHDS_SOURCE_URL = env.text("MHDS_SOURCE_URL") or (DATA_DIR / "source").as_uri()
MHDS_BUCKET_URL = env.text("MHDS_BUCKET_URL") or (DATA_DIR / "bucket").as_uri()
MHDS_SOURCE_NAME = env.text("MHDS_SOURCE_NAME")
MHDS_SIGNING_KEY = "" if EMBEDDED else env.secret("MHDS_SIGNING_KEY")
MHDS_PEPPER = env.secret("MHDS_PEPPER") or env.kept_secret(DATA_DIR / "pepper")
SECRET_KEY = env.secret("SECRET_KEY") if not EMBEDDED else env.kept_secret(DATA_DIR / "secret_key")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS") or (["127.0.0.1", "localhost", "[::1]"] if EMBEDDED else [])
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
MHDS_STORAGE_LEVEL = env.text("MHDS_STORAGE_LEVEL")  # publishing refuses below it; "" is B on s3://, else none
MHDS_SHARD_BYTES = env.whole("MHDS_SHARD_BYTES", 64 * 1024 * 1024)
MHDS_LEASE_SECONDS = env.whole("MHDS_LEASE_SECONDS", 60)
MHDS_REVIEW_MINUTES = env.whole("MHDS_REVIEW_MINUTES", 4)
MHDS_SUPPORT_URL = env.text("MHDS_SUPPORT_URL")

# --- Django -----------------------------------------------------------------------------------------------------
ROOT_URLCONF = "mhds.urls"
WSGI_APPLICATION = "mhds.wsgi.application"
AUTH_USER_MODEL = "mhds.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "csp",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "mhds",
    "releases",
    "gates",
    "reviews",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "mhds.middleware.SafeHeaders",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "mhds.reading.ReadOnce",
    "mhds.middleware.ReadersTimeZone",
    "mhds.middleware.DenyByDefault",
    "mhds.middleware.ErrorPages",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "mhds.context.installation",
            ],
            "builtins": ["mhds.templatetags.mhds", "django.contrib.humanize.templatetags.humanize"],
            "loaders": [
                ("django.template.loaders.cached.Loader", ["django.template.loaders.filesystem.Loader"]),
            ],
        },
    }
]
DATABASES = {
    "default": env.sqlite(DATA_DIR / "mhds.sqlite3") if EMBEDDED else env.database(env.text("DATABASE_URL")),
}
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL, LOGIN_REDIRECT_URL, LOGOUT_REDIRECT_URL = "sign-in", "home", "sign-in"
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600
LANGUAGE_CODE, TIME_ZONE, USE_TZ, USE_I18N = "en", "UTC", True, False
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("MHDS_STATIC_DIR") or DATA_DIR / "static")
if EMBEDDED:
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # files come from the checkout; one warning less on the screen
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = EMBEDDED
WHITENOISE_AUTOREFRESH = False
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(DATA_DIR / "downloads")},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    if EMBEDDED
    else {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- the browser's side of security -----------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
if not EMBEDDED:
    # An address without TLS is refused unless it is asked for by name (a test on one machine).
    SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not env.flag("MHDS_PLAIN_HTTP")
    SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SESSION_COOKIE_SECURE else 0
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SESSION_COOKIE_SECURE
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("MHDS_BEHIND_PROXY") else None
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    SESSION_COOKIE_NAME = "__Host-session" if SESSION_COOKIE_SECURE else "session"
    CSRF_COOKIE_NAME = "__Host-csrf" if SESSION_COOKIE_SECURE else "csrf"

# --- API: every default explicit (reliability.md D11) -----------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["mhds.access.DenyApi"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_THROTTLE_CLASSES": [],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "mhds.problems.problem_response",
    "UNAUTHENTICATED_USER": None,
    "UNICODE_JSON": True,
    "COMPACT_JSON": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "MHDS release API",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "DESCRIPTION": "Poll a channel, read a published release, report what a training run consumed.",
}

# --- Celery: a doorbell (decision 5); every default explicit ----------------------------------------------------
CELERY_BROKER_URL = env.text("CELERY_BROKER_URL") or "filesystem://"
_BELL = DATA_DIR / "bell"
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = (
    {"data_folder_in": str(_BELL), "data_folder_out": str(_BELL), "control_folder": str(_BELL / "control")}
    if CELERY_BROKER_URL == "filesystem://"
    else {"visibility_timeout": 3600, "global_keyprefix": env.text("MHDS_REDIS_PREFIX", "mhds:")}
)
if CELERY_BROKER_URL == "filesystem://":
    (_BELL / "control").mkdir(parents=True, exist_ok=True)
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_BACKEND = None
CELERY_TASK_ACKS_LATE = False  # the row decides, not the message: a lost bell is rung again by the reconciler
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_ALWAYS_EAGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TASK_DEFAULT_QUEUE = "mhds"
CELERY_ENABLE_UTC, CELERY_TIMEZONE = True, "UTC"

# --- logs: standard error, never text of conversations ----------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.text("MHDS_LOG_LEVEL", "INFO")},
    "loggers": {
        # Tracebacks of requests hold local variables' text only in debug pages, which are off; keep one line each.
        "django.request": {"level": "ERROR"},
        "presidio-analyzer": {"level": "ERROR"},
        "botocore": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
    },
}
