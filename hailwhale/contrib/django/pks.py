"""Maps Django objects to pks: `["shop.Product", "7"]`.

Defines the rule and its options on a model, `hailwhale_root` and `hailwhale_field`. Knows nothing
of stores.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import models

from hailwhale.errors import BadInput

_FORMS = 'a model instance, a model, or a pk such as ["Product", "7"]'


def root_of(model: type[models.Model]) -> list[str]:
    """Return the pk above all objects of a model; its totals are the sums of all objects.

    A proxy is counted as its concrete model.
    """
    root = getattr(model, "hailwhale_root", None)
    concrete = model._meta.concrete_model or model
    return [concrete._meta.label] if not root else [root] if isinstance(root, str) else list(root)


def field_of(model: type[models.Model]) -> str:
    """Return the name of the field whose text is an object's last label."""
    return str(getattr(model, "hailwhale_field", "pk"))


def pk_of(what: object) -> list[str]:
    """Return the pk of an object, of all objects of a model, or of a pk as it is.

    Raises `BadInput`, also for the empty text that a template substitutes for an unknown name.

    >>> pk_of("Queue"), pk_of(["Product", 7])
    (['Queue'], ['Product', '7'])
    """
    own = getattr(what, "hailwhale_pk", None)
    if isinstance(what, type) and issubclass(what, models.Model):
        return root_of(what)
    if callable(own):
        return [str(label) for label in own()]
    if isinstance(what, models.Model):
        return own_pk(what)
    if isinstance(what, str) and what:
        return [what]
    if isinstance(what, Sequence) and what and not isinstance(what, str | bytes):
        return [str(label) for label in what]
    raise BadInput("pk", what, _FORMS)


def own_pk(instance: models.Model) -> list[str]:
    """Return the pk of an object; raise `BadInput` while it has no primary key.

    It is the method `hailwhale_pk` of `models.Counted`.
    """
    model = type(instance)
    value = getattr(instance, field_of(model))
    if value is None or value == "":
        raise BadInput("pk", instance, f"a saved instance: its {field_of(model)} is empty")
    return [*root_of(model), str(value)]
