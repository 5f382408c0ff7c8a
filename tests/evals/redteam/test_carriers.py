"""Every carrier brings its text to the model, except those that the product stops on the way."""

import pytest

from core.db import Database
from core.settings import Settings
from crm.bidi.models import Autonomy
from evals.redteam.cases import Carrier
from evals.redteam.playing import Guarding
from tests.support.redteam import attack, open_stage

# What nobody sees is not shown to a model either, and the name in a forward is whatever its first sender chose.
STOPPED = (Carrier.MAIL_HTML_HIDDEN, Carrier.FORWARD_NAME)


@pytest.mark.parametrize("carrier", Carrier)
async def test_the_model_reads_what_the_product_lets_in(
    database: Database, settings: Settings, carrier: Carrier
) -> None:
    stage = await open_stage(database, settings)
    case = attack("get_contact", {"contact_id": "{{contact.id}}"}, carrier=carrier)

    played = await stage.play(case, Autonomy.SUGGEST)

    assert played.has_read is (carrier not in STOPPED)


@pytest.mark.parametrize("carrier", STOPPED)
async def test_without_guarding_the_model_is_told_what_was_stopped(
    database: Database, settings: Settings, carrier: Carrier
) -> None:
    stage = await open_stage(database, settings)
    args = {"record_kind": "contact", "record_id": "{{contact.id}}", "body": "VIP"}

    played = await stage.play(attack("create_note", args, carrier=carrier), Autonomy.SUGGEST, Guarding.OFF)

    assert "notes inserted" in [str(change) for change in played.own]
