"""What most command tests type."""

QUICK = ("--set", "detect.workers=1", "--set", "detect.input_size_px=96")
"""what the detector finds does not matter in these tests"""
