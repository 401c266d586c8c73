"""Train the network of the built-in generator: speech, features, training, one command, about a quarter of an hour.

    python tools/train_viseme.py --out lipwise/models/viseme.npz

Each stage leaves its result in the work folder and is skipped when it is there, so an interrupted run goes on where it
stopped. The same seed gives the same speech and features; training repeats exactly on the same machine and torch.
See tools/README.md.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from viseme_features import Strip, load_utterances, make_strip, save_utterances
from viseme_normalised import NormalisedNet
from viseme_speech import synthesise

from lipwise.models.viseme_net import CENTRE_STEP, MOUTH, WINDOW_STEPS, VisemeNet, save_weights

FLOOR = -4.0
SPEECH_MODULES = ("viseme_sentences", "viseme_espeak", "viseme_speech")
FEATURE_MODULES = ("viseme_mouth", "viseme_augment", "viseme_features")


@dataclass(frozen=True)
class Settings:
    """What the result depends on."""

    seed: int = 1
    utterances: int = 1800
    copies: int = 2  # recordings made of each utterance
    steps: int = 3000
    crops: int = 64  # pieces of the strip in one step
    outputs: int = 16  # windows in one piece
    learning_rate: float = 3e-3
    weight_decay: float = 1e-3
    loss_weights: tuple[float, float, float, float] = (2.0, 2.0, 1.5, 1.5)  # open, wide, round, closed


def report(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def digest(*modules: str) -> str:
    """Eight letters that change when the code of one of these modules does."""
    folder = Path(__file__).parent
    return hashlib.sha256(b"".join((folder / f"{name}.py").read_bytes() for name in modules)).hexdigest()[:8]


def prepare(settings: Settings, work: Path) -> tuple[Strip, Strip]:
    """The strips to train on and to judge by, from the work folder or made now."""
    key = f"{settings.seed}_{settings.utterances}"
    strips, utterances = [], None
    speech = work / f"speech_{key}_{digest(*SPEECH_MODULES)}.npz"
    key += "_" + digest(*SPEECH_MODULES, *FEATURE_MODULES)
    if not speech.exists():
        report(f"speech: {settings.utterances} utterances")
        save_utterances(list(synthesise(settings.utterances, settings.seed)), part := speech.with_suffix(".part.npz"))
        part.replace(speech)
    for name, copies in (("train", settings.copies), ("held_out", 1)):
        path = work / f"{name}_{key}_{copies}.npz"
        if not path.exists():
            report(f"features: {name}")
            utterances = load_utterances(speech) if utterances is None else utterances
            strip = make_strip(utterances, copies, settings.seed, held_out=name == "held_out")
            strip.save(part := path.with_suffix(".part.npz"))
            part.replace(path)
        strips.append(Strip.load(path))
        report(f"{name}: {strips[-1].mel.shape[1] / 80 / 60:.1f} minutes of mel")
    return strips[0], strips[1]


def spoil(mel: torch.Tensor, pause: torch.Tensor, random: torch.Generator) -> torch.Tensor:
    """What costs little to vary at every step: level, colour, and a gate in the pauses.

    Args:
        mel: (B, 80, S). pause: (B, S) bool.
    """
    count = len(mel)
    level = torch.empty(count, 1, 1).uniform_(-0.5, 0.5, generator=random)  # 0.08 is a decibel
    knots = 0.25 * torch.randn(count, 1, 7, generator=random)
    colour = torch.nn.functional.interpolate(knots, mel.shape[1], mode="linear", align_corners=True)
    mel = mel + (level + colour.transpose(1, 2)) * (mel > FLOOR + 0.1)  # (B, 80, 1)
    # The chain silences pauses with a gate: so must half of the training, with some frames of delay.
    delay = int(torch.randint(0, 4, (1,), generator=random))
    speech = torch.nn.functional.max_pool1d((~pause[:, None]).float(), 2 * delay + 1, 1, delay)  # (B, 1, S)
    gated = (torch.rand(count, 1, 1, generator=random) < 0.5) & (speech == 0)
    return torch.where(gated, torch.tensor(FLOOR), mel).clamp(FLOOR, -FLOOR)


def batches(strip: Strip, settings: Settings) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Endless (mel (B, 80, S), mouth (B, 4, outputs)), always the same for the same seed."""
    mel, mouth = torch.from_numpy(strip.mel), torch.from_numpy(strip.mouth)
    pause = torch.from_numpy(strip.pause)
    random = torch.Generator().manual_seed(settings.seed)
    length = settings.outputs + WINDOW_STEPS - 1
    while True:
        starts = torch.randint(mel.shape[1] - length, (settings.crops, 1), generator=random)
        heard = starts + torch.arange(length)  # (B, S)
        meant = starts + CENTRE_STEP + torch.arange(settings.outputs)  # (B, outputs)
        windows = mel[:, heard].float().permute(1, 0, 2)  # (80, B, S) -> (B, 80, S)
        yield spoil(windows, pause[heard], random), mouth[meant].float().permute(0, 2, 1)


def judge(net: torch.nn.Module, strip: Strip) -> str:
    """Correlation of each curve with its target, and the mouth in pauses, on utterances never trained on."""
    net.eval()
    with torch.inference_mode():
        pieces = torch.from_numpy(strip.mel).float().unfold(1, 1015, 1000).permute(1, 0, 2)  # (P, 80, 1015)
        heard = torch.cat([net(piece[None])[0] for piece in pieces], dim=1).numpy()  # (4, P * 1000)
    net.train()
    meant = strip.mouth[CENTRE_STEP : CENTRE_STEP + heard.shape[1]].T.astype(np.float32)
    quiet = strip.pause[CENTRE_STEP : CENTRE_STEP + heard.shape[1]]
    curves = "  ".join(f"{n} {np.corrcoef(a, b)[0, 1]:.3f}" for n, a, b in zip(MOUTH, heard, meant, strict=True))
    pressed = heard[3, meant[3] > 0.8].mean()
    rest = f"open {heard[0, quiet].mean():.3f} closed {heard[3, quiet].mean():.3f}"
    return f"{curves}  | in pauses {rest}, in m b p closed {pressed:.3f}"


def train(strip: Strip, held_out: Strip, settings: Settings) -> VisemeNet:
    """Mean squared error with one cycle of the learning rate (AdamW)."""
    torch.manual_seed(settings.seed)
    net = NormalisedNet()
    optimizer = torch.optim.AdamW(net.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.learning_rate, total_steps=settings.steps)
    weights = torch.tensor(settings.loss_weights)[:, None]
    started = time.monotonic()
    for step, (mel, mouth) in zip(range(1, settings.steps + 1), batches(strip, settings), strict=False):
        loss = ((net(mel) - mouth) ** 2 * weights).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 500 == 0 or step == settings.steps:
            report(f"{step:5d}  {time.monotonic() - started:4.0f} s  loss {loss.item():.4f}  {judge(net, held_out)}")
    return net.fold()


def parse() -> tuple[argparse.Namespace, Settings]:
    defaults = Settings()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the .npz to write")
    parser.add_argument("--work", type=Path, default=Path("build/viseme"), help="folder of the stages' results")
    parser.add_argument("--threads", type=int, default=1, help="torch threads (default: %(default)s)")
    for name, value in asdict(defaults).items():
        if isinstance(value, int | float):
            flag = "--" + name.replace("_", "-")
            parser.add_argument(flag, type=type(value), default=value, help="default: %(default)s")
    options = parser.parse_args()
    chosen = {
        name: getattr(options, name) for name, value in asdict(defaults).items() if isinstance(value, int | float)
    }
    return options, Settings(**chosen)


def main() -> None:
    options, settings = parse()
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    strip, held_out = prepare(settings, options.work)
    net = train(strip, held_out, settings)
    save_weights(net, part := options.out.with_suffix(".part.npz"))
    part.replace(options.out)
    report(f"{options.out}: {options.out.stat().st_size / 1000:.0f} KB, {json.dumps(asdict(settings))}")


if __name__ == "__main__":
    main()
