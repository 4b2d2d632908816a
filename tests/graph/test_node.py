import pytest
from graph_parts import ManualClock

from videohoi.graph import BaseNode, FunctionNode, MonotonicClock, Node, TapNode
from videohoi.structures import SourceInfo


def test_a_function_node_maps_and_a_tap_passes_the_item_itself_on():
    seen = []
    double: Node[int, int] = FunctionNode("double", lambda number: 2 * number)
    tap: Node[int, int] = TapNode("tap", seen.append)
    assert list(double.process(21)) == [42]
    assert list(tap.process(7)) == [7]
    assert seen == [7]


def test_a_base_node_needs_only_process():
    class Half(BaseNode[int, int]):
        def process(self, item):
            return () if item % 2 else (item // 2,)

    node = Half("half")
    node.open(SourceInfo("clip", 2, 2, None, None, None))
    assert [list(node.process(number)) for number in (3, 8)] == [[], [4]]
    assert list(node.drain()) == []
    node.reset()
    node.close(complete=True)


def test_a_node_without_process_cannot_be_made():
    class Nothing(BaseNode[int, int]):
        pass

    with pytest.raises(TypeError, match="process"):
        Nothing("nothing")


def test_the_manual_clock_moves_only_when_told_and_never_back():
    clock = ManualClock(5.0)
    clock.advance(0.25)
    assert clock.now() == 5.25
    with pytest.raises(ValueError, match="cannot go back"):
        clock.advance(-1.0)


def test_the_monotonic_clock_does_not_go_back():
    clock = MonotonicClock()
    first = clock.now()
    assert clock.now() >= first
