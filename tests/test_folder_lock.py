"""One writer at a time in a folder, whatever became of the last one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading

import pytest

from videohoi.errors import SinkError
from videohoi.folder_lock import LOCK_FILE, FolderLock, LockOwner

HOLD = """
import sys
from pathlib import Path
from videohoi.folder_lock import FolderLock
lock = FolderLock(Path(sys.argv[1]))
lock.acquire()
sys.stdout.write("held\\n")
sys.stdout.flush()
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock of ``tmp_path`` until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def write_lock(folder, **changes):
    here = LockOwner.this_process()
    owner = {"pid": here.pid, "host": here.host, "boot_id": here.boot_id, **changes}
    (folder / LOCK_FILE).write_text(json.dumps(owner), encoding="utf-8")


def owner_in(folder):
    return LockOwner.of_text((folder / LOCK_FILE).read_text(encoding="utf-8"))


def test_a_lock_names_its_owner_and_goes_with_it(tmp_path):
    with FolderLock(tmp_path):
        assert owner_in(tmp_path) == LockOwner.this_process()
    assert list(tmp_path.iterdir()) == []


def test_a_second_process_is_refused_and_the_first_keeps_its_lock(tmp_path, holder):
    for _ in range(2):
        with pytest.raises(SinkError, match=rf"another run writes here \(process {holder.pid} on ") as caught:
            FolderLock(tmp_path).acquire()
        assert str(tmp_path) in str(caught.value)
        assert "\n" not in str(caught.value)
    assert owner_in(tmp_path).pid == holder.pid


def test_a_second_thread_is_refused_as_well(tmp_path):
    with FolderLock(tmp_path), pytest.raises(SinkError, match=f"process {os.getpid()}"):
        FolderLock(tmp_path).acquire()


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ on Windows")
def test_the_lock_of_a_killed_process_is_taken_over(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / LOCK_FILE).is_file(), "it could not tidy up"
    with FolderLock(tmp_path):
        assert owner_in(tmp_path).pid == os.getpid()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"boot_id": "another boot"},
        {"host": "another-container"},
        {"pid": 1},  # a process of this number runs, but it does not hold the lock
    ],
    ids=["reboot", "container of this machine", "number used again"],
)
def test_a_lock_that_nobody_holds_is_taken_over(tmp_path, changes):
    write_lock(tmp_path, **changes)
    with FolderLock(tmp_path):
        assert owner_in(tmp_path) == LockOwner.this_process()


def test_a_lock_of_another_machine_is_left_to_the_user(tmp_path):
    write_lock(tmp_path, pid=7, host="elsewhere", boot_id="another boot")
    with pytest.raises(SinkError, match=r"another machine .*process 7 on elsewhere.* or delete .*\.videohoi\.lock"):
        FolderLock(tmp_path).acquire()
    assert owner_in(tmp_path).host == "elsewhere"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x"}', "\0"])
def test_a_damaged_lock_file_is_taken_over(tmp_path, text):
    (tmp_path / LOCK_FILE).write_text(text, encoding="utf-8")
    with FolderLock(tmp_path):
        assert owner_in(tmp_path) == LockOwner.this_process()


def test_without_locks_of_the_file_system_the_process_number_decides(tmp_path, monkeypatch):
    monkeypatch.setattr("videohoi.folder_lock._try_lock", lambda descriptor: None)
    write_lock(tmp_path, pid=os.getpid())
    with pytest.raises(SinkError, match="another run writes here"):
        FolderLock(tmp_path).acquire()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    write_lock(tmp_path, pid=gone.pid)
    with FolderLock(tmp_path):
        assert owner_in(tmp_path).pid == os.getpid()


def test_a_lock_can_be_released_twice_and_taken_again(tmp_path):
    lock = FolderLock(tmp_path)
    for _ in range(2):
        lock.acquire()
        lock.release()
        lock.release()
    assert list(tmp_path.iterdir()) == []


def test_threads_in_turn_never_hold_it_together(tmp_path):
    """The file is removed at each release: a thread that opened it before must not lock the removed one."""
    inside: list[int] = []
    most_inside: list[int] = []

    def work():
        for _ in range(200):
            try:
                with FolderLock(tmp_path):
                    inside.append(1)
                    most_inside.append(len(inside))
                    inside.pop()
            except SinkError:
                continue

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(most_inside) == {1}
    assert list(tmp_path.iterdir()) == []
