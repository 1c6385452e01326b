"""The catalogue, open to everybody."""

from fastapi import APIRouter

from api.catalogue.repository import list_products
from api.catalogue.schemas import ProductView
from api.runtime import SessionDep

router = APIRouter(tags=["catalogue"])


@router.get("/products")
def products(session: SessionDep) -> list[ProductView]:
    """List what can be ordered, with sizes, prices (cents a month) and templates."""
    return list_products(session)
