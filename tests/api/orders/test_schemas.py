"""What customers may send in an order; each refusal names its field."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from api.orders.schemas import OrderRequest
from components.specs import CloudVmSpec
from tests.factories.orders import CLOUD_VM, order_request
from tests.fakes.workload_specs import cloud_vm

BAD_NAMES = [
    "",
    "a_b",
    "..",
    "../../etc/passwd",
    "a.b",
    "Upper",
    "münchen",
    "\uff46\uff55\uff4c\uff4c",
    "-a",
    "a-",
    "a b",
    "a\n",
    "a\nruncmd:\n  - reboot",
    "!!python/object:os.system",
    "{{ ds.meta_data }}",
    "a\x00b",
    "a\u202eb",
    "x" * 41,
    "x" * 300,
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_is_no_hostname_is_refused(name: str) -> None:
    """It becomes hostname, DNS label and part of cloud-init."""
    with pytest.raises(ValidationError) as caught:
        order_request(name=name)
    assert caught.value.errors()[0]["loc"] == ("name",)


@pytest.mark.parametrize("name", ["a", "7", "build-box", "x" * 40, "a--b"])
def test_a_hostname_is_a_name(name: str) -> None:
    """RFC 1123's letters, digits and inner hyphens, up to 40."""
    assert order_request(name=name).name == name


@pytest.mark.parametrize(
    ("change", "location"),
    [
        ({"product": "cloud_vm"}, ("product",)),
        ({"product": "a" * 300}, ("product",)),
        ({"size": ""}, ("size",)),
        ({"size": -1}, ("size",)),
        ({"size": 10**30}, ("size",)),
        ({"template": "../debian"}, ("template",)),
        ({"ssh_keys": "laptop"}, ("ssh_keys",)),
        ({"ssh_keys": ["x"] * 17}, ("ssh_keys",)),
        ({"ssh_keys": [""]}, ("ssh_keys", 0)),
        ({"ssh_keys": ["a\x00"]}, ("ssh_keys", 0)),
        ({"ssh_keys": ["a\nb"]}, ("ssh_keys", 0)),
        ({"ssh_keys": ["\ud800"]}, ("ssh_keys", 0)),
        ({"ssh_keys": ["x" * 300]}, ("ssh_keys", 0)),
        ({"name": None}, ("name",)),
        ({"price_cents": 1}, ("price_cents",)),
        ({"owner_id": "somebody"}, ("owner_id",)),
        ({"node": "cloud-1"}, ("node",)),
    ],
)
def test_whatever_else_is_wrong_is_named(change: dict[str, Any], location: tuple[str | int, ...]) -> None:
    """Prices, owners and nodes are ours to say: sending them is an error, not silence."""
    with pytest.raises(ValidationError) as caught:
        OrderRequest.model_validate(CLOUD_VM | change)
    assert caught.value.errors()[0]["loc"][: len(location)] == location


def test_a_key_can_have_any_name_that_an_account_can_give_it() -> None:
    """One hundred characters, spaces and accents included."""
    name = "Zoë's old laptop " + "x" * 83
    assert order_request(ssh_keys=[name]).ssh_keys == (name,)


@given(st.text(max_size=300))
def test_any_name_that_is_accepted_makes_a_valid_spec(name: str) -> None:
    """The order's check is at least as strict as the spec's."""
    try:
        accepted = order_request(name=name).name
    except ValidationError:
        return
    assert isinstance(cloud_vm(hostname=accepted), CloudVmSpec)
