"""The newest rollout, what it waits for, and its decisions; administrators promote and abort."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request, Response

from phytoflow.rollout.sentences import translate_reason
from phytoflow.rollout.stages import ACTIVE, StageName
from serving.gateway.answers.rollouts import RolloutAnswer
from serving.gateway.api.dependencies import ServicesOf
from serving.gateway.api.rollouts import describe
from serving.gateway.console.forms import read_form
from serving.gateway.console.view import View
from serving.gateway.problems import ProblemError

router = APIRouter(include_in_schema=False)
STAGES: dict[StageName, str] = {
    "shadow": "Shadow: it answers copies of requests, and no user",
    "canary": "Canary: it answers a share of the users",
    "watch": "Watch: it answers everybody, and the former champion could take over",
    "promoted": "Promoted: it answers everybody",
    "settled": "Settled: the champion's predictor has taken the model over",
    "aborted": "Aborted: it failed, was slow or answered otherwise, or somebody ended it",
    "refused": "Refused: it is less accurate",
    "rolled_back": "Rolled back: everybody has the former champion again",
}
ACTIONS = {
    "start": "begun",
    "advance": "next stage",
    "stop": "stopped",
    "promote": "promoted by hand",
    "abort": "aborted by hand",
    "settle": "settled",
}
NEXT = {"wait": "wait", "advance": "next stage", "stop": "stop", "nothing": "nothing"}


async def read_section(view: View) -> dict[str, Any] | None:
    """What the Model page shows of the newest rollout; None if there was none, or a user may not see it."""
    scopes = view.user.principal.scopes
    if not {"review", "admin"} & scopes:
        return None
    try:
        rollout = await describe(view.services)
    except ProblemError:
        return None
    return {
        "rollout": rollout,
        "stage": STAGES[rollout.stage],
        "next": _next(view, rollout.next),
        "events": [(event, translate_reason(event.reason, view.translate)) for event in rollout.events],
        "actions": ACTIONS,
        "is_active": rollout.stage in ACTIVE,
        "may_decide": "admin" in scopes,
        "counts": _counts(view, rollout),
    }


@router.post("/model/rollout/{decision}")
async def decide(request: Request, services: ServicesOf, decision: Literal["promote", "abort"]) -> Response:
    """An administrator goes to the next stage, or ends the rollout."""
    view, form = View(request, services), await read_form(request)
    view.require_csrf(form)
    principal = view.user.principal
    principal.require("admin")
    if decision == "promote":
        await services.rollouts.promote(principal.name)
    else:
        await services.rollouts.abort(principal.name)
    return Response(status_code=303, headers={"Location": "/model"})


def _next(view: View, following: str) -> str:
    """What happens next, and why, in the reader's language."""
    _ = view.translate
    action, reason = following.split(": ", 1)
    return _("{action}: {reason}").format(action=_(NEXT[action]), reason=translate_reason(reason, _))


def _counts(view: View, rollout: RolloutAnswer) -> list[tuple[str, str]]:
    """Figures of the evidence with their names."""
    _, seen = view.translate, rollout.evidence
    pairs = seen["pairs"]

    def share(count: float) -> str:
        return f"{count} ({count / pairs:.1%})" if pairs else str(count)

    shift = f"{seen['shift'] / pairs:.3f}" if pairs else "–"
    return [
        (_("Photos that both answered"), str(pairs)),
        (_("With another class"), share(seen["disagreements"])),
        (_("Slow"), share(seen["slow"])),
        (_("Failed"), str(seen["failures"])),
        (_("Mean difference of the probabilities"), shift),
        (_("Labels that favour the challenger"), str(seen["challenger_right"])),
        (_("Labels that favour the champion"), str(seen["champion_right"])),
    ]
