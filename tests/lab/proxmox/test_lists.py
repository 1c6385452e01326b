"""List parameters of the Proxmox VE stand-in."""

from lab.proxmox.lists import joined

DECLARED = {
    "delete": {"type": "string", "format": "pve-configid-list"},
    "hostname": {"type": "string", "format": "dns-name"},
}


def test_a_repeated_key_is_a_list_where_one_is_wanted() -> None:
    """As Proxmox VE does it: the values of ``delete=net1&delete=net2`` are joined by commas."""
    assert joined(DECLARED, {"delete": ["net1", "net2"]}) == {"delete": "net1,net2"}


def test_elsewhere_it_stays_what_was_sent() -> None:
    """A host name given twice is an error of the caller, which the type check then reports."""
    assert joined(DECLARED, {"hostname": ["a", "b"], "unknown": ["c"]}) == {"hostname": ["a", "b"], "unknown": ["c"]}
