import pytest

from videohoi.sink.memory import CallbackSink, ListSink


def test_list_keeps_results_in_order(info, make_result):
    sink = ListSink()
    sink.open(info, {"policy": "lossless"})
    results = [make_result(index) for index in range(3)]
    for result in results:
        sink.process(result)
    assert sink.complete is None
    sink.close(complete=False)
    assert sink.results == results
    assert (sink.info, sink.header, sink.complete) == (info, {"policy": "lossless"}, False)


def test_list_is_empty_after_abort_and_after_a_new_open(info, make_result):
    sink = ListSink()
    sink.open(info, {})
    sink.process(make_result())
    sink.abort()
    assert sink.results == []
    sink.process(make_result())
    sink.close(complete=True)
    sink.abort()
    assert len(sink.results) == 1
    sink.open(info, {})
    assert sink.results == []


def test_callback_gets_each_result_and_its_exception_is_not_hidden(info, make_result):
    seen = []
    sink = CallbackSink(seen.append)
    sink.open(info, {})
    result = make_result()
    sink.process(result)
    sink.close(complete=True)
    assert seen == [result]

    def refuse(_result):
        raise KeyError("the caller's own")

    with pytest.raises(KeyError, match="own"):
        CallbackSink(refuse).process(result)
