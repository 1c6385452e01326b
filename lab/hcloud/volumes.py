"""Volumes."""

from typing import Annotated, Literal

from pydantic import Field

from lab.hcloud.catalogue import offered
from lab.hcloud.errors import ApiError, invalid
from lab.hcloud.kinds import Body, Kind, NewBody, read
from lab.hcloud.project import Item, Project

Size = Annotated[int, Field(ge=10, le=10_240)]


class NewVolume(NewBody):
    """A new volume of so many gigabytes."""

    size: Size
    server: int | None = None
    location: int | str | None = None
    format: Literal["ext4", "xfs"] | None = None
    automount: bool | None = None


class Resize(Body):
    """Another size in gigabytes."""

    size: Size


def attach(volume: Item, server: Item) -> None:
    """Give a volume to a server.

    Raises:
        ApiError: if it has one, or that is elsewhere.
    """
    if volume["server"] is not None:
        raise ApiError("volume_already_attached", f"volume {volume['id']} is already attached")
    if volume["location"] != server["location"]:
        raise invalid("server", f"the server is in {server['location']}, the volume in {volume['location']}")
    volume["server"] = server["id"]


class Volumes(Kind):
    """Block storage."""

    collection = "volumes"
    protects = ("delete",)
    filters = ("name", "status")

    def create(self, project: Project, body: Item) -> Item:
        """Make one, attached to a server or to none."""
        wanted = read(NewVolume, body)
        if wanted.server is None and wanted.location is None:
            raise invalid("location", "give location or server")
        server = project.get("servers", wanted.server) if wanted.server is not None else None
        location = server["location"] if server else offered("locations", wanted.location, "location")["name"]
        fields = wanted.model_dump(include={"name", "labels", "size", "format"})
        fields |= {"location": location, "status": "creating", "server": None, "protection": {"delete": False}}
        item = project.add(self.collection, fields)
        item["linux_device"] = f"/dev/disk/by-id/scsi-0HC_Volume_{item['id']}"
        begun = self.begin(project, "create_volume", item, then={"status": "available"}, made=self.collection)
        following = []
        if server is not None:
            attach(item, server)
            following.append(project.begin("attach_volume", ("volume", item), ("server", server)))
        return self.answer(project, item, **begun, next_actions=following)

    def show(self, project: Project, item: Item) -> Item:
        """With the whole location."""
        return {**super().show(project, item), "location": offered("locations", item["location"], "location")}

    def delete(self, project: Project, item: Item) -> Item | None:
        """Only if it is not attached and not protected."""
        self.guard(item, "delete")
        if item["server"] is not None:
            raise ApiError("resource_in_use", f"volume {item['id']} is still attached to a server")
        return super().delete(project, item)

    def do_attach(self, project: Project, item: Item, body: Item) -> Item:
        """Attach it to a server."""
        server = project.get("servers", body.get("server"))
        attach(item, server)
        return self.begin(project, "attach_volume", item, ("server", server))

    def do_detach(self, project: Project, item: Item, _body: Item) -> Item:
        """Take it from its server."""
        if item["server"] is None:
            raise invalid("server", "the volume is not attached")
        server = project.get("servers", item["server"])
        item["server"] = None
        return self.begin(project, "detach_volume", item, ("server", server))

    def do_resize(self, project: Project, item: Item, body: Item) -> Item:
        """Make it larger; nothing makes it smaller."""
        size = read(Resize, body).size
        if size <= item["size"]:
            raise invalid("size", f"must be greater than the present size of {item['size']} GB")
        item["size"] = size
        return self.begin(project, "resize_volume", item)
