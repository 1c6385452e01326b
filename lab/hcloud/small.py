"""Kinds without actions: SSH keys and placement groups."""

import base64
import binascii
import hashlib
from typing import Literal

from lab.hcloud.errors import ApiError, invalid
from lab.hcloud.kinds import Kind, NewBody, read
from lab.hcloud.project import Item, Project


class NewKey(NewBody):
    """A new SSH key."""

    public_key: str


class NewGroup(NewBody):
    """A new placement group."""

    type: Literal["spread"]


def fingerprint(public_key: str) -> str:
    """A key's MD5 fingerprint in pairs, as the API shows it.

    Raises:
        ApiError: ``invalid_input`` if it is no OpenSSH public key.
    """
    parts = public_key.split()
    try:
        blob = base64.b64decode(parts[1], validate=True)
    except (IndexError, binascii.Error) as error:
        raise invalid("public_key", "is not an OpenSSH public key") from error
    if parts[0].encode() not in blob:
        raise invalid("public_key", f"is not of the type {parts[0]}")
    return hashlib.md5(blob, usedforsecurity=False).digest().hex(":")


class SshKeys(Kind):
    """SSH keys, unique by name and by key."""

    collection = "ssh_keys"
    filters = ("name", "fingerprint")

    def create(self, project: Project, body: Item) -> Item:
        """Take in a key."""
        wanted = read(NewKey, body)
        print_ = fingerprint(wanted.public_key)
        if project.all(self.collection, fingerprint=print_):
            raise ApiError("uniqueness_error", "SSH key with the same fingerprint already exists")
        fields = {**wanted.model_dump(), "public_key": wanted.public_key.strip(), "fingerprint": print_}
        return self.answer(project, project.add(self.collection, fields))


class PlacementGroups(Kind):
    """Groups whose servers stand on different hosts."""

    collection = "placement_groups"
    filters = ("name", "type")

    def create(self, project: Project, body: Item) -> Item:
        """Make a group without servers."""
        return self.answer(project, project.add(self.collection, read(NewGroup, body).model_dump()), action=None)

    def show(self, project: Project, item: Item) -> Item:
        """With its servers."""
        servers = [server["id"] for server in project.all("servers", placement_group=item["id"])]
        return {**super().show(project, item), "servers": servers}

    def delete(self, project: Project, item: Item) -> Item | None:
        """Only without servers."""
        if project.all("servers", placement_group=item["id"]):
            raise ApiError("resource_in_use", "placement group still has servers")
        return super().delete(project, item)
