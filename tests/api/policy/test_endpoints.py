"""The routes of policy."""

import pytest

from api.auth.models import Role
from components.policy.rules import RULES
from components.policy.settings import PolicySettings
from tests.fixtures.api import Api

PATH = "/v1/admin/policy"
DEFAULTS = PolicySettings().model_dump()


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.OPERATOR, Role.ADMIN])
def test_staff_read_the_settings_and_the_rules(api: Api, role: Role) -> None:
    """With what each rule means."""
    found = api.staff(role).http.get(PATH).raise_for_status().json()

    assert (found["version"], found["settings"], found["set_by"]) == (0, DEFAULTS, None)
    assert [rule["name"] for rule in found["rules"]] == [rule.name for rule in RULES]


def test_an_administrator_sets_them(api: Api) -> None:
    """The answer, and what is read afterwards, is the new version."""
    admin = api.staff(Role.ADMIN)
    settings = {**DEFAULTS, "account_spend_cents": 700_000}
    body = {"version": 0, "settings": settings, "reason": "a large customer"}

    answer = admin.http.put(PATH, json=body).raise_for_status().json()

    assert (answer["version"], answer["settings"], answer["reason"]) == (1, settings, "a large customer")
    assert answer["set_by"] == str(admin.id)
    assert admin.http.get(PATH).json() == answer


def test_an_operator_does_not(api: Api) -> None:
    """Nor support."""
    body = {"version": 0, "settings": DEFAULTS, "reason": "why not"}
    for role in (Role.SUPPORT, Role.OPERATOR):
        answer = api.staff(role).http.put(PATH, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "role_required")


def test_a_stale_form_is_refused(api: Api) -> None:
    """Nothing that somebody else has set is overwritten unseen."""
    admin = api.staff(Role.ADMIN)
    body = {"version": 0, "settings": DEFAULTS, "reason": "first"}
    admin.http.put(PATH, json=body).raise_for_status()

    answer = admin.http.put(PATH, json=body)

    assert (answer.status_code, answer.json()["code"]) == (409, "policy_moved")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"settings": {"backup_max_age_hours": -1}}, "backup_max_age_hours"),
        ({"settings": {"speed": 1}}, "speed"),
        ({"settings": {"two_person_price_cents": 1}}, "two_person_price_cents"),
        ({"reason": ""}, "reason"),
        ({"version": "one"}, "version"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(api: Api, changes: dict[str, object], field: str) -> None:
    """The problem names the field."""
    body = {"version": 0, "settings": {}, "reason": "trying", **changes}

    answer = api.staff(Role.ADMIN).http.put(PATH, json=body)

    assert answer.status_code == 422
    assert field in answer.text
