"""``blackbox.yml``: how addresses are opened."""

from components.platform.observability.layout import to_yaml


def blackbox() -> str:
    """Return the text of ``blackbox.yml``; its modules are ``http`` and ``tls``."""
    return to_yaml(
        {
            "modules": {
                "http": {
                    "prober": "http",
                    "timeout": "8s",
                    "http": {"valid_status_codes": [200], "follow_redirects": False, "preferred_ip_protocol": "ip4"},
                },
                # A backup server's certificate is its own: that it can be read is enough, its fingerprint is pinned
                # where backups are sent.
                "tls": {
                    "prober": "tcp",
                    "timeout": "8s",
                    "tcp": {"tls": True, "tls_config": {"insecure_skip_verify": True}, "preferred_ip_protocol": "ip4"},
                },
            }
        }
    )
