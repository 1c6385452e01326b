"""SSH keys that rescue systems and installations let in. No I/O."""

import base64
import binascii
import hashlib

from lab.robot.errors import ApiError, invalid_input
from lab.robot.form import Form, required
from lab.robot.world import Item, World

_SIZES = {"ssh-ed25519": ("ED25519", 256), "ssh-rsa": ("RSA", 4096), "ecdsa-sha2-nistp256": ("ECDSA", 256)}


class Keys:
    """The keys of an account, by their MD5 fingerprint as OpenSSH used to write it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def all(self) -> list[Item]:
        """Every key; 404 if there is none."""
        if not self._world.keys:
            raise ApiError(404, "NOT_FOUND", "No keys found")
        return [{"key": key} for key in self._world.keys.values()]

    def get(self, fingerprint: str) -> Item:
        """One key."""
        if fingerprint not in self._world.keys:
            raise ApiError(404, "NOT_FOUND", "Key not found")
        return {"key": self._world.keys[fingerprint]}

    def add(self, form: Form) -> Item:
        """Keep a key once."""
        name, data = required(form, "name", "data")
        kind, _, rest = data.strip().partition(" ")
        if kind not in _SIZES:
            raise invalid_input(invalid=["data"])
        try:
            blob = base64.b64decode(rest.split(" ")[0], validate=True)
        except binascii.Error:
            raise invalid_input(invalid=["data"]) from None
        digest = hashlib.md5(blob, usedforsecurity=False).hexdigest()
        fingerprint = ":".join(digest[i : i + 2] for i in range(0, 32, 2))
        if fingerprint in self._world.keys:
            raise ApiError(409, "KEY_ALREADY_EXISTS", "The supplied key already exists")
        label, size = _SIZES[kind]
        head = {"name": name, "fingerprint": fingerprint, "type": label, "size": size}
        self._world.keys[fingerprint] = {**head, "data": data.strip(), "created_at": self._world.moment()}
        return self.get(fingerprint)

    def rename(self, fingerprint: str, form: Form) -> Item:
        """Give a key another name."""
        key = self.get(fingerprint)["key"]
        (key["name"],) = required(form, "name")
        return self.get(fingerprint)

    def remove(self, fingerprint: str) -> None:
        """Forget a key."""
        self.get(fingerprint)
        del self._world.keys[fingerprint]
