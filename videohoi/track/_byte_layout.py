"""Where the compiled tracker keeps what.

``header`` holds the counts; ``ints`` (INT_ROWS, size + 1) and ``floats`` (FLOAT_ROWS, size + 1) one number a column, a
column being a track (oldest first) or a row of the frame (surest first); ``motion`` (size, 4, 5) is that of ``kalman``.
"""

from __future__ import annotations

from videohoi.geometry import _assignment_kernels
from videohoi.track.memory import CLASS_SLOTS

TRACKS, NEXT_ID, LOST_COUNT, ENDED_COUNT = range(4)
"""places of ``header``"""
HEADER = 4
STEP, NOW, PREVIOUS, JUMPED, FIRST = range(5)
"""places of ``clock``: seconds to this frame, its time, that of the frame before; two flags"""
CLOCK = 5

ID, HUMAN, HITS, CARRIER, CLASS = range(5)
"""rows of ``ints`` that last, by track: as in ``track_table.TrackTable``; CLASS is the first of its slots"""
KEPT_INTS = CLASS + CLASS_SLOTS
SOURCE, ROW_CLASS, ROW_HUMAN, TRACK, SPACE = range(KEPT_INTS, KEPT_INTS + 5)
"""by row: the detection it comes from, its class, whether that is the human's, its track (-1 none); working space"""
TAKEN, LOST, ENDED, PARTNER, OWNER, STARTS, PAIR_STARTS, FREE = range(SPACE + 1, SPACE + 9)
"""by track: whether it has its row; lists of ids; working space of the rounds"""
MATCH_INTS = FREE + 1
INT_ROWS = MATCH_INTS + _assignment_kernels.INT_ROWS

LAST, BORN, SEEN, OFFSET, VOTE = 0, 4, 5, 6, 8
"""rows of ``floats`` that last, by track: last box (4), seconds, offset to the carrier (2), votes"""
KEPT_FLOATS = VOTE + CLASS_SLOTS
HERE, CARRIED, HULL, SPREAD, SIZE = KEPT_FLOATS, KEPT_FLOATS + 4, KEPT_FLOATS + 8, KEPT_FLOATS + 12, KEPT_FLOATS + 13
"""by track: predicted box (4), box at its carrier (4), box round these and the last (4), spread, size"""
BOX, SCORE, ROW_SIZE = SIZE + 1, SIZE + 5, SIZE + 6
"""by row: box (4), score, size"""
MATCH_FLOATS = ROW_SIZE + 1
FLOAT_ROWS = MATCH_FLOATS + _assignment_kernels.FLOAT_ROWS

SETTINGS = (
    *("high_score", "low_score", "new_track_score", "high_iou", "human_iou", "low_iou", "switch_iou"),
    *("human_reach_sizes", "object_reach_sizes", "reach_sigmas", "reach_limit_sizes", "reach_size_ratio"),
    *("known_class_share", "duplicate_iou", "confirm_hits", "confirm_seconds", "unconfirmed_seconds"),
    *("lost_seconds", "human_lost_seconds", "vote_tau_seconds", "rename_ratio", "position_noise_sizes"),
    *("human_speed_noise_sizes", "object_speed_noise_sizes", "measurement_noise_sizes", "human_first_speed_sizes"),
    *("object_first_speed_sizes", "growth_tau_seconds", "coast_tau_seconds", "human_coast_tau_seconds"),
)
"""fields of ``ByteConfig`` in the order of their places in ``settings``"""
HIGH_SCORE, LOW_SCORE, NEW_TRACK_SCORE, HIGH_IOU, HUMAN_IOU, LOW_IOU, SWITCH_IOU = range(7)
HUMAN_REACH_SIZES, OBJECT_REACH_SIZES, REACH_SIGMAS, REACH_LIMIT_SIZES, REACH_SIZE_RATIO = range(7, 12)
KNOWN_CLASS_SHARE, DUPLICATE_IOU, CONFIRM_HITS, CONFIRM_SECONDS, UNCONFIRMED_SECONDS = range(12, 17)
LOST_SECONDS, HUMAN_LOST_SECONDS, VOTE_TAU_SECONDS, RENAME_RATIO, POSITION_NOISE_SIZES = range(17, 22)
HUMAN_SPEED_NOISE_SIZES, OBJECT_SPEED_NOISE_SIZES, MEASUREMENT_NOISE_SIZES, HUMAN_FIRST_SPEED_SIZES = range(22, 26)
OBJECT_FIRST_SPEED_SIZES, GROWTH_TAU_SECONDS, COAST_TAU_SECONDS, HUMAN_COAST_TAU_SECONDS = range(26, 30)
