"""What the supervisor tells the Stripe process. Imports no localstripe: that stays in its own process."""

from pydantic import BaseModel

from lab.document import StripeSection


class StripeSettings(BaseModel):
    """Port and credentials, the control token, and the pauses between webhook attempts in seconds."""

    section: StripeSection
    control_token: str
    retry_pauses: tuple[float, ...] = (1, 2, 4, 8, 16, 32, 60, 60, 60)
