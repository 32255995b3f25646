"""Senders: threads that count over HTTP as a real client does, and record the answers.

An event with an id is sent again until it is acknowledged, and sometimes once more after that. An
event without an id is sent once; its fate is unknown if there is no answer.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from decimal import Decimal
from http.client import HTTPConnection, HTTPException
from random import Random
from threading import Event as Flag
from threading import Semaphore, Thread
from urllib.parse import urlencode

import simplejson

from tests.deploy.running import DEADLINE_S
from tests.faults.judge import Fate
from tests.faults.traffic import Sample, Traffic

_TIMEOUT_S = 10.0
_RETRY_S = 0.02
_FULL_SPOOL = (b"the spool is full", b"cannot write to the spool")


class Sender(Thread):
    """Sends traffic to a port of this machine until `stop` is set, a request for each `permit`.

    `fates` tells what became of each sample, `sent_again` how many times one was sent once more
    because its fate was not known, `complaints` what no server should ever do. `failures` are the
    answers of 500 and more, but those that say that the spool has no room.
    """

    def __init__(self, port: int, traffic: Traffic, permits: Semaphore, stop: Flag) -> None:
        super().__init__(daemon=True)
        self.fates: list[tuple[Sample, Fate]] = []
        self.acknowledged = 0
        self.refused = 0
        self.sent_again = 0
        self.complaints: list[str] = []
        self.failures: list[str] = []
        self._traffic = traffic
        self._permits = permits
        self._stopped = stop
        self._random = Random(port)
        self._connection = HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
        self._connection.auto_open = 0  # to distinguish a refused connection from a broken one

    def run(self) -> None:
        try:
            for samples in self._traffic.requests():
                self._permits.acquire()
                if self._stopped.is_set():
                    return
                self._settle(samples)
        except Exception as fault:  # noqa: BLE001 - told to whoever waits for the thread
            self.complaints.append(repr(fault))
        finally:
            self._connection.close()

    def _settle(self, samples: Sequence[Sample]) -> None:
        """Send samples, those with an id until they are acknowledged."""
        waiting = list(samples)
        deadline_s = time.monotonic() + DEADLINE_S
        while waiting:
            assert time.monotonic() < deadline_s, f"never acknowledged: {waiting[0].id}"
            again = []
            for sample, fate in zip(waiting, self._send(waiting), strict=True):
                if sample.id is not None and sample.sound and fate is not Fate.ACKNOWLEDGED:
                    again.append(sample)
                    continue
                self.fates.append((sample, fate))
                self.acknowledged += fate is Fate.ACKNOWLEDGED
                self.refused += fate is Fate.REFUSED
            self.sent_again += len(again)
            waiting = again
        if self._random.random() < 0.1:
            self._send_twice([sample for sample in samples if sample.id is not None])

    def _send_twice(self, samples: Sequence[Sample]) -> None:
        """Send what is acknowledged once more: whatever the answer, it may not count again."""
        if samples:
            self._send(samples)

    def _send(self, samples: Sequence[Sample]) -> list[Fate]:
        answer = self._exchange(samples)
        if answer is None:
            return [Fate.UNKNOWN] * len(samples)
        status, body = answer
        if status == 200 and body == b"OK":
            return [Fate.ACKNOWLEDGED] * len(samples)
        if status >= 500 and not any(words in body for words in _FULL_SPOOL):
            self.failures.append(f"{status}: {body.decode(errors='replace')}")
        told = json.loads(body)
        if status == 503:
            time.sleep(_RETRY_S)
        if status == 503 and "error" in told:
            return [Fate.UNKNOWN] * len(samples)  # the store may have taken them and not said so
        refused = set(told.get("unbuffered", ()))
        refused |= {item["index"] for item in told.get("rejected", ())}
        if "error" in told:
            refused.add(0)
        for place, sample in enumerate(samples):
            if place in refused and sample.sound and status != 503:
                self.complaints.append(f"{status}: {body!r} for {sample}")
        return [
            Fate.REFUSED if place in refused else Fate.ACKNOWLEDGED for place in range(len(samples))
        ]

    def _exchange(self, samples: Sequence[Sample]) -> tuple[int, bytes] | None:
        """Send one request; its status and body, None when the answer did not come whole."""
        self._connect()
        try:
            if len(samples) == 1:
                self._connection.request("GET", f"/count?{_query(samples[0])}")
            else:
                body = simplejson.dumps([sample.fields for sample in samples], use_decimal=True)
                kind = {"Content-Type": "application/json"}
                self._connection.request("POST", "/count", body.encode(), kind)
            response = self._connection.getresponse()
            return response.status, response.read()
        except (OSError, HTTPException):
            self._connection.close()
            return None

    def _connect(self) -> None:
        deadline_s = time.monotonic() + DEADLINE_S
        while self._connection.sock is None:
            try:
                self._connection.connect()
            except OSError:
                self._connection.close()
                if time.monotonic() > deadline_s:
                    raise
                time.sleep(_RETRY_S)


def _query(sample: Sample) -> str:
    texts = {"id", "uid"}
    fields = sample.fields.items()
    return urlencode(
        [(name, value if name in texts else _literal(value)) for name, value in fields]
    )


def _literal(value: object) -> str:
    assert not isinstance(value, Decimal)
    return str(simplejson.dumps(value, use_decimal=True))
