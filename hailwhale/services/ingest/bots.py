"""Recognizes bots by their User-Agent, from the list of the package crawler-user-agents.

The list names crawlers, monitors and the HTTP libraries of programs. A bot that claims to be a
browser is not recognized.
"""

from __future__ import annotations

from functools import lru_cache

_MOST_CHARS = 512


def is_bot(agent: str) -> bool:
    """Return whether a User-Agent is that of a known bot.

    >>> is_bot("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")
    True
    >>> is_bot("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
    False
    """
    return _is_known(agent[:_MOST_CHARS])


@lru_cache(8_192)
def _is_known(agent: str) -> bool:
    from crawleruseragents import is_crawler  # 1,500 patterns, loaded on first use

    return bool(is_crawler(agent))
