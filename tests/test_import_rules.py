"""The house rules on imports, read from the source text (docs: DESIGN rules 1 and 2)."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "videohoi"
STAGES = {"decode", "detect", "interact", "track", "smooth", "sink"}
SHARED_ROOMS = {"errors", "structures", "vocabulary", "geometry", "compile", "models", "layers"}
ALLOWED = {
    "errors": set(),
    "files": {"errors"},
    "folder_lock": {"errors", "files"},
    "names": set(),
    "plugins": {"errors"},
    "ranges": {"errors"},
    "shipped_weights": {"errors"},
    "structures": {"errors"},
    "vocabulary": {"errors", "structures"},
    "geometry": {"errors", "structures", "vocabulary"},
    "graph": {"errors", "structures"},
    "compile": {"errors"},
    "datasets": {"errors", "structures", "vocabulary", "geometry"},
    "evaluate": {"errors", "structures", "vocabulary", "geometry", "datasets"},
    "demo": {"errors", "structures", "vocabulary"},
    "layers": {"errors", "structures"},
    "models": {"errors", "compile", "decode", "detect", "sink", "track"},
    "pipeline": STAGES | SHARED_ROOMS | {"graph", "config"},
    "commands": STAGES | SHARED_ROOMS | {"graph", "config", "pipeline", "evaluate", "demo", "datasets"},
    "cli": {"commands", "errors"},
    "__main__": {"cli"},
    "config": {"errors"},
    "train": SHARED_ROOMS - {"compile", "models"} | {"detect", "interact", "evaluate", "config", "datasets"},
    **{stage: SHARED_ROOMS - {"layers"} for stage in STAGES},
}
GROUND = {"errors", "files", "folder_lock", "names", "plugins", "ranges", "shipped_weights"}
for room in ALLOWED.keys() - GROUND - {"structures", "cli", "__main__"}:
    ALLOWED[room] = ALLOWED[room] | GROUND
ALLOWED["detect"] = ALLOWED["detect"] | {"layers"}
ALLOWED["interact"] = ALLOWED["interact"] | {"detect", "layers"}
TORCH_FILES = {"detect/network.py", "detect/detr.py", "detect/hub.py", "interact/heads/", "interact/torch_engine.py"}
HEAVY_HOMES = {
    "numba": ("_kernels.py",),
    "torch": ("train/", "layers/", *TORCH_FILES),
    "decord": ("decode/",),
    "supervision": ("structures/interop.py", "sink/"),
    "openvino": ("compile/",),
    "matplotlib": ("evaluate/plots.py",),
    "onnx": ("train/",),
    "open_clip": ("vocabulary/text_encoder.py", "layers/clip.py"),
    "timm": ("layers/",),
    "torchvision": ("layers/", "detect/"),
    "transformers": ("detect/hub.py",),
    "safetensors": ("train/", "layers/", "interact/"),
    "pycocotools": ("train/",),
}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if "_bundled" not in path.parts)


def imports_of(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def room_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_the_rooms_it_may(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        return
    used = {name.split(".")[1] for name in imports_of(path) if name.startswith("videohoi.")} - {room, "__version__"}
    assert used <= ALLOWED[room], f"{room} must not import {sorted(used - ALLOWED[room])}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_libraries_stay_in_their_rooms(path: Path) -> None:
    relative = path.relative_to(PACKAGE).as_posix()
    for library, homes in HEAVY_HOMES.items():
        if any(name.split(".")[0] == library for name in imports_of(path)):
            assert any(home in relative for home in homes), f"{relative} imports {library}; its home is {homes}"


def test_nothing_in_the_library_imports_pipelines() -> None:
    assert not [path for path in FILES if any(name.split(".")[0] == "pipelines" for name in imports_of(path))]


def test_the_library_never_prints() -> None:
    for path in FILES:
        calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        printed = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]
        assert not printed, f"{path.relative_to(ROOT)} prints"


def modules_after(code: str) -> set[str]:
    script = f"import sys\n{code}\nsys.stdout.write(' '.join(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = modules_after("import videohoi")
    assert not loaded & {"numpy", "cv2", "av", "numba", "onnxruntime", "torch", "scipy", "pydantic"}


def test_the_starter_path_needs_no_torch() -> None:
    loaded = modules_after(
        "from videohoi.pipeline.bundled import load_pipeline\n"
        "from videohoi.pipeline import annotate\n"
        "load_pipeline('offline_annotation')"
    )
    assert not loaded & {"torch", "onnx", "supervision", "matplotlib"}
