"""The Django app: registers the system checks, and drops cached settings that a test overrides."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks
from django.core.signals import setting_changed

from hailwhale.contrib.django import conf


class HailWhaleConfig(AppConfig):
    """`hailwhale.contrib.django` in INSTALLED_APPS."""

    name = "hailwhale.contrib.django"
    label = "hailwhale"
    verbose_name = "HailWhale"

    def ready(self) -> None:
        """Register checks and signals; called by Django once all apps are loaded."""
        from hailwhale.contrib.django import checks as ours

        checks.register(ours.check_settings)
        checks.register(ours.check_store, checks.Tags.database)
        checks.register(ours.check_seal_keys, checks.Tags.security, deploy=True)
        setting_changed.connect(conf.forget, dispatch_uid="hailwhale.contrib.django")
