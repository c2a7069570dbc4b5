"""Does every reason have a story that ends in it, and is what `why` tells there true? One test per code of the tables."""

from __future__ import annotations

import pytest

from supervisor.cli.output import Look
from supervisor.cli.why import story
from supervisor.core.reasons import reason
from supervisor.model.reason import CURES, REASONS, Phase
from tests.stories.reasons import SCENES
from tests.stories.stage import Stage, play_on_fake


def test_every_reason_has_its_story_and_its_cure() -> None:
    codes = {(phase, code) for phase, sentences in REASONS.items() for code in sentences}
    assert SCENES.keys() == codes
    assert {(phase, code) for phase, sentences in CURES.items() for code in sentences} == codes


@pytest.mark.parametrize(("phase", "code"), SCENES, ids=["-".join(key) for key in SCENES])
def test_why_tells_what_happened_and_what_would_change_it(phase: Phase, code: str) -> None:
    scene = SCENES[phase, code]
    told: list[str] = []

    async def play(stage: Stage) -> None:
        await scene.play(stage)
        service = stage[scene.service]
        assert (service.state.phase, service.state.reason.code) == (phase, code)
        document = stage.operator.why(scene.service)
        now = stage.runtime.loop.now().wall
        told[:] = story(document, Look(), now, "pidone")
        assert document["changes"][0]["service"] == scene.service
        if document["history"]:  # what was last told of it is where it is
            last = document["history"][-1]
            assert (last["to"], last["reason"]) == (phase, document["reason"])
        if scene.after is not None:
            await scene.after(stage)

    play_on_fake(play)
    text = "\n".join(told)
    for piece in scene.says:
        assert piece in text, text
    assert "{" not in text.replace("{kill: true}", "")


@pytest.mark.parametrize(("phase", "code"), SCENES, ids=["-".join(key) for key in SCENES])
def test_a_sentence_without_pieces_is_the_same_value_everywhere(phase: Phase, code: str) -> None:
    if "{" in REASONS[phase][code]:
        with pytest.raises(KeyError):
            reason(phase, code)  # a piece is missing: nobody is shown braces
    else:
        assert reason(phase, code) is reason(phase, code)
