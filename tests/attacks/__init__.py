"""Attacks on the service, each shown to do no harm; docs/security.rst lists them for an auditor."""
