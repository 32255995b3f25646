"""Sealed URLs: tokens that cannot be read, changed or created without a key.

Defines the content of a token and when it is rejected. Knows nothing of HTTP, or of how events are
counted and queries answered.

A token is URL-safe base64 of ``version | id of the key | nonce | sealed``, sealed by AES-256-GCM.
Its purpose is part of the authenticated data: a pixel's token does not work for a graph. The sealed
content is JSON:

    pixel   [pk, dimensions, metrics, slots, expires_s, id]
    graph   [{parameter: value}, expires_s]
"""

from __future__ import annotations

import base64
import binascii
import math
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import simplejson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hailwhale.core.events.event import EVENT_PARAMETERS, parse_event
from hailwhale.core.events.limits import Limits
from hailwhale.core.events.literals import parse_relaxed_json
from hailwhale.core.events.param_names import Fields
from hailwhale.core.events.paths import parse_label
from hailwhale.core.graph.options import parse_graph
from hailwhale.core.numbers import decimal_text, finite
from hailwhale.core.time.calendar_grid import Interval
from hailwhale.core.value_parsers import is_absent
from hailwhale.errors import BadInput, BadSeal, BadSetting
from hailwhale.services.security.keyring import Keyring
from hailwhale.settings import Settings

_VERSION = b"\x01"
_ID = slice(1, 5)
_NONCE = slice(5, 17)
_HEAD_BYTES = 17
_MOST_CHARS = 3_500  # of a token: its URL has to pass servers and proxies
_MOST_SLOTS = 16
_ONCE_S = 82_800  # 23 h: ids are kept for 24, and clocks differ
_PARTS = ("pk", "dimensions", "metrics")
_OF_THE_PAGE = ("target", "hwurl")  # where a graph is drawn: never sealed


class SealPurpose(Enum):
    """The purposes that a token can be sealed for."""

    PIXEL = b"pixel"
    GRAPH = b"graph"


@dataclass(frozen=True, slots=True)
class TokenSealer:
    """Create and open sealed tokens; `clock` returns epoch seconds."""

    keyring: Keyring
    limits: Limits
    clock: Callable[[], float]

    def pixel(
        self,
        fields: Fields,
        slots: Sequence[str] = (),
        expires: object = None,
        *,
        once: bool = False,
    ) -> str:
        """Return the token of a pixel that counts these `pk`, `dimensions` and `metrics`.

        `slots` are what the page may fill: names of dimensions, or `uid`. `expires` is a length
        such as `30d`; None means never. With `once` the token counts once and expires after at most
        23 hours. Raises `BadInput` for what could not be counted.
        """
        now_s = self.clock()
        for name in fields:
            if name in EVENT_PARAMETERS and name not in _PARTS:
                raise BadInput(
                    name, fields[name], "only pk, dimensions and metrics in a sealed pixel"
                )
        event = parse_event(fields, now_s, self.limits, add_hits=False)
        names = self._slots(slots)
        until_s = self._until_s(expires, now_s, _ONCE_S if once else None)
        filled = _filled({"dimensions": list(event.dimensions)}, dict.fromkeys(names, "x"))
        parse_event(filled, now_s, self.limits)  # must be a valid event once its slots are filled
        payload = [
            event.pk,
            event.dimensions,
            {name: decimal_text(amount) for name, amount in event.metrics.items()},
            names,
            until_s,
            f"once:{secrets.token_hex(12)}" if once else None,
        ]
        return self._seal(SealPurpose.PIXEL, payload)

    def event(self, token: str, filled: Fields) -> dict[str, object]:
        """Return the event fields of a pixel's token, with the slots the page has `filled`.

        Raises `BadSeal`, and `BadInput` for a value that is invalid in a slot.
        """
        pk, dimensions, metrics, slots, until_s, once = self._open(SealPurpose.PIXEL, token, 6)
        self._refuse_expired(until_s)
        given = {name: value for name, value in filled.items() if not name.startswith("_")}
        closed = next((name for name in given if name not in slots), None)
        if closed is not None:
            raise BadSeal(f"this pixel has no slot {closed[:64]!r}", "seal-slot")
        labels = {name: self._label(name, value) for name, value in given.items() if value != ""}
        fields: dict[str, object] = {"pk": pk, "dimensions": dimensions}
        if metrics:
            fields["metrics"] = metrics
        if once is not None:
            fields["id"] = once
        return _filled(fields, labels)

    def graph(self, fields: Fields, expires: object = None) -> str:
        """Return the token of a graph, with the query of /graph.js, /plotpoints and /totals.

        Raises `BadInput` if the fields are not those of a graph.
        """
        for name in _OF_THE_PAGE:
            if name in fields:
                raise BadInput(
                    name, fields[name], f"{name} as a parameter of the URL, not sealed in its token"
                )
        graph = parse_graph(fields, self.limits)
        # The period is always explicit: the default of another query must not show more.
        sealed = {**graph.options, "periods": graph.plot.period.text}
        sealed.pop("period", None)  # under its canonical name, the one that the routes accept
        return self._seal(SealPurpose.GRAPH, [sealed, self._until_s(expires, self.clock(), None)])

    def question(self, token: str) -> dict[str, object]:
        """Return the parameters sealed in a graph's token; raise `BadSeal`."""
        fields, until_s = self._open(SealPurpose.GRAPH, token, 2)
        self._refuse_expired(until_s)
        found: dict[str, object] = fields
        return found

    def _slots(self, slots: Sequence[str]) -> list[str]:
        if isinstance(slots, str):
            slots = slots.split(",")
        names = [parse_label(name, self.limits, "slots") for name in slots]
        if len(set(names)) < len(names) or len(names) > _MOST_SLOTS:
            raise BadInput("slots", slots, f"at most {_MOST_SLOTS} names, each only once")
        if wrong := [name for name in names if name.startswith("_")]:
            raise BadInput(
                "slots", wrong[0], "names that do not begin with _, which is for cache busters"
            )
        return names

    def _label(self, name: str, value: object) -> str:
        return parse_label(value, self.limits, name)

    def _until_s(self, expires: object, now_s: float, most_s: int | None) -> int | None:
        if is_absent(expires):
            return None if most_s is None else int(now_s) + most_s
        seconds = _length_s(expires)
        if most_s is not None and seconds > most_s:
            raise BadInput("expires", expires, "at most 23h for a pixel that counts once")
        return int(now_s) + seconds

    def _refuse_expired(self, until_s: object) -> None:
        if isinstance(until_s, int) and self.clock() >= until_s:
            raise BadSeal("this token has expired", "seal-expired")

    def _seal(self, purpose: SealPurpose, payload: object) -> str:
        keys = self.keyring.all()
        if not keys:
            raise BadSetting(
                "HAILWHALE_SEAL_KEYS: no key to seal with: run `hailwhale keys new` to create one"
            )
        head = _VERSION + keys[0].id + os.urandom(_NONCE.stop - _NONCE.start)
        text = simplejson.dumps(
            payload, use_decimal=True, ensure_ascii=False, separators=(",", ":")
        )
        sealed = AESGCM(keys[0].secret).encrypt(
            head[_NONCE], text.encode(), _authenticated(purpose, head)
        )
        token = base64.urlsafe_b64encode(head + sealed).decode().rstrip("=")
        if len(token) > _MOST_CHARS:
            raise BadInput(
                "token", f"{len(token)} characters", f"at most {_MOST_CHARS}: seal fewer parameters"
            )
        return token

    def _open(self, purpose: SealPurpose, token: str, parts: int) -> list[Any]:
        raw = _decoded(token)
        head = raw[:_HEAD_BYTES]
        key = next((key for key in self.keyring.all() if key.id == head[_ID]), None)
        if key is None:
            raise BadSeal(
                "this token was sealed with a key that is unknown or no longer in use", "seal-key"
            )
        try:
            text = AESGCM(key.secret).decrypt(
                head[_NONCE], raw[_HEAD_BYTES:], _authenticated(purpose, head)
            )
        except InvalidTag as fault:
            raise _broken() from fault
        payload = parse_relaxed_json(text.decode(), "token")
        if not isinstance(payload, list) or len(payload) != parts:
            raise _broken()
        return payload


def sealing_of(settings: Settings, clock: Callable[[], float]) -> TokenSealer:
    """Return a sealer with the keys of the settings."""
    return TokenSealer(Keyring(settings), settings.limits, clock)


def _authenticated(purpose: SealPurpose, head: bytes) -> bytes:
    return b"hailwhale " + purpose.value + b" " + head


def _decoded(token: str) -> bytes:
    """Decode a token; accept only the canonical text of the same bytes."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
    except (ValueError, binascii.Error) as fault:
        raise _broken() from fault
    if len(token) > _MOST_CHARS or base64.urlsafe_b64encode(raw).decode().rstrip("=") != token:
        raise _broken()
    if len(raw) <= _HEAD_BYTES or raw[:1] != _VERSION:
        raise _broken()
    return raw


def _broken() -> BadSeal:
    return BadSeal(
        "this token was modified, truncated, or sealed for another purpose", "seal-broken"
    )


def _filled(fields: Fields, labels: Mapping[str, str]) -> dict[str, object]:
    """Return the fields of an event with more dimensions, and with the visitor if given."""
    dimensions = fields.get("dimensions")
    paths = list(dimensions) if isinstance(dimensions, Sequence) else []
    paths += [[name, label] for name, label in labels.items() if name != "uid"]
    visitor = {"uid": labels["uid"]} if "uid" in labels else {}
    return {**fields, "dimensions": paths, **visitor}


def _length_s(value: object) -> int:
    """Return a number of seconds, given as such or as a length such as `30d`."""
    expected = "seconds, or a length such as 12h or 30d"
    number = None if isinstance(value, bool) else finite(value)
    if number is None and isinstance(value, str):
        try:
            number = finite(Interval.parse(value, "expires").nominal_s)
        except BadInput as fault:
            raise BadInput("expires", value, expected) from fault
    if number is None or not 1 <= number <= 10**10:
        raise BadInput("expires", value, expected)
    return math.floor(number)
