"""Fixtures that several files share; torch is imported when they are used."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """``weights(name)``: a file with random weights of that method, made once. Nobody changes it."""
    from runner_cases import weights_maker

    return weights_maker(tmp_path_factory.mktemp("weights"))
