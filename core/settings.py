"""Every setting of the product; the only reader of the environment."""

from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.envelopes import Keyring
from core.errors import Unprocessable


class Settings(BaseSettings):
    """Read once per process from the environment (and `.env`); names are the environment's in lower case."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", populate_by_name=True)

    # servers: an address replaces the embedded part
    database_url: str = ""
    database_url_worker: str = ""
    database_url_migrator: str = ""
    redis_url: str = ""
    neo4j_uri: str = ""
    neo4j_user: str = "neo4j"
    neo4j_password: SecretStr = SecretStr("")

    # where the product lives
    host: str = "127.0.0.1"
    port: int | None = None
    listen_fd: int | None = None
    public_url: str = ""
    data: Path = Field(default=Path(".getsale"), alias="GETSALE_DATA")
    secret_key: SecretStr = Field(default=SecretStr(""), alias="GETSALE_SECRET_KEY")
    # seals the audit chain; a key apart from the other outlives its rotation. Empty: the other
    audit_key: SecretStr = Field(default=SecretStr(""), alias="GETSALE_AUDIT_KEY")
    # keys that were here before, by commas: what they signed is good until its time is over, what they sealed opens
    old_secret_keys: SecretStr = Field(default=SecretStr(""), alias="GETSALE_OLD_SECRET_KEYS")
    secure_cookies: bool = False
    internal_hosts: str = Field(default="", alias="GETSALE_INTERNAL_HOSTS")
    metrics_port: int | None = None

    # channels
    telegram_bot_token: SecretStr = SecretStr("")
    telegram_api_base: str = "https://api.telegram.org"
    telegram_poll_seconds: int = 25
    telegram_file_limit_bytes: int = 20 * 1024 * 1024
    channel_timeout_seconds: float = 20.0
    # how long a mailbox is waited for before it is looked through again, sent mails too
    mail_idle_seconds: float = 60.0
    # how long a mail server that asks for a pause is left alone
    mail_pause_seconds: float = 60.0
    mail_limit_bytes: int = 64 * 1024 * 1024
    mail_file_limit_bytes: int = 25 * 1024 * 1024

    # mails of the product itself: smtp://user:password@host:587 or smtps://; without one they are kept under the data
    # folder, and shown on the page /mails where that is allowed
    smtp_url: SecretStr = SecretStr("")
    mail_from: str = "GetSale <noreply@getsale.example>"
    show_mails: bool = False
    # whether anybody may sign up for an organization of their own
    sign_up: bool = True

    # how many days an organization is closed before it is removed
    organization_deletion_days: int = Field(default=14, ge=1, le=365)

    # sign-in by an issuer of OpenID Connect for everybody, besides passwords; `oidc_name` stands on its button
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_name: str = ""

    # agents; prices are USD per million tokens
    agent_model: str = "offline"
    agent_fallback_model: str = ""
    # asked by the copilot in place of AGENT_MODEL, where that is too small to find its way among tools
    copilot_model: str = ""
    agent_model_tool_choice: Literal["native", "structured"] = "native"
    agent_model_context_tokens: int = Field(default=32_768, ge=4096)
    agent_model_price_in_usd: Decimal = Field(default=Decimal(0), ge=0)
    agent_model_price_out_usd: Decimal = Field(default=Decimal(0), ge=0)
    agent_fallback_price_in_usd: Decimal = Field(default=Decimal(0), ge=0)
    agent_fallback_price_out_usd: Decimal = Field(default=Decimal(0), ge=0)
    openai_base_url: str = ""
    openai_api_key: SecretStr = SecretStr("")
    local_model_url: str = ""
    agent_script: Path | None = None
    model_timeout_seconds: float = 60.0
    run_max_seconds: float = 120.0
    # how many times as long runs and model calls may take; for a model on the user's own processor
    agent_patience: float = Field(default=1.0, ge=1)
    run_max_steps: int = 40
    quiet_seconds: float = 8.0
    quiet_max_seconds: float = 45.0
    # a conversation is read for what is worth remembering once nothing came for so long; 0: never
    rest_seconds: float = 600.0

    # tables, by commas, whose words the law wants kept when a person is erased: deals, and no others
    legal_holds: str = Field(default="", alias="GETSALE_LEGAL_HOLDS")

    # how long what was said in calls of models is kept, for those who look into a run; 0: not at all
    model_exchange_days: int = Field(default=30, ge=0)

    # memory: an address of OpenAI's protocol, ending in /v1; `getsale up` fills in its own
    embeddings_url: str = ""
    embeddings_model: str = "multilingual-e5-small-int8"
    embeddings_api_key: SecretStr = SecretStr("")
    embeddings_timeout_seconds: float = 60.0
    embeddings_question_seconds: float = 1.0
    embeddings_cache: Path = Path("~/.cache/getsale/embeddings")
    embeddings_all_scripts: bool = False

    # the API: calls a minute, and sockets
    api_key_per_minute: int = Field(default=600, ge=1)
    api_person_per_minute: int = Field(default=1200, ge=1)
    api_organization_per_minute: int = Field(default=6000, ge=1)
    # how long a call under an Idempotency-Key may take before a repetition does the work instead
    api_answer_lease_seconds: float = Field(default=60.0, gt=0)
    # how long an endpoint of a webhook may take to answer
    webhook_timeout_seconds: float = Field(default=15.0, gt=0)
    ws_per_person: int = Field(default=20, ge=1)
    ws_per_organization: int = Field(default=2000, ge=1)
    ws_heartbeat_seconds: float = Field(default=15.0, gt=0)

    # work
    lease_seconds: float = 15.0
    max_attempts: int = 5
    worker_jobs: int = 8
    database_pool: int = 10

    # telemetry
    otel_endpoint: str = Field(default="", alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    log_format: str = "console"
    log_level: str = "info"

    @property
    def sealing_key(self) -> str:
        """What the audit chain is sealed with."""
        return self.audit_key.get_secret_value() or self.secret_key.get_secret_value()

    @property
    def held(self) -> frozenset[str]:
        """Tables that keep their words when a person is erased. Raises: Unprocessable for one that cannot."""
        named = frozenset(self.legal_holds.replace(",", " ").split())
        if named - {"deals"}:
            raise Unprocessable(
                "GETSALE_LEGAL_HOLDS may name deals only; what else leads to a person has to go."
            )
        return named

    @property
    def keyring(self) -> Keyring:
        """What secrets at rest are sealed with."""
        old = self.old_secret_keys.get_secret_value().split(",")
        return Keyring(
            self.secret_key.get_secret_value(),
            tuple(one.strip() for one in old if one.strip()),
            self.data / "keys",
        )

    @property
    def is_https(self) -> bool:
        """Whether browsers come by https: their cookies then go nowhere else."""
        return self.secure_cookies or self.public_url.startswith("https://")

    def model_of(self, agent: str) -> str:
        """The operator's default model for one kind of agent."""
        return (agent == "copilot" and self.copilot_model) or self.agent_model


@lru_cache
def load() -> Settings:
    """The settings of this process. Raises: Unprocessable, naming the variable that holds no value of its kind."""
    try:
        return Settings()
    except ValidationError as err:
        first = err.errors(include_url=False, include_input=False)[0]
        name = ".".join(map(str, first["loc"])).upper()
        raise Unprocessable(f"{name} is set to something it cannot be: {first['msg']}.") from err
