"""What an administrator may decide about policy. Money is cents of the order's currency, a month."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

_DAY_HOURS = 24
_YEAR_HOURS = 8_760
_MOST_CENTS = 100_000_000

Hours = Annotated[int, Field(ge=1, le=_YEAR_HOURS)]
MonthlyCents = Annotated[int, Field(ge=0, le=_MOST_CENTS)]


class PolicySettings(BaseModel):
    """The numbers behind the rules and the approvals; one whole document is one version of policy."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backup_max_age_hours: Annotated[
        Hours, Field(description="without the owner's consent, data is only replaced or deleted if a backup is younger")
    ] = _DAY_HOURS
    new_account_hours: Annotated[Hours, Field(description="for so long an account counts as new")] = 3 * _DAY_HOURS
    account_spend_cents: Annotated[
        MonthlyCents, Field(description="an account's live workloads may cost so much a month, in cents")
    ] = 500_000
    new_account_spend_cents: Annotated[
        MonthlyCents, Field(description="the same for a new account, in cents a month")
    ] = 50_000
    approval_price_cents: Annotated[
        MonthlyCents, Field(description="a rise to a price above this needs one person's approval, in cents a month")
    ] = 20_000
    two_person_price_cents: Annotated[
        MonthlyCents, Field(description="a rise to a price above this needs two people's approval, in cents a month")
    ] = 100_000
    new_account_approval_price_cents: Annotated[
        MonthlyCents,
        Field(description="a new account's rise to a price above this needs one person's approval, in cents a month"),
    ] = 5_000
    approval_lifetime_hours: Annotated[Hours, Field(description="a plan waits so long for its approvals")] = _DAY_HOURS

    machine_approvals: Annotated[
        int,
        Field(
            ge=0,
            le=2,
            description="how many people must approve the first installation of a bare-metal server; "
            "with 0, a paid order is delivered at once",
        ),
    ] = 0

    platform_approvals_by_others: Annotated[
        int,
        Field(
            ge=0,
            le=1,
            description="how many administrators besides the one who asked must approve a platform run; "
            "with 0, one person may ask and approve",
        ),
    ] = 1

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.two_person_price_cents < self.approval_price_cents:
            raise ValueError("'two_person_price_cents' must not be below 'approval_price_cents'")
        if self.new_account_spend_cents > self.account_spend_cents:
            raise ValueError("'new_account_spend_cents' must not be above 'account_spend_cents'")
        return self
