"""Would people have sent the drafts unedited? Over what they once decided about others."""

from evals.scorers import agreement, texts
from evals.suites.base import Suite

SUITE = Suite(
    name="decisions",
    about="what people approved, edited and rejected: would it have gone out unedited",
    deciding=(agreement.accepted,),
    looking=(
        agreement.answered,
        agreement.intents,
        agreement.action,
        agreement.figures,
        agreement.similar,
        agreement.unrepeated,
        agreement.sees_edit,
        texts.edit_distance,
    ),
    by_stratum=True,
)
