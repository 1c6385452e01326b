"""Form-encoded bodies as PHP reads them."""

import pytest

from lab.robot.errors import ApiError
from lab.robot.form import flag, listed, parse_form, required


@pytest.mark.parametrize(
    ("body", "form"),
    [
        (b"", {}),
        (b"name=a+b&vlan=4000", {"name": "a b", "vlan": "4000"}),
        (b"server=1&server=2", {"server": "2"}),
        (b"server[]=1&server[]=2", {"server": ["1", "2"]}),
        (b"server%5B%5D=1", {"server": ["1"]}),
        (
            b"rules[input][0][name]=a&rules[input][0][action]=accept&rules[input][1][name]=b",
            {"rules": {"input": [{"name": "a", "action": "accept"}, {"name": "b"}]}},
        ),
    ],
)
def test_lists_and_trees_are_read(body: bytes, form: dict[str, object]) -> None:
    """A name that is given twice without brackets counts once."""
    assert parse_form(body) == form


def test_a_name_with_a_stray_bracket_is_refused() -> None:
    """With the name in the answer."""
    with pytest.raises(ApiError) as caught:
        parse_form(b"a]=1")
    assert caught.value.body()["error"]["invalid"] == ["a]"]


def test_missing_parameters_are_named_all_at_once() -> None:
    """Empty ones are missing too."""
    with pytest.raises(ApiError) as caught:
        required({"name": "", "vlan": "1"}, "name", "vlan", "server")
    assert caught.value.body()["error"] == {
        "status": 400,
        "code": "INVALID_INPUT",
        "message": "invalid input",
        "missing": ["name", "server"],
        "invalid": None,
    }


def test_flags_and_lists() -> None:
    """One value is a list of one; a flag is one of two words."""
    assert (listed({"a": "1"}, "a"), listed({"a": ["1", "2"]}, "a"), listed({}, "a")) == (["1"], ["1", "2"], [])
    assert (flag({"a": "true"}, "a", default=False), flag({}, "a", default=True)) == (True, True)
    with pytest.raises(ApiError):
        flag({"a": "yes"}, "a", default=False)
