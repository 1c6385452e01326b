"""The image store: a folder in which a disk image's name is its SHA-256, so that a wrong or half one has no name.

``images/SHA256`` are disk images as they are served; ``installers/NAME/kernel``, ``initrd`` and ``arguments`` (one
line, optional) belong to the installer image of that name.
"""

import re
from pathlib import Path

from api.errors import NotFound

IMAGES, INSTALLERS = "images", "installers"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[a-z0-9][a-z0-9.+-]{0,62}")
_INSTALLER_FILES = frozenset({"kernel", "initrd"})
_ARGUMENTS = re.compile(r"[A-Za-z0-9 ._:/@+=,?~-]{0,1000}")


class ImageStore:
    """Names files of the store; only names that cannot lead out of it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def image(self, sha256: str) -> Path:
        """Return where an image is, or would be.

        Raises:
            NotFound: if this is no SHA-256 in lower case.
        """
        if not _SHA256.fullmatch(sha256):
            raise NotFound("an image is named by its SHA-256")
        return self.root / IMAGES / sha256

    def installer(self, name: str, file: str) -> Path:
        """Return where an installer's kernel or initrd is, or would be.

        Raises:
            NotFound: if these are no such names.
        """
        if not _NAME.fullmatch(name) or ".." in name or file not in _INSTALLER_FILES:
            raise NotFound("an installer has a 'kernel' and an 'initrd'")
        return self.root / INSTALLERS / name / file

    def installer_arguments(self, name: str) -> str:
        """Return what an installer's kernel is told besides, as platform engineering wrote it down; blocks shortly.

        Raises:
            NotFound: if this is no name.
            ValueError: if the file holds what a boot script could take for more than arguments.
        """
        path = self.installer(name, "kernel").with_name("arguments")
        try:
            text = path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return ""
        return checked_arguments(text, str(path))


def checked_arguments(text: str, place: str = "an installer's arguments") -> str:
    """Return an installer's kernel arguments.

    Raises:
        ValueError: if they hold what a boot script could take for more than arguments; ``place`` says whose they are.
    """
    if not _ARGUMENTS.fullmatch(text):
        raise ValueError(f"{place}: one line of plain kernel arguments (letters, digits, ._:/@+=,?~- and spaces)")
    return text
