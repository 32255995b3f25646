"""The example's project, examples/django_shop, set up in this process.

Here, since it has to be in place before any module of the tests imports a model.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import django

EXAMPLE = Path(__file__).parents[3] / "examples/django_shop"

os.environ.setdefault("SHOP_DATA", f"{tempfile.gettempdir()}/never-made")
os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
sys.path.insert(0, str(EXAMPLE))
django.setup()
