"""``config.alloy``: what Grafana Alloy sends to Loki from nodes and from the control plane."""

from components.platform.observability.layout import HEADER
from components.specs.platform.observability import ObservabilitySpec

_CONFIG = """\
logging {{
  level = "warn"
}}

loki.write "observability" {{
  endpoint {{
    url = "http://{address}:{port}/loki/api/v1/push"
  }}
  external_labels = {{ host = constants.hostname }}
}}

loki.relabel "journal" {{
  forward_to = []
  rule {{
    source_labels = ["__journal__systemd_unit"]
    target_label  = "unit"
  }}
  rule {{
    source_labels = ["__journal_priority_keyword"]
    target_label  = "level"
  }}
}}

loki.source.journal "everything" {{
  max_age       = "12h"
  relabel_rules = loki.relabel.journal.rules
  labels        = {{ job = "journal" }}
  forward_to    = [loki.process.slipway.receiver]
}}

// Slipway's own programs log one JSON object a line. Its level becomes the label. Ids of requests and operations stay
// in the line, where `| json | operation="..."` finds them: as labels each would make a stream of its own.
loki.process "slipway" {{
  stage.match {{
    selector = "{{unit=~\\"slipway-.+\\"}}"
    stage.json {{
      expressions = {{ level = "level", timestamp = "timestamp" }}
    }}
    stage.labels {{
      values = {{ level = "level" }}
    }}
    stage.timestamp {{
      source = "timestamp"
      format = "RFC3339Nano"
    }}
  }}
  forward_to = [loki.write.observability.receiver]
}}
"""


def alloy(spec: ObservabilitySpec) -> str:
    """Return the text of ``config.alloy``, the same for every host."""
    return HEADER.replace("#", "//", 1) + _CONFIG.format(address=spec.server.private_address, port=spec.ports.loki)
