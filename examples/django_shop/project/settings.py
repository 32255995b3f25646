"""The settings of the example: SQLite, the admin, and HailWhale.

SHOP_DATA is the folder of the data and SHOP_URL the address of the shop, so that two can run.
"""

import os
import secrets
from pathlib import Path

BASE_DIR = Path(__file__).parent.parent
DATA_DIR = Path(os.environ.get("SHOP_DATA", BASE_DIR / "data"))
SHOP_URL = os.environ.get("SHOP_URL", "http://127.0.0.1:8000")

HAILWHALE = {
    "DATA_DIR": DATA_DIR / "hailwhale",  # of the embedded Valkey; or: "REDIS_URL": "redis://…"
    "CORS_ORIGINS": [SHOP_URL],  # the shop's pages may read the numbers of graphs
}

DEBUG = True
SECRET_KEY = secrets.token_urlsafe()  # a real site keeps one: with this, each start logs you out
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "hailwhale.contrib.django",
    "shop",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
ROOT_URLCONF = "project.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATA_DIR / "shop.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
USE_TZ = True
TIME_ZONE = "UTC"
