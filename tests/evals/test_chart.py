"""Runs in one picture: what is in it, and what cannot be put into one."""

from dataclasses import replace
from uuid import uuid4
from xml.etree import ElementTree

import pytest

from core import clock
from core.errors import Unprocessable
from crm.evaluations.models import EvalRun, EvalStatus
from evals.chart import draw_chart
from events.ids import EvalRunId

_PASS_RATE = {"value": 0.5, "low": 0.25, "high": 0.75, "n": 24}


def _run(suite: str, model: str) -> EvalRun:
    now = clock.now()
    return EvalRun(
        EvalRunId(uuid4()), suite, EvalStatus.FINISHED, model, {}, "", "", 1, 24,
        {"pass_rate": dict(_PASS_RATE)}, True, 0, uuid4(), now, now,
    )  # fmt: skip


def test_every_run_has_its_mark_its_interval_and_its_number() -> None:
    picture = draw_chart([_run("triage", "offline"), _run("triage", "local"), _run("drafts", "local")])

    root = ElementTree.fromstring(picture)
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count("0.50, n = 24") == 3
    assert {"offline", "local", "triage", "drafts"} <= set(texts)
    lines = [
        node.attrib for node in root.iter("{http://www.w3.org/2000/svg}line") if node.get("class") == "m1"
    ]
    assert [(line["x1"], line["x2"]) for line in lines] == [("260.0", "480.0")] * 2


def test_two_runs_of_one_suite_and_model_are_refused_by_name() -> None:
    with pytest.raises(Unprocessable, match="two runs of triage with local"):
        draw_chart([_run("triage", "local"), _run("triage", "local")])


def test_a_run_without_a_pass_rate_is_refused_by_name() -> None:
    with pytest.raises(Unprocessable, match="triage is not finished"):
        draw_chart([replace(_run("triage", "local"), figures={})])


def test_more_models_than_there_are_signs_are_refused() -> None:
    with pytest.raises(Unprocessable, match="tells 4 models apart"):
        draw_chart([_run("triage", f"model-{number}") for number in range(5)])
