"""Templates, the admin and the example's views, through Django's own test client."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.template import Context, Template
from django.test import AsyncClient, Client
from shop.admin import ProductAdmin
from shop.models import Order, Product

from hailwhale.contrib.django import conf
from hailwhale.errors import BadInput, BadSetting, StoreUnavailable
from hailwhale.services.container import Services
from hailwhale.web.apps import whale_app
from tests.contrib.django.conftest import Use
from tests.web.client import Client as Service

KEY = "A" * 43
HOSTILE = """</script><img src=x onerror="alert(1)">'"""


def rendered(source: str, **context: Any) -> str:
    return Template("{% load hailwhale %}" + source).render(Context(context))


def address(tag: str) -> tuple[str, dict[str, list[str]]]:
    """The path of a tag's address, and its parameters."""
    found = re.search(r'src="([^"]*)"', tag)
    assert found is not None
    parts = urlsplit(html.unescape(found.group(1)))
    return parts.path, parse_qs(parts.query)


def test_a_graph_is_the_line_of_the_library(mug: Any) -> None:
    tag = rendered('{% hailwhale_graph product "revenue" period="1d:1w" depth=1 %}', product=mug)
    assert tag.startswith('<script async src="http://127.0.0.1:8085/graph.js?')
    assert address(tag) == (
        "/graph.js",
        {
            "pk": [f'["shop.Product", "{mug.pk}"]'],
            "metrics": ["revenue"],
            "period": ["1d:1w"],
            "depth": ["1"],
        },
    )


def test_a_graph_is_sealed_where_there_is_a_key(mug: Any, use: Use) -> None:
    use(SEAL_KEYS=[KEY], PUBLIC_URL="https://hw.example.com")
    path, query = address(rendered('{% hailwhale_graph product "revenue" %}', product=mug))
    assert (path, list(query)) == ("/graph.js", ["token"])
    question = conf.whale().sealing.question(query["token"][0])
    assert question["pk"] == mug.hailwhale_pk()
    open_tag = rendered('{% hailwhale_graph product "revenue" sealed=False %}', product=mug)
    assert "pk" in address(open_tag)[1]


def test_a_pixel_counts_what_it_says(mug: Any, use: Use, services: Services) -> None:
    use(services)
    path, query = address(rendered('{% hailwhale_pixel product "views" %}', product=mug))
    assert path == "/count.gif"
    asked = "&".join(f"{name}={values[0]}" for name, values in query.items())
    assert Service(whale_app(services)).get(path, asked).status == 200
    assert mug.total("views") == 1


def test_a_sealed_pixel_has_slots_and_may_count_once(mug: Any, use: Use) -> None:
    use(SEAL_KEYS=KEY)
    tag = rendered('{% hailwhale_pixel p "views" slots="country" once=True %}', p=mug)
    path, _ = address(tag)
    token = path.removeprefix("/pixel/").removesuffix(".gif")
    event = conf.whale().sealing.event(token, {"country": "US"})
    assert event["pk"] == mug.hailwhale_pk()
    assert str(event["id"]).startswith("once:")


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ('{% hailwhale_graph nothing "revenue" %}', BadInput),
        ('{% hailwhale_graph product "revenue" period="5x" %}', BadInput),
        ('{% hailwhale_graph product "revenue" expires="1d" %}', BadInput),
        ('{% hailwhale_graph product "revenue" sealed=True %}', BadSetting),
        ('{% hailwhale_pixel product "views" once=True %}', BadInput),
        ('{% hailwhale_pixel product "a/b" %}', BadInput),
        ("{% hailwhale_total nothing %}", BadInput),
    ],
)
def test_a_tag_that_cannot_be_says_so(mug: Any, source: str, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        rendered(source, product=mug)


@pytest.mark.parametrize("tag", ["hailwhale_graph", "hailwhale_pixel"])
@pytest.mark.parametrize("keys", [[], [KEY]], ids=["open", "sealed"])
def test_a_label_never_becomes_markup(use: Use, tag: str, keys: list[str]) -> None:
    use(SEAL_KEYS=keys)
    shown = rendered("{% " + tag + " label metrics=label dimensions=label %}", label="x")
    hostile = rendered("{% " + tag + ' label "views" dimensions=label %}', label=HOSTILE)
    for text in (shown, hostile):
        assert text.count("<") == text.count(">") == (2 if tag == "hailwhale_graph" else 1)
        assert "onerror=" not in text


def test_a_total_is_shown_or_kept(mug: Any) -> None:
    mug.count_now(metrics={"revenue": "9.99"})
    assert rendered('{% hailwhale_total p "revenue" "today" %}', p=mug) == "9.99"
    kept = '{% hailwhale_total p "revenue" as earned %}{{ earned|floatformat:1 }}'
    assert rendered(kept, p=mug) == "10.0"
    assert rendered('{% hailwhale_total "Queue" "jobs" "all" %}') == "0"


def test_a_page_outlives_the_store(mug: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("no answer")

    monkeypatch.setattr(conf.whale(), "total", away, raising=False)
    assert rendered("{% hailwhale_total p %}", p=mug) == "–"
    assert rendered("{% hailwhale_total p default=mark %}", p=mug, mark="<?>") == "&lt;?&gt;"


# The example's pages


def test_an_order_counts_with_its_transaction(mug: Any) -> None:
    client = Client()
    assert client.post(f"/product/{mug.pk}/buy/", {"country": "DE"}).status_code == 302
    assert Order.objects.get().country == "DE"
    assert mug.totals(metrics="sales,revenue", dimension=["country", "DE"], period="all") == {
        "all": {'["country", "DE"]': {"sales": 1, "revenue": 12.5}}
    }
    assert b"Mug" in client.get("/").content
    assert b"1 sold in 30 days" in client.get(f"/product/{mug.pk}/").content


def test_an_async_view_asks(mug: Any) -> None:
    mug.count_now(metrics={"sales": 2})

    async def asked() -> Any:
        return await AsyncClient().get(f"/product/{mug.pk}/totals.json")

    assert async_to_sync(asked)().json() == {"1d:1mo": {"_": {"sales": 2, "revenue": 0}}}


# The admin


@pytest.fixture
def admin(mug: Any, lamp: Any) -> Iterator[Client]:
    """Somebody who may do everything; there are a mug and a lamp."""
    user = User.objects.create_superuser("admin")
    client = Client()
    client.force_login(user)
    yield client
    user.delete()


def rows(answer: Any) -> list[list[str]]:
    """The cells of the list, without the boxes."""
    assert answer.status_code == 200
    text = answer.content.decode().partition("<tbody>")[2].partition("</tbody>")[0]
    cells = [
        re.findall(r"<t[dh] class=\"field[^>]*>(.*?)</t[dh]>", row) for row in text.split("<tr>")
    ]
    return [[re.sub("<.*?>", "", cell) for cell in row] for row in cells if row]


@pytest.mark.parametrize(
    ("order", "names"),
    [("", ["Lamp", "Mug"]), ("?o=3", ["Lamp", "Mug"]), ("?o=-3", ["Mug", "Lamp"])],
)
def test_the_list_has_columns_to_sort_by(
    admin: Client, mug: Any, lamp: Any, order: str, names: list[str]
) -> None:
    mug.count_now(metrics={"revenue": 1234.5, "sales": 2, "views": 3})
    lamp.count_now(metrics={"revenue": 89, "sales": 1})
    found = rows(admin.get(f"/admin/shop/product/{order}"))
    assert found[names.index("Mug")] == ["Mug", "12.50", "1,234.50", "2", "0.6667"]
    assert found[names.index("Lamp")] == ["Lamp", "89.00", "89", "1", "0"]


def test_what_is_chosen_in_the_list_can_be_deleted(admin: Client, mug: Any, lamp: Any) -> None:
    mug.count_now(metrics={"revenue": 2})
    chosen = {"action": "delete_selected", "_selected_action": [lamp.pk], "post": "yes"}
    assert admin.post("/admin/shop/product/?o=-3", chosen).status_code == 302
    assert [product.name for product in Product.objects.all()] == ["Mug"]


def test_a_list_of_few_leaves_the_others_without_a_number(
    admin: Client, mug: Any, lamp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ProductAdmin, "counted_limit", 1)
    mug.count_now(metrics={"revenue": 2})
    lamp.count_now(metrics={"revenue": 1})
    found = rows(admin.get("/admin/shop/product/?o=-3"))
    assert [(row[0], row[2]) for row in found] == [("Mug", "2"), ("Lamp", "–")]


def test_a_list_is_there_without_the_store(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("no answer")

    monkeypatch.setattr(conf.whale().services.ranking, "rank", away)
    answer = admin.get("/admin/shop/product/?o=-3")
    assert [row[2] for row in rows(answer)] == ["–", "–"]
    assert b"HailWhale&#x27;s store does not answer" in answer.content


def test_the_page_of_an_object_has_its_graph_and_that_of_a_new_one_has_none(
    admin: Client, mug: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = f"/admin/shop/product/{mug.pk}/change/"
    mug.name = f"Mug {HOSTILE}"
    mug.save()
    page = admin.get(change).content.decode()
    tag = page[page.index("<script async") :]
    path, query = address(tag)
    assert path == "/graph.js"
    assert query["pk"] == [f'["shop.Product", "{mug.pk}"]']
    assert query["title"] == [f"Mug {HOSTILE}"]
    assert "graph.js" not in admin.get("/admin/shop/product/add/").content.decode()
    monkeypatch.setattr(ProductAdmin, "counted_graph_options", None)
    assert "graph.js" not in admin.get(change).content.decode()


def test_the_graph_takes_its_place_among_the_fields_that_are_named(
    admin: Client, mug: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = f"/admin/shop/product/{mug.pk}/change/"
    for fieldsets in (
        [("A", {"fields": ["name"]})],
        [("A", {"fields": ["counted_graph", "name"]})],
    ):
        monkeypatch.setattr(ProductAdmin, "fieldsets", fieldsets)
        assert admin.get(change).content.decode().count("graph.js") == 1


@pytest.mark.parametrize(
    "named",
    [
        {"fields": ["counted_graph", "name", "price"]},
        {"fields": [("name", "counted_graph"), "price"]},
        {
            "fieldsets": [
                ("A", {"fields": ["counted_graph"]}),
                (None, {"fields": ["name", "price"]}),
            ]
        },
    ],
)
def test_a_new_object_is_added_without_the_graph_that_is_named(
    admin: Client, named: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in named.items():
        monkeypatch.setattr(ProductAdmin, name, value)
    page = admin.get("/admin/shop/product/add/")
    assert page.status_code == 200
    assert "graph" not in page.content.decode()
    told = {"name": "Cup", "price": "3"}
    assert admin.post("/admin/shop/product/add/", told).status_code == 302
    assert Product.objects.filter(name="Cup").exists()


def test_without_columns_a_list_asks_nothing(
    admin: Client, mug: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ProductAdmin, "counted_columns", {})
    monkeypatch.setattr(ProductAdmin, "counted_graph_options", {})
    monkeypatch.setattr(Product, "hailwhale_pk", lambda self: ["Own", self.name])
    assert ["Mug", "12.50"] in rows(admin.get("/admin/shop/product/"))
    page = admin.get(f"/admin/shop/product/{mug.pk}/change/").content.decode()
    assert address(page[page.index("<script async") :])[1]["metrics"] == ["hits"]


def test_an_object_is_saved_on_the_page_of_its_graph(admin: Client, mug: Any) -> None:
    change = f"/admin/shop/product/{mug.pk}/change/"
    assert admin.post(change, {"name": "Cup", "price": "3"}).status_code == 302
    assert Product.objects.get(pk=mug.pk).name == "Cup"
