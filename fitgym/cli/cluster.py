"""``fitgym cluster``: groups of people by how their hearts respond, if there are any."""

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
        "Group people by response curves and embeddings; the number of groups is argued against "
        "one population, and one group is a possible answer."
    )
    parser.formatter_class = DefaultsHelpFormatter
    parser.add_argument(
        "--recordings",
        type=input_path,
        required=True,
        help="folder of recordings, or with a folder of FIT, TCX and GPX files for each person",
    )
    parser.add_argument("--weights", type=input_path, help="default: the shipped ones")
    parser.add_argument(
        "--null-sets", type=int, default=100, help="sets drawn from one population to compare with"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--page", type=output_file, help="write tables and drawings to this .html")
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    parser.add_argument("--threads", type=int, default=1, help="torch threads")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Group the people of the recordings and print what was found."""
    use_threads(options.threads)
    require_count("--null-sets", options.null_sets, low=20, high=100_000)
    require_seed("--seed", options.seed)
    from fitgym.common.files import write_text
    from fitgym.predictor.clusters.report import (
        cluster_page,
        cluster_people,
        group_table,
        number_rows,
    )
    from fitgym.predictor.fitrec2.inference import load_body_predictor
    from fitgym.predictor.fitrec2.weights import SHIPPED_WEIGHTS

    report = cluster_people(
        load_body_predictor(options.weights or SHIPPED_WEIGHTS),
        read_measured_recordings(options.recordings),
        null_sets=options.null_sets,
        seed=options.seed,
    )
    if options.page is not None:
        write_text(options.page, cluster_page(report))
    if options.json:
        print(json_text(report.record()))
        return
    print(f"{text_table(*number_rows(report))}\n")
    for view in report.views:
        print(f"{view.name}: {view.verdict}\n{text_table(*group_table(report, view))}\n")
    if options.page is not None:
        print(f"wrote {options.page}")
