"""Where the Pulumi CLI starts (``main: stacks/start/`` in Pulumi.yaml).

A folder of its own, because programs and dynamic providers run with it as the first place for imports: of ``stacks/``
itself they would take ``platform/`` for the standard library's module.
"""

from stacks.entry import main

main()
