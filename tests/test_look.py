"""The figures' colours: told apart by everybody, and the same in all notebooks."""

import itertools
import re

import numpy as np
import pytest
from coursekit import look

from autograder.course import ROOT

# Machado, Oliveira and Fernandes 2009, complete deficiency; they act on linear light.
SEEN = {
    "as it is": np.eye(3),
    "without red cones": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "without green cones": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "without blue cones": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}
COLOURS = {name: getattr(look, name) for name in ("BLUE", "ORANGE", "GREEN", "PURPLE")}


def lab(colour: str, seen: object) -> np.ndarray:
    """Lightness, red against green, blue against yellow: distances are about as they are seen."""
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    light = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.412, 0.358, 0.180], [0.213, 0.715, 0.072], [0.019, 0.119, 0.950]])
    xyz = to_xyz @ np.clip(np.asarray(seen) @ light, 0, 1) / to_xyz.sum(axis=1)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("pair", list(itertools.combinations(COLOURS, 2)), ids="-".join)
def test_colours_differ_for_every_eye_and_in_grey(pair: tuple[str, str]) -> None:
    for eye, seen in SEEN.items():
        one, other = (lab(COLOURS[name], seen) for name in pair)
        assert np.linalg.norm(one - other) > 25, f"{pair} look alike {eye}"
        if eye == "as it is":
            assert abs(one[0] - other[0]) > 10, f"{pair} look alike in grey"


def test_every_notebook_takes_its_colours_from_one_place() -> None:
    for path in sorted((ROOT / "assignments").glob("*/figures.py")):
        text = path.read_text(encoding="utf-8")
        assert "from coursekit.look import" in text, path
        assert not re.search(r"^_?(BLUE|ORANGE|GREEN|PURPLE)\b.*=", text, re.M), path
