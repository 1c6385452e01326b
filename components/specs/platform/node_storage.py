"""A node's storages, by kind."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from components.specs.network import Frozen
from components.specs.workload import StorageName

Content = Literal["backup", "images", "import", "iso", "rootdir", "snippets", "vztmpl"]
BLOCK_CONTENT: frozenset[Content] = frozenset({"images", "rootdir"})
"""What a storage without a file system can hold: disks of machines, and of containers."""

LOCAL = "local"
"""The storage that every installation has: a folder on the system's own disk."""
LOCAL_CONTENT: tuple[Content, ...] = ("backup", "iso", "vztmpl")

_GUESTS: tuple[Content, ...] = ("images", "rootdir")
_Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9._-]*$")]


class _Storage(Frozen):
    """What all kinds have in common."""

    name: StorageName
    content: Annotated[tuple[Content, ...], Field(min_length=1)] = _GUESTS

    @model_validator(mode="after")
    def _a_new_one(self) -> Self:
        if self.name == LOCAL:
            raise ValueError(f"the storage '{LOCAL}' is on every node already: leave it out, or give another name")
        if len(set(self.content)) != len(self.content):
            raise ValueError(f"content of the storage '{self.name}': each kind is named once")
        return self


class _BlockStorage(_Storage):
    kind: str

    @model_validator(mode="after")
    def _no_files(self) -> Self:
        wrong = sorted(set(self.content) - BLOCK_CONTENT)
        if wrong:
            problem = f"a storage of the kind '{self.kind}' cannot hold {', '.join(wrong)}"
            raise ValueError(f"content of the storage '{self.name}': {problem}; use 'images' and 'rootdir', or a 'dir'")
        return self


class DirectoryStorage(_Storage):
    """A folder on the node."""

    kind: Literal["dir"]
    path: Annotated[str, Field(pattern=r"^/[-/a-zA-Z0-9_.@]+$")]


class ThinStorage(_BlockStorage):
    """An LVM thin pool that the installation has made."""

    kind: Literal["lvmthin"]
    volume_group: _Name = "pve"
    thin_pool: _Name = "data"


class ZfsStorage(_BlockStorage):
    """A ZFS pool or data set that the installation has made; thin ones give a disk the room that it really fills."""

    kind: Literal["zfspool"]
    pool: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9._/-]*$")]
    is_thin: bool = True


StorageSpec = Annotated[DirectoryStorage | ThinStorage | ZfsStorage, Field(discriminator="kind")]
