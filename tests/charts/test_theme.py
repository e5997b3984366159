"""Colours can be told apart, by people with colour blindness too, and seen on their ground."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest

from cimis.charts.theme import THEMES, theme_of
from cimis.pipeline.errors import UsageError

Doubles = npt.NDArray[np.float64]

SEEN = {
    "all colours": np.eye(3),
    "no red": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "no green": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}
"""What is seen of linear RGB: Machado, Oliveira and Fernandes (2009), severity 1."""

TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def linear(color: str) -> Doubles:
    share = np.array([int(color[n : n + 2], 16) for n in (1, 3, 5)]) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def lab(color: Doubles) -> Doubles:
    """Return a linear colour in CIE L*a*b*."""
    xyz = TO_XYZ @ np.clip(color, 0, 1) / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one: str, other: str) -> float:
    """Return the contrast of the Web Content Accessibility Guidelines."""
    light, dark = sorted((float(TO_XYZ[1] @ linear(c)) for c in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("part", ["categories", "there", "speeds"])
def test_colours_differ(name: str, seen: str, part: str) -> None:
    colors = getattr(THEMES[name], part)
    for one, other in combinations(colors, 2):
        far = np.linalg.norm(lab(SEEN[seen] @ linear(one)) - lab(SEEN[seen] @ linear(other)))
        assert far > 12, (one, other)


@pytest.mark.parametrize("name", THEMES)
def test_words_are_read_on_their_ground(name: str) -> None:
    theme = THEMES[name]
    assert min(contrast(c, theme.background) for c in (theme.text, theme.muted, theme.flag)) > 4.5


@pytest.mark.parametrize("name", THEMES)
def test_lines_are_seen_on_their_ground(name: str) -> None:
    theme = THEMES[name]
    assert min(contrast(color, theme.background) for color in theme.categories) > 2


def test_an_unknown_theme_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown theme 'sepia'"):
        theme_of("sepia")
