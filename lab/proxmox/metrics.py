"""Metric servers, where fakepve has only generic answers (``PVE/API2/Cluster/MetricServer.pm``)."""

from typing import Any

from fakepve.routing import die, split_list

from lab.proxmox.installed import Installed

_ALL, _ONE = "/cluster/metrics/server", "/cluster/metrics/server/{id}"
REQUIRED = frozenset({"server", "port"})
Values = dict[str, Any]


class MetricServers(Installed):
    """Where the node sends its numbers to."""

    metric_servers: dict[str, Values]

    def as_installed(self) -> None:
        """None."""
        super().as_installed()
        self.metric_servers = {}

    def remembered(self) -> Values:
        """Metric servers, too."""
        return {**super().remembered(), "metrics": self.metric_servers}

    def remember(self, kept: Values) -> None:
        """Have again those of an earlier run."""
        super().remember(kept)
        self.metric_servers = kept["metrics"]

    def _routes_metric_servers(self) -> list[tuple[str, str, Any]]:
        return [
            ("GET", _ALL, self._metric_list),
            ("GET", _ONE, self._metric_read),
            ("POST", _ONE, self._metric_create),
            ("PUT", _ONE, self._metric_update),
            ("DELETE", _ONE, self._metric_delete),
        ]

    async def _metric_list(self, v: Values, user: str) -> list[Values]:
        del v, user
        shown = ("server", "port", "type", "disable")
        return [
            {"id": name, "disable": 0, **{key: kept[key] for key in shown if key in kept}}
            for name, kept in sorted(self.metric_servers.items())
        ]

    async def _metric_read(self, v: Values, user: str) -> Values:
        del user
        if v["id"] not in self.metric_servers:
            raise die(f"status server entry '{v['id']}' does not exist")
        return dict(self.metric_servers[v["id"]])

    async def _metric_create(self, v: Values, user: str) -> None:
        del user
        if v["id"] in self.metric_servers:
            raise die(f"Metric server '{v['id']}' already exists")
        self.metric_servers[v["id"]] = _settings(v)

    async def _metric_update(self, v: Values, user: str) -> None:
        del user
        if v["id"] not in self.metric_servers:
            raise die(f"no such server '{v['id']}'")
        kept = self.metric_servers[v["id"]]
        for key in split_list(v.get("delete")):
            if key in REQUIRED:
                raise die(f"unable to delete required option '{key}'")
            kept.pop(key, None)
        kept.update(_settings(v))

    async def _metric_delete(self, v: Values, user: str) -> None:
        del user
        self.metric_servers.pop(v["id"], None)  # Proxmox VE does not mind if there is none


def _settings(values: Values) -> Values:
    kept = {key: value for key, value in values.items() if key not in {"id", "delete", "digest"} and value is not None}
    return {key: int(value) if isinstance(value, bool) else value for key, value in kept.items()}
