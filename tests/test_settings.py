"""Groups of settings: frozen, and plain words for values that make no sense."""

import pytest
from pydantic import ValidationError

import lipwise as lw
from lipwise.settings import as_settings

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


@pytest.mark.parametrize("kind", [lw.CleanSettings, lw.EnhanceSettings, lw.UsabilitySettings, lw.TrackSettings])
def test_settings_are_taken_as_they_are_by_name_or_by_default(kind):
    own = kind()
    name = next(iter(kind.__dataclass_fields__ if hasattr(kind, "__dataclass_fields__") else kind.model_fields))
    assert as_settings(kind, own) is own
    assert as_settings(kind, None) == as_settings(kind, {}) == own
    assert as_settings(kind, {name: getattr(own, name)}) == own


NONE = {
    "text": ("face", "'face' is no (?s:.)*got str"),
    "nothing but empty": ("", "'' is no (?s:.)*got str"),
    "another group": (lw.Recipe(face="a.mp4", speech="a.wav"), "(?s)is no .*got Recipe"),
    "a name misspelt": ({"polcy": "drop"}, "polcy"),
    "names that are none": ({1: 2}, "1"),
}


@pytest.mark.parametrize("kind", [lw.CleanSettings, lw.UsabilitySettings])
@pytest.mark.parametrize(("given", "said"), NONE.values(), ids=NONE)
def test_what_is_no_group_of_settings_is_refused(kind, given, said):
    with pytest.raises(lw.SettingsError, match=said) as raised:
        as_settings(kind, given)
    assert raised.value.next_step == f"see the settings and their units with help(lipwise.{kind.__name__})"
