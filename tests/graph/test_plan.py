import pytest

from videohoi.errors import UsageError
from videohoi.graph import Branch, EdgePolicy, FunctionNode, Graph, IterableSource


def node(name):
    return FunctionNode(name, lambda item: item)


def graph(stages, **options):
    return Graph(IterableSource([1]), stages, **options)


def test_one_line_says_which_nodes_share_a_thread():
    built = graph(
        [[], [node("detect")], [node("track"), node("interact"), node("smooth")]],
        branches=[[node("overlay")], [node("csv"), node("jsonl")]],
    )
    assert built.describe() == "decode | detect | track > interact > smooth | overlay, csv > jsonl"


def test_nodes_of_the_first_stage_share_the_source_thread_and_dropping_edges_are_named():
    built = graph(
        [[node("letterbox")], [node("detect")], [node("track")]],
        edges=[EdgePolicy.latest(), EdgePolicy.lossless(1)],
        source_name="camera",
    )
    assert built.describe() == "camera > letterbox |latest| detect | track"
    assert built.report().policy == "latest"


def test_a_latest_branch_does_not_make_the_run_lossy():
    built = graph([[], [node("detect")]], branches=[Branch((node("display"),), EdgePolicy.latest())])
    assert built.report().policy == "lossless"


@pytest.mark.parametrize(
    ("stages", "options", "message"),
    [
        ([], {}, "one stage or more"),
        ([["a"], []], {}, "drop the empty one"),
        ([["a"]], {"branches": [[]]}, "drop the empty one"),
        ([["a"], ["b"]], {"edges": [EdgePolicy(), EdgePolicy()]}, "2 stages has 1 edges between them, got 2"),
        ([["a"], ["b", "a"]], {}, "used more than once: a"),
        ([["decode"]], {}, "used more than once: decode"),
    ],
)
def test_plans_that_do_not_fit_are_refused(stages, options, message):
    with pytest.raises(UsageError, match=message):
        graph([[node(name) for name in stage] for stage in stages], **options)
