"""What an object of Django's is counted as: `["shop.Product", "7"]`.

Owns the rule and its knobs on a model, `hailwhale_root` and `hailwhale_field`. It knows no store.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import models

from hailwhale.errors import BadInput

_FORMS = 'an object of a model, a model, or a pk such as ["Product", "7"]'


def root_of(model: type[models.Model]) -> list[str]:
    """What all objects of a model are counted below; its sums are those of them all.

    A proxy is counted as the model it stands for.
    """
    root = getattr(model, "hailwhale_root", None)
    concrete = model._meta.concrete_model or model
    return [concrete._meta.label] if not root else [root] if isinstance(root, str) else list(root)


def field_of(model: type[models.Model]) -> str:
    """The field whose text is an object's last label."""
    return str(getattr(model, "hailwhale_field", "pk"))


def pk_of(what: object) -> list[str]:
    """The pk of whatever is counted: an object, all objects of a model, or a pk as it is.

    Raises `BadInput`, also for the empty text that a template makes of a name it does not know.

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
    """What an object is counted as; raises `BadInput` while it has no primary key.

    It is the method `hailwhale_pk` of `models.Counted`.
    """
    model = type(instance)
    value = getattr(instance, field_of(model))
    if value is None or value == "":
        raise BadInput("pk", instance, f"an object that has its {field_of(model)}: save it first")
    return [*root_of(model), str(value)]
