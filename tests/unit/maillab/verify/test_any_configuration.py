"""Whatever a configuration says, the prover can say what it makes of every connection, datagram and message."""

from hypothesis import given, settings

from components.config.lab import LabConfig
from maillab.verify.cells import Verdict, cells, predict_all
from maillab.verify.forged import forged_cells, predict_forged
from maillab.verify.pairs import recipients, writers
from tests.unit.labs import model_of
from tests.unit.strategies import labs

quickly = settings(max_examples=20, deadline=None)


@quickly
@given(labs())
def test_every_connection_has_a_prediction(lab: LabConfig) -> None:
    model = model_of(lab)
    found = predict_all(model.policy, cells(lab, model.plans))
    assert found
    assert {prediction.verdict for prediction in found.values()} <= {Verdict.ACCEPT, Verdict.DROP, Verdict.REFUSE}


@quickly
@given(labs())
def test_every_reason_is_a_rule_of_the_machine_that_it_names(lab: LabConfig) -> None:
    model = model_of(lab)
    found = predict_all(model.policy, cells(lab, model.plans)).values()
    assert any(p.rule for p in found)
    assert all(p.rule is None or p.rule in model.plans[p.machine].rules for p in found)


@quickly
@given(labs())
def test_every_datagram_has_a_prediction(lab: LabConfig) -> None:
    model = model_of(lab)
    found = predict_forged(model.policy, forged_cells(lab, model.plans))
    assert found
    assert Verdict.REFUSE not in {prediction.verdict for prediction in found.values()}


@quickly
@given(labs())
def test_every_message_comes_to_an_end_that_begins_at_its_writer(lab: LabConfig) -> None:
    model = model_of(lab)
    assert writers(lab)
    assert recipients(lab)
    for writer in writers(lab):
        for recipient in recipients(lab):
            firsts = {ending.hops[0] for ending in model.post.way(writer, recipient)}
            assert firsts == {writer.client or writer.machine}
