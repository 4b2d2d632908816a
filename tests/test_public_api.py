"""What a user may import, as one list."""

import pytest

import videohoi

EXPECTED = [
    "AnnotatedVideo",
    "CallbackSink",
    "Detections",
    "Frame",
    "FrameResult",
    "InteractionEvent",
    "ListSink",
    "Pipeline",
    "Segment",
    "TrackedInteractions",
    "Tracks",
    "VideohoiError",
    "Vocabulary",
    "__version__",
    "annotate",
    "contact_sheet",
    "detect",
    "hico_det",
    "open_source",
]


def test_the_public_list_is_what_is_promised() -> None:
    assert videohoi.__all__ == EXPECTED
    assert sorted(videohoi.__all__) == videohoi.__all__
    assert dir(videohoi) == EXPECTED


@pytest.mark.parametrize("name", EXPECTED)
def test_every_public_name_loads_and_is_documented(name: str) -> None:
    value = getattr(videohoi, name)
    assert name == "__version__" or value.__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Pipelin'"):
        videohoi.Pipelin  # noqa: B018
