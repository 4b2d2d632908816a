"""The examples of docs/python_api.md run as they stand, in their order, as one script."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import av
import pytest
from PIL import Image

from videohoi.demo.compose import compose_demo, write_demo

PAGE = Path(__file__).resolve().parents[1] / "docs" / "python_api.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_examples_run(tmp_path):
    pytest.importorskip("supervision", reason="the supervision extra is not installed")
    pytest.importorskip("pandas", reason="the pandas extra is not installed")
    write_demo(tmp_path / "clip.mp4", compose_demo(4.0, 5.0, height_px=240))
    with av.open(str(tmp_path / "clip.mp4")) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    Image.fromarray(pictures[10]).save(tmp_path / "photo.jpg")
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert len(blocks) >= 8
    script = tmp_path / "page.py"
    # a spawned process imports the script again: of the blocks only the definitions for it may run there
    (processes,) = [number for number, block in enumerate(blocks) if "__main__" in block]
    parts = [in_main(blocks[:processes]), "import videohoi\n", blocks[processes], in_main(blocks[processes + 1 :])]
    script.write_text("".join(parts), encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("AnnotatedVideo('clip.mp4': 20 frames, ")
    assert "[20, 20]" in lines
    assert lines[-1].startswith("pictures: the array is of float64; expected uint8")


def in_main(blocks):
    return "if __name__ == '__main__':\n" + "".join(f"    {line}\n" for block in blocks for line in block.splitlines())
