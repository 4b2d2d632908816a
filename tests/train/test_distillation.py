"""What the student is told it did wrong."""

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra (torch)")

from videohoi.detect.network import DetectorMaps  # noqa: E402
from videohoi.train.distillation import generalized_iou, output_losses  # noqa: E402

pytestmark = pytest.mark.torch


def student_of(grid):
    """The maps that say what ``grid`` (1, 4 + 1 + 1 cells, 5 + 3) says: strides of 2x2, 1x1 and 1x1 cells."""
    boxes, objectness, classes = [], [], []
    for first, side in ((0, 2), (4, 1), (5, 1)):
        rows = grid[:, first : first + side * side].transpose(1, 2).reshape(1, 8, side, side)
        boxes.append(rows[:, :4])
        objectness.append(torch.logit(rows[:, 4:5], eps=1e-6))
        classes.append(torch.logit(rows[:, 5:], eps=1e-6))
    return DetectorMaps((), tuple(boxes), tuple(objectness), tuple(classes))


def teacher_grid():
    grid = torch.zeros(1, 6, 8)
    grid[0, 0] = torch.tensor([0.5, 0.5, 0.1, 0.2, 0.9, 1.0, 0.0, 0.0])
    grid[0, 5] = torch.tensor([0.2, 0.4, 0.3, 0.1, 0.6, 0.0, 0.0, 1.0])
    return grid


def test_a_student_that_says_the_same_has_no_class_and_box_loss():
    objectness, classes, boxes = output_losses(student_of(teacher_grid()), teacher_grid())
    assert classes.item() == pytest.approx(0.0, abs=1e-4)
    assert boxes.item() == pytest.approx(0.0, abs=1e-6)
    assert objectness.item() > 0  # soft labels: the entropy of the teacher's own doubt remains


def test_cells_the_teacher_calls_empty_have_no_say_in_classes_and_boxes():
    other = teacher_grid()
    other[0, 2, :4], other[0, 2, 5:] = 3.0, 0.7
    _, classes, boxes = output_losses(student_of(other), teacher_grid())
    assert classes.item() == pytest.approx(0.0, abs=1e-4)
    assert boxes.item() == pytest.approx(0.0, abs=1e-6)


def test_class_weights_say_whose_errors_count():
    wrong = teacher_grid()
    wrong[0, 5, 5:] = torch.tensor([1.0, 0.0, 0.0])  # class 2 taken for class 0
    student = student_of(wrong)
    losses = [output_losses(student, teacher_grid(), torch.tensor(w))[1].item() for w in ([1.0, 1, 1], [0.1, 1, 4])]
    assert output_losses(student, teacher_grid())[1].item() == pytest.approx(losses[0])
    assert losses[1] > 1.5 * losses[0]
    assert output_losses(student, teacher_grid(), torch.tensor([1.0, 1, 0]))[1].item() == pytest.approx(0.0, abs=1e-4)


def test_generalized_iou_of_hand_worked_boxes():
    unit = torch.tensor([0.0, 0.0, 0.0, 0.0])  # side exp(0) = 1 round (0, 0)
    assert generalized_iou(unit, unit).item() == pytest.approx(1.0)
    beside = torch.tensor([2.0, 0.0, 0.0, 0.0])  # no overlap, hull 3 x 1, a third of it empty
    assert generalized_iou(unit, beside).item() == pytest.approx(-1 / 3)
