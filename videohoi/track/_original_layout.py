"""Where the compiled form of BYTE's public tracker keeps what.

State is four arrays, so that a call costs next to nothing: ``header`` the counts, ``ints`` (INT_ROWS, size + 1) and
``floats`` (FLOAT_ROWS, size + 1) one number a column, ``motion`` (size, MOTION) the filter of each track. A track keeps
its slot (column) for life; what moves are the lists of slots.
"""

from __future__ import annotations

from videohoi.geometry import _assignment_kernels, _overlap_kernels

FRAME, NEXT_ID, TRACKED_COUNT, LOST_COUNT, FREE_COUNT, SLOT_COUNT, ENDED_COUNT = range(7)
"""places of ``header``"""
HEADER = 7
TRACK_THRESH, NEW_THRESH, MATCH_THRESH, MAX_LOST, FUSED = range(5)
"""places of ``settings``"""
ID, PHASE, CONFIRMED, SEEN, START, EXPIRED, ROW, TRACKED, LOST, FREE = range(10)
"""rows of ``ints`` that last: seven of the tracks by slot, three lists of slots"""
KEPT_INTS = 10
ENDED, HIGH, LOW, POOL, LEFT, YOUNG, BORN, FOUND, FRESH, COLUMN, OWNER, STARTS, DOUBLE = range(10, 23)
MATCH_INTS = 23
PAIR_INTS = MATCH_INTS + _assignment_kernels.INT_ROWS
INT_ROWS = PAIR_INTS + _overlap_kernels.INT_ROWS
KEPT_FLOATS = 4
"""rows of ``floats`` that last: the tracks' corners by slot; then the detections' corners, their scores"""
MATCH_FLOATS = 9
PAIR_FLOATS = MATCH_FLOATS + _assignment_kernels.FLOAT_ROWS
FLOAT_ROWS = PAIR_FLOATS + _overlap_kernels.FLOAT_ROWS
MOTION = 14
"""x, y, aspect, height, their speeds, the block of x, y and height (3), that of the aspect (3)"""

SEEN_NOW, UNSEEN, OVER = 0, 1, 2
"""phases: the original's Tracked, Lost and Removed"""
LOW_SCORE, SECOND_LIMIT, YOUNG_LIMIT, DOUBLE_LIMIT = 0.1, 0.5, 0.7, 0.15
"""constants of ``BYTETracker.update``: lowest score used; cost limits of the second association, of unconfirmed tracks,
and under which a tracked and a lost track are one"""
