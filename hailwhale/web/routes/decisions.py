"""The routes of decisions: /decide, /reasons and /count_decision."""

from __future__ import annotations

import bottle

from hailwhale.core.decisions.exposure import parse_exposure
from hailwhale.core.decisions.parameters import parse_decide, parse_reasons
from hailwhale.core.events.event import Event
from hailwhale.core.value_parsers import parse_enum
from hailwhale.services.container import Services
from hailwhale.services.decisions.decide import Decision, ShareTaking
from hailwhale.services.decisions.exposure_counter import ExposureCounter
from hailwhale.services.json_shapes import reasons_json, report_json
from hailwhale.store.types import AcceptStatus
from hailwhale.web.count_limits import limited
from hailwhale.web.plugins.auth import says_bot
from hailwhale.web.request import SizeLimits, one_event
from hailwhale.web.responses import head_refused, json_reply, text_reply
from hailwhale.web.routes.count import add_counting


def add_exposing(
    app: bottle.Bottle, services: Services, sizes: SizeLimits, exposing: ExposureCounter
) -> None:
    """Mount /count_decision, which answers as /count does."""
    paths = {"/count_decision": False, "/count_decision.gif": True}
    counting = limited(services, exposing.count, exposing.count_many, parse_exposure)
    add_counting(app, paths, sizes, *counting)


def add_deciding(
    app: bottle.Bottle, services: Services, sizes: SizeLimits, take: ShareTaking
) -> None:
    """Mount /decide and /reasons; `take` counts the options that were given."""
    deciding, limits = services.deciding, services.settings.limits

    def decide() -> bottle.HTTPResponse:
        environ = bottle.request.environ
        fields, as_text = _asked(sizes)
        choice = parse_decide(fields, limits)
        decision = deciding.decide(choice, _left_out if says_bot(environ) else take)
        services.tallies.decided()
        if as_text:
            return text_reply("\n".join(each.option for each in decision.given))
        return json_reply(decision_body(decision, choice.slots))

    def reasons() -> bottle.HTTPResponse:
        choice = parse_reasons(one_event(bottle.request.environ, sizes), limits)
        return json_reply(reasons_json(deciding.reasons(choice)))

    app.route("/decide", ["GET", "POST"], decide)
    app.route("/decide", "HEAD", head_refused)
    app.route("/reasons", ["GET", "POST"], reasons)


def _left_out(_event: Event) -> AcceptStatus:
    return AcceptStatus.ACCEPTED


def decision_body(decision: Decision, slots: int) -> dict[str, object]:
    """Return the body of /decide: the option, or with several slots the options in order."""
    given = [{"option": each.option, "propensity": each.propensity} for each in decision.given]
    body: dict[str, object] = dict(given[0])
    if slots > 1:
        body["options"] = given
    if decision.id is not None:
        body["decision"] = decision.id
    if decision.report is not None:
        body["reasons"] = report_json(decision.report)
    return body


def _asked(sizes: SizeLimits) -> tuple[dict[str, object], bool]:
    """Return the parameters without the format, and whether the format is text."""
    fields = one_event(bottle.request.environ, sizes)
    form = parse_enum(fields.pop("format", "json"), "format", ("json", "text"), "json or text")
    return fields, form == "text"
