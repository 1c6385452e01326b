"""Downloads to a storage, and virtual machines made of what was downloaded.

Follows ``download_file_from_url`` of pve-common's ``PVE/Tools.pm``, ``query-url-metadata`` of pve-manager's
``PVE/API2/Nodes.pm`` and ``import-from`` of qemu-server: fakepve's download takes every address and compares nothing,
its creation knows no import, and its clone shares a cloud-init drive with the original.
"""

from typing import Any

from aiohttp import web
from fakepve import TaskError
from fakepve.lxc import format_size
from fakepve.qemu import drives_of, join_drive, split_drive, volume_ref
from fakepve.routing import die, param_error, split_list

from lab.proxmox.drives import DriveChanges
from lab.proxmox.images import DISK_BYTES, FILE_BYTES, look_up
from lab.proxmox.installed import Installed

_METADATA = "/nodes/{node}/query-url-metadata"
_DOWNLOAD = "/nodes/{node}/storage/{storage}/download-url"
_TASK = "/nodes/{node}/tasks/{upid}"
Values = dict[str, Any]


class Downloads(DriveChanges, Installed):
    """Images that are fetched, compared, kept as volumes and imported as disks."""

    def _routes_downloads(self) -> list[tuple[str, str, Any]]:
        return [("GET", _METADATA, self._url_metadata), ("DELETE", _TASK, self._task_stop)]

    async def _task_stop(self, v: Values, user: str) -> None:
        """Stop a task; one that has ended is left alone."""
        del user
        if v["upid"] not in self.tasks:
            raise die(f"no such task '{v['upid']}'")

    async def _url_metadata(self, v: Values, user: str) -> Values:
        del user
        image = look_up(v["url"])
        if image.problem is not None:
            raise die(f"invalid server response: '{image.problem}'")
        return {"filename": image.name, "size": FILE_BYTES, "mimetype": "application/octet-stream"}

    async def _download_url(self, request: web.Request) -> web.Response:
        """Check the request as fakepve does, then download in a task that can fail."""
        from fakepve.server import USER, ok, params  # noqa: PLC0415 - fakepve's own modules import it late, too

        storage = request.match_info["storage"]
        store = self._store(storage)
        for path, privilege in ((f"/storage/{storage}", "Datastore.AllocateTemplate"), ("/", "Sys.Modify")):
            self.require(request[USER], path, privilege)
        v = self._verify(request, await params(request))
        self._need_file_storage(store, "can't upload to storage type '{0}', not a file based storage!")
        if v["content"] not in split_list(store.get("content")):
            raise die(f"storage '{storage}' is not configured for content-type '{v['content']}'")

        async def body() -> str:
            return self._fetch(storage, v)

        node, user = request.match_info["node"], request[USER]
        log = [f"downloading {v['url']}"]
        answer: web.Response = ok(await self.task(node, "download", storage, user, body, log=log))
        return answer

    def _fetch(self, storage: str, v: Values) -> str:
        """Have the file; returns what the log says."""
        image, volumes = look_up(v["url"]), self.storages[storage]["volumes"]
        volume, algorithm = f"{v['content']}/{v['filename']}", v.get("checksum-algorithm")
        existing = volumes.get(volume)
        if existing is not None and algorithm is None:
            raise TaskError(f"refusing to override existing file '{v['filename']}'")
        found = look_up(existing["url"]) if existing and "url" in existing else image
        if existing is None and image.problem is not None:
            raise TaskError(f"download failed: {image.problem}")
        if algorithm is not None:
            got, wanted = found.checksum(algorithm), str(v["checksum"]).lower()
            if got != wanted:
                ending = ", aborting" if existing is not None else ""
                raise TaskError(f"checksum mismatch: got '{got}' != expect '{wanted}'{ending}")
        if existing is not None:
            return "OK, got correct file already, no need to download"
        self.store_file(storage, v["filename"], FILE_BYTES, v["content"])
        volumes[volume]["url"] = image.url
        return f"download of '{image.url}' to '{v['filename']}' finished"

    # ------------------------------------------------------------------ import-from

    def _qm_check_drive(  # noqa: PLR0913, PLR0917 - fakepve's own signature
        self, user: str, vmid: int, pool: Any, key: str, value: Any, default: Any
    ) -> None:
        volume, props = split_drive(str(value))
        source = props.pop("import-from", None)
        if source is not None:
            storage, name = volume_ref(source)
            if storage is None:
                raise param_error(**{key: f"'{source}' is no volume: give one of a storage's 'import' content"})
            content, owner, _ = self._parse_volname(self._store(storage), name)
            self._check_access(user, storage, content, owner, source)
            if content not in {"import", "images"}:
                raise param_error(**{key: f"{source} has wrong type '{content}' - needs to be 'images' or 'import'"})
            if volume.rpartition(":")[2] != "0":
                syntax = "use <storage ID>:0,import-from=<source>"
                raise param_error(**{key: f"import-from requires special syntax - {syntax}"})
        super()._qm_check_drive(user, vmid, pool, key, join_drive(volume, props), default)

    def _qm_new_drive(self, vmid: int, key: str, value: Any, default: Any) -> tuple[str, list[str]]:
        volume, props = split_drive(str(value))
        source = props.pop("import-from", None)
        if volume.endswith(":cloudinit"):
            drive = self._cloud_init_drive(vmid, volume_ref(volume)[0], props)
            return drive, [split_drive(drive)[0]]
        if source is None:
            made: tuple[str, list[str]] = super()._qm_new_drive(vmid, key, value, default)
            return made
        storage, name = volume_ref(source)
        if name not in self._store(storage).get("volumes", {}):
            raise die(f"volume '{source}' does not exist")
        props.pop("format", None)
        target = volume_ref(volume)[0]
        volid, _ = self._qm_alloc(target, vmid, None, DISK_BYTES)
        return join_drive(volid, {**props, "size": format_size(DISK_BYTES)}), [volid]

    # ------------------------------------------------------------------ cloning

    def work_done(self, ttype: str, guest: Any) -> None:
        """Give a clone a cloud-init drive of its own (``clone_disk`` of qemu-server makes it anew)."""
        super().work_done(ttype, guest)
        if ttype != "qmclone":
            return
        for key, volume, props in drives_of(guest.config):
            storage, name = volume_ref(volume)
            if storage is not None and name.endswith("-cloudinit"):
                guest.config[key] = self._cloud_init_drive(guest.vmid, storage, props)
