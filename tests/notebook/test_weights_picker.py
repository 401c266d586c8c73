"""The picker fetches what is ticked, asks for what has to be acknowledged, and says what failed."""

import hashlib
import threading
import time

import pytest

from lipwise.errors import LicenceError, WeightsError
from lipwise.notebook import weights_picker
from lipwise.notebook.weights_picker import WeightsPicker, code_line, conditions, fetch_each
from lipwise.weights_list import weights_entries

CONTENT = {
    "free": b"numbers",
    "kept": b"there already",
    "bound": b"with strings",
    "tied": b"other strings",
    "gone": b"",
}
CONDITIONS = {"bound": "For research <only>.", "tied": "Not for sale."}


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A list of five small files, a mirror folder that lacks the last, an empty cache. Returns the cache's folder."""
    mirror, home = tmp_path / "mirror", tmp_path / "home"
    mirror.mkdir()
    lines = []
    for name, content in CONTENT.items():
        content = content or b"cannot be had"
        if name != "gone":
            (mirror / f"{name}.bin").write_bytes(content)
        lines += [f"{name}:", f"  file: {name}.bin", f"  bytes: {len(content)}"]
        lines += [f"  sha256: {hashlib.sha256(content).hexdigest()}", "  licence: A & B", "  purpose: a <test>"]
        lines += ["  engine: lipwise", "  source: https://example.org/net"]
        lines += [f'  condition: "{CONDITIONS[name]}"'] if name in CONDITIONS else []
    (tmp_path / "own.yaml").write_text("\n".join(lines), encoding="utf-8")
    for name, value in {"HOME": home, "MIRROR": mirror, "WEIGHTS": tmp_path / "own.yaml"}.items():
        monkeypatch.setenv(f"LIPWISE_{name}", str(value))
    monkeypatch.delenv("LIPWISE_ACCEPT_LICENCE", raising=False)
    list(fetch_each(["kept"]))
    return home


@pytest.fixture
def picker(own):
    return WeightsPicker({name: entry for name, entry in weights_entries().items() if name in CONTENT})


def tick(picker, *names):
    for name in names:
        picker.boxes[name].value = True


# --- what it does without a browser ---


def test_every_file_is_tried_whatever_became_of_the_one_before(own):
    first, second = fetch_each(["gone", "free"])
    assert isinstance(first.error, WeightsError)
    assert first.path is None
    assert second.path == own / "free.bin"
    assert second.path.read_bytes() == CONTENT["free"]


def test_a_restricted_file_is_not_downloaded_before_its_licence_is_accepted(own):
    (refused,) = fetch_each(["wav2lip"])  # not in the mirror folder: it would have to come over the network
    assert isinstance(refused.error, LicenceError)


@pytest.mark.parametrize("accepted", [True, False])
def test_what_was_acknowledged_is_passed_on(own, monkeypatch, accepted):
    asked = []
    monkeypatch.setattr(weights_picker, "fetch_weights", lambda *_, **options: asked.append(options) or [own])
    list(fetch_each(["bound"], accept_licence=accepted))
    assert asked == [{"accept_licence": accepted}]


def test_conditions_are_told_once_for_all_files_they_hold_for(own):
    entries = weights_entries()
    assert conditions([], entries) == conditions(["free"], entries) == {}
    assert conditions(["bound", "free", "tied"], entries) == {
        CONDITIONS["bound"]: ["bound"],
        CONDITIONS["tied"]: ["tied"],
    }
    (words,) = conditions(["wav2lip", "wav2lip_gan"], entries)
    assert "non-commercial" in words


def test_the_line_of_code_is_the_call():
    assert code_line(["a", "b"]) == 'lw.fetch_weights("a", "b")'
    assert code_line(["a"], accept_licence=True) == 'lw.fetch_weights("a", accept_licence=True)'


# --- the widget ---


def test_what_is_kept_is_ticked_and_cannot_be_chosen(picker):
    assert picker.boxes["kept"].value
    assert picker.boxes["kept"].disabled
    assert picker.chosen() == ()
    assert picker.button.disabled
    assert "kept" in picker.lines["kept"].value
    assert "kept" not in picker.lines["free"].value


def test_each_line_says_size_licence_and_purpose_and_is_escaped(picker):
    line = picker.lines["free"].value
    assert "7 bytes" in line
    assert "A &amp; B" in line
    assert "a &lt;test&gt;" in line


def test_ticking_a_free_file_opens_the_button_and_shows_the_code(picker):
    tick(picker, "free")
    assert picker.chosen() == ("free",)
    assert not picker.button.disabled
    assert picker.accept.layout.display == "none"
    assert "lw.fetch_weights(&quot;free&quot;)" in picker.summary.value
    assert "1 file, 7 bytes to fetch" in picker.summary.value
    picker.boxes["free"].value = False
    assert picker.button.disabled
    assert "fetch_weights" not in picker.summary.value


def test_a_condition_is_in_view_and_has_to_be_acknowledged(picker):
    tick(picker, "free", "bound")
    assert "For research &lt;only&gt;." in picker.conditions.value
    assert picker.accept.layout.display == ""
    assert picker.button.disabled
    assert "accept_licence=True" in picker.code()
    picker.accept.value = True
    assert not picker.button.disabled
    picker.accept.value = False
    assert picker.button.disabled


def test_another_condition_asks_again(picker):
    tick(picker, "bound")
    picker.accept.value = True
    tick(picker, "free")
    assert picker.accept.value  # nothing new to read
    tick(picker, "tied")
    assert not picker.accept.value
    assert picker.button.disabled


def test_the_button_fetches_what_is_ticked(picker, own):
    tick(picker, "free", "bound")
    picker.accept.value = True
    picker.button.click()
    assert {path.name for path in own.glob("*.bin")} == {"free.bin", "kept.bin", "bound.bin"}
    assert picker.bar.value == pytest.approx(picker.bar.max)
    assert (picker.bar.description, picker.bar.bar_style) == ("2 of 2", "success")
    assert str(own / "free.bin") in picker.results.value
    assert picker.boxes["free"].disabled
    assert picker.chosen() == ()
    assert picker.button.disabled
    assert picker.conditions.value == ""


def test_the_button_is_off_while_it_fetches(picker, monkeypatch):
    seen = []
    monkeypatch.setattr(
        weights_picker, "fetch_weights", lambda *names, **_: seen.append(picker.button.disabled) or [None]
    )
    tick(picker, "free")
    picker.fetch()
    assert seen == [True]


def test_the_button_passes_the_acknowledgement_on(picker, monkeypatch):
    asked = []
    monkeypatch.setattr(weights_picker, "fetch_weights", lambda *_, **options: asked.append(options) or [None])
    tick(picker, "bound")
    picker.accept.value = True
    picker.fetch()
    assert asked == [{"accept_licence": True}]


def test_the_bar_and_the_speed_follow_the_unfinished_file(picker, monkeypatch):
    monkeypatch.setattr(weights_picker, "LOOK_S", 0.01)
    seen = []

    def slowly(name, **_):
        part = weights_picker.part_of(picker.entries[name])
        part.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(4):
            with part.open("ab") as file:
                file.write(b"n")
            time.sleep(0.1)
            seen.append((picker.bar.value, picker.speed.value))
        return [part]

    monkeypatch.setattr(weights_picker, "fetch_weights", slowly)
    tick(picker, "free")
    picker.fetch()
    assert [value for value, _ in seen] == pytest.approx([1e-6, 2e-6, 3e-6, 4e-6])
    assert "free: 4 bytes of 7 bytes, " in seen[-1][1]
    assert picker.speed.value == ""
    assert not [thread for thread in threading.enumerate() if "look" in thread.name]


def test_a_fault_of_the_library_does_not_leave_the_button_off(picker, monkeypatch):
    def breaks(*_, **__):
        raise RuntimeError("a fault")

    monkeypatch.setattr(weights_picker, "fetch_weights", breaks)
    tick(picker, "free")
    with pytest.raises(RuntimeError, match="a fault"):
        picker.fetch()
    assert not picker.button.disabled


def test_a_failure_is_told_in_the_library_s_words_and_the_rest_is_fetched(picker, own):
    tick(picker, "gone", "free")
    done = {one.name: one for one in picker.fetch()}
    assert done["free"].path == own / "free.bin"
    assert picker.bar.bar_style == "warning"
    said = picker.results.value
    assert "<b>gone</b> was not fetched" in said
    assert "gone.bin" in said
    assert "next:" in said
    assert picker.chosen() == ("gone",)  # still ticked, to be tried again
    assert not picker.button.disabled


def test_all_of_the_list_is_offered_and_a_page_without_a_kernel_is_told(own):
    picker = WeightsPicker()
    assert list(picker.boxes) == list(weights_entries())
    assert "needs a kernel" in repr(picker)
