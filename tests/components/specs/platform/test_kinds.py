"""Which spec belongs to which kind of platform stack."""

from components.specs.platform.kinds import spec_models
from stacks.platform.registry import KINDS


def test_the_pages_check_what_the_programs_take() -> None:
    """Without importing a program, the API finds the very model that a stack's program is made with."""
    assert {kind: spec_models()[kind] for kind in KINDS} == {kind: KINDS[kind].spec_class() for kind in KINDS}
