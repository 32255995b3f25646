"""HailWhale inside other frameworks, a package each; every one is an extra of its own.

They use the library's doors as any program does; nothing else of the project knows them.
"""
