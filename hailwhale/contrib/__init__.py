"""Integrations of HailWhale with frameworks, a package each; each one is a separate extra.

They use the public API, as any program does. No other part of the project imports them.
"""
