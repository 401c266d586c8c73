"""Which frames of a clip show a face that can be used, and where it is."""

from pathlib import Path

from lipwise.errors import FaceError
from lipwise.faces.detect import FaceDetector, load_detector
from lipwise.faces.mesh import FaceMesh, mesh_points
from lipwise.faces.track import FaceTrack, TrackSettings, follow_face
from lipwise.media.probe import VideoInfo, probe
from lipwise.media.read import read_frames
from lipwise.weights import fetch_weights
