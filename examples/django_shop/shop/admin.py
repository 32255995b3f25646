"""The admin: products with what they earn, and a graph of each."""

from django.contrib import admin

from hailwhale.contrib.django.admin import CountedAdmin
from shop.models import Order, Product


@admin.register(Product)
class ProductAdmin(CountedAdmin):
    """The list can be sorted by each of the counted columns."""

    list_display = ("name", "price")
    counted_columns = {"revenue": "revenue", "sales": "sales", "sales_per_view": "sales/views"}
    counted_period = "1d:1mo"
    counted_graph_options = {"metrics": "revenue", "dimensions": "country", "depth": 1}


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):
    """Orders as they are."""

    list_display = ("product", "quantity", "country")
