"""/decide, /reasons and /count_decision, over HTTP: every parameter, and what is refused."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

import pytest

from hailwhale.core.decisions import Posterior
from hailwhale.core.decisions.parameters import parse_reasons
from hailwhale.services.container import Services
from hailwhale.services.decisions import model_cache
from hailwhale.services.decisions.decide import SampleRatioCheck
from hailwhale.services.decisions.journal import read_journal
from hailwhale.services.decisions.off_policy import RULES, OffPolicyEvaluator
from hailwhale.web.apps import whale_app
from tests.web.client import LINES, Client

BY = "pk=Page&by_metric=earned/spent"
DECIDED = (
    b'{"id":"x","option":"a","at":0,"options":["a"],"shares":[1],"propensity":1,"dimensions":[]}'
)


@pytest.fixture
def page(whale: Client) -> Client:
    """A decision with evidence: b earns 4 for each 1 spent, a and c next to nothing."""
    shown = [
        {
            "pk": "Page",
            "option": option,
            "dimensions": {"country": "US", "device": device},
            "metrics": {"spent": 0.5, "earned": earned},
        }
        for option, earned in (("a", 0.1), ("b", 2), ("c", 0.1))
        for device in ("mobile", "desktop")
        for _ in range(100)
    ]
    assert whale.post("/count_decision", shown).json["accepted"] == 600
    return whale


def test_the_readmes_three_requests_do_what_they_say(whale: Client) -> None:
    us = 'dimensions={"country": "US"}'
    for query in ('metric={"spent": .50}', 'metric={"earned": 25}'):
        counted = whale.get("/count_decision", f"pk=PageVariation&option=b&{us}&{query}")
        assert (counted.status, counted.text) == (200, "OK")

    answer = whale.get(
        "/decide", f"pk=PageVariation&options=['a', 'b', 'c']&{us}&by_metric=spent/earned"
    )

    assert answer.status == 200
    assert answer.json["option"] in ("a", "b", "c")
    assert 0 < answer.json["propensity"] <= 1
    assert set(answer.json["reasons"]) == {"a", "b", "c"}
    asked = "pk=PageVariation&dimension=country&metrics=spent,earned,hits&period=all"
    assert whale.get("/totals", asked).json == {
        "all": {"country": {"spent": 0.5, "earned": 25, "hits": 2}}
    }


def test_the_best_option_is_given_and_the_reasons_say_why(page: Client) -> None:
    given = Counter(page.get("/decide", f"{BY}&options=a,b,c").json["option"] for _ in range(50))
    reasons = page.get("/reasons", f"{BY}&options=a,b,c").json["options"]

    assert given.most_common(1)[0][0] == "b"
    assert reasons["b"]["verdict"] == "good"
    assert reasons["a"]["verdict"] == reasons["c"]["verdict"] == "bad"
    low, high = reasons["b"]["interval"]
    assert low < reasons["b"]["estimate"] < high
    assert reasons["b"]["estimate"] == pytest.approx(4, rel=0.25)
    assert sum(each["best"] for each in reasons.values()) == pytest.approx(1, abs=0.01)
    assert sum(each["share"] for each in reasons.values()) == pytest.approx(1, abs=0.01)
    assert all(each["reason"] for each in reasons.values())


def test_where_less_is_better_another_option_is_good(page: Client) -> None:
    by_cost = "pk=Page&by_metric=spent/earned&goal=min&explore=0&options=a,b,c"

    assert page.get("/decide", by_cost).json["option"] == "b"
    assert page.get("/decide", f"{BY}&explore=0&options=a,b,c").json["option"] == "b"
    assert page.get("/decide", f"{BY}&explore=0&options=a,b,c&goal=min").json["option"] != "b"
    negative = "pk=Page&by_metric=-spent/earned&explore=0&options=a,b,c"
    assert page.get("/decide", negative).json["option"] == "b"


def test_a_visitor_with_a_uid_keeps_its_option(page: Client) -> None:
    asked = f"{BY}&options=a,b,c&uid=ann&holdout=1"

    first = page.get("/decide", asked).json
    again = [page.get("/decide", asked).json for _ in range(20)]

    assert {(each["option"], each["propensity"]) for each in again} == {
        (first["option"], first["propensity"])
    }
    others = {
        page.get("/decide", f"{BY}&options=a,b,c&holdout=1&uid=u{n}").json["option"]
        for n in range(40)
    }
    assert others == {"a", "b", "c"}


def test_a_withdrawn_option_is_not_given_to_whom_it_was_given(page: Client) -> None:
    first = page.get("/decide", f"{BY}&options=a,b,c&uid=ann").json["option"]
    rest = [option for option in "abc" if option != first]

    assert page.get("/decide", f"{BY}&options={','.join(rest)}&uid=ann").json["option"] in rest


def test_several_slots_are_different_options(page: Client) -> None:
    answer = page.get("/decide", f"{BY}&options=a,b,c&slots=3").json

    assert sorted(each["option"] for each in answer["options"]) == ["a", "b", "c"]
    assert answer["option"] == answer["options"][0]["option"]
    text = page.get("/decide", f"{BY}&options=a,b,c&slots=2&format=text")
    assert text.headers["content-type"].startswith("text/plain")
    assert len(set(text.text.split("\n"))) == 2


def test_without_options_all_that_were_counted_are_asked_about(page: Client) -> None:
    assert set(page.get("/decide", BY).json["reasons"]) == {"a", "b", "c"}
    assert set(page.get("/reasons", BY).json["options"]) == {"a", "b", "c"}


def test_an_option_never_counted_is_still_to_be_tested(page: Client) -> None:
    reasons = page.get("/reasons", f"{BY}&options=a,b,new").json["options"]

    assert reasons["new"]["verdict"] == "test"
    assert reasons["new"]["hits"] == 0
    assert reasons["new"]["share"] > 0


def test_one_option_is_given_always(whale: Client) -> None:
    answer = whale.get("/decide", "pk=Empty&options=only&by_metric=earned").json

    assert (answer["option"], answer["propensity"]) == ("only", 1)


def test_dimensions_never_seen_and_a_denominator_of_0_have_answers(page: Client) -> None:
    unseen = page.get("/decide", f'{BY}&options=a,b,c&dimensions={{"country":"Atlantis"}}')
    by_nothing = page.get("/decide", "pk=Page&by_metric=earned/nothing&options=a,b,c")

    assert unseen.status == by_nothing.status == 200
    assert by_nothing.json["option"] in "abc"


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("pk=Empty&by_metric=earned", "options"),
        ("pk=Page&options=a,b", "by_metric"),
        (f"{BY}&options=a,a", "options"),
        (f"{BY}&options=a,b&slots=3", "slots"),
        (f"{BY}&slots=4", "slots"),
        (f"{BY}&options=a,b&goal=least", "goal"),
        (f"{BY}&options=a,b&minimum=0.6", "minimum"),
        (f'{BY}&options=a,b&weights={{"z":1}}', "weights"),
        (f"{BY}&options=a,b&format=xml", "format"),
    ],
)
def test_an_invalid_decision_is_refused_by_name(page: Client, query: str, parameter: str) -> None:
    answer = page.get("/decide", query)

    assert answer.status == 400
    assert answer.error["parameter"] == parameter


def test_head_decides_nothing(page: Client) -> None:
    assert page.request("HEAD", "/decide", f"{BY}&options=a").status == 405


def test_a_decision_is_counted_and_shares_are_checked_against_exposures(page: Client) -> None:
    for _ in range(5):
        page.get("/decide", f"{BY}&options=d")

    ratio = page.get("/reasons", f"{BY}&options=a,b,c,d").json["sample_ratio"]

    assert ratio["decided"] == {"a": 0, "b": 0, "c": 0, "d": 5}
    assert ratio["exposed"] == {"a": 200, "b": 200, "c": 200, "d": 0}
    assert ratio["p"] is None  # most of these exposures came of no decision


def test_exposures_that_get_lost_for_one_option_are_noticed(whale: Client) -> None:
    for option, decided, exposed in (("a", 500, 490), ("b", 500, 400)):
        whale.post(
            "/count",
            {"pk": ["Leaky", option], "metrics": {"decided": decided, "hits": exposed}},
        )

    ratio = whale.get("/reasons", "pk=Leaky&by_metric=earned").json["sample_ratio"]

    assert ratio["p"] < 0.001
    assert "not shown in the proportions" in ratio["warning"]


@pytest.mark.parametrize(("p", "warned"), [(None, False), (0.5, False), (0.0009, True)])
def test_a_sample_ratio_warns_below_one_in_a_thousand(p: float | None, warned: bool) -> None:
    assert (SampleRatioCheck({}, {}, p).warning is not None) is warned


def test_a_decision_that_is_logged_can_be_followed_up(page: Client, services: Services) -> None:
    answer = page.get("/decide", f'{BY}&options=a,b,c&log=1&dimensions={{"country":"US"}}').json
    result = {"pk": "Page", "option": answer["option"], "decision": answer["decision"]}
    page.post("/count_decision", {**result, "metrics": {"hits": 0, "earned": 25}})
    page.post("/count_decision", {**result, "metrics": {"hits": 0, "earned": 3}, "id": "again"})
    page.post("/count_decision", {**result, "metrics": {"hits": 0, "earned": 3}, "id": "again"})

    first, *results = [json.loads(line) for line in services.deciding.journal.lines(("Page",))]

    assert first["id"] == answer["decision"]
    assert first["option"] == answer["option"]
    assert first["options"] == ["a", "b", "c"]
    assert first["dimensions"] == [["country", "US"]]
    assert sum(first["shares"]) == pytest.approx(1, abs=1e-4)
    assert first["propensity"] == pytest.approx(float(answer["propensity"]), rel=1e-4)
    assert [each["metrics"] for each in results] == [
        {"hits": 0, "earned": 25},
        {"hits": 0, "earned": 3},
    ]


def test_exposures_are_taken_one_by_one_as_events_are(hail: Client, services: Services) -> None:
    lines = [
        {"pk": "Page", "option": "a"},
        {"pk": "Page"},
        {"pk": "Page", "option": "b", "metrics": {"earned": 1}},
    ]
    body = "\n".join(json.dumps(line) for line in lines)

    answer = hail.post("/count_decision", body, LINES).json

    assert answer["accepted"] == 2
    assert [each["index"] for each in answer["rejected"]] == [1]
    assert answer["rejected"][0]["error"]["parameter"] == "option"
    assert services.drain.flush() == 2


def test_an_image_tag_gets_its_pixel(hail: Client) -> None:
    answer = hail.get("/count_decision.gif", "pk=Page&option=a")

    assert answer.headers["content-type"] == "image/gif"


def test_decisions_are_counted_by_a_separate_drain(
    buffering_whale: Client, services: Services
) -> None:
    buffering_whale.get("/count_decision", "pk=Page&option=a")
    buffering_whale.get("/decide", "pk=Page&options=a&by_metric=earned")

    assert services.drain.flush() == 2


def test_pairs_and_products_stay_out_of_answers(page: Client) -> None:
    below = page.get("/subdimensions", "pk=Page&depth=2").json["_"]
    ranked = page.get("/rank", "pk=Page&period=all&limit=0").json
    plotted = page.get("/plotpoints", "pk=Page&depth=1&threshold=0&limit=0").json

    shown = {*below, *plotted, *(row["dimension"] for row in ranked)}
    assert shown == {
        "_",
        "country",
        "device",
        '["country", "US"]',
        '["device", "desktop"]',
        '["device", "mobile"]',
    }


def test_evidence_that_comes_later_changes_the_decision(
    whale: Client, make_services: Callable[..., Services]
) -> None:
    asked = "pk=Turn&by_metric=earned&options=a,b&explore=0"
    few = [{"pk": "Turn", "option": "a", "metrics": {"earned": 1}}] * 50
    many = [{"pk": "Turn", "option": "b", "metrics": {"earned": 9}}] * 500
    whale.post("/count_decision", [*few, *[{"pk": "Turn", "option": "b"}] * 50])
    assert whale.get("/decide", asked).json["option"] == "a"
    whale.post("/count_decision", many)

    # Another process has no model at hand yet.
    assert Client(whale_app(make_services())).get("/decide", asked).json["option"] == "b"


def test_a_kept_option_is_logged_with_the_propensity_it_was_drawn_with(
    page: Client, services: Services
) -> None:
    first = page.get("/decide", f"{BY}&options=a,b,c&uid=ann&holdout=1").json
    page.get("/decide", f"{BY}&options=a,b,c&uid=ann&explore=0&log=1")

    [entry] = read_journal(services.deciding.journal.lines(("Page",)))

    assert entry.given.option == first["option"]
    assert entry.given.propensity == pytest.approx(1 / 3, rel=1e-4)


def test_a_result_that_is_sent_again_in_a_batch_is_read_once(
    page: Client, services: Services
) -> None:
    answer = page.get("/decide", f"{BY}&options=a,b,c&log=1").json
    result = {
        "pk": "Page",
        "option": answer["option"],
        "decision": answer["decision"],
        "metrics": {"hits": 0, "earned": 25},
        "id": "order-1",
    }
    for _ in range(2):
        page.post("/count_decision", [result, {"pk": "Page"}])

    [entry] = read_journal(services.deciding.journal.lines(("Page",)))

    assert entry.metrics["earned"] == 25


@pytest.mark.parametrize(
    "line",
    [
        b"no json",
        b"[]",
        b'{"id":"x","option":"a","at":0}',
        DECIDED.replace(b'"option":"a"', b'"option":"z"'),
        DECIDED.replace(b'"propensity":1', b'"propensity":0'),
        DECIDED.replace(b'"shares":[1]', b'"shares":[]'),
    ],
)
def test_journals_leave_out_other_pks(line: bytes) -> None:
    assert len(read_journal([line, DECIDED])) == 1


def _broken(*_arguments: object) -> Posterior:
    raise ArithmeticError("the estimates of the decision are not finite")


def test_maths_that_fail_are_never_a_fault_of_the_request(
    page: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether or not anything was known before; the log says it, and visitors get options."""
    known = page.get("/reasons", f"{BY}&options=a,b").json
    monkeypatch.setattr(model_cache, "fit", _broken)
    assert page.get("/reasons", f"{BY}&options=a,b").json == known
    for by in (BY, "pk=Page&by_metric=earned"):
        logged = page.get("/decide", f"{by}&options=a,b&log=1&uid=ann&slots=2")
        assert logged.status == 200
        assert {each["option"] for each in logged.json["options"]} == {"a", "b"}
    unknown = page.get("/reasons", "pk=Page&by_metric=earned&options=a,b")
    assert unknown.status == 200
    assert {row["verdict"] for row in unknown.json["options"].values()} == {"test"}
    asked = parse_reasons({"pk": "Page", "by_metric": "earned", "options": "a,b"})
    replay = OffPolicyEvaluator(services.deciding, services.clock).replay(asked, RULES[:4])
    assert replay.decisions > 0


def test_counts_beyond_reason_have_reasons(whale: Client) -> None:
    """10^20 - 1 exposures of 10^20 decisions, which rounds to all of them; and results of 10^29."""
    for option in "ab":
        for metrics in ({"decided": 10**20, "hits": 10**20 - 1}, {"earned": 10**29, "hits": 0}):
            counted = {"pk": "Odd", "option": option, "metrics": metrics}
            assert whale.post("/count_decision", counted).status == 200
    answer = whale.get("/reasons", "pk=Odd&by_metric=earned")
    assert answer.status == 200
    assert answer.json["sample_ratio"]["p"] == 1
    assert whale.get("/decide", "pk=Odd&by_metric=earned*earned*earned*earned*earned").status == 200
