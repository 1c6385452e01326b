"""A workload's DNS records."""

from components.compute import Bot
from tests.fakes.pulumi_monitor import run_program
from tests.fakes.workload_specs import ORDER_ID, bot

RECORD = "cloudflare:index/dnsRecord:DnsRecord"


def test_both_addresses_get_a_record_that_names_the_order() -> None:
    """A and AAAA, not proxied, with a short time to live."""
    records = run_program(lambda: Bot("workload", bot()).outputs).all_of(RECORD)
    common = {
        "zoneId": "023e105f4ecef8ad9ca31a8372d0c353",
        "name": "herald.play.example",
        "ttl": 300,
        "proxied": False,
        "comment": f"order-{ORDER_ID}",
    }

    assert {record.name: record.inputs for record in records} == {
        "workload-dns-a": {**common, "type": "A", "content": "203.0.113.25"},
        "workload-dns-aaaa": {**common, "type": "AAAA", "content": "2001:db8:0:19::2"},
    }
