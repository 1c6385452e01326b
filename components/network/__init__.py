"""A guest's firewall and its names."""

from components.network.dns import DnsRecords
from components.network.firewall import Guest, GuestFirewall

__all__ = ["DnsRecords", "Guest", "GuestFirewall"]
