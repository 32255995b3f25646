"""The pages of the shop."""

from asgiref.sync import sync_to_async
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from shop.models import Order, Product


def shop(request: HttpRequest) -> HttpResponse:
    """All products, what earned most this month at the top."""
    products = Product.objects.order_by_counted("-revenue", period="1d:1mo")
    return render(request, "shop/shop.html", {"products": products})


def product(request: HttpRequest, pk: int) -> HttpResponse:
    """One product, with its graph and the pixel that counts who looks."""
    return render(request, "shop/product.html", {"product": get_object_or_404(Product, pk=pk)})


@require_POST
@transaction.atomic
def buy(request: HttpRequest, pk: int) -> HttpResponse:
    """An order, and its count: both or neither."""
    product = get_object_or_404(Product, pk=pk)
    order = Order.objects.create(product=product, country=request.POST.get("country", "US")[:2])
    order.count()
    return redirect("product", pk=pk)


async def totals(request: HttpRequest, pk: int) -> HttpResponse:
    """What was sold of a product, from an async view."""
    product = await sync_to_async(get_object_or_404)(Product, pk=pk)
    return JsonResponse(await product.atotals(metrics=["sales", "revenue"], period="1d:1mo"))
