"""Orders of servers, new ones and from the market. With ``test=true`` an order is checked and not placed. No I/O."""

from lab.robot.errors import ApiError, invalid_input
from lab.robot.form import Form, flag, listed, required
from lab.robot.world import Item, World

SHOPS = ("server", "server_market")
_COMMON: Item = {"traffic": "unlimited", "dist": ["Rescue system", "Debian 12 base"], "lang": ["en"]}
_PRICE: Item = {"net": "39.0000", "gross": "46.4100", "hourly_net": "0.0625", "hourly_gross": "0.0744"}
_FIXED: Item = {"fixed_price": True, "next_reduce": 0, "next_reduce_date": "2030-01-01 00:00:00"}
PRODUCTS: dict[str, dict[str, Item]] = {
    "server": {
        "AX41-NVMe": {
            "id": "AX41-NVMe",
            "name": "Dedicated Server AX41-NVMe",
            "description": ["AMD Ryzen 5 3600", "64 GB DDR4 RAM", "2 x 512 GB NVMe SSD"],
            **_COMMON,
            "arch": [64],
            "location": ["FSN1", "HEL1"],
            "prices": [{"location": "FSN1", "price": _PRICE, "price_setup": {"net": "39.0000", "gross": "46.4100"}}],
            "orderable_addons": [],
        }
    },
    "server_market": {
        "282323": {
            "id": 282323,
            "name": "SB36",
            "description": ["Intel Core i7-6700", "64 GB DDR4 RAM", "2 x 512 GB NVMe SSD"],
            **_COMMON,
            "arch": [64],
            "cpu": "Intel Core i7-6700",
            "cpu_benchmark": 8092,
            "memory_size": 64,
            "hdd_size": 512,
            "hdd_text": "NVMe",
            "hdd_count": 2,
            "datacenter": "FSN1-DC14",
            "network_speed": "1 Gbit",
            "price": "36.0000",
            "price_setup": "0.0000",
            "price_vat": "42.8400",
            "price_setup_vat": "0.0000",
            **_FIXED,
            "orderable_addons": [],
        }
    },
}


class Orders:
    """Products and transactions of both shops."""

    def __init__(self, world: World) -> None:
        self._world = world

    def products(self, shop: str) -> list[Item]:
        """What can be ordered."""
        return [{"product": product} for product in PRODUCTS[shop].values()]

    def product(self, shop: str, name: str) -> Item:
        """One product."""
        if name not in PRODUCTS[shop]:
            raise ApiError(404, "NOT_FOUND", "Product not found")
        return {"product": PRODUCTS[shop][name]}

    def transactions(self, shop: str) -> list[Item]:
        """Every order of a shop; 404 if there is none."""
        self._deliver()
        found = [{"transaction": _shown(item)} for item in self._world.orders.values() if item["shop"] == shop]
        if not found:
            raise ApiError(404, "NOT_FOUND", "No transactions found")
        return found

    def transaction(self, shop: str, number: str) -> Item:
        """One order."""
        self._deliver()
        if number not in self._world.orders or self._world.orders[number]["shop"] != shop:
            raise ApiError(404, "NOT_FOUND", "Transaction not found")
        return {"transaction": _shown(self._world.orders[number])}

    def order(self, shop: str, form: Form) -> Item:
        """Place an order, or with ``test=true`` answer as if it had been placed."""
        (name,) = required(form, "product_id")
        if name not in PRODUCTS[shop]:
            raise invalid_input(invalid=["product_id"])
        keys = listed(form, "authorized_key")
        if [key for key in keys if key not in self._world.keys]:
            raise invalid_input(invalid=["authorized_key"])
        if not keys and not form.get("password"):
            raise invalid_input(missing=["authorized_key"])
        product = PRODUCTS[shop][name]
        chosen = {"dist": form.get("dist", product["dist"][0]), "arch": "64", "lang": form.get("lang", "en")}
        place = {"location": form.get("location", "FSN1")} if shop == "server" else {}
        unpriced = {key: value for key, value in product.items() if "price" not in key or key == "fixed_price"}
        del unpriced["orderable_addons"]
        item: Item = {
            "id": f"B{self._world.today().replace('-', '')}-{self._world.next_number()}",
            "date": self._world.moment(),
            "status": "in process",
            "server_number": None,
            "server_ip": None,
            "authorized_key": [],
            "host_key": [],
            "comment": form.get("comment"),
            "product": {**unpriced, **chosen, **place},
            "addons": [],
            "shop": shop,
            "deliver_at": self._world.clock() + self._world.switching,
        }
        if not flag(form, "test", default=False):
            self._world.orders[item["id"]] = item
        return {"transaction": _shown(item)}

    def _deliver(self) -> None:
        for item in self._world.orders.values():
            if item["status"] == "in process" and item["deliver_at"] <= self._world.clock():
                server = self._world.add_server("", product=item["product"]["name"])
                number, address = server["server_number"], server["server_ip"]
                item.update(status="ready", server_number=number, server_ip=address)


def _shown(item: Item) -> Item:
    return {key: value for key, value in item.items() if key not in {"shop", "deliver_at"}}
