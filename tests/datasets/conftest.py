from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"


@pytest.fixture
def shared_path():
    """A file of the shared folder; skips when it is absent."""

    def find(name: str) -> Path:
        if not (SHARED / name).is_file():
            pytest.skip(f"../shared/data/{name} is not beside this project")
        return SHARED / name

    return find
