"""Who has to agree before a plan is applied. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from components.plans import PlanDocument, StepOp
from components.policy.settings import PolicySettings

_INSTALLATION = "Installation"


@dataclass(frozen=True, slots=True)
class ApprovalFacts:
    """What approval depends on besides the plan; prices are cents a month.

    Attributes:
        has_consent: the owner agreed to lose what the workload holds.
        holds_data: it was delivered before.
        is_platform: the stack is one of ours, not a customer's.
    """

    has_consent: bool
    holds_data: bool
    price_before_cents: int
    price_after_cents: int
    account_age: timedelta
    is_platform: bool = False


@dataclass(frozen=True, slots=True)
class ApprovalNeed:
    """How many different people must approve, and why, in sentences."""

    people: int
    reasons: tuple[str, ...]


def approvals_for(document: PlanDocument, facts: ApprovalFacts, settings: PolicySettings) -> ApprovalNeed:
    """Return how many people must approve a plan; an order as most are, and an owner's own cancel, need nobody."""
    if not document.changing:
        return ApprovalNeed(0, ())
    needed = list(_reasons(document, facts, settings))
    return ApprovalNeed(max((people for people, _ in needed), default=0), tuple(reason for _, reason in needed))


def _reasons(document: PlanDocument, facts: ApprovalFacts, settings: PolicySettings) -> Iterator[tuple[int, str]]:
    if document.destroys_data and facts.holds_data and not facts.has_consent:
        yield 1, "it would destroy what the customer has stored, and the customer has not agreed"
    if facts.holds_data and _builds_anew(document):
        yield 1, "the guest is gone, and it would be built anew without what the customer has stored"
    if settings.machine_approvals and _first_installs(document):
        yield settings.machine_approvals, "it installs a bare-metal server for the first time"
    if not facts.has_consent and _loses_machine_data(document):
        yield 1, "it destroys what is on a bare-metal server, and the customer has not agreed"
    if facts.is_platform:
        yield 1, "it changes the platform itself"
    if facts.price_after_cents > facts.price_before_cents:
        yield from _by_price(facts, settings)


def _by_price(facts: ApprovalFacts, settings: PolicySettings) -> Iterator[tuple[int, str]]:
    price = facts.price_after_cents
    if price > settings.two_person_price_cents:
        yield 2, f"it costs {price} cents a month, more than {settings.two_person_price_cents}: two people must agree"
    elif price > settings.approval_price_cents:
        yield 1, f"it costs {price} cents a month, more than {settings.approval_price_cents}"
    is_new = facts.account_age < timedelta(hours=settings.new_account_hours)
    if is_new and price > settings.new_account_approval_price_cents:
        limit = settings.new_account_approval_price_cents
        yield 1, f"the account is new, and {price} cents a month is more than {limit}"


def _builds_anew(document: PlanDocument) -> bool:
    """Tell whether a disk is created where one was delivered before: the old one is lost, whoever deleted it."""
    return any(step.holds_data and step.op is StepOp.CREATE for step in document.steps)


def _first_installs(document: PlanDocument) -> bool:
    return any(step.resource == _INSTALLATION and step.op is StepOp.CREATE for step in document.changing)


def _loses_machine_data(document: PlanDocument) -> bool:
    """Whoever owns a server may have it installed anew or give it up; nobody else may."""
    return any(step.resource == _INSTALLATION and step.loses_data for step in document.changing)
