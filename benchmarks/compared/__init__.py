"""What people use instead of HailWhale, each behind one small interface: see `system`.

Each module owns one of them: how it is found, configured, fed, asked and measured. None knows what
the comparison makes of it.
"""
