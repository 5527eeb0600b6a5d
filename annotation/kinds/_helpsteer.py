"""HelpSteer's five attributes on 0 to 4, with our own words for their points."""

from __future__ import annotations

from typing import Any

HELPSTEER: list[dict[str, Any]] = [
    {
        "name": "helpfulness",
        "question": "How much does it help the person who asked?",
        "least": 0,
        "most": 4,
        "anchors": {
            "0": "No use: misses the request, or refuses without need",
            "1": "Little use: touches the request, most is missing",
            "2": "Some use: part of what was asked, needs rework",
            "3": "Helpful: what was asked, with small gaps",
            "4": "Fully helpful: nothing to add",
        },
    },
    {
        "name": "correctness",
        "question": "Is what it says true, and is what matters there?",
        "least": 0,
        "most": 4,
        "anchors": {
            "0": "Wrong throughout, or made up",
            "1": "Serious errors beside a few facts",
            "2": "Right in part: errors or gaps that matter",
            "3": "Right, with slips that change nothing",
            "4": "Right and complete in every detail",
        },
    },
    {
        "name": "coherence",
        "question": "Can it be followed from beginning to end?",
        "least": 0,
        "most": 4,
        "anchors": {
            "0": "Cannot be followed",
            "1": "Hard to follow, or contradicts itself",
            "2": "Followed with effort: jumps or repeats",
            "3": "Clear, with a rough spot",
            "4": "Clear and consistent throughout",
        },
    },
    {
        "name": "complexity",
        "question": "How much must one know to have written it?",
        "least": 0,
        "most": 4,
        "anchors": {
            "0": "Nothing special: simple words, no background",
            "1": "What school teaches",
            "2": "What an informed reader knows",
            "3": "Training in the field",
            "4": "Expertise in the field",
        },
    },
    {
        "name": "verbosity",
        "question": "How long is it, for what was asked?",
        "least": 0,
        "most": 4,
        "anchors": {
            "0": "Terse: not a word to spare",
            "1": "Short",
            "2": "As long as the request needs",
            "3": "Long: more detail than needed",
            "4": "Far longer than needed",
        },
    },
]
