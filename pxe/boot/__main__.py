"""``python -m pxe.boot``: the boot service and its tools."""

from pxe.boot.cli import boot

if __name__ == "__main__":
    boot()
