"""Compares decisions with other libraries on simulated visitors."""
