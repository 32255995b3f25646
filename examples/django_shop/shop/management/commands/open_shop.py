"""`manage.py open_shop`: everything that the example needs, and then its server."""

from __future__ import annotations

import random
import secrets
import time
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import transaction

from shop.models import Order, Product

PRODUCTS = {
    "Whale mug": "12.50",
    "Plush whale": "24.90",
    "Hail umbrella": "39.00",
    "Ocean print": "59.00",
    "Storm lamp": "89.00",
}
DAYS = 30
DAY_S = 86_400


class Command(BaseCommand):
    """Makes the database, the products, a month of orders and an admin; then serves."""

    help = "Fill the shop, if it is empty, and serve it."

    def handle(self, *args: Any, **options: Any) -> None:
        """Go on where an earlier one was."""
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        call_command("migrate", verbosity=0)
        if not Product.objects.exists():
            fill(random.Random(7))
        self.stdout.write(f"{settings.SHOP_URL}/admin/  user: admin  password: {new_password()}")
        self.stdout.flush()
        address = settings.SHOP_URL.removeprefix("http://")
        call_command("runserver", address, use_reloader=False)


@transaction.atomic
def fill(chance: random.Random) -> None:
    """In one transaction: products, and a month of visits and orders, dearer ones less often."""
    for name, price in PRODUCTS.items():
        Product.objects.create(name=name, price=price)
    now_s = int(time.time())
    for product in Product.objects.all():
        for day in range(DAYS):
            at_s = now_s - day * DAY_S
            views = chance.randint(20, 60)
            product.count_now(metrics={"views": views, "hits": 0}, at=at_s)
            for country in chance.choices(["US", "DE", "JP"], [5, 3, 1], k=views // 20):
                order = Order(product=product, quantity=chance.randint(1, 3), country=country)
                order.save()
                order.count(at=at_s)


def new_password() -> str:
    """A password for the user admin, another one at each start."""
    password = secrets.token_urlsafe(9)
    users = get_user_model().objects
    admin = users.filter(username="admin").first() or users.create_superuser("admin")
    admin.set_password(password)
    admin.save()
    return password
