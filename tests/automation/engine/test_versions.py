"""What an engine runs, as plans are bound to it."""

from pathlib import Path

from automation.engine.versions import program_digest, program_versions
from automation.toolchain.parts import PARTS, Part, Toolchain


def test_the_versions_name_the_program_the_cli_and_each_plugin() -> None:
    """Nothing else: the language host goes with the CLI."""
    parts = tuple(Part(spec.name, spec.version, Path(spec.name), "build") for spec in PARTS)

    versions = program_versions(Toolchain(parts, Path("home")))

    assert {name: version for name, version in versions.items() if name != "program"} == {
        "pulumi": "3.259.0",
        "hcloud": "1.43.3",
        "proxmoxve": "8.6.0",
        "cloudflare": "6.23.1",
    }
    assert len(versions["program"]) == 12
    assert versions == program_versions(Toolchain(parts, Path("home")))


def test_the_digest_moves_with_a_files_content_and_with_its_name(tmp_path: Path) -> None:
    """A changed, an added and a renamed source file are each another program."""
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    one.write_text("a = 1\n")
    other.write_text("b = 2\n")

    digests = {
        program_digest({"one.py": one}),
        program_digest({"renamed.py": one}),
        program_digest({"one.py": other}),
        program_digest({"one.py": one, "other.py": other}),
    }

    assert len(digests) == 4
    assert all(len(digest) == 12 for digest in digests)
