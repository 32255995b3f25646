"""Methods that work on an instance and, by the default instance, on the class.

The library's doors use it: `Whale.totals(...)` answers from the store the settings name,
`Whale("redis://…").totals(...)` from another.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from threading import Lock
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from hailwhale.services.container import Services, open_services
from hailwhale.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="ClassOrInstance")


class ClassOrInstance:
    """A facade over services opened from the settings, when first needed.

    `url` is a Redis or Valkey URL that wins over the settings'; `settings` replaces those of the
    environment. One default door of each class serves all calls on the class.
    """

    _services: Services | None = None
    _default: Any = None
    _opening = Lock()

    def __init__(self, url: str | None = None, *, settings: Settings | None = None) -> None:
        self._settings = settings or Settings.from_env(redis_url=url)
        self._lock = Lock()

    @property
    def services(self) -> Services:
        """The services behind this door; opens the store at the first use."""
        with self._lock:
            if self._services is None:
                self._services = open_services(self._settings)
            return self._services

    @property
    def settings(self) -> Settings:
        """The settings of this door; looking at them opens nothing."""
        return self._settings

    @classmethod
    def default(cls: type[S]) -> S:
        """The door that calls on the class go through."""
        with ClassOrInstance._opening:
            if cls.__dict__.get("_default") is None:
                cls._default = cls()
            found: S = cls._default
            return found

    def close(self) -> None:
        """Let go of the store; the next call opens it again."""
        with self._lock:
            services, self._services = self._services, None
        if services is not None:
            services.close()


class either(Generic[S, P, R]):  # noqa: N801 - it is used as a decorator
    """A method that, called on the class, is called on the class's default instance."""

    def __init__(self, method: Callable[Concatenate[S, P], R]) -> None:
        self._method = method
        functools.update_wrapper(self, method)  # type: ignore[arg-type]

    def __get__(self, instance: S | None, owner: type[S]) -> Callable[P, R]:
        @functools.wraps(self._method)
        def bound(*args: P.args, **kwargs: P.kwargs) -> R:
            return self._method(owner.default() if instance is None else instance, *args, **kwargs)

        return bound


def given(**fields: object) -> dict[str, object]:
    """The fields that were given: not None."""
    return {name: value for name, value in fields.items() if value is not None}
