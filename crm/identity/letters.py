"""What the product writes to people about their accounts, in their language; plain text, one link at most."""

from dataclasses import dataclass
from string import Template


@dataclass(frozen=True)
class Letter:
    """A mail without its recipient; `kind` says why it is written."""

    kind: str
    subject: str
    text: str


# kind -> language -> subject and text; a line of its own for whatever can be clicked
_TEXTS: dict[str, dict[str, tuple[str, str]]] = {
    "verification": {
        "en": (
            "Confirm your address for GetSale",
            "Hello $name,\n\nconfirm that this address is yours, and $organization is ready:\n\n$link\n\n"
            "The link is good for two days. If you did not sign up, do nothing: no account is made.\n",
        ),
        "ru": (
            "Подтвердите адрес для GetSale",
            "Здравствуйте, $name!\n\nПодтвердите, что это ваш адрес, — и организация «$organization» готова:\n\n$link\n\n"
            "Ссылка действует два дня. Если вы не регистрировались, ничего не делайте: учётной записи не будет.\n",
        ),
    },
    "account_exists": {
        "en": (
            "You already have an account at GetSale",
            "Hello,\n\nsomebody, probably you, tried to sign up with this address, which has an account already. "
            "Sign in here:\n\n$link\n\nOn that page you can also ask for a new password. If it was not you, do nothing.\n",
        ),
        "ru": (
            "У вас уже есть учётная запись GetSale",
            "Здравствуйте!\n\nКто-то, скорее всего вы, регистрировался с этим адресом, а у него уже есть учётная "
            "запись. Войти можно здесь:\n\n$link\n\nТам же можно запросить новый пароль. Если это были не вы, ничего не делайте.\n",
        ),
    },
    "reset": {
        "en": (
            "A new password for GetSale",
            "Hello,\n\nchoose a new password here:\n\n$link\n\nThe link is good once, for an hour. "
            "If you did not ask for it, do nothing: your password stays as it is.\n",
        ),
        "ru": (
            "Новый пароль для GetSale",
            "Здравствуйте!\n\nНовый пароль можно задать здесь:\n\n$link\n\nСсылка действует один раз и один час. "
            "Если вы её не запрашивали, ничего не делайте: пароль останется прежним.\n",
        ),
    },
    "password_changed": {
        "en": (
            "Your password for GetSale was changed",
            "Hello,\n\nyour password was just changed, and every session of yours has ended. If it was not you, "
            "ask for a new one at once:\n\n$link\n",
        ),
        "ru": (
            "Ваш пароль для GetSale изменён",
            "Здравствуйте!\n\nВаш пароль только что изменён, все ваши сеансы завершены. Если это были не вы, сразу "
            "запросите новый:\n\n$link\n",
        ),
    },
    "new_device": {
        "en": (
            "A sign-in to GetSale from a new device",
            "Hello,\n\nsomebody signed in to your account from a device that we have not seen before: $device, "
            "address $address.\n\nIf it was you, all is well. If not, end that session and change your password:\n\n$link\n",
        ),
        "ru": (
            "Вход в GetSale с нового устройства",
            "Здравствуйте!\n\nВ вашу учётную запись вошли с устройства, которого мы раньше не видели: $device, "
            "адрес $address.\n\nЕсли это вы, всё в порядке. Если нет, завершите этот сеанс и смените пароль:\n\n$link\n",
        ),
    },
    "second_factor": {
        "en": (
            "Two-step sign-in to GetSale was changed",
            "Hello,\n\n$what If it was not you, change your password and look at your sessions:\n\n$link\n",
        ),
        "ru": (
            "Вход в GetSale в два шага изменён",
            "Здравствуйте!\n\n$what Если это были не вы, смените пароль и проверьте свои сеансы:\n\n$link\n",
        ),
    },
    "identity": {
        "en": (
            "Confirm a new way to sign in to GetSale",
            "Hello,\n\nsomebody signed in with $provider under your address. If it was you, let $provider open your account:\n\n"
            "$link\n\nThe link is good for an hour. If it was not you, do nothing: nobody has been let in.\n",
        ),
        "ru": (
            "Подтвердите новый способ входа в GetSale",
            "Здравствуйте!\n\nКто-то вошёл через $provider с вашим адресом. Если это вы, разрешите входить через $provider в вашу "
            "учётную запись:\n\n$link\n\nСсылка действует один час. Если это были не вы, ничего не делайте: никого не впустили.\n",
        ),
    },
    "identity_linked": {
        "en": (
            "A new way to sign in to GetSale",
            "Hello,\n\nfrom now on $provider opens your account. If it was not you, take it away at once and change your "
            "password:\n\n$link\n",
        ),
        "ru": (
            "Новый способ входа в GetSale",
            "Здравствуйте!\n\nТеперь в вашу учётную запись можно войти через $provider. Если это сделали не вы, сразу уберите этот "
            "способ и смените пароль:\n\n$link\n",
        ),
    },
    "organization_closed": {
        "en": (
            "$organization at GetSale is closed",
            "Hello,\n\nthe owner of $organization has asked for its deletion. It is closed from now on, and everything in it is "
            "removed on $day. Until then the owner can take this back:\n\n$link\n",
        ),
        "ru": (
            "«$organization» в GetSale закрыта",
            "Здравствуйте!\n\nВладелец организации «$organization» попросил её удалить. С этого момента она закрыта, а $day всё в ней "
            "будет удалено. До этого владелец может передумать:\n\n$link\n",
        ),
    },
    "organization_kept": {
        "en": (
            "$organization at GetSale is open again",
            "Hello,\n\nthe deletion of $organization was taken back. You can sign in again:\n\n$link\n",
        ),
        "ru": (
            "«$organization» в GetSale снова открыта",
            "Здравствуйте!\n\nУдаление организации «$organization» отменено. Снова можно войти:\n\n$link\n",
        ),
    },
    "invitation": {
        "en": (
            "$inviter invites you to $organization at GetSale",
            "Hello,\n\n$inviter invites you to work in $organization. Accept here:\n\n$link\n\n"
            "If you do not know what this is about, do nothing.\n",
        ),
        "ru": (
            "$inviter приглашает вас в «$organization» в GetSale",
            "Здравствуйте!\n\n$inviter приглашает вас работать в организации «$organization». Принять приглашение:\n\n$link\n\n"
            "Если вы не знаете, о чём речь, ничего не делайте.\n",
        ),
    },
}
KINDS = tuple(_TEXTS)
_SHOWN = 200


def letter(kind: str, locale: str, **values: str) -> Letter:
    """A letter of one of `KINDS`: `link`, and whatever else its text names.

    A name that somebody else has chosen is cut, and has no line breaks and nothing that a mail program makes a link of.
    """
    subject, text = _TEXTS[kind].get(locale, _TEXTS[kind]["en"])
    plain = {name: value if name == "link" else _plain(value) for name, value in values.items()}
    return Letter(kind, Template(subject).substitute(plain), Template(text).substitute(plain))


def _plain(value: str) -> str:
    words = " ".join(value.split())[:_SHOWN]
    return words.replace("://", " ").replace("www.", "www ")
