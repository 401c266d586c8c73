"""LipWise: make a person in a video say what a recording says, and make it look good.

    import lipwise as lw

    sample = lw.make_sample("sample")                                   # a public-domain face, synthetic speech
    report = lw.run(lw.Recipe(face=sample.face, speech=sample.speech, out="result.mp4", consent=True))
    print(report)

Step by step, each verb one stage:

    video, speech = lw.probe(sample.face), lw.load_speech(sample.speech)
    track = lw.track_faces(video)
    timeline = lw.Timeline.for_speech(track.has_face, video.fps, speech.frame_count(video.fps))
    frames = lw.lipsync_frames(video, track, timeline, speech, generator=lw.load_generator("viseme"))
    lw.write_video("synced.mp4", frames, fps=video.fps, sound=lw.read_sound(sample.speech))

A clip cleaned first, frames without a usable face left out and its sound cut with them:

    track, report = lw.examine(video)
    print(report)                                                       # why frames cannot be used: "blurred: 12-18"
    cleaned = lw.write_clean(video, lw.apply_policy(report.keep("15")), "clean.mp4", track=track)

The built-in generator "viseme" is of preview quality. Faces and voices need their owners' consent. Wav2Lip's weights
are for research and other non-commercial use only.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Public name -> the module it lives in; imported when first asked for (PEP 562), so that `import lipwise` is cheap.
_HOMES = {
    "lipwise.errors": (
        "LipwiseError MediaError SpeechError FaceError WeightsError CheckpointError SettingsError ConsentError "
        "LicenceError DiskFullError LipwiseWarning"
    ),
    "lipwise.timeline": "Timeline",
    "lipwise.weights": "fetch_weights find_weights",
    "lipwise.weights_list": "weights_entries weights_folder",
    "lipwise.media.probe": "probe VideoInfo",
    "lipwise.media.read": "read_frames",
    "lipwise.media.turn": "turn_video",
    "lipwise.media.write": "VideoWriter write_video",
    "lipwise.media.join": "join_segments",
    "lipwise.media.audio": "load_audio mel_spectrogram mel_windows",
    "lipwise.media.gate": "silence_gate",
    "lipwise.media.sound": "read_sound mix_sound save_wav",
    "lipwise.faces.detect": "load_detector FaceDetector",
    "lipwise.faces.choose": "Click",
    "lipwise.faces.track": "FaceTrack TrackSettings save_tracks load_tracks",
    "lipwise.faces.blend": "region_mask match_colour paste seam_energy",
    "lipwise.landmarks": "mouth_gap mouth_width eye_distance",
    "lipwise.stages.clean": "examine track_faces track_people Examined",
    "lipwise.stages.upright": "set_upright",
    "lipwise.stages.judge": "Reason REASONS FAULTS UsabilitySettings",
    "lipwise.stages.usability": "UsabilityReport",
    "lipwise.stages.policies": "CleanSettings apply_policy plan_timeline usable_frames bridged_frames bridge_track",
    "lipwise.stages.write_clean": "write_clean track_along CleanedClip",
    "lipwise.stages.contact_sheet": "contact_sheet save_contact_sheet",
    "lipwise.stages.track_cache": "forget_tracks",
    "lipwise.stages.speech": "Speech load_speech",
    "lipwise.stages.generators": "load_generator GENERATORS",
    "lipwise.stages.lipsync": "LipsyncSettings LipsyncStep prepare_lipsync lipsync_frames lipsync_steps",
    "lipwise.faces.flicker": "FlickerMeter",
    "lipwise.stages.aligned": "EnhanceSettings AlignedTrack align_track aligned_mask count_faces",
    "lipwise.stages.enhance": "EnhanceStep ShownFrame enhance_frames enhance_steps",
    "lipwise.stages.enhancers": "load_restorer load_upscaler Enhancers RESTORERS UPSCALERS",
    "lipwise.stages.pasted": "PastedRegion",
    "lipwise.stages.evaluation": "Evaluation FIGURES",
    "lipwise.stages.offset": "OffsetEstimate estimate_offset",
    "lipwise.stages.lse": "SyncScores",
    "lipwise.stages.lse_clip": "load_sync_network clip_sync_scores",
    "lipwise.recipe": "Recipe",
    "lipwise.pipeline.chain": "run",
    "lipwise.pipeline.run_folder": "forget_run",
    "lipwise.pipeline.enhance": "enhance",
    "lipwise.pipeline.evaluate": "evaluate",
    "lipwise.pipeline.report": "RunReport Enhancement EnhanceReport",
    "lipwise.sample": "make_sample Sample",
    "lipwise.doctor": "environment",
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names.split()}
__all__ = sorted(_MODULE_OF)  # pyright: ignore[reportUnsupportedDunderAll]  # they come by __getattr__


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'lipwise' has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
