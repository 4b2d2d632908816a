"""A script that ends in the middle of its results: the process ends as well, and every part is closed."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import sys

from videohoi.graph import BaseNode, Graph, IterableSource


class Node(BaseNode):
    def process(self, item):
        return (item,)

    def close(self, *, complete):
        sys.stdout.write(f"{self.name} closed, complete: {complete}\\n")


def count():
    number = 0
    while True:
        yield number
        number += 1


graph = Graph(IterableSource(count()), [[Node("first")], [Node("second")]])
results = graph.iterate()
sys.stdout.write(f"result {next(results)}\\n")
"""
LIMIT_SECONDS = 60


@pytest.mark.parametrize(
    "ending", ["", "raise ValueError('in the script')", "sys.exit(3)", "results.close()", "del results"]
)
def test_the_process_ends_and_the_nodes_are_closed(ending):
    command = [sys.executable, "-c", SCRIPT + ending]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
    assert done.stdout.splitlines() == ["result 0", "first closed, complete: False", "second closed, complete: False"]
    assert done.returncode == {"raise ValueError('in the script')": 1, "sys.exit(3)": 3}.get(ending, 0)
    if "raise" in ending:
        assert done.stderr.splitlines()[-1] == "ValueError: in the script"
    else:
        assert done.stderr == ""
