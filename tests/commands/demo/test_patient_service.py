"""Events of the demo count once even if answers get lost, and failures are reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest

from hailwhale.commands.demo import shop
from hailwhale.commands.demo.patient_service import PatientService, open_client
from hailwhale.core.query.parameters import parse_totals
from hailwhale.errors import BadInput, HailWhaleError, StoreUnavailable
from hailwhale.services.container import Services
from hailwhale.web.apps import whale_app
from tests.browser.serving import serving
from tests.client.conftest import Relay
from tests.conftest import NOW_S

Lose = Callable[[Services], Any]


@contextmanager
def answering_503_after_counting(services: Services) -> Iterator[str]:
    """A service whose first two answers are lost behind a proxy that says 503."""
    app, left = whale_app(services), [2]

    def proxied(environ: dict[str, Any], start_response: Any) -> Any:
        if not left[0]:
            return app(environ, start_response)
        left[0] -= 1
        list(app(environ, lambda *_: None))
        start_response("503 Service Unavailable", [("Content-Type", "text/plain")])
        return [b"no answer from upstream"]

    with serving(proxied) as origin:
        yield origin


@contextmanager
def dropping_answers_after_counting(services: Services) -> Iterator[str]:
    """A service whose first two answers never arrive."""
    with serving(whale_app(services)) as origin, Relay(origin, swallows=2) as relay:
        thread = Thread(target=relay.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield relay.url
        relay.shutdown()
        thread.join(10)


def hits(services: Services, pk: object) -> object:
    question = parse_totals({"pk": pk, "metrics": "hits", "period": "all"})
    [found] = services.reporting.totals(question)
    return found.by_path[()]["hits"]


@pytest.mark.parametrize("lose", [answering_503_after_counting, dropping_answers_after_counting])
def test_a_batch_whose_answer_is_lost_counts_once(services: Services, lose: Lose) -> None:
    visits: list[dict[str, object]] = [{"pk": shop.VISITS, "at": NOW_S}] * 40
    shown: list[dict[str, object]] = [{"pk": shop.LANDING, "option": "bold", "at": NOW_S}] * 30
    with lose(services) as url, open_client(url, "") as client:
        service = PatientService(client)
        assert service.count(visits) == 40
        assert service.count_decisions(shown) == 30
    assert client.stats.failures == 2
    assert (hits(services, shop.VISITS), hits(services, shop.LANDING)) == (40, 30)


def test_a_question_without_an_answer_is_asked_again_and_then_given_up() -> None:
    waited: list[float] = []
    told: list[str] = []
    with open_client("http://127.0.0.1:9", "") as client:
        service = PatientService(client, tries=3, pause=waited.append, tell=told.append)
        with pytest.raises(StoreUnavailable, match="does not answer"):
            service.ask(client.totals)
    assert waited == [2, 2]
    [text] = told
    assert text.startswith("http://127.0.0.1:9 does not answer: ")
    assert text.endswith("; retrying for up to 6 seconds")


def test_a_service_that_comes_late_is_awaited() -> None:
    answers: Iterator[object] = iter([StoreUnavailable("not yet"), StoreUnavailable("nor now"), 7])

    def question() -> object:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with open_client("http://127.0.0.1:9", "") as client:
        assert PatientService(client, pause=lambda _s: None).ask(question) == 7


def test_events_without_an_answer_are_given_up_in_the_end() -> None:
    with open_client("http://127.0.0.1:9", "") as client:
        client._outbox._close_timeout_s = 0
        service = PatientService(client, tries=2, away_s=0.05)
        with pytest.raises(StoreUnavailable, match=r"no answer for 1 events: .*does not answer"):
            service.count([{"pk": "a"}])


def test_refusals_are_reported_at_once(services: Services) -> None:
    with serving(whale_app(services)) as origin, open_client(origin, "") as client:
        service = PatientService(client, pause=lambda _s: pytest.fail("nothing to wait for"))
        with pytest.raises(HailWhaleError, match=r"rejected events: .*metrics"):
            service.count(
                [{"pk": "a", "at": NOW_S}, {"pk": "b", "at": NOW_S, "metrics": {"a/b": 1}}]
            )
        with pytest.raises(BadInput, match="period"):
            service.ask(lambda: client.totals("a", period="nonsense"))


def test_the_address_of_a_service_is_a_url() -> None:
    with pytest.raises(BadInput, match="url"):
        open_client("ftp://there", "")
