"""A shop: products that are counted, and orders that are rows."""

from django.db import models

from hailwhale.contrib.django.models import Counted


class Product(Counted):
    """Counted as ["shop.Product", "7"]: `views`, `sales` and `revenue`, by country."""

    name = models.CharField(max_length=80, unique=True)
    price = models.DecimalField(max_digits=8, decimal_places=2)

    def __str__(self) -> str:
        return self.name


class Order(models.Model):
    """What somebody bought."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE)
    quantity = models.PositiveSmallIntegerField(default=1)
    country = models.CharField(max_length=2, default="US")

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product}"

    def count(self, **event: object) -> None:
        """Count the sale, when the transaction that made the order is committed."""
        revenue = self.product.price * self.quantity
        self.product.count_now(
            {"country": self.country}, {"revenue": revenue, "sales": self.quantity}, **event
        )
