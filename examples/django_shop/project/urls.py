"""Where things are."""

from django.contrib import admin
from django.urls import path
from shop import views

urlpatterns = [
    path("", views.shop, name="shop"),
    path("product/<int:pk>/", views.product, name="product"),
    path("product/<int:pk>/buy/", views.buy, name="buy"),
    path("product/<int:pk>/totals.json", views.totals, name="totals"),
    path("admin/", admin.site.urls),
]
