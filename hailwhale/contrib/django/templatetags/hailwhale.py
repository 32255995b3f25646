"""`{% load hailwhale %}`: graphs, numbers and pixels in templates."""

from __future__ import annotations

import logging
from typing import Any

from django import template
from django.utils.safestring import SafeString

from hailwhale.contrib.django import conf, html
from hailwhale.contrib.django.pks import pk_of
from hailwhale.errors import StoreUnavailable

register = template.Library()
log = logging.getLogger(__name__)


@register.simple_tag
def hailwhale_graph(what: object, metrics: object = None, **asked: Any) -> SafeString:
    """Render a live graph: `{% hailwhale_graph product "revenue" period="1d:1mo" depth=1 %}`.

    `what` is an object, a pk or a label. The graph is sealed if there is a key; `sealed=False`
    disables that.
    """
    return html.graph(what, metrics=metrics, **asked)


@register.simple_tag
def hailwhale_pixel(what: object, metrics: object = None, **asked: Any) -> SafeString:
    """Render a counting pixel: `{% hailwhale_pixel product "views" expires="30d" %}`."""
    return html.pixel(what, metrics=metrics, **asked)


@register.simple_tag
def hailwhale_total(
    what: object,
    metric: str = "hits",
    period: str = "1d:1mo",
    dimension: Any = None,
    default: object = "–",
) -> object:
    """Return a number: `{% hailwhale_total product "revenue" "today" %}`, or `… as earned %}`.

    While the store is unavailable it is `default`, so that the page does not fail.
    """
    try:
        return conf.whale().total(pk_of(what), metric, period, dimension)
    except StoreUnavailable as fault:
        log.warning("%s; a page shows %r instead of %s", fault, default, metric)
        return default
