"""The explanation as one record, as tables and as a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from fitgym.common.figures import COLOURS, new_figure, tidy_axes
from fitgym.common.pages import (
    bullets,
    figures,
    heading,
    html_table,
    inline_figure,
    paragraph,
    text_page,
)
from fitgym.logs.workout import Workout
from fitgym.predictor.attention.network import FitRecAttention
from fitgym.predictor.explanation.attention import AttentionShare, attention_shares
from fitgym.predictor.explanation.importance import Importance, permutation_importance
from fitgym.predictor.explanation.responses import Response, partial_responses
from fitgym.predictor.fitrec2.data import encode_bodies
from fitgym.predictor.fitrec2.inference import BodyPredictor
from fitgym.predictor.fitrec2.people import VirtualPeopleConfig, simulate_people
from fitgym.predictor.person import Person

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Virtual people, of whom all is told, and a seed apart from those of training (ours).
VIRTUAL_PEOPLE, VIRTUAL_SEED = 100, 30_000
STYLES = (("red", "--"), ("purple", ":"))

IMPORTANCE_NOTE = (
    "By how much the error grows when a group of inputs is another person's, in the same sport. "
    "Groups that say the same stand in for each other, so the figures do not add up. Elapsed time "
    "is the network's input alone: the drift that is built into the expected heart rate stays."
)
ATTENTION_NOTE = (
    "The scores of the published form are affine: what the network's state adds to them is the "
    "same for every input and cancels in the softmax, so within a window the weights do not "
    "change. A weight scales an input before it is read, and a network can make up for a small one "
    "by large weights behind it: these shares are no measure of importance. The last heart rates, "
    "which matter most ten seconds ahead, reach the decoder without attention."
)
RESPONSE_NOTE = (
    "Mean heart rate from minute 10 to 20 of a steady run. Expected is the physiology built into "
    "the network before it learnt anything. That, too, rests on the share of the reserve and on "
    "ACSM's cost of climbing, so agreement with those is no evidence; Minetti's costs, which count "
    "descents, and the studies of drift and of training were not built in. Told resting and "
    "maximum heart rates have errors in training, so the network believes extremes only in part."
)


@dataclass(frozen=True, eq=False)
class Explanation:
    """What was found.

    Attributes:
        person: Name of the person of the partial responses.
        responses: Partial responses.
        virtual_mae_bpm: Error of the network on virtual people.
        virtual: Importances on virtual people.
        recorded_mae_bpm: Error on the recordings; None without any.
        recorded: Importances on the recordings.
        attention: Attention by group of inputs, on the recordings or else on virtual people.
        attention_change: Largest change of a weight within a window.
        recordings: Numbers of workouts and people recorded.
    """

    person: str
    responses: list[Response]
    virtual_mae_bpm: float
    virtual: list[Importance]
    recorded_mae_bpm: float | None
    recorded: list[Importance]
    attention: list[AttentionShare]
    attention_change: float
    recordings: tuple[int, int]

    def record(self) -> dict[str, Any]:
        """Return everything for JSON."""
        return {
            "person": self.person,
            "importance": {
                "virtual people": {
                    "mae_bpm": self.virtual_mae_bpm,
                    "groups": [asdict(each) for each in self.virtual],
                },
                "recordings": {
                    "workouts": self.recordings[0],
                    "people": self.recordings[1],
                    "mae_bpm": self.recorded_mae_bpm,
                    "groups": [asdict(each) for each in self.recorded],
                },
            },
            "attention": {
                "largest_change_within_a_window": self.attention_change,
                "groups": [asdict(each) for each in self.attention],
            },
            "responses": [each.record() for each in self.responses],
        }


def explain(
    predictor: BodyPredictor,
    attention: FitRecAttention,
    person: Person,
    workouts: Sequence[Workout] = (),
    *,
    repeats: int,
    seed: int,
) -> Explanation:
    """Return what the predictors go by.

    Args:
        predictor: The second edition.
        attention: FitRec-Attn.
        person: Whose partial responses.
        workouts: Recordings; without them only virtual people are asked.
        repeats: How often each group of inputs is permuted.
        seed: Seed of the permutations.

    Raises:
        ValueError: If the recordings are of one person only.
    """
    config = VirtualPeopleConfig(people=VIRTUAL_PEOPLE, workouts=3, seed=VIRTUAL_SEED)
    virtual = encode_bodies(*simulate_people(config))
    virtual_mae, importances = permutation_importance(
        predictor.model, virtual, repeats=repeats, seed=seed
    )
    recorded_mae: float | None = None
    recorded: list[Importance] = []
    encoded = encode_bodies(workouts)
    if encoded:
        recorded_mae, recorded = permutation_importance(
            predictor.model, encoded, repeats=repeats, seed=seed
        )
    shares, change = attention_shares(attention, [e.example for e in encoded or virtual])
    return Explanation(
        person.name,
        partial_responses(predictor, person),
        virtual_mae,
        importances,
        recorded_mae,
        recorded,
        shares,
        change,
        (len(workouts), len({workout.user for workout in workouts})),
    )


def importance_rows(explanation: Explanation) -> tuple[list[str], list[list[str]]]:
    """Return heads and cells of the table of importances."""
    recorded = {each.group: each for each in explanation.recorded}
    virtual = {each.group: each for each in explanation.virtual}
    columns = ["inputs", "virtual people: MAE grows by (bpm, 95 %)"]
    columns[1:1] = ["recordings: MAE grows by (bpm, 95 %)"] if recorded else []
    rows = []
    for group in dict.fromkeys((*recorded, *virtual)):
        cells = [_interval(virtual.get(group))]
        cells[0:0] = [_interval(recorded.get(group))] if recorded else []
        rows.append([group, *cells])
    return columns, rows


def attention_rows(explanation: Explanation) -> tuple[list[str], list[list[str]]]:
    """Return heads and cells of the table of attention."""
    rows = [
        [each.group, str(each.inputs), f"{each.share:.3f} ({each.low:.3f} to {each.high:.3f})"]
        for each in explanation.attention
    ]
    return ["inputs", "number", "share of the attention (95 % over people)"], rows


def response_rows(explanation: Explanation) -> tuple[list[str], list[list[str]]]:
    """Return heads and cells of the table of mean slopes."""
    rows = []
    for each in explanation.responses:
        known = ", ".join(f"{name} {slope:+.2f}" for name, slope in each.known_slopes().items())
        span = f"{each.values[0]:.4g} to {each.values[-1]:.4g}"
        rows.append(
            [each.quantity, span, f"{each.slope:+.2f}", f"{each.expected_slope:+.2f}", known]
        )
    return ["quantity", "from, to", "network (bpm per unit)", "expected", "literature"], rows


def explanation_page(explanation: Explanation) -> str:
    """Return the explanation as a page."""
    errors = [f"{explanation.virtual_mae_bpm:.1f} bpm on virtual people, of whom all is told"]
    if explanation.recorded_mae_bpm is not None:
        workouts, people = explanation.recordings
        errors.append(
            f"{explanation.recorded_mae_bpm:.1f} bpm on {workouts} recordings of {people} people, "
            "of whom only earlier workouts tell"
        )
    body = [
        heading("Which inputs matter"),
        paragraph(f"Mean absolute error: {'; '.join(errors)}."),
        html_table(*importance_rows(explanation)),
        figures([_importance_figure(explanation)]),
        paragraph(IMPORTANCE_NOTE),
        heading("Partial responses and known physiology"),
        paragraph(f"A steady run of {explanation.person}. {RESPONSE_NOTE}"),
        html_table(*response_rows(explanation)),
        figures(
            inline_figure(draw_response(each), _response_caption(each))
            for each in explanation.responses
        ),
        bullets(dict.fromkeys(source for each in explanation.responses for source in each.sources)),
        heading("Attention of FitRec-Attn"),
        html_table(*attention_rows(explanation)),
        paragraph(
            f"Largest change of a weight within a window: {explanation.attention_change:.1e}. "
            f"{ATTENTION_NOTE}"
        ),
    ]
    return text_page("What the heart-rate predictor goes by", body)


def draw_response(response: Response) -> Figure:
    """Draw the network's answer beside the expected one and the literature's."""
    figure = new_figure(5.0, 3.6)
    axes = figure.subplots()
    axes.plot(response.values, response.predicted_bpm, color=COLOURS["blue"], label="network")
    axes.plot(response.values, response.expected_bpm, color=COLOURS["grey"], label="expected")
    for (colour, style), (name, beats) in zip(STYLES, response.known_bpm.items(), strict=False):
        axes.plot(response.values, beats, color=COLOURS[colour], linestyle=style, label=name)
    tidy_axes(axes, "", response.quantity, "heart rate (bpm)")
    axes.legend(frameon=False, fontsize=8)
    return figure


def _importance_figure(explanation: Explanation) -> str:
    shown = explanation.recorded or explanation.virtual
    name = "recordings" if explanation.recorded else "virtual people"
    figure = new_figure(5.0, 0.3 * len(shown) + 1.0)
    axes = figure.subplots()
    places = range(len(shown))[::-1]
    for place, each in zip(places, shown, strict=True):
        axes.plot([each.low_bpm, each.high_bpm], [place, place], color=COLOURS["grey"])
        axes.plot(each.increase_bpm, place, "o", color=COLOURS["blue"])
    axes.axvline(0.0, color=COLOURS["ink"], linewidth=0.8)
    axes.set_yticks(list(places), [each.group for each in shown])
    tidy_axes(axes, "", "MAE grows by (bpm)", "")
    return inline_figure(figure, f"Importance of each group of inputs on {name}, 95 % over people.")


def _response_caption(response: Response) -> str:
    return (
        f"Heart rate over {response.quantity}: network {response.slope:+.2f}, expected "
        f"{response.expected_slope:+.2f} bpm per unit on average."
    )


def _interval(importance: Importance | None) -> str:
    if importance is None:
        return "-"
    low, high = importance.low_bpm, importance.high_bpm
    return f"{importance.increase_bpm:+.2f} ({low:+.2f} to {high:+.2f})"
