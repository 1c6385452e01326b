"""The document that an administrator sets."""

import pytest
from pydantic import ValidationError

from components.policy.settings import PolicySettings


def test_every_field_says_what_it_means_and_in_which_unit() -> None:
    """The page that shows them has no other words."""
    for name, field in PolicySettings.model_fields.items():
        assert field.description, name
        assert name.endswith(("_hours", "_cents", "_by_others", "_approvals")), name  # the last two count people


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"approval_price_cents": 200_000}, "two_person_price_cents"),
        ({"new_account_spend_cents": 600_000}, "new_account_spend_cents"),
        ({"backup_max_age_hours": 0}, "backup_max_age_hours"),
        ({"account_spend_cents": -1}, "account_spend_cents"),
        ({"spend_limit": 1}, "spend_limit"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(changes: dict[str, int], words: str) -> None:
    """The message names the field."""
    with pytest.raises(ValidationError, match=words):
        PolicySettings.model_validate(changes)
