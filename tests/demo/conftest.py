import pytest

from videohoi.demo.compose import DemoClip, compose_demo


@pytest.fixture(scope="session")
def small_clip() -> DemoClip:
    """Four seconds at 10 frames/s, 320 x 240: quick to draw."""
    return compose_demo(4.0, 10.0, height_px=240)
