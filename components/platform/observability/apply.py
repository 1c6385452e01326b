"""The script on the host that takes a delivered configuration into use, if the real tools find it good."""

from components.platform.observability.layout import HEADER, Layout
from components.platform.observability.units import services
from components.specs.platform.observability import ObservabilitySpec

APPLY = "apply"
"""Its name within the configuration."""


def apply_script(spec: ObservabilitySpec, layout: Layout) -> str:
    """Return the script. It keeps the configuration before, and changes nothing if the new one is bad."""
    names = " ".join(service.name for service in services(spec, layout))
    exporter = "slipway-pve-exporter.service"
    return f"""#!/bin/sh
{HEADER}# Takes a delivered configuration into use. Usage: apply FOLDER
# Ends with 1, and has changed nothing, if it is bad; with 2 if it is in use and a service does not run.
set -eu
new=$1 failed=
current={layout.configuration}
for file in prometheus.yml rules.yml alertmanager.yml; do
    [ -s "$new/$file" ] || {{ echo "$new: has no $file" >&2; exit 1; }}
done
promtool check rules "$new/rules.yml"
# The rules that it names are those in use, so the new ones are checked above, and the syntax alone here: secrets'
# files need not be there yet.
promtool check config --syntax-only "$new/prometheus.yml"
amtool check-config "$new/alertmanager.yml"
rm -rf "$current.next" && cp -R "$new" "$current.next"
chmod -R u=rwX,go=rX "$current.next"
rm -rf "$current.before"
[ ! -e "$current" ] || mv "$current" "$current.before"
mv "$current.next" "$current"
[ -d /run/systemd/system ] || exit 0
units=/etc/systemd/system
for service in {names}; do
    drop_in=$service.service.d/slipway.conf
    # A changed command line needs a new start; of the rest a reload is enough, where the service knows one.
    if cmp -s "$current/units/$drop_in" "$units/$drop_in"; then action=reload-or-restart; else action=restart; fi
    mkdir -p "$units/$service.service.d" && cp "$current/units/$drop_in" "$units/$drop_in"
    systemctl daemon-reload
    systemctl "$action" "$service.service" || failed="$failed $service"
done
cp "$current/units/{exporter}" "$units/{exporter}"
systemctl daemon-reload
systemctl enable {exporter}
systemctl restart {exporter} || failed="$failed {exporter}"
[ -z "$failed" ] || {{
    echo "in use, but these do not run:$failed (are all secrets in {layout.secrets}?)" >&2
    exit 2
}}
"""
