"""A fresh proof that whoever asks is who they are: a code of their second factor, or else their password."""

from dataclasses import dataclass

from api import gate
from api.deps import Services
from api.gate import Knock
from core.errors import Unauthorized, Unprocessable
from core.principal import Principal, PrincipalKind
from crm.identity import second_factors
from crm.identity.queries import get_person
from events.ids import OrganizationId, UserId


async def require_proof(services: Services, asking: Principal, who: Knock, proof: str) -> None:
    """Wrong ones count as wrong ones at the door. Raises: Unprocessable; Limited."""
    if asking.kind is not PrincipalKind.USER:
        raise Unprocessable("Only a person can show that it is them.", field="proof")
    user_id = UserId(asking.id)
    async with services.db.transaction(asking, "proof") as tx:
        knock = Knock((await get_person(tx, user_id)).email, who.seen, who.device_cookie)
        has_factor = await second_factors.is_on(tx, user_id)
    try:
        if not has_factor:
            credentials = await gate.check_password(services, knock, proof)
            if credentials.user_id != user_id:
                raise Unauthorized("The password is another person's.")
            return
        somebody = _Somebody(user_id, OrganizationId(asking.organization_id))
        async with (
            gate.counted(services, knock, somebody) as is_refused,
            services.db.transaction(asking, "proof") as tx,
        ):
            await second_factors.use_code(
                tx, user_id, "" if is_refused else proof, keys=services.settings.keyring
            )
    except Unauthorized as err:
        raise Unprocessable(
            "This is not the code of your app, or your password, as it is now.", field="proof"
        ) from err


@dataclass(frozen=True)
class _Somebody:
    """Whose wrong codes are counted."""

    user_id: UserId
    organization_id: OrganizationId
