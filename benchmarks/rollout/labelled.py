"""`python -m benchmarks.rollout.labelled CHAMPION CHALLENGER DATASET`: rollouts whose questions are answered.

The held-out photos of a dataset go through a gateway, which compares two real models by its defaults.
A reviewer gives the true label of each photo that the gateway asks for. Without ``--url`` all processes are
started here; with it, the two bundles are served already, e.g. as InferenceServices of a cluster.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.rollout.live import start_replicas
from benchmarks.rollout.recorded import Answers, held_out, record
from phytoflow.client.gateway import GatewayClient
from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.rollout.stages import ACTIVE
from serving.gateway.auth.local_issuer import LocalIssuer

_USERS = 20  # the gateway splits by user
_LOOK = 10  # photos between two looks at the questions
_DECIDE_SECONDS = 3.0  # the gateway looks at the labels each second
_HEAD = (
    "| photos | champion right | challenger right | labels given | champion : challenger right "
    "| stage before | end |"
)


@dataclass(frozen=True)
class Outcome:
    """A rollout that has ended, or for which no photo or label was left.

    Attributes:
        photos: Photos that were sent.
        labels: Labels that the reviewer gave.
        state: The rollout as the gateway describes it.
    """

    photos: int
    labels: int
    state: dict[str, Any]

    def row(self, answers: Answers, order: Sequence[int]) -> str:
        """Of the table; ``order`` names the photos in the order in which they were sent."""
        sent, evidence = list(order[: self.photos]), self.state["evidence"]
        right = [int(flags[sent].sum()) for flags in (answers.champion, answers.challenger)]
        before = self.state["events"][-1]
        cells = [
            f"{self.photos:,}",
            *(f"{count / self.photos:.1%}" for count in right),
            str(self.labels),
            f"{evidence['champion_right']} : {evidence['challenger_right']}",
            f"{before['stage']} {before['percent']}%",
            f"{self.state['stage']}: {before['reason'] or self.state['next']}",
        ]
        return f"| {' | '.join(cells)} |"


@dataclass(frozen=True)
class Service:
    """A gateway before a champion, and a challenger.

    Attributes:
        url: Of the gateway.
        challenger: URL of the challenger's predictor, as the gateway reaches it.
        issuer: Signs tokens for the gateway.
    """

    url: str
    challenger: str
    issuer: LocalIssuer

    def client(self, user: str, *scopes: str) -> GatewayClient:
        """A client of one user."""
        return GatewayClient(self.url, self.issuer.token(user, scopes))


def main(
    champion: Annotated[Path, typer.Argument(help="Folder of a bundle.")],
    challenger: Annotated[Path, typer.Argument(help="Folder of a weaker bundle with the same classes.")],
    dataset: Annotated[Path, typer.Argument(help="Folder of the dataset that both were trained with.")],
    loss: Annotated[
        float, typer.Option(min=0, help="Accuracy that the challenger loses; 0: each photo once, as it is.")
    ] = 0.0,
    rollouts: Annotated[int, typer.Option(min=1, help="Rollouts, one after the other.")] = 1,
    labels: Annotated[int, typer.Option(min=1, help="Most labels of a rollout.")] = 200,
    url: Annotated[str, typer.Option(help="A running gateway before the champion.")] = "",
    challenger_url: Annotated[str, typer.Option(help="Its challenger, e.g. http://new-predictor.")] = "",
    issuer: Annotated[Path, typer.Option(help="Folder of its issuer.json.")] = Path("stack/gateway"),
) -> None:
    """Prints a row for each rollout."""
    answers, photos = record(champion, challenger, dataset, 0.0), held_out(dataset)
    with ExitStack() as stack:
        if url:
            service = Service(url, challenger_url, LocalIssuer.open(issuer))
        else:
            service = stack.enter_context(_started(champion, challenger))
        typer.echo(f"{_HEAD}\n|{'---|' * _HEAD.count(' | ')}---|")
        for seed in range(rollouts):
            order = draw(answers, loss, seed)
            typer.echo(roll_out(service, [photos[number] for number in order], labels).row(answers, order))


@contextmanager
def _started(champion: Path, challenger: Path) -> Iterator[Service]:
    with tempfile.TemporaryDirectory() as name, start_replicas(champion, challenger, Path(name)) as running:
        yield Service(f"http://127.0.0.1:{running.ports[0]}", running.challenger, running.issuer)


def draw(answers: Answers, loss: float, seed: int, photos: int = 20_000) -> list[int]:
    """Numbers of the photos of one rollout, in order."""
    random, count = np.random.default_rng(seed), len(answers.champion)
    if not loss:
        return [int(number) for number in random.permutation(count)]
    return [int(number) for number in random.choice(count, photos, p=answers.weights(loss))]


def roll_out(service: Service, photos: Sequence[LabelledPhoto], labels: int) -> Outcome:
    """Sends photos, and answers what the gateway asks, until the rollout ends."""
    users = [service.client(f"user {number}", "predict") for number in range(_USERS)]
    admin = service.client("admin", "admin", "review", "feedback")
    admin.request("POST", "/v1/rollouts", {"challenger": service.challenger})
    true: dict[str, str] = {}
    given = sent = 0
    for sent, photo in enumerate(photos, 1):
        true[users[sent % _USERS].predict(photo.content).id] = photo.label
        if sent % _LOOK == 0:
            given += _answer(admin, true)
            if given >= labels or _state(admin)["stage"] not in ACTIVE:
                break
    return Outcome(sent, given, _end(admin))


def _answer(admin: GatewayClient, true: dict[str, str]) -> int:
    """Gives the labels that the gateway asks for; their number."""
    questions = admin.request("GET", "/v1/rollouts/current/questions?limit=200")
    for question in questions:
        identity = question["prediction_id"]
        admin.feedback(identity, "label", true[identity])
    return len(questions)


def _state(admin: GatewayClient) -> dict[str, Any]:
    return dict(admin.request("GET", "/v1/rollouts/current"))


def _end(admin: GatewayClient) -> dict[str, Any]:
    """The rollout as it stands; one that would go on is aborted."""
    time.sleep(_DECIDE_SECONDS)
    state = _state(admin)
    if state["stage"] in ACTIVE:
        admin.request("POST", "/v1/rollouts/current/abort")
    return state


if __name__ == "__main__":
    typer.run(main)
