"""Decisions measured on simulated visitors, beside what people use instead."""
