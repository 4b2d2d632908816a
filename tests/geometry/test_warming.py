"""Kernels are compiled beside the work, and the process waits for them."""

import subprocess
import sys
import threading

from videohoi.geometry.warming import is_compiling, warmed

FROM_A_DAEMON = """
import pathlib, sys, threading, time
from videohoi.geometry.warming import is_compiling, warmed

def compile_all():
    time.sleep(0.5)
    pathlib.Path(sys.argv[1]).write_text("compiled")

opening = threading.Thread(target=lambda: warmed(compile_all, 0.0), daemon=True)
opening.start()
opening.join()
assert is_compiling()
"""


def test_a_slow_compiler_is_not_waited_for_and_says_that_it_works():
    go_on = threading.Event()
    assert not warmed(lambda: go_on.wait(20) and None, 0.0)
    assert is_compiling()
    go_on.set()
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and not thread.daemon:
            thread.join(20)
    assert not is_compiling()


def test_a_quick_one_is_done():
    assert warmed(lambda: None, 20.0)


def test_the_process_ends_only_when_the_cache_is_filled_even_if_a_daemon_thread_began_it(tmp_path):
    done = tmp_path / "done"
    subprocess.run([sys.executable, "-c", FROM_A_DAEMON, str(done)], check=True, timeout=60)
    assert done.read_text() == "compiled"
