"""Backup jobs, where fakepve has only generic answers (``PVE/API2/Backup.pm``)."""

from typing import Any

from fakepve.routing import die, split_list

from lab.proxmox.installed import Installed

_ALL, _ONE = "/cluster/backup", "/cluster/backup/{id}"
Values = dict[str, Any]


class BackupJobs(Installed):
    """The node's ``jobs.cfg``, as far as it is about backups. No job ever runs."""

    backup_jobs: dict[str, Values]

    def as_installed(self) -> None:
        """No job."""
        super().as_installed()
        self.backup_jobs = {}

    def remembered(self) -> dict[str, Any]:
        """The jobs, and what else there is."""
        return {**super().remembered(), "backup_jobs": self.backup_jobs}

    def remember(self, kept: dict[str, Any]) -> None:
        """Have the jobs of an earlier run again."""
        super().remember(kept)
        self.backup_jobs = kept.get("backup_jobs", {})

    def _routes_backup_jobs(self) -> list[tuple[str, str, Any]]:
        return [
            ("GET", _ALL, self._backup_list),
            ("POST", _ALL, self._backup_create),
            ("GET", _ONE, self._backup_read),
            ("PUT", _ONE, self._backup_update),
            ("DELETE", _ONE, self._backup_delete),
        ]

    async def _backup_list(self, v: Values, user: str) -> list[Values]:
        del v, user
        return [_shown(job) for _, job in sorted(self.backup_jobs.items())]

    async def _backup_read(self, v: Values, user: str) -> Values:
        del user
        return _shown(self._backup_job(v["id"]))

    async def _backup_create(self, v: Values, user: str) -> None:
        del user
        name = v["id"]
        if name in self.backup_jobs:
            raise die(f"Job '{name}' already exists")
        if v.get("storage") not in self.storages:
            raise die(f"storage '{v.get('storage')}' does not exist")
        if not any(v.get(key) for key in ("all", "vmid", "pool")):
            raise die("Either 'all', 'vmid' or 'pool' must be set")
        self.backup_jobs[name] = {"enabled": 1, "type": "vzdump", **_settings(v), "id": name}

    async def _backup_update(self, v: Values, user: str) -> None:
        del user
        job = self._backup_job(v["id"])
        for key in split_list(v.get("delete")):
            job.pop(key, None)
        job.update(_settings(v))

    async def _backup_delete(self, v: Values, user: str) -> None:
        del user
        self._backup_job(v["id"])
        del self.backup_jobs[v["id"]]

    def _backup_job(self, name: str) -> Values:
        if name not in self.backup_jobs:
            raise die(f"No such job '{name}'")
        return self.backup_jobs[name]


def _settings(values: Values) -> Values:
    kept = {key: value for key, value in values.items() if key not in {"id", "delete", "digest"} and value is not None}
    return {key: int(value) if isinstance(value, bool) else value for key, value in kept.items()}


def _shown(job: Values) -> Values:
    """A job as the API answers it: property strings as objects (``PVE/VZDump/Common.pm``)."""
    shown = dict(job)
    for key in ("prune-backups", "fleecing", "performance"):
        if isinstance(shown.get(key), str):
            shown[key] = dict(part.split("=", 1) for part in shown[key].split(","))
    return shown
