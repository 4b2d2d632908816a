"""The size of the clip that pipeline tests share."""

FRAME_COUNT = 20
