"""Which verbs of HICO-DET the Stanford-40 action names imply.

Stanford-40 (Yao et al., ICCV 2011) labels a person's action, not a pair. An action is mapped where a HICO verb means
the same for the object class; the other 21 actions (applauding, climbing, ...) have no such verb and are left out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videohoi.vocabulary import Vocabulary

ACTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "brushing_teeth": {"toothbrush": ("brush_with", "hold")},
    "cooking": {"oven": ("operate",)},
    "cutting_vegetables": {"knife": ("cut_with", "hold"), "carrot": ("cut",), "broccoli": ("cut",)},
    "drinking": {"bottle": ("drink_with", "hold"), "cup": ("drink_with", "hold"), "wine_glass": ("sip", "hold")},
    "feeding_a_horse": {"horse": ("feed",)},
    "fixing_a_bike": {"bicycle": ("repair",)},
    "holding_an_umbrella": {"umbrella": ("hold", "stand_under")},
    "phoning": {"cell_phone": ("talk_on", "hold")},
    "pouring_liquid": {"bottle": ("pour", "hold"), "cup": ("pour", "hold")},
    "reading": {"book": ("read", "hold")},
    "riding_a_bike": {"bicycle": ("ride", "straddle", "sit_on")},
    "riding_a_horse": {"horse": ("ride", "straddle")},
    "rowing_a_boat": {"boat": ("row", "ride", "sit_on")},
    "texting_message": {"cell_phone": ("text_on", "hold")},
    "throwing_frisby": {"frisbee": ("throw",)},
    "using_a_computer": {"laptop": ("type_on",), "keyboard": ("type_on",)},
    "walking_the_dog": {"dog": ("walk",)},
    "washing_dishes": {
        "cup": ("wash",), "bowl": ("wash",), "fork": ("wash",), "knife": ("wash",), "spoon": ("wash",),
        "wine_glass": ("wash",),
    },
    "watching_TV": {"tv": ("watch",)},
}  # fmt: skip


def action_verbs(vocabulary: Vocabulary, action: str, object_class_id: int) -> NDArray[np.bool_]:
    """(V,) verbs the action asserts of a pair with this object class; none where the action implies nothing."""
    verbs = np.zeros(len(vocabulary.verbs), np.bool_)
    names = ACTIONS.get(action, {}).get(vocabulary.objects[object_class_id], ())
    verbs[[vocabulary.verb_id(name) for name in names]] = True
    return np.asarray(verbs & vocabulary.valid[object_class_id], np.bool_)


def decided_verbs(vocabulary: Vocabulary, object_class_id: int) -> NDArray[np.bool_]:
    """(V,) verbs that some action asserts of this object class.

    For a picture of one of these actions they are known, true or false: a person who is phoning is not texting. Any
    other verb of the object stays unknown. So does "hold", which accompanies many actions that do not imply it.
    """
    decided = np.zeros(len(vocabulary.verbs), np.bool_)
    for action in ACTIONS:
        decided |= action_verbs(vocabulary, action, object_class_id)
    decided[vocabulary.verb_id("hold")] = False
    return decided
