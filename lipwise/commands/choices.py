"""What commands share: the person to follow, as it is typed."""

from lipwise.errors import SettingsError

ChooseAt = tuple[float, float] | tuple[float, float, int]


def one_choice(choose: int | None, choose_at: ChooseAt | None) -> int | ChooseAt | None:
    """The person to follow, by number or by a point.

    Raises:
        SettingsError: both were given.
    """
    if choose is not None and choose_at is not None:
        raise SettingsError(
            "--choose and --choose-at were both given",
            cause="each names the person to follow",
            next_step="leave one of them out",
        )
    return choose if choose_at is None else choose_at
