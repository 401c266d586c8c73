"""Speech from typed text, the microphone, files; handing files over. Colab is played by modules of its names."""

import base64
import shutil
import sys
from io import BytesIO
from types import ModuleType

import av
import numpy as np
import pytest
from IPython.display import FileLink

from lipwise.errors import MediaError, SettingsError
from lipwise.media.audio import SAMPLE_RATE, load_audio
from lipwise.media.sound import save_wav
from lipwise.notebook import hand_over, speech_source, typed_speech
from lipwise.notebook.recorder import record, recorded_bytes
from lipwise.notebook.speech_source import choose_speech, needs_consent
from lipwise.notebook.typed_speech import is_synthetic, speak
from lipwise.sample import SPEECH, Sample

needs_espeak = pytest.mark.skipif(shutil.which(typed_speech.PROGRAM) is None, reason="espeak-ng is not installed")


@pytest.fixture
def on_colab(monkeypatch):
    """Colab's modules, as far as they are asked for; what they are asked is in `asked`."""
    asked = []

    def play(name: str, **functions: object) -> list:
        for full in ("google.colab", f"google.colab.{name}"):
            monkeypatch.setitem(sys.modules, full, ModuleType(full))
        vars(sys.modules[f"google.colab.{name}"]).update(functions)
        return asked

    return play


def tone(seconds: float) -> np.ndarray:
    times = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (0.4 * np.sin(2 * np.pi * 220 * times)).astype(np.float32)


def webm(seconds: float) -> bytes:
    """A tone as a browser's recorder gives it: Opus in WebM, whose length is nowhere written down."""
    file = BytesIO()
    file.seekable = lambda: False  # so that the writer cannot go back and write it
    with av.open(file, "w", format="webm", options={"live": "1"}) as made:
        stream = made.add_stream("libopus", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.repeat(tone(seconds), 3)[None], format="flt", layout="mono")
        frame.sample_rate = 48000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            made.mux(packet)
    return file.getvalue()


def url(content: bytes) -> str:
    return f"data:audio/webm;codecs=opus;base64,{base64.b64encode(content).decode()}"


# --- typed text ---


@needs_espeak
def test_typed_text_is_spoken_and_says_that_it_is_synthetic(tmp_path):
    out = speak("Hello, this is a test.", tmp_path / "said.wav")
    assert 0.8 < len(load_audio(out)) / SAMPLE_RATE < 4
    assert is_synthetic(out)
    assert [path.name for path in tmp_path.iterdir()] == ["said.wav"]


@needs_espeak
def test_text_that_looks_like_an_option_is_spoken(tmp_path):
    assert len(load_audio(speak("--version is -x", tmp_path / "said.wav"))) > SAMPLE_RATE / 2


@needs_espeak
def test_more_words_a_minute_take_less_time(tmp_path):
    lengths = [
        len(load_audio(speak("one two three four five", tmp_path / "said.wav", words_a_minute=rate)))
        for rate in (100, 300)
    ]
    assert lengths[0] > 1.5 * lengths[1]


@needs_espeak
def test_an_unknown_voice_is_told_in_espeaks_words_and_leaves_nothing(tmp_path):
    with pytest.raises(SettingsError, match=r"voice does not exist.*\n.*--voices"):
        speak("Hello", tmp_path / "said.wav", voice="nosuch")
    assert not list(tmp_path.iterdir())


@needs_espeak
def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(MediaError, match=r"said\.wav cannot be written"):
        speak("Hello", tmp_path / "nowhere" / "said.wav")


def test_without_espeak_the_next_step_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError, match=r"espeak-ng is not installed.*\n.*apt-get install -y espeak-ng"):
        speak("Hello", tmp_path / "said.wav")


@pytest.mark.parametrize(("text", "rate"), [("", 150), (" \n", 150), ("Hello", 79), ("Hello", 451)])
def test_nothing_to_say_and_impossible_speeds_are_refused(text, rate, tmp_path):
    with pytest.raises(SettingsError):
        speak(text, tmp_path / "said.wav", words_a_minute=rate)


def test_other_files_do_not_count_as_synthetic(tmp_path):
    assert not is_synthetic(save_wav(tmp_path / "tone.wav", tone(0.5), sample_rate=SAMPLE_RATE))
    assert not is_synthetic(tmp_path / "not there.wav")
    (tmp_path / "text.wav").write_text("no sound")
    assert not is_synthetic(tmp_path / "text.wav")


# --- the browser's microphone ---


def test_a_recording_of_the_browser_becomes_a_wav_file(tmp_path, on_colab):
    asked = on_colab("output", eval_js=lambda script, timeout_sec: asked.append((script, timeout_sec)) or url(webm(2)))
    out = record(2, tmp_path / "recording.wav")
    assert abs(len(load_audio(out)) / SAMPLE_RATE - 2) < 0.1
    assert [path.name for path in tmp_path.iterdir()] == ["recording.wav"]
    (script, timeout) = asked[0]
    assert "let left = 2;" in script
    assert "SECONDS" not in script
    assert timeout > 2


def test_elsewhere_than_on_colab_recording_says_what_to_do(tmp_path):
    with pytest.raises(SettingsError, match=r"only on Colab[\s\S]*next: record with"):
        record(2, tmp_path / "recording.wav")


@pytest.mark.parametrize(
    "answer", [None, "", "error: NotAllowedError: Permission denied", "data:audio/webm;base64,", "data:;base64,???"]
)
def test_what_the_browser_says_instead_of_a_recording_is_told(answer):
    with pytest.raises(MediaError, match="gave no recording") as raised:
        recorded_bytes(answer)
    assert "error: " not in raised.value.cause
    if answer and "NotAllowed" in answer:
        assert raised.value.cause == "NotAllowedError: Permission denied"


def test_bytes_that_are_no_sound_leave_nothing(tmp_path, on_colab):
    on_colab("output", eval_js=lambda script, timeout_sec: url(b"not a recording"))
    with pytest.raises(MediaError, match="gave no recording"):
        record(1, tmp_path / "recording.wav")
    assert not list(tmp_path.iterdir())


def test_a_page_that_does_not_answer_is_told(tmp_path, on_colab):
    def silent(script: str, timeout_sec: float) -> str:
        raise TimeoutError("no answer")

    on_colab("output", eval_js=silent)
    with pytest.raises(MediaError, match="no answer"):
        record(1, tmp_path / "recording.wav")


@pytest.mark.parametrize("seconds", [0, -1, 61, float("nan")])
def test_lengths_that_make_no_sense_are_refused(seconds, tmp_path):
    with pytest.raises(SettingsError, match="cannot be recorded"):
        record(seconds, tmp_path / "recording.wav")


# --- one of the ways ---


def test_with_nothing_chosen_the_sample_speaks():
    source = choose_speech(sample=SPEECH)
    assert (source.path, source.synthetic) == (SPEECH, True)


@needs_espeak
def test_each_way_gives_its_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = choose_speech(say="Hello", sample=SPEECH)
    assert (said.path.name, said.synthetic) == ("typed_speech.wav", True)
    assert "synthetic" in str(said)
    again = choose_speech("typed_speech.wav", sample=SPEECH)
    assert again.synthetic
    tone_file = save_wav(tmp_path / "tone.wav", tone(0.5), sample_rate=SAMPLE_RATE)
    assert not choose_speech(tone_file, sample=SPEECH).synthetic
    monkeypatch.setattr(speech_source, "record", lambda seconds: tone_file)
    assert choose_speech(record_s=3, sample=SPEECH).path == tone_file


def test_two_ways_at_once_are_refused():
    with pytest.raises(SettingsError, match="speech and say are both"):
        choose_speech("a.wav", say="Hello", sample=SPEECH)


@needs_espeak
def test_only_faces_and_voices_of_people_need_consent(tmp_path):
    sample = Sample(tmp_path / "face.mp4", SPEECH)
    voice = save_wav(tmp_path / "voice.wav", tone(0.5), sample_rate=SAMPLE_RATE)
    said = speak("Hello", tmp_path / "said.wav")
    assert [needs_consent(sample.face, speech, sample) for speech in (SPEECH, said, voice)] == [False, False, True]
    assert needs_consent(tmp_path / "other.mp4", SPEECH, sample)


# --- a file for the reader ---


def test_a_download_is_a_link_in_the_notebooks_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "result.mp4").write_bytes(b"video")
    link = hand_over.download(tmp_path / "made" / "result.mp4")
    assert isinstance(link, FileLink)
    assert "href='made/result.mp4'" in link._repr_html_()


def test_on_colab_the_page_downloads(tmp_path, on_colab):
    asked = on_colab("files", download=lambda path: asked.append(path))
    (tmp_path / "result.mp4").write_bytes(b"video")
    assert hand_over.download(tmp_path / "result.mp4") is None
    assert asked == [str(tmp_path / "result.mp4")]


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(MediaError, match="There is no file"):
        hand_over.download(tmp_path / "result.mp4")


def test_a_file_elsewhere_is_linked_by_its_whole_path(tmp_path):
    assert hand_over.reachable(tmp_path / "a.mp4", start=tmp_path / "deeper") == str(tmp_path / "a.mp4")
    assert hand_over.reachable(tmp_path / "b" / "a.mp4", start=tmp_path) == "b/a.mp4"
