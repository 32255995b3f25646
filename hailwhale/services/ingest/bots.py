"""Bots, by what they call themselves: the list of the package crawler-user-agents.

It names crawlers, monitors, and the HTTP libraries of programs. One that says it is a browser is
not found out.
"""

from __future__ import annotations

from functools import lru_cache

_MOST_CHARS = 512


def is_bot(agent: str) -> bool:
    """Whether a User-Agent is a known bot's.

    >>> is_bot("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")
    True
    >>> is_bot("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
    False
    """
    return _is_known(agent[:_MOST_CHARS])


@lru_cache(8_192)
def _is_known(agent: str) -> bool:
    from crawleruseragents import is_crawler  # 1,500 patterns, for those alone who ask

    return bool(is_crawler(agent))
