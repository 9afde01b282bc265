"""``fitgym explain``: what the heart-rate predictor goes by, beside known physiology."""

from __future__ import annotations

import argparse

from fitgym.cli.arguments import input_path, output_file
from fitgym.cli.help_format import DefaultsHelpFormatter
from fitgym.cli.predictor_input import read_measured_recordings, use_threads
from fitgym.common.json_files import json_text
from fitgym.common.tables import text_table
from fitgym.common.validation import require_count, require_seed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Permutation importance of inputs, partial responses beside known physiology, and the "
        "attention of FitRec-Attn."
    )
    parser.formatter_class = DefaultsHelpFormatter
    parser.add_argument(
        "--recordings",
        type=input_path,
        help="folder of recordings, or of FIT, TCX and GPX files (default: virtual people alone)",
    )
    parser.add_argument(
        "--person",
        default="recreational-runner",
        help="whose partial responses: a shipped individual, .json of an individual or a profile, "
        "or attributes as in resting=52,maximum=188,vdot=45",
    )
    parser.add_argument("--weights", type=input_path, help="default: the shipped ones")
    parser.add_argument("--repeats", type=int, default=5, help="permutations of each group")
    parser.add_argument("--seed", type=int, default=0, help="seed of the permutations")
    parser.add_argument("--page", type=output_file, help="write tables and drawings to this .html")
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    parser.add_argument("--threads", type=int, default=1, help="torch threads")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Ask the predictors and print what they go by."""
    use_threads(options.threads)
    require_count("--repeats", options.repeats, high=1000)
    require_seed("--seed", options.seed)
    from fitgym.common.files import write_text
    from fitgym.predictor.attention.weights import load_attention
    from fitgym.predictor.explanation.report import (
        ATTENTION_NOTE,
        IMPORTANCE_NOTE,
        RESPONSE_NOTE,
        attention_rows,
        explain,
        explanation_page,
        importance_rows,
        response_rows,
    )
    from fitgym.predictor.fitrec2.inference import load_body_predictor
    from fitgym.predictor.fitrec2.weights import SHIPPED_WEIGHTS
    from fitgym.predictor.person import read_person

    person = read_person(options.person)
    workouts = [] if options.recordings is None else read_measured_recordings(options.recordings)
    found = explain(
        load_body_predictor(options.weights or SHIPPED_WEIGHTS),
        load_attention()[0],
        person,
        workouts,
        repeats=options.repeats,
        seed=options.seed,
    )
    if options.page is not None:
        write_text(options.page, explanation_page(found))
    if options.json:
        print(json_text(found.record()))
        return
    for rows, note in (
        (importance_rows(found), IMPORTANCE_NOTE),
        (response_rows(found), RESPONSE_NOTE),
        (attention_rows(found), ATTENTION_NOTE),
    ):
        print(f"{text_table(*rows)}\n{note}\n")
    print(f"largest change of an attention weight within a window: {found.attention_change:.1e}")
    if options.page is not None:
        print(f"wrote {options.page}")
