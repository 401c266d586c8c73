"""Groups of settings: frozen, and plain words for values that make no sense."""

import pytest
from pydantic import ValidationError

import lipwise as lw

WRONG = {
    "out of range": (lw.EnhanceSettings, {"fidelity": 2}, "EnhanceSettings: the setting 'fidelity' is not usable: 2"),
    "a name misspelt": (lw.CleanSettings, {"polcy": "drop"}, "CleanSettings: the setting 'polcy' is not known"),
    "left out": (lw.Recipe, {"speech": "a.wav"}, "Recipe: the setting 'face' is missing"),
    "inside another group": (
        lw.Recipe,
        {"face": "a.mp4", "speech": "a.wav", "lipsync": {"feather": 9}},
        "LipsyncSettings: the setting 'feather' is not usable: 9",
    ),
}


@pytest.mark.parametrize(("group", "values", "said"), WRONG.values(), ids=WRONG)
def test_a_setting_that_makes_no_sense_is_named(group, values, said):
    with pytest.raises(lw.SettingsError, match=said) as raised:
        group(**values)
    assert "help(lipwise." in str(raised.value)


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        lw.EnhanceSettings().fidelity = 0.5
