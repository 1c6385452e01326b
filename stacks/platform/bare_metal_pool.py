"""The program of the bare-metal pool's stack."""

from components.platform.bare_metal_pool import BareMetalPool
from components.specs.platform.bare_metal_pool import BareMetalPoolSpec
from stacks.platform.program import Declared, Estate


class BareMetalPoolProgram:
    """Dedicated servers for customers: ``servers`` are its outputs; they and the pool's ``machines`` its report."""

    def __init__(self, spec: BareMetalPoolSpec, estate: Estate) -> None:
        self._spec, self._estate = spec, estate

    def declare(self) -> Declared:
        """Declare the pool."""
        pool = BareMetalPool(self._estate.name, self._spec)
        return Declared(
            outputs={"servers": pool.outputs()},
            report={"servers": pool.report(), "machines": self._spec.machine_reports()},
            resources=[pool, *pool.servers.values()],
        )
