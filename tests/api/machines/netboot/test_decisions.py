"""The pure decisions of a boot: what to serve, whether it is the machine, which disks, what is proven, what is said."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.machines.deployments import STATES
from api.machines.netboot.codes import FailureCode, failure_code
from api.machines.netboot.decision import MAX_BOOTS, Answer, OpenDeployment, decide
from api.machines.netboot.disks import MIRROR_METADATA_BYTES, choose_disks, disks_to_wipe
from api.machines.netboot.errors import DiskTooSmall
from api.machines.netboot.identity import differs
from api.machines.netboot.plan import render_plan
from api.machines.netboot.text import MAX_DETAIL, clean_console, clean_line
from api.machines.netboot.tokens import callback_of, is_signature, new_token, signature_of
from components.specs.machine import NETBOOTED, DeploymentKind, DeploymentPhase, DiskLayout, MachineState
from components.specs.machine_facts import DiskFacts, Facts

NOW = datetime(2030, 1, 1, tzinfo=UTC)
GIB = 1024**3


def opened(
    kind: DeploymentKind, phase: DeploymentPhase | None = None, boots: int = 0, **changes: bool
) -> OpenDeployment:
    """Return a deployment that has an hour left."""
    return OpenDeployment(kind, phase, boots, NOW + timedelta(hours=1), **changes)


@pytest.mark.parametrize(("state", "kind"), list(product(MachineState, DeploymentKind)))
def test_the_network_is_served_in_the_states_of_a_deployment_and_in_no_others(
    state: MachineState, kind: DeploymentKind
) -> None:
    """All states with all kinds: never to a customer's machine, nor to one that waits or is set aside."""
    answer = decide(state, opened(kind), NOW)

    assert (answer is Answer.NETWORK) == (state in STATES[kind])
    assert answer is not Answer.NETWORK or state in NETBOOTED


@pytest.mark.parametrize("state", list(MachineState))
def test_without_a_deployment_every_machine_boots_its_own_disk(state: MachineState) -> None:
    """And an active one is told of."""
    expected = Answer.OWN_DISK_UNASKED if state is MachineState.ACTIVE else Answer.OWN_DISK

    assert decide(state, None, NOW) is expected


def test_a_cancelled_late_or_looping_deployment_is_not_served() -> None:
    """Nor one whose installation is on the disk."""
    install = DeploymentKind.INSTALL

    def answer(deployment: OpenDeployment, now: datetime = NOW) -> Answer:
        return decide(MachineState.DEPLOYING, deployment, now)

    assert answer(opened(install, boots=MAX_BOOTS - 1)) is Answer.NETWORK
    assert answer(opened(install, boots=MAX_BOOTS)) is Answer.OWN_DISK_BOOT_LOOP
    assert answer(opened(install, is_cancelled=True)) is Answer.OWN_DISK
    assert answer(opened(install), NOW + timedelta(hours=1)) is Answer.OWN_DISK
    for phase in (DeploymentPhase.REBOOT, DeploymentPhase.FIRST_BOOT):
        assert answer(opened(install, phase, boots=MAX_BOOTS)) is Answer.OWN_DISK_INSTALLED


def facts(serial: str = "SN-1", *macs: str) -> Facts:
    """Return facts with these cards."""
    nics = [{"name": f"eth{number}", "mac": mac} for number, mac in enumerate(macs)]
    document = {"serial": serial, "cores": 1, "memory_mib": 1, "nics": nics, "disks": [], "firmware": "bios"}
    return Facts.model_validate(document)


def test_a_machine_is_known_by_its_serial_and_all_its_recorded_cards() -> None:
    """The sentence says what is wrong."""
    one, two, three = "52:54:00:00:00:01", "52:54:00:00:00:02", "52:54:00:00:00:03"

    assert differs("SN-1", one, [one, two], facts("SN-1", two, one, three)) is None
    assert "serial number is 'SN-2'" in (differs("SN-1", one, [], facts("SN-2", one)) or "")
    assert two in (differs("SN-1", one, [two], facts("SN-1", one)) or "")
    assert one in (differs("SN-1", one, [], facts("SN-1")) or "")
    assert differs("SN-1", one, [], facts("sn-1", one)) is not None


def disk(name: str, gib: float) -> DiskFacts:
    """Return a disk."""
    return DiskFacts(name=name, size_bytes=int(gib * GIB))


@pytest.mark.parametrize(
    ("layout", "disks", "chosen"),
    [
        (DiskLayout.SINGLE, [disk("sda", 100), disk("sdb", 10), disk("sdc", 1)], ("sdb",)),
        (DiskLayout.SINGLE, [disk("sdb", 10), disk("sda", 10)], ("sda",)),
        (DiskLayout.SINGLE, [disk("sdaa", 10), disk("sdz", 10)], ("sdz",)),
        (DiskLayout.SINGLE, [disk("nvme0n1", 5)], ("nvme0n1",)),
        (DiskLayout.RAID1, [disk("sdc", 10), disk("sdb", 10), disk("sda", 10)], ("sda", "sdb")),
        (DiskLayout.RAID1, [disk("sda", 7), disk("sdb", 20), disk("sdc", 20), disk("sdd", 30)], ("sdb", "sdc")),
        (DiskLayout.RAID1, [disk("sda", 1), disk("sdb", 1), disk("sdc", 20), disk("sdd", 20)], ("sdc", "sdd")),
    ],
)
def test_the_smallest_disks_that_do_are_chosen(
    layout: DiskLayout, disks: list[DiskFacts], chosen: tuple[str, ...]
) -> None:
    """For an image of 5 GiB."""
    assert choose_disks(layout, disks, 5 * GIB) == chosen


@pytest.mark.parametrize(
    ("layout", "disks"),
    [
        (DiskLayout.SINGLE, []),
        (DiskLayout.SINGLE, [disk("sda", 4.999)]),
        (DiskLayout.RAID1, [disk("sda", 10)]),
        (DiskLayout.RAID1, [disk("sda", 10), disk("sdb", 11)]),
        (DiskLayout.RAID1, [disk("sda", 5), disk("sdb", 5)]),
    ],
)
def test_disks_that_do_not_do_are_named(layout: DiskLayout, disks: list[DiskFacts]) -> None:
    """A mirror's own data takes a little of each disk."""
    with pytest.raises(DiskTooSmall) as refused:
        choose_disks(layout, disks, 5 * GIB)

    assert all(entry.name in refused.value.detail for entry in disks)


@given(
    st.lists(st.integers(0, 40), min_size=0, max_size=8),
    st.integers(1, 40),
    st.sampled_from(DiskLayout),
)
def test_a_choice_always_holds_the_image_and_depends_on_no_order(
    sizes: list[int], image: int, layout: DiskLayout
) -> None:
    """Whatever disks there are."""
    disks = [DiskFacts(name=f"sd{'abcdefgh'[number]}", size_bytes=size) for number, size in enumerate(sizes)]
    metadata = MIRROR_METADATA_BYTES if layout is DiskLayout.RAID1 else 0
    disks = [entry.model_copy(update={"size_bytes": entry.size_bytes + metadata}) for entry in disks]
    try:
        chosen = choose_disks(layout, disks, image)
    except DiskTooSmall:
        return
    by_name = {entry.name: entry.size_bytes for entry in disks}
    assert len(set(chosen)) == (2 if layout is DiskLayout.RAID1 else 1)
    assert all(by_name[name] >= image + metadata for name in chosen)
    assert len({by_name[name] for name in chosen}) == 1
    assert choose_disks(layout, list(reversed(disks)), image) == chosen


def test_a_wipe_takes_every_disk_that_holds_anything() -> None:
    """A card reader without a card does not."""
    assert disks_to_wipe([disk("sda", 1), disk("sdb", 0), disk("sdc", 2)]) == ("sda", "sdc")


@pytest.mark.parametrize("value", ["a b", "$(reboot)", "a;b", "a'b", 'a"b', "a\nb", "a`b`", "ü", "x" * 600, "a\\b"])
def test_a_plan_holds_nothing_that_a_shell_could_take_for_more(value: str) -> None:
    """It would be a fault of ours, and is found before it leaves."""
    with pytest.raises(ValueError, match="cannot hold"):
        render_plan({"name": value})


def test_a_plan_is_lines_of_name_and_value() -> None:
    """In their order."""
    assert render_plan({"kind": "wipe", "disks": "sda,sdb"}) == "kind=wipe\ndisks=sda,sdb\n"


@given(st.text(max_size=2000))
def test_a_line_is_printable_bounded_and_storable(text: str) -> None:
    """Whatever a machine says."""
    line = clean_line(text)

    assert len(line) <= MAX_DETAIL
    assert "\n" not in line
    assert "\x00" not in line
    line.encode()


@given(st.binary(max_size=2000))
def test_console_output_is_text_whatever_the_bytes(raw: bytes) -> None:
    """With nothing in it that moves a cursor."""
    text = clean_console(raw)

    text.encode()
    assert not {character for character in text if ord(character) < 32} - {"\n", "\t"}
    assert "\x7f" not in text


def test_codes_that_nobody_knows_are_unknown() -> None:
    """And the initrd's own name for the wrong machine is understood."""
    assert failure_code("image_checksum") is FailureCode.IMAGE_CHECKSUM
    assert failure_code("wrong_serial") is FailureCode.WRONG_MACHINE
    assert failure_code("boot_loop") is FailureCode.UNKNOWN
    assert failure_code("") is FailureCode.UNKNOWN


def test_tokens_fit_kernel_arguments_and_plans_and_do_not_repeat() -> None:
    """Letters, digits, hyphen and underscore."""
    tokens = {new_token() for _ in range(100)}

    assert len(tokens) == 100
    for token in tokens:
        render_plan({"session": token})
        assert len(token) == 43


def test_a_signature_is_hmac_sha256_of_the_body_under_the_session() -> None:
    """The value is RFC 4231's second test case."""
    signature = signature_of("Jefe", b"what do ya want for nothing?")

    assert signature == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert is_signature(signature.upper(), "Jefe", b"what do ya want for nothing?")
    assert not is_signature(signature, "jefe", b"what do ya want for nothing?")
    assert not is_signature("", "Jefe", b"")
    assert not is_signature("\udcff", "Jefe", b"")


def test_a_call_back_follows_from_its_boot_and_gives_nothing_of_it_away() -> None:
    """Another boot has another."""
    assert callback_of("one") == callback_of("one") != callback_of("two")
    assert "one" not in callback_of("one")
