"""`hailwhale demo`: sends the events of a fictional shop to a running service over HTTP.

Sends the last days first, as fast as possible, and then live events, including a page that the
service decides. All pks begin with "Demo". The module `shop` generates the events.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from random import Random

from hailwhale.commands.demo import shop
from hailwhale.commands.demo.patient_service import PatientService, open_client
from hailwhale.commands.options import Subparsers
from hailwhale.core.value_parsers import parse_decimal
from hailwhale.settings import Settings

_DAY_S, _HOUR_S = 86_400, 3_600
_AT_ONCE = 2_000
_TICK_S = 0.5
_LANDING = 0.25  # share of the visits for which the service decides the page
_DECIDED_DAYS = 3
# An event of the history stands for several visits: the newer it is, for the fewer.
_COARSE = ((2 * _HOUR_S, 4), (_DAY_S, 30), (10_000 * _DAY_S, 200))


def add_parser(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "demo",
        help="send the events of a fictional shop to a service",
        description="Send the last days of a fictional shop to a running service, then live events "
        "until Ctrl-C: visits, orders, sign-ups, errors, and a page that the service decides. "
        'Every pk begins with "Demo".',
        epilog="example: hailwhale demo --rate 20",
    )
    where = "(default: HAILWHALE_PUBLIC_URL, or HAILWHALE_HOST and HAILWHALE_PORT)"
    parser.add_argument("--url", help=f"URL of the service {where}")
    parser.add_argument(
        "--days", default="30", metavar="N", help="days of history to send, 0: none (default: 30)"
    )
    parser.add_argument("--rate", default="2", metavar="N", help="visits per second (default: 2)")
    parser.add_argument(
        "--seconds", metavar="N", help="stop after this many seconds (default: at Ctrl-C)"
    )
    parser.add_argument("--token", default="", help="bearer token with the scopes count and read")
    parser.add_argument("--seed", default=None, help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Send the past, then live events."""
    days = _number("days", args.days, 0, 34)
    rate = _number("rate", args.rate, 0.01, 1_000)
    seconds = float("inf") if args.seconds is None else _number("seconds", args.seconds, 0, 1e9)
    # A variable that sets another port for the service sets it for the demo as well.
    url = args.url or Settings.from_env().home
    chance = Random(args.seed)
    with open_client(url, args.token) as client:
        service = PatientService(client, tell=lambda text: print(text, file=sys.stderr, flush=True))
        now_s = time.time()
        there = _is_there(service)  # always asked: it fails if the URL is no service
        if days and there:
            print(
                f"The service has the history already. Now sending {rate:g} visits per second",
                end="",
            )
        elif days:
            sent = send_past(service, now_s, days, rate, chance)
            last = "day" if days == 1 else f"{days:g} days"
            print(
                f"Sent {sent:,} events of the last {last}. Now sending {rate:g} visits per second",
                end="",
            )
        else:
            print(f"Sending {rate:g} visits per second", end="")
        until = "until Ctrl-C" if args.seconds is None else f"for {seconds:g} s"
        print(f" to {url} {until}.", flush=True)
        sent = live(service, rate, now_s, now_s + seconds, chance)
    print(f"Sent {sent:,} events.")
    return 0


def send_past(
    service: PatientService, now_s: float, days: float, rate: float, chance: Random
) -> int:
    """Send `days` of the past at the activity `rate`; return the number of events."""
    sent = 0
    for events in _batches(past(now_s, days, rate, chance)):
        sent += service.count(events)
    for events in _batches(past_landings(now_s, min(days, _DECIDED_DAYS), chance)):
        sent += service.count_decisions(events)
    return sent


def past(now_s: float, days: float, rate: float, chance: Random) -> Iterator[shop.ShopEvent]:
    """Yield the events of the last days, oldest first, each for several visits (see `_COARSE`)."""
    start_s = now_s - days * _DAY_S
    for reach_s, weight in reversed(_COARSE):
        nearer = [near_s for near_s, _ in _COARSE if near_s < reach_s]
        from_s = max(start_s, now_s - reach_s)
        to_s = now_s - max(nearer, default=0)
        if from_s < to_s:
            for event in shop.happening(from_s, to_s, rate / weight, chance, now_s):
                yield shop.weighed(event, weight)


def past_landings(now_s: float, days: float, chance: Random) -> Iterator[shop.ShopEvent]:
    """Yield visitors who saw a random page, and what they spent: evidence for decisions."""
    for _ in range(int(2_000 * days)):
        who = shop.visitor(chance)
        option = chance.choice(shop.OPTIONS)
        yield _shown(who, option, now_s - chance.random() * days * _DAY_S, chance)


def live(
    service: PatientService,
    rate: float,
    start_s: float,
    end_s: float,
    chance: Random,
    clock: Callable[[], float] = time.time,
) -> int:
    """Send events in real time from `start_s` to `end_s`; return how many were sent."""
    sent, last_s = 0, start_s
    while last_s < end_s:
        now_s = min(clock(), end_s)
        events = list(shop.happening(last_s, now_s, rate, chance, now_s))
        visits = sum(event["pk"] == shop.VISITS for event in events)
        if events:
            sent += service.count(events)
        shown = [
            _decided(service, now_s, chance) for _ in range(visits) if chance.random() < _LANDING
        ]
        if shown:
            sent += service.count_decisions(shown)
        last_s = now_s
        if last_s < end_s:
            service.pause(_TICK_S)
    return sent


def _decided(service: PatientService, at_s: float, chance: Random) -> shop.ShopEvent:
    """Simulate a visitor: ask the service for the page, then report what the visitor spent."""
    who = shop.visitor(chance)
    option = service.ask(
        partial(service.client.decide, shop.LANDING, shop.OPTIONS, who, by_metric="earned/hits")
    )
    return _shown(who, option, at_s, chance)


def _shown(who: dict[str, object], option: str, at_s: float, chance: Random) -> shop.ShopEvent:
    earned = shop.landing(str(who["country"]), option, chance)
    metrics = {"earned": earned} if earned else {}
    seen = {"pk": shop.LANDING, "option": option, "dimensions": who, "at": round(at_s, 3)}
    return {**seen, "metrics": {"hits": 1, **metrics}}


def _is_there(service: PatientService) -> bool:
    """Return whether the past was sent before."""
    answer = service.ask(partial(service.client.totals, shop.VISITS, period="yesterday"))
    return bool(answer["yesterday"]["_"]["hits"])


def _batches(events: Iterable[shop.ShopEvent]) -> Iterator[list[shop.ShopEvent]]:
    rest = iter(events)
    while batch := list(islice(rest, _AT_ONCE)):
        yield batch


def _number(name: str, text: str, minimum: float, maximum: float) -> float:
    return float(parse_decimal(text, name, minimum, maximum))
