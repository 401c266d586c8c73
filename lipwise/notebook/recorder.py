"""A recording from the microphone of the browser, where the page can be asked for one: on Colab."""

import base64
import binascii
import tempfile
from pathlib import Path

from lipwise.errors import LipwiseError, MediaError, SettingsError
from lipwise.media.audio import SAMPLE_RATE, load_audio
from lipwise.media.sound import save_wav
from lipwise.notebook.colab import colab_module

LONGEST_S = 60  # a minute of Opus comes through the page as well under a megabyte
ASKED_S = 60  # for leave to use the microphone

# Records for a while and gives a data URL; what went wrong comes back as "error: ...".
_RECORD = """
(async () => {
  const note = document.createElement('p');
  note.style.font = 'inherit';
  note.setAttribute('role', 'status');
  note.textContent = 'Allow the microphone, then speak.';
  document.body.appendChild(note);
  let sound = null;
  try {
    sound = await navigator.mediaDevices.getUserMedia({audio: true});
    const recorder = new MediaRecorder(sound), pieces = [];
    recorder.ondataavailable = (event) => pieces.push(event.data);
    const done = new Promise((resolve) => { recorder.onstop = resolve; });
    recorder.start();
    for (let left = SECONDS; left > 0; left--) {
      note.textContent = 'Recording: ' + left + ' s left. Speak now.';
      await new Promise((resolve) => setTimeout(resolve, 1000 * Math.min(1, left)));
    }
    recorder.stop();
    await done;
    return await new Promise((resolve) => {
      const reader = new FileReader();
      reader.onloadend = () => resolve(reader.result);
      reader.readAsDataURL(new Blob(pieces, {type: recorder.mimeType}));
    });
  } catch (problem) {
    return 'error: ' + problem;
  } finally {
    if (sound) sound.getTracks().forEach((track) => track.stop());
    note.remove();
  }
})()
"""


def record(seconds: float, out: str | Path = "recording.wav") -> Path:
    """Record speech with the microphone of the browser that shows the page. The browser asks for leave first.

    Args:
        seconds: above 0, up to 60.
        out: a WAV file, mono, 16 kHz; it appears under its name only when it is complete.

    Raises:
        SettingsError: this is not Colab, or the length makes no sense.
        MediaError: the browser gave no recording, or none that can be read.
    """
    if not 0 < seconds <= LONGEST_S:
        cause = f"a recording lasts more than 0 and at most {LONGEST_S} s"
        raise SettingsError(f"{seconds:g} s cannot be recorded", cause=cause, next_step="use 5, say")
    output = colab_module("output")
    if output is None:
        raise SettingsError(
            "The microphone cannot be reached from this page",
            cause="only on Colab can Python ask the browser for a recording, and this is another machine",
            next_step="record with your phone or any program, and name the file as speech",
        )
    try:
        answer = output.eval_js(_RECORD.replace("SECONDS", f"{seconds:g}"), timeout_sec=seconds + ASKED_S)
    except Exception as error:  # whatever Colab raises: nobody answered, or the page is gone
        raise _nothing_recorded(str(error)) from error
    return _kept(recorded_bytes(answer), Path(out))


def recorded_bytes(answer: object) -> bytes:
    """The sound inside what the page gave, a data URL.

    Raises:
        MediaError: it holds none; the browser's own words are in it.
    """
    if not isinstance(answer, str) or not answer.startswith("data:"):
        raise _nothing_recorded(str(answer).removeprefix("error: "))
    try:
        content = base64.b64decode(answer.partition("base64,")[2], validate=True)
    except binascii.Error as error:
        raise _nothing_recorded(str(error)) from error
    if not content:
        raise _nothing_recorded("it is empty")
    return content


def _kept(content: bytes, out: Path) -> Path:
    """Browsers give WebM or MP4, whose length nobody wrote down; a WAV file is plain to everything."""
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "browser"
        given.write_bytes(content)
        try:
            waveform = load_audio(given)
        except LipwiseError as error:
            raise _nothing_recorded(error.cause) from error
    return save_wav(out, waveform, sample_rate=SAMPLE_RATE)


def _nothing_recorded(cause: str) -> MediaError:
    return MediaError(
        "The browser gave no recording",
        cause=cause,
        next_step="allow the microphone beside the page's address, and run the cell again; or name a file as speech",
    )
