"""Methods that work on an instance, and on the class through its default instance.

The public classes use it: `Whale.totals(...)` answers from the store of the settings,
`Whale("redis://…").totals(...)` from another one.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast

from hailwhale.services.container import Services, open_services
from hailwhale.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="ClassOrInstance")


class either(Generic[S, P, R]):  # noqa: N801 - it is used as a decorator
    """A method that uses the class's default instance when it is called on the class."""

    def __init__(self, method: Callable[Concatenate[S, P], R]) -> None:
        self._method = method
        functools.update_wrapper(self, method)  # type: ignore[arg-type]

    def __get__(self, instance: S | None, owner: type[S]) -> Callable[P, R]:
        if instance is not None:
            return cast("Callable[P, R]", MethodType(self._method, instance))

        @functools.wraps(self._method)
        def on_default(*args: P.args, **kwargs: P.kwargs) -> R:
            return self._method(owner.default(), *args, **kwargs)

        on_default.__signature__ = _readable_signature(self._method)  # type: ignore[attr-defined]
        return on_default


class _Annotation(str):
    """The text of an annotation, which `help` shows without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class _Signature(inspect.Signature):
    """A signature that `help` shows with a line for each parameter when it is long."""

    def __str__(self) -> str:
        line = super().__str__()
        if len(line) <= _SIGNATURE_CHARS:
            return line
        shown: list[str] = []
        kinds = [parameter.kind for parameter in self.parameters.values()]
        for place, parameter in enumerate(self.parameters.values()):
            if parameter.kind is parameter.KEYWORD_ONLY and parameter.kind not in kinds[:place]:
                shown.append("*")
            shown.append(str(parameter))
        lines = "".join(f"    {each},\n" for each in shown)
        return f"(\n{lines}) -> {self.return_annotation}"


_SIGNATURE_CHARS = 70


@functools.cache
def _readable_signature(method: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of a method as called on the class: without `self`."""
    signature = inspect.signature(method)
    _, *parameters = signature.parameters.values()
    return _Signature(
        [each.replace(annotation=_Annotation(each.annotation)) for each in parameters],
        return_annotation=_Annotation(signature.return_annotation),
    )


class ClassOrInstance:
    """A facade over services, opened from the settings when they are first needed.

    Every method works on the class, too, over one default instance of each class, which reads the
    settings from the HAILWHALE_* variables of the environment.
    """

    _services: Services | None = None
    _default: Any = None
    _opening = Lock()

    def __init__(self, url: str | None = None, *, settings: Settings | None = None) -> None:
        """Prepare an instance; nothing is opened before the first call that needs the store.

        Args:
            url: A Redis or Valkey URL, such as "redis://localhost:6379/0"; it overrides the
                settings'. None takes the settings'.
            settings: The settings, in place of those of the environment.

        Raises:
            BadSetting: A setting has a value that it cannot have.
        """
        if settings is None:
            settings = Settings.from_env(redis_url=url)
        elif url is not None:
            settings = replace(settings, redis_url=url)
        self._settings = settings
        self._lock = Lock()

    @property
    def services(self) -> Services:
        """The services behind this facade; the first use opens the store."""
        with self._lock:
            if self._services is None:
                self._services = open_services(self._settings)
            return self._services

    @property
    def settings(self) -> Settings:
        """The settings of this facade; reading them opens nothing."""
        return self._settings

    @classmethod
    def default(cls: type[S]) -> S:
        """Return the instance that calls on the class use; create it at the first call.

        Returns:
            The same instance for every call on this class.

        Raises:
            BadSetting: A setting of the environment has a value that it cannot have.

        Example:
            >>> from hailwhale import Whale
            >>> Whale.default() is Whale.default()
            True
        """
        with ClassOrInstance._opening:
            if cls.__dict__.get("_default") is None:
                cls._default = cls()
            found: S = cls._default
            return found

    @either
    def close(self) -> None:
        """Close the connections to the store; the next call opens them again.

        Example:
            >>> from hailwhale import Whale
            >>> whale = Whale("redis://localhost:6379/0")
            >>> whale.close()
        """
        with self._lock:
            services, self._services = self._services, None
        if services is not None:
            services.close()
