"""The weights inside the package and their SHA-256, so that damaged files are reported as damaged."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources

from videohoi.errors import ModelError

REINSTALL = "pip install --force-reinstall --no-deps videohoi"


@dataclass(frozen=True)
class ShippedWeights:
    """One file of weights that comes with the package."""

    title: str
    """name in messages"""
    package: str
    """the file is in its ``data`` folder"""
    file: str
    sha256: str

    @property
    def is_present(self) -> bool:
        """False in a build without weights."""
        return (resources.files(self.package) / "data" / self.file).is_file()

    def read(self) -> bytes:
        """The content of the file.

        Raises:
            ModelError: it is missing, cannot be read, or is not what was shipped.
        """
        source = resources.files(self.package) / "data" / self.file
        try:
            content = source.read_bytes()
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ModelError(f"{source}: the {self.title} cannot be read ({reason}); reinstall: {REINSTALL}") from error
        digest = hashlib.sha256(content).hexdigest()
        if digest != self.sha256:
            raise ModelError(
                f"{source}: the {self.title} that came with videohoi is damaged ({len(content):,} bytes, sha256 "
                f"{digest[:12]}..., expected {self.sha256[:12]}...); reinstall: {REINSTALL}"
            )
        return content


DETECTOR = ShippedWeights(
    "starter detector",
    "videohoi.detect",
    "starter_detector.onnx",
    "4c7f8e05df6650c042572c287c90c1a563ab98bfc99af9b1ef614060a5a56cc6",
)
PAIR_HEAD = ShippedWeights(
    "starter pair head",
    "videohoi.interact.heads",
    "starter_pair_head.onnx",
    "eb05b2bbd7e2134a2f82e263c8a3fd8c3711e44c58ba00ea53a14c46fc5425fd",
)
SHIPPED = (DETECTOR, PAIR_HEAD)
