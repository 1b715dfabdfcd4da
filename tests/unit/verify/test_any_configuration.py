"""Whatever a configuration says, the prover can say what it makes of every connection, datagram and letter."""

from hypothesis import given, settings

from components.config import LabConfig
from tests.unit.labs import model_of
from tests.unit.strategies import labs
from verify.cells import Verdict, cells, predict_all
from verify.forged import forged_cells, predict_forged
from verify.pairs import recipients, writers

quickly = settings(max_examples=20, deadline=None)


@quickly
@given(labs())
def test_every_connection_has_a_prediction(lab: LabConfig) -> None:
    model = model_of(lab)
    found = predict_all(model.policy, cells(lab, model.plans))
    assert {prediction.verdict for prediction in found.values()} <= {Verdict.ACCEPT, Verdict.DROP, Verdict.REFUSE}


@quickly
@given(labs())
def test_every_reason_is_a_rule_of_the_machine_that_it_names(lab: LabConfig) -> None:
    model = model_of(lab)
    found = predict_all(model.policy, cells(lab, model.plans)).values()
    assert all(p.rule is None or p.rule in model.plans[p.machine].rules for p in found)


@quickly
@given(labs())
def test_every_datagram_has_a_prediction(lab: LabConfig) -> None:
    model = model_of(lab)
    found = predict_forged(model.policy, forged_cells(lab, model.plans))
    assert Verdict.REFUSE not in {prediction.verdict for prediction in found.values()}


@quickly
@given(labs())
def test_every_letter_comes_to_an_end_that_begins_at_its_writer(lab: LabConfig) -> None:
    model = model_of(lab)
    for writer in writers(lab):
        for recipient in recipients(lab):
            firsts = {ending.hops[0] for ending in model.post.way(writer, recipient)}
            assert firsts == {writer.client or writer.machine}
