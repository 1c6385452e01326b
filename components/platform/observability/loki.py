"""``loki.yml``: one process, files on the volume."""

from components.platform.observability.layout import Layout, to_yaml
from components.specs.platform.observability import ObservabilitySpec

_SCHEMA_FROM = "2026-01-01"
"""The day from which the schema holds. Never moved: what was written before it could no longer be read."""


def loki(spec: ObservabilitySpec, layout: Layout) -> str:
    """Return the text of ``loki.yml``, for Loki 3."""
    data = layout.data / "loki"
    return to_yaml(
        {
            # Who may connect is the host's firewall's business; there is one tenant.
            "auth_enabled": False,
            "server": {"http_listen_port": spec.ports.loki, "log_level": "warn"},
            "common": {
                "path_prefix": str(data),
                "replication_factor": 1,
                "ring": {"instance_addr": "127.0.0.1", "kvstore": {"store": "inmemory"}},
                "storage": {
                    "filesystem": {
                        "chunks_directory": str(data / "chunks"),
                        "rules_directory": str(data / "rules"),
                    }
                },
            },
            "schema_config": {
                "configs": [
                    {
                        "from": _SCHEMA_FROM,
                        "store": "tsdb",
                        "object_store": "filesystem",
                        "schema": "v13",
                        "index": {"prefix": "index_", "period": "24h"},
                    }
                ]
            },
            "limits_config": {
                "retention_period": f"{spec.retention.logs_days * 24}h",
                "reject_old_samples_max_age": "168h",
                # Ids of requests and operations are in the lines, not in labels: each would be a stream of its own.
                "max_label_names_per_series": 10,
                "ingestion_rate_mb": 8,
                "ingestion_burst_size_mb": 16,
            },
            "compactor": {
                "working_directory": str(data / "compactor"),
                "retention_enabled": True,
                "delete_request_store": "filesystem",
            },
            "analytics": {"reporting_enabled": False},
        }
    )
