"""Writes the generated files into a folder, for delivery. The one place here that touches the disk."""

import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from components.platform.observability.bundle import EXECUTABLE

_MARK = "prometheus.yml"


def write_files(files: Mapping[PurePosixPath, str], folder: Path) -> None:
    """Replace a folder by the files; what an earlier version wrote and this one does not is gone.

    Raises:
        FileExistsError: if the folder holds something else: it is not emptied then.
    """
    if folder.exists():
        if any(folder.iterdir()) and not (folder / _MARK).is_file():
            raise FileExistsError(f"{folder} holds other files: name a folder that is empty or holds a configuration")
        shutil.rmtree(folder)
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        target.chmod(0o755 if str(path) in EXECUTABLE else 0o644)
